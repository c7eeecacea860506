//! Addresses in header fields, read the way mail programs do rather than by RFC 5322.

use crate::perl::Fixed;
use crate::registry::{is_host_name, to_ascii};

/// One address of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mailbox {
    /// The name that stands with it.
    pub(crate) phrase: Option<Vec<u8>>,
    /// `user@host`
    pub(crate) address: Option<Vec<u8>>,
}

/// Addresses of one field.
const MAILBOX_LIMIT: usize = 1000;

macro_rules! quoted {
    () => {
        r#"" (?:|(?:[^"\\]++|\\.)*+) ""#
    };
}

macro_rules! address {
    () => {
        concat!(
            r#"(?: "#,
            quoted!(),
            r#" | [^\@\s<>()\[\],:;]+ ) \@ (?: [^"\s<>()\[\],:;]+ | \[ [\d:.]+ \] )"#
        )
    };
}

macro_rules! words {
    () => {
        concat!(r#"(?: "#, quoted!(), r#" | [^",;<]++ )+"#)
    };
}

static ENTRY: Fixed = Fixed::new(concat!(
    r"(?ix)^ \s* (?: (?: ( ",
    words!(),
    r" ) \s* )? < \s* ( [^>\@]* \S+ | \s* ) \s* > (?: \s* < \s* (?: (?: ",
    quoted!(),
    r" )? \S+ | \s* ) \s* > )* | (?: ( ",
    address!(),
    r" ) | ( ",
    words!(),
    r" ) ) ) (?: \s* \( ( (?:|(?:[^()\\]++|\\.)*+) ) \) )? \s* (?: [,;] | \z )",
));
static ADDRESS: Fixed = Fixed::new(concat!(r"(?ix)^ ", address!(), r" $"));
static IN_BRACKETS: Fixed = Fixed::new(concat!(r"(?ix)< ( ", address!(), r" ) >"));
static COMMENT: Fixed = Fixed::new(r"(?s)\((?:|(?:[^()\\]++|\\.)*+)\)");
static PHRASE_PIECE: Fixed = Fixed::new(r#"(?s)(?:"(|(?:[^"\\]++|\\.)*+)"|([^"]++))"#);
static GROUP_NAME: Fixed = Fixed::new(r#"(?s)^[^"()<>]+:\s*(.*?)\s*(?:;.*)?"#);

/// The addresses in the value of a field.
pub(crate) fn parse(value: &[u8]) -> Vec<Mailbox> {
    let mut rest = prepared(value);
    let mut found = Vec::new();
    if rest.iter().all(|byte| byte.is_ascii_whitespace()) {
        return found;
    }
    while found.len() < MAILBOX_LIMIT {
        let Some(entry) = ENTRY.groups(&rest) else { break };
        let group = |index: usize| entry.span(index).map(|_| entry.text(index));
        let end = entry.span(0).map_or(0, |(_, end)| end);
        let read = mailbox(group(1).or_else(|| group(4)), group(2), group(3), group(5));
        if end == 0 {
            break;
        }
        found.push(read);
        rest.drain(..end);
    }
    if rest.contains(&b'@') {
        let more = IN_BRACKETS
            .all(&rest)
            .into_iter()
            .map(|groups| groups.text(1))
            .filter(|address| is_sound(address));
        found.extend(more.map(|address| Mailbox { phrase: None, address: Some(first_address(&address)) }));
    }
    found
}

fn prepared(value: &[u8]) -> Vec<u8> {
    let end =
        value.iter().rposition(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b).map_or(0, |at| at + 1);
    let mut text = Vec::with_capacity(end);
    let mut rest = &value[..end];
    while let Some(first) = rest.first() {
        if rest.starts_with(b"\\\\") {
            rest = &rest[2..];
        } else {
            text.push(*first);
            rest = &rest[1..];
        }
    }
    GROUP_NAME.replace_first(&text, |groups| groups.text(1)).unwrap_or(text)
}

fn mailbox(
    phrase: Option<Vec<u8>>,
    in_brackets: Option<Vec<u8>>,
    bare: Option<Vec<u8>>,
    comment: Option<Vec<u8>>,
) -> Mailbox {
    let bracketed = in_brackets.map(|address| COMMENT.replace_all(&address, |_| Vec::new()));
    let address = bracketed.filter(|address| ADDRESS.is_match(address)).or(bare);
    let mut address = address.filter(|address| is_sound(address));
    let mut phrase = phrase.map(|phrase| plain_phrase(&phrase));
    if address.is_none() && phrase.as_deref().is_some_and(is_address_itself) {
        address = phrase.take();
    }
    if phrase.as_deref().is_some_and(|phrase| phrase.is_empty() || Some(phrase) == address.as_deref()) {
        phrase = None;
    }
    Mailbox { phrase: phrase.or(comment), address: address.map(|address| first_address(&address)) }
}

/// The name without quotes, and without the comments that stand outside of them.
fn plain_phrase(phrase: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(phrase.len());
    for piece in PHRASE_PIECE.all(phrase) {
        if piece.span(1).is_some() {
            plain.extend(unescaped(piece.get(1)));
        } else {
            plain.extend(COMMENT.replace_all(piece.get(2), |_| Vec::new()));
        }
    }
    plain
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            plain.push(*byte);
        } else if bytes.peek() == Some(&&b'\\') {
            plain.push(b'\\');
            bytes.next();
        }
    }
    plain
}

fn is_address_itself(phrase: &[u8]) -> bool {
    let host = phrase.split(|byte| *byte == b'@').nth(1).unwrap_or_default();
    ADDRESS.is_match(phrase) && is_sound(phrase) && is_host_name(&to_ascii(host))
}

fn is_sound(address: &[u8]) -> bool {
    !address.starts_with(b"\"\"@") && address.iter().filter(|byte| **byte == b'"').count() != 1
}

/// Up to a second `@`.
fn first_address(address: &[u8]) -> Vec<u8> {
    let second = address.iter().enumerate().filter(|(_, byte)| **byte == b'@').nth(1);
    address[..second.map_or(address.len(), |(at, _)| at)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: &str) -> String {
        let text = |text: &Option<Vec<u8>>| {
            text.as_ref().map_or("-".into(), |text| String::from_utf8_lossy(text).into_owned())
        };
        parse(value.as_bytes())
            .iter()
            .map(|found| format!("{}={}", text(&found.phrase), text(&found.address)))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn addresses_of_all_kinds() {
        assert_eq!(show(" joe@example.com\n"), "-=joe@example.com");
        assert_eq!(
            show("\"Doe, Joe\" <joe@example.com>, ann@b.org (Ann)"),
            "Doe, Joe =joe@example.com; Ann=ann@b.org"
        );
        assert_eq!(show("Joe Doe <joe@example.com>"), "Joe Doe =joe@example.com");
        assert_eq!(show("undisclosed-recipients: ;"), "");
        assert_eq!(show("<>"), "-=-");
        assert_eq!(show("just a name"), "just a name=-");
        assert_eq!(show("\"joe@example.com\" <ann@b.org>"), "joe@example.com =ann@b.org");
    }

    #[test]
    fn the_patterns_are_sound() {
        for pattern in [&ENTRY, &ADDRESS, &IN_BRACKETS, &COMMENT, &PHRASE_PIECE, &GROUP_NAME] {
            assert!(pattern.is_sound());
        }
    }
}
