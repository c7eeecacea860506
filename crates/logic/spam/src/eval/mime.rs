//! How the message is put together.

use std::borrow::Cow;

use super::{Context, Found, Function, charset, contains, number, text};
use crate::perl::Fixed;
use message::tree::{MediaType, Part};

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_mime" => Some(named),
        "check_for_mime_html" => Some(|context, _| (is_html(context) || facts(context).html > 0).into()),
        "check_for_mime_html_only" => Some(|context, _| {
            (is_html(context) || (facts(context).html > 0 && facts(context).text == 0)).into()
        }),
        "check_mime_multipart_ratio" => Some(multipart_ratio),
        "check_msg_parse_flags" => Some(flaw),
        "check_for_ascii_text_illegal" => Some(|context, _| (facts(context).illegal_ascii > 0).into()),
        "check_abundant_unicode_ratio" => Some(|context, arguments| {
            number(arguments, 0).is_some_and(|least| facts(context).unicode_ratio >= least).into()
        }),
        "check_for_uppercase" => Some(uppercase),
        "check_ma_non_text" => Some(alternative_without_text),
        "check_base64_length" => Some(base64_length),
        "check_qp_ratio" => Some(|context, arguments| {
            number(arguments, 0).is_some_and(|least| facts(context).qp_ratio >= least).into()
        }),
        _ => None,
    }
}

/// What was counted over all parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    base64: u32,
    base64_text: bool,
    html: u32,
    text: u32,
    attachment: u32,
    qp: i64,
    qp_long_line: bool,
    qp_ratio: f64,
    bad_iso_charset: bool,
    faraway: bool,
    charsets: Vec<Vec<u8>>,
    alternative: bool,
    multipart_ratio: f64,
    illegal_ascii: u32,
    unicode_ratio: f64,
    missing_boundary: bool,
}

/// What is counted on the way.
#[derive(Default)]
struct Count {
    qp_bytes: usize,
    qp_escapes: i64,
    plain_chars: usize,
    unicode_escapes: usize,
    /// Type and bytes of parts that are no attachments.
    sizes: Vec<(String, Option<usize>)>,
}

fn facts<'c>(context: &'c Context<'_>) -> &'c Facts {
    context.mime.get_or_init(|| {
        let tree = &context.mail.tree;
        let mut facts = Facts { multipart_ratio: 1.0, ..Facts::default() };
        let mut count = Count::default();
        for id in tree.all() {
            examine(context, tree.part(id), &mut facts, &mut count);
        }
        if count.qp_bytes > 0 {
            facts.qp_ratio = count.qp_escapes as f64 / count.qp_bytes as f64;
            facts.qp = count.qp_escapes;
        }
        if count.plain_chars > 0 {
            facts.unicode_ratio = count.unicode_escapes as f64 / count.plain_chars as f64;
        }
        if facts.alternative {
            facts.multipart_ratio = text_to_html(&count.sizes).unwrap_or(1.0);
        }
        facts.missing_boundary = tree.boundaries.values().any(|state| *state != 0);
        facts
    })
}

fn text_to_html(sizes: &[(String, Option<usize>)]) -> Option<f64> {
    let last = |kind: &str| sizes.iter().rev().filter(|(found, _)| found == kind).find_map(|(_, size)| *size);
    let html = last("text/html").filter(|bytes| *bytes > 0)?;
    Some(last("text/plain")? as f64 / html as f64)
}

fn examine(context: &Context<'_>, part: &Part, facts: &mut Facts, count: &mut Count) {
    let lower = |name: &str| part.fields.value(name).unwrap_or_default().to_ascii_lowercase();
    let declared = MediaType::parse(part.fields.value("content-type"));
    let (encoding, disposition) = (lower("content-transfer-encoding"), lower("content-disposition"));
    facts.alternative |= declared.kind == "multipart/alternative";
    let charset = declared.charset.as_deref().map(<[u8]>::to_ascii_lowercase);
    note_header(context, facts, &declared.kind, &encoding, &disposition, charset.as_deref());
    if !part.is_leaf() {
        return;
    }
    let attached = contains(&disposition, b"attachment");
    let mut bytes = 0;
    for line in part.raw.iter() {
        if facts.alternative && !attached && matches!(declared.kind.as_str(), "text/plain" | "text/html") {
            bytes += line.len();
        }
        if encoding == b"quoted-printable" && !line.starts_with(b"SPAM: ") {
            facts.qp_long_line |= line.len() > 79;
            count.qp_bytes += line.len();
            count.qp_escapes += needless_escapes(line);
        }
        let ascii = charset.as_deref().is_none_or(|charset| charset == b"us-ascii");
        if declared.kind == "text/plain" && ascii {
            facts.illegal_ascii +=
                u32::from(line.iter().any(|byte| matches!(byte, 0 | b'\r') || *byte >= 0x80));
        }
        if declared.kind == "text/plain" && matches!(encoding.as_slice(), b"" | b"7bit" | b"8bit") {
            count_unicode(line, count);
        }
    }
    count.sizes.push((declared.kind, (!attached).then_some(bytes)));
}

