//! Charsets of languages that the reader does not read (`ok_locales`).

use super::{Context, Found, Function};
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_faraway_charset_in_headers" => Some(in_headers),
        "check_for_faraway_charset" => Some(in_body),
        "html_charset_faraway" => Some(in_html),
        _ => None,
    }
}

pub(super) fn raw_subject_may_mislead(context: &Context<'_>) -> bool {
    static WORD: Fixed = Fixed::new(concat!(
        r"(?i)=\?",
        r"[-_a-z0-9]*(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis)[-_a-z0-9]*",
        r"\?"
    ));
    WORD.is_match(&context.mail.text("Subject:raw"))
}

/// May capitals in this charset mean nothing?
pub(super) fn may_mislead(charset: &[u8]) -> bool {
    static CHARSET: Fixed = Fixed::new(concat!(
        r"(?i)^",
        r"[-_a-z0-9]*(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis)[-_a-z0-9]*",
        r"$"
    ));
    CHARSET.is_match(charset)
}

/// Charsets of some languages; those that the whole net uses are fine everywhere.
const OF_LOCALES: [(&[&str], &str); 6] = [
    (
        &["ja"],
        " EUCJP JISX020119760 JISX020819830 JISX020819900 JISX020819970 JISX021219900 JISX021320001 JISX021320002 SHIFT_JIS SHIFTJIS \
         ISO2022JP SJIS JIS7 JISX0201 JISX0208 JISX0212 ",
    ),
    (&["ko"], " EUCKR KSC56011987 "),
    (&["ru", "ka", "tg", "be", "uk", "bg"], " KOI8R KOI8U KOI8T ISOIR111 CP1251 GEORGIANPS PT154 CP866 "),
    (&["th"], " TIS620 "),
    (&["zh"], " GB1988 GB2312 GB231219800 GB18030 GBK BIG5HKSCS BIG5 EUCTW ISO2022CN "),
    (&[], ""),
];

fn locales(context: &Context<'_>) -> Option<Vec<String>> {
    let locales: Vec<String> =
        context.mail.settings.ok_locales.split_whitespace().map(str::to_owned).collect();
    (!locales.iter().any(|locale| locale == "all")).then_some(locales)
}

/// Is the charset fine for a reader of these languages?
pub(super) fn is_ok(charset: &[u8], locales: &[String]) -> bool {
    let letters = charset.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let name: String = letters.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
    let name = name.strip_prefix("3D").unwrap_or(&name);
    let families =
        ["ISO8859", "ISO10646", "UTF", "UCS", "CP125", "WINDOWS", "UNICODE11UTF7", "UNICODE11UTF8"];
    if matches!(name, "USASCII" | "ASCII" | "IBM852" | "XUNKNOWN" | "ISO")
        || families.iter().any(|family| name.starts_with(family))
    {
        return true;
    }
    let wanted = format!(" {name} ");
    locales.iter().any(|locale| {
        let short = locale.get(..2).unwrap_or(locale);
        OF_LOCALES.iter().any(|(names, charsets)| names.contains(&short) && charsets.contains(&wanted))
    })
}

/// Is the charset of a part a strange one?
pub(super) fn is_faraway(context: &Context<'_>, charset: &[u8]) -> bool {
    locales(context).is_some_and(|locales| !is_ok(charset, &locales))
}

fn in_headers(context: &Context<'_>, _: &[String]) -> Found {
    static WORD: Fixed = Fixed::new(r"=\?(.+?)\?.\?.*?\?=");
    let Some(locales) = locales(context) else { return Found::No };
    let strange = |request: &str| {
        let values = context.mail.get(request);
        values.iter().any(|value| WORD.all(value).iter().any(|groups| !is_ok(groups.get(1), &locales)))
    };
    (strange("From:raw") || strange("Subject:raw")).into()
}

/// The charset in a `Content-Type` line.
pub(super) fn of_content_type(value: &[u8]) -> Option<Vec<u8>> {
    static CHARSET: Fixed = Fixed::new(r#"(?i)charset="([^"]+)""#);
    static SINGLE: Fixed = Fixed::new(r"(?i)charset='([^']+)'");
    static BARE: Fixed = Fixed::new(r"(?i)charset=(\S+)");
    [&CHARSET, &SINGLE, &BARE]
        .into_iter()
        .find_map(|pattern| pattern.groups(value))
        .map(|groups| groups.text(1))
}

fn in_body(context: &Context<'_>, _: &[String]) -> Found {
    let charset = context.mail.text_if_any("Content-Type").and_then(|value| of_content_type(&value));
    let Some(charset) = charset.filter(|charset| is_faraway(context, charset)) else { return Found::No };
    let _ = charset;
    let body = context.body().join(&b'\n');
    let high = body.iter().filter(|byte| !byte.is_ascii()).count();
    (body.len() - high <= high && high > 3).into()
}

fn in_html(context: &Context<'_>, _: &[String]) -> Found {
    let Some(locales) = locales(context) else { return Found::No };
    let strange = context.mail.documents().filter_map(|html| html.charsets.as_ref()).any(|charsets| {
        let bad = charsets.split_whitespace().filter(|charset| !is_ok(charset.as_bytes(), &locales)).count();
        bad > 0 && bad * 2 >= charsets.split_whitespace().count()
    });
    strange.into()
}
