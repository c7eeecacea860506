//! URIs in plain text, found as a mail program finds them to make links of them.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::canonical::unescaped;
use crate::perl::{Fixed, Pattern, PatternSet};
use crate::registry::{Registry, is_host_name};
use crate::rules::HashBl;

/// Patterns that find URIs, and what they lead to. Most hold the list of top-level domains.
pub(crate) struct TldPatterns {
    /// A link, with or without scheme, or an address.
    link: Pattern,
    /// An address, as the plugin FreeMail looks for it.
    pub(crate) address: Pattern,
    /// An address, as the plugin HashBL is told to look for it (`hashbl_email_regex`).
    pub(crate) hashed_address: Option<Pattern>,
    /// An address that it is told not to ask about (`hashbl_email_welcomelist`).
    pub(crate) welcome_address: Option<Pattern>,
    /// A host name that stands on its own.
    pub(crate) host: Pattern,
    /// A host name behind `@`.
    pub(crate) host_of_address: Pattern,
    /// What a URI leads to that only leads on.
    pub(crate) redirectors: PatternSet,
}

/// A URI in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextUri {
    pub(crate) uri: Vec<u8>,
    /// Without scheme.
    pub(crate) schemeless: bool,
    /// A mail program may not make a link of it.
    pub(crate) unlinked: bool,
}

/// Letters shared by many names are written once: the pattern stays small.
fn alternatives<'a>(names: impl Iterator<Item = &'a [u8]>) -> String {
    let mut tails: BTreeMap<u8, Vec<&[u8]>> = BTreeMap::new();
    let mut ends_here = false;
    for name in names {
        match name.split_first() {
            Some((first, rest)) => tails.entry(*first).or_default().push(rest),
            None => ends_here = true,
        }
    }
    let choice = |(first, rest): (u8, Vec<&[u8]>)| {
        let first = if first == b'-' { "\\-".to_owned() } else { char::from(first).to_string() };
        format!("{first}{}", alternatives(rest.into_iter()))
    };
    let choices: Vec<String> = tails.into_iter().map(choice).collect();
    match (choices.as_slice(), ends_here) {
        ([], _) => String::new(),
        ([one], false) => one.clone(),
        (many, false) => format!("(?:{})", many.join("|")),
        (many, true) => format!("(?:{})?", many.join("|")),
    }
}

impl TldPatterns {
    pub(crate) fn new(registry: &Registry, redirectors: &[Arc<Pattern>], hashbl: &HashBl) -> Self {
        let plain = |name: &&Vec<u8>| name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let names = registry.tlds.iter().filter(plain).map(Vec::as_slice);
        let any = if registry.tlds.is_empty() { "no_tlds_defined".to_owned() } else { alternatives(names) };
        let tld = format!("(?<![a-zA-Z0-9-])(?:{any})(?!(?:[a-zA-Z0-9-]|\\.[a-zA-Z0-9]))");
        let begin = r#"><"'`,{\[(|\s\x1b\xa0"#;
        let end = r#"><"`}\]{\[|\s\x1b\xa0"#;
        let end_of_address = format!(r"{end},('\x80-\xff");
        let bare = format!(r"([a-z\d][a-z\d._-]{{0,251}}\.{tld})\.?(?::\d{{1,5}})?(?:/[^{end}]{{1,2048}})?");
        let known = format!(r"(?:(?:https?|ftp)://|(?:www\d{{0,2}}|ftp)\.)[^{end}]{{1,2048}}");
        let mail = format!(
            r"(?:mailto:[^{end_of_address}]{{1,2048}}|[^{end_of_address}@]{{1,251}}@[^{end_of_address}]{{1,251}})"
        );
        let link = format!(
            "(?i)(?:\\b|(?<=\\x1b\\(.)|(?<=[{begin}]))(?:(?:({known})(?=(?:[{end}]|\\z)))|(?:({mail})(?=(?:[{end_of_address}]|\\z)))\
             |(?:(?:^|(?<=[!\"#$&'()*+,/:;<=>?@\\[\\\\\\]^`{{|}}~\\s\\x1b\\xa0]))({bare})(?=(?:[{end}]|\\z))))"
        );
        let user = r"[a-z0-9!#\$%&'*+/=?^_`{|}~-]+";
        let address = format!(
            "(?i)(?=.{{0,64}}@)(?<![a-z0-9!#\\$%&'*+/=?^_`{{|}}~-])({user}(?:\\.{user})*@(?:[a-z0-9](?:[a-z0-9-]{{0,59}}[a-z0-9])?\\.){{1,4}}{tld})"
        );
        let host = format!(r"(?i)(?<![._-])(\S{{1,251}}\.{tld})(?![._-])");
        let told = |source: &Option<String>| {
            source.as_ref().map(|source| Pattern::from_source(source.replace("_TLDS_", &tld)))
        };
        Self {
            hashed_address: told(&hashbl.email_regex),
            welcome_address: told(&hashbl.email_welcomelist),
            link: Pattern::from_source(link),
            address: Pattern::from_source(address),
            host_of_address: Pattern::from_source(format!("(?i).*@{host}")),
            host: Pattern::from_source(host),
            redirectors: PatternSet::new(redirectors.to_vec()),
        }
    }
}