fn note_header(
    context: &Context<'_>,
    facts: &mut Facts,
    kind: &str,
    encoding: &[u8],
    disposition: &[u8],
    charset: Option<&[u8]>,
) {
    static ASCII: Fixed = Fixed::new(
        r"(?:us-ascii|ansi_x3\.4-1968|iso-ir-6|ansi_x3\.4-1986|iso_646\.irv:1991|ascii|iso646-us|us|ibm367|cp367|csascii)",
    );
    static ISO: Fixed = Fixed::new(r"(?i)iso-\S+-\S+\b");
    static GOOD_ISO: Fixed = Fixed::new(r"iso-(?:8859-\d{1,2}|2022-(?:jp|kr))\b");
    let charset = charset.unwrap_or_default();
    facts.html += u32::from(kind == "text/html");
    facts.text += u32::from(kind != "text/html" && kind.starts_with("text"));
    let base64 = contains(encoding, b"base64");
    facts.base64 += u32::from(base64);
    facts.qp += i64::from(!base64 && contains(encoding, b"quoted-printable"));
    facts.attachment += u32::from(contains(disposition, b"attachment"));
    let placed = disposition.starts_with(b"attachment") || disposition.starts_with(b"inline");
    facts.base64_text |=
        kind.starts_with("text") && base64 && (charset.is_empty() || ASCII.is_match(charset)) && !placed;
    facts.bad_iso_charset |= ISO.is_match(charset) && !GOOD_ISO.is_match(charset);
    if charset.iter().any(u8::is_ascii_alphabetic) {
        facts.charsets.push(charset.to_vec());
        facts.faraway |= charset::is_faraway(context, charset);
    }
}

/// Escapes of characters that need none, but for those at the end of a line.
fn needless_escapes(line: &[u8]) -> i64 {
    static ESCAPE: Fixed = Fixed::new(r"=(?:09|3[0-9ABCEF]|[2456][0-9A-F]|7[0-9A-E])");
    static TRAILING: Fixed = Fixed::new(r"((?:=09|=20)+)\s*$");
    if !line.contains(&b'=') {
        return 0;
    }
    let count = i64::try_from(ESCAPE.all(line).len()).unwrap_or(0);
    let trailing = TRAILING.groups(line).filter(|_| count > 0).map_or(0, |groups| groups.get(1).len() / 3);
    count - i64::try_from(trailing).unwrap_or(0)
}

fn count_unicode(line: &[u8], count: &mut Count) {
    static ESCAPE: Fixed = Fixed::new(r"&#x[0-9A-F]{4};");
    let escapes = if contains(line, b"&#x") { ESCAPE.all(line).len() } else { 0 };
    count.unicode_escapes += escapes;
    count.plain_chars += line.len() - escapes * b"&#x0000;".len();
}

fn is_html(context: &Context<'_>) -> bool {
    context.mail.text("Content-Type").get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case(b"text/html"))
}

fn named(context: &Context<'_>, arguments: &[String]) -> Found {
    let facts = facts(context);
    let found = match text(arguments, 0) {
        "mime_base64_count" => facts.base64 > 0,
        "mime_base64_encoded_text" => facts.base64_text,
        "mime_body_html_count" => facts.html > 0,
        "mime_body_text_count" => facts.text > 0,
        "mime_attachment" => facts.attachment > 0,
        "mime_qp_count" => facts.qp != 0,
        "mime_qp_long_line" => facts.qp_long_line,
        "mime_qp_ratio" => facts.qp_ratio != 0.0,
        "mime_bad_iso_charset" => facts.bad_iso_charset,
        "mime_faraway_charset" => facts.faraway,
        "mime_html_charsets" => !facts.charsets.is_empty(),
        "mime_missing_boundary" => facts.missing_boundary,
        "mime_multipart_alternative" => facts.alternative,
        "mime_multipart_ratio" => facts.multipart_ratio != 0.0,
        "mime_ascii_text_illegal" => facts.illegal_ascii > 0,
        "mime_text_unicode_ratio" => facts.unicode_ratio != 0.0,
        "mime_checked_attachments" => true,
        _ => false,
    };
    found.into()
}