/// The URIs in lines of text, each once.
pub(crate) fn in_text(lines: &[Vec<u8>], patterns: &TldPatterns, registry: &Registry) -> Vec<TextUri> {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut found = Vec::new();
    for (line, word) in lines.iter().flat_map(|line| words(line).map(move |word| (line, word))) {
        for groups in patterns.link.groups_from(&line[..word.end], word.start) {
            let kind = (1..=3).find(|index| groups.span(*index).is_some_and(|(begin, end)| end > begin));
            let Some(kind) = kind else { continue };
            let raw = without_trailer(groups.get(kind));
            let is_mail = kind == 2;
            if raw.is_empty() || !seen.insert(raw.clone()) || (is_mail && !raw.contains(&b'@')) {
                continue;
            }
            let host = groups.span(4).map(|_| groups.get(4));
            if host.is_none_or(is_host_name) {
                found.extend(as_uri(raw, registry));
            }
        }
    }
    found
}

/// Where the words stand that may hold a URI. What ends a word here can stand in none, so that each word is looked at on its own.
fn words(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let ends = |byte: u8| byte.is_ascii_whitespace() || b"\x0b><\"`}]{[|\x1b\xa0".contains(&byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let found = at + line[at..].iter().position(|byte| matches!(byte, b'.' | b'@' | b':'))?;
            let start = line[at..found].iter().rposition(|byte| ends(*byte)).map_or(at, |end| at + end + 1);
            let end = line[found..].iter().position(|byte| ends(*byte)).map_or(line.len(), |end| found + end);
            at = end;
            if end - start > 1 {
                return Some(start..end);
            }
        }
    })
}

/// A closing parenthesis ends it, when none was opened; so does punctuation.
fn without_trailer(raw: &[u8]) -> Vec<u8> {
    let open = raw.iter().position(|byte| *byte == b'(').unwrap_or(raw.len());
    let close = raw[..open].iter().rposition(|byte| *byte == b')');
    let raw = &raw[..close.unwrap_or(raw.len())];
    let end = raw.iter().rposition(|byte| !b"-~!@#^&*()_+=:;'?,.".contains(byte)).map_or(0, |at| at + 1);
    raw[..end].to_vec()
}