fn multipart_ratio(context: &Context<'_>, arguments: &[String]) -> Found {
    let ratio = facts(context).multipart_ratio;
    (number(arguments, 0).is_none_or(|least| ratio >= least)
        && number(arguments, 1).is_none_or(|most| ratio < most))
    .into()
}

fn flaw(context: &Context<'_>, arguments: &[String]) -> Found {
    let flaws = context.mail.tree.flaws;
    let found = match text(arguments, 0) {
        "truncated_header" => flaws.truncated_header || context.mail.headers_truncated.get().is_some(),
        "missing_head_body_separator" => flaws.missing_head_body_separator,
        "missing_mime_headers" => flaws.missing_mime_headers,
        "missing_mime_head_body_separator" => flaws.missing_mime_head_body_separator,
        "mime_epilogue_exists" => flaws.mime_epilogue_exists,
        "mimepart_limit_exceeded" => flaws.mimepart_limit_exceeded,
        _ => false,
    };
    found.into()
}

fn uppercase(context: &Context<'_>, arguments: &[String]) -> Found {
    if charset_may_mislead(context) {
        return Found::No;
    }
    // The text changes at most once, see `Context::body`.
    let kept = &context.capitals[usize::from(context.changed_body.get().is_some())];
    let Some(share) = *kept.get_or_init(|| share_of_capitals(context.body())) else { return Found::No };
    (share > number(arguments, 0).unwrap_or(0.0) && share <= number(arguments, 1).unwrap_or(0.0)).into()
}

/// Capitals among letters and digits in percent; `None` when there is not enough text to tell.
fn share_of_capitals(lines: &[Vec<u8>]) -> Option<f64> {
    static WORDS: Fixed = Fixed::new(r"\S\s+\S");
    static BASE64: Fixed = Fixed::new(r"^(?:[A-Za-z0-9+\/=]{60,76} ){2}");
    static JAPANESE: Fixed = Fixed::new(r"(?s)\x1b\$B.*\x1b\(B");
    const SHORTEST: usize = 200;
    let (mut length, mut lower, mut upper) = (0, 0, 0);
    for line in lines.iter().filter(|line| WORDS.is_match(line) && !BASE64.is_match(line)) {
        let line = match line.contains(&0x1b) {
            true => Cow::Owned(JAPANESE.replace_all(line, |_| Vec::new())),
            false => Cow::Borrowed(line),
        };
        length += line.len();
        lower += line.iter().filter(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
        upper += line.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    }
    if length < SHORTEST {
        return None;
    }
    Some(if upper + lower == 0 { 0.0 } else { upper as f64 / (upper + lower) as f64 * 100.0 })
}

fn charset_may_mislead(context: &Context<'_>) -> bool {
    let own = context.mail.text_if_any("Content-Type").and_then(|value| charset::of_content_type(&value));
    own.iter().chain(&facts(context).charsets).any(|charset| charset::may_mislead(charset))
}

fn alternative_without_text(context: &Context<'_>, _: &[String]) -> Found {
    let tree = &context.mail.tree;
    let odd = |id: &usize| {
        let part = tree.part(*id);
        part.is_leaf()
            && !matches!(part.kind.as_str(), "multipart/related" | "application/rtf")
            && !part.kind.starts_with("text/")
    };
    let alternatives = tree.all().into_iter().filter(|id| tree.part(*id).kind == "multipart/alternative");
    alternatives.into_iter().any(|id| tree.part(id).children.iter().flatten().any(odd)).into()
}

fn base64_length(context: &Context<'_>, arguments: &[String]) -> Found {
    let tree = &context.mail.tree;
    let mut longest = 0;
    for id in tree.leaves() {
        let part = tree.part(id);
        let kind = MediaType::parse(part.fields.value("content-type")).kind;
        if kind != "application/ics" && part.transfer_encoding() == b"base64" {
            longest = part.raw.iter().map(<[u8]>::len).fold(longest, usize::max);
        }
    }
    let longest = longest as f64;
    (number(arguments, 1).is_none_or(|most| longest <= most)
        && number(arguments, 0).is_none_or(|least| longest >= least))
    .into()
}