fn as_uri(raw: Vec<u8>, registry: &Registry) -> Option<TextUri> {
    static USELESS: Fixed = Fixed::new(r"(?i)^[cm]id:|^\w+:/{0,2}$");
    static SCHEME: Fixed = Fixed::new(r"(?i)^(?:https?|ftp|mailto):");
    static MAILTO: Fixed = Fixed::new(r"(?i)^mailto:");
    if USELESS.is_match(&raw) {
        return None;
    }
    let mut found = TextUri { uri: raw, schemeless: false, unlinked: false };
    if !SCHEME.is_match(&found.uri) {
        found = with_scheme(found)?;
    }
    if MAILTO.is_match(&found.uri) {
        if found.uri.contains(&b'%') {
            found.uri = unescaped_if_needed(found.uri);
        }
        let host = host_of_address(&found.uri)?;
        if !registry.is_valid(&host) {
            return None;
        }
    }
    Some(found)
}

fn unescaped_if_needed(uri: Vec<u8>) -> Vec<u8> {
    static ESCAPE: Fixed = Fixed::new(r"(?i)%[0-9a-f]{2}");
    if ESCAPE.is_match(&uri) { unescaped(&uri) } else { uri }
}

fn host_of_address(uri: &[u8]) -> Option<Vec<u8>> {
    let at = uri.iter().position(|byte| *byte == b'@')?;
    let rest = &uri[at + 1..];
    let end = rest.iter().position(|byte| matches!(byte, b'?' | b'&' | b'>')).unwrap_or(rest.len());
    let mut host = &rest[..end];
    while let Some(shorter) = host.strip_suffix(b"%20") {
        host = shorter;
    }
    Some(host.to_vec())
}

fn with_scheme(found: TextUri) -> Option<TextUri> {
    static FTP: Fixed = Fixed::new(r"(?i)^ftp\.");
    static WWW: Fixed = Fixed::new(r"(?i)^www\d{0,2}\.");
    static PATH_THEN_AT: Fixed = Fixed::new(r"/.+\@");
    static DOT_BEHIND_AT: Fixed = Fixed::new(r"\@.+?\.");
    static MISREAD: Fixed = Fixed::new(r"(?i)^(?:skype|e?-?mail)?:+");
    let uri = found.uri;
    let mut unlinked = false;
    let uri = if FTP.is_match(&uri) {
        [b"ftp://", uri.as_slice()].concat()
    } else if WWW.is_match(&uri) || PATH_THEN_AT.is_match(&uri) {
        [b"http://", uri.as_slice()].concat()
    } else if uri.contains(&b'@') {
        let garbled = uri.windows(6).any(|window| window == b"&nbsp;");
        if garbled || !DOT_BEHIND_AT.is_match(&uri) {
            return None;
        }
        let uri = MISREAD.replace_first(&uri, |_| Vec::new()).unwrap_or(uri);
        [b"mailto:", uri.as_slice()].concat()
    } else {
        if !uri.contains(&b'.') {
            return None;
        }
        unlinked = true;
        [b"http://", uri.as_slice()].concat()
    };
    Some(TextUri { uri, schemeless: true, unlinked })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let tlds = ["com", "org", "co", "net"].iter().map(|name| name.as_bytes().to_vec()).collect();
        let registry = Registry { tlds, ..Registry::default() };
        let patterns = TldPatterns::new(&registry, &[], &HashBl::default());
        patterns.link.check().unwrap();
        patterns.address.check().unwrap();
        in_text(&[text.as_bytes().to_vec()], &patterns, &registry)
            .into_iter()
            .map(|found| String::from_utf8(found.uri).unwrap())
            .collect()
    }

    #[test]
    fn links_in_text() {
        assert_eq!(
            of("see http://a.com/x, (www.b.org) or c.net."),
            ["http://a.com/x", "http://www.b.org", "http://c.net"]
        );
        assert_eq!(of("write to joe@a.com!"), ["mailto:joe@a.com"]);
        assert_eq!(of("file.txt and e.g. this"), [] as [&str; 0]);
        assert_eq!(of("<http://a.com/a(b)c>"), ["http://a.com/a(b)c"]);
    }
}
