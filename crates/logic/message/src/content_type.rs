//! Content-Type and Content-Transfer-Encoding, as far as the structure of a message needs them (RFC 2045 §5, §6).

use address::{Token, scan};

use crate::header::Charset;

/// So many tokens of a header are looked at.
const TOKEN_LIMIT: usize = 1000;

/// The content of a part, as far as it decides on what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Content {
    /// Nothing with parts in it.
    #[default]
    Leaf,
    /// `multipart/...`
    Multipart {
        /// What separates the parts.
        boundary: Vec<u8>,
        /// `multipart/digest`: a part without Content-Type is a message.
        digest: bool,
    },
    /// `message/rfc822` or `message/global`: headers and a body again.
    Message,
    /// Another `message/...`: of it, only the encoding matters.
    OtherMessage,
}

/// How content is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Lines of 7-bit text; also what is meant when nothing is said.
    #[default]
    SevenBit,
    /// Lines of 8-bit text.
    EightBit,
    /// Anything.
    Binary,
    /// 7-bit text with `=XX`.
    QuotedPrintable,
    /// 7-bit text in base 64.
    Base64,
    /// A name that is not in RFC 2045.
    Other,
}

impl Encoding {
    /// Reads the value of Content-Transfer-Encoding.
    pub fn parse(value: &[u8]) -> Self {
        let (_, text) = Charset::decode(value);
        let tokens: Vec<_> =
            scan(&text, TOKEN_LIMIT).into_iter().filter(|token| !is_comment(token)).collect();
        let word = match tokens.as_slice() {
            [Token::Atom(word), ..] => word.to_ascii_lowercase(),
            _ => return Self::Other,
        };
        match word.as_str() {
            "7bit" => Self::SevenBit,
            "8bit" => Self::EightBit,
            "binary" => Self::Binary,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            _ => Self::Other,
        }
    }

    /// Is the encoded text limited to 7 bits?
    pub fn is_seven_bit(self) -> bool {
        !matches!(self, Self::EightBit | Self::Binary)
    }

    /// Does it turn bytes into other bytes? Not allowed for content with parts (RFC 2045 §6.4).
    pub fn transforms(self) -> bool {
        matches!(self, Self::QuotedPrintable | Self::Base64 | Self::Other)
    }
}

impl Content {
    /// Reads the value of Content-Type. A boundary is cut off at `boundary_limit` bytes (`mime_boundary_length_limit`).
    pub fn parse(value: &[u8], boundary_limit: usize) -> Self {
        let (charset, text) = Charset::decode(value);
        let (kind, subtype, parameters) = split_type(&text);
        match kind.as_str() {
            "multipart" => match parameter(parameters, "boundary") {
                Some(boundary) => {
                    let mut boundary = charset.encode(&boundary);
                    boundary.truncate(boundary_limit);
                    Self::Multipart { boundary, digest: subtype == "digest" }
                }
                None => Self::Leaf,
            },
            "message" if subtype == "rfc822" || subtype == "global" => Self::Message,
            "message" => Self::OtherMessage,
            _ => Self::Leaf,
        }
    }
}

/// Type and subtype in lower case, and the text behind them.
fn split_type(text: &str) -> (String, String, &str) {
    let (head, parameters) = text.split_once(';').unwrap_or((text, ""));
    let without_comments = || scan(head, TOKEN_LIMIT).into_iter().filter(|token| !is_comment(token));
    let word = |token: Token| match token {
        Token::Atom(text) => text,
        Token::Operator(character) => character.to_string(),
        _ => String::new(),
    };
    let whole: String = without_comments().map(word).collect();
    let (kind, subtype) = whole.split_once('/').unwrap_or((&whole, ""));
    (kind.to_ascii_lowercase(), subtype.to_ascii_lowercase(), parameters)
}

/// The value of the first parameter `name`.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let key = key.rsplit(';').next().unwrap_or(key).trim();
        let (value, next) = value(after.trim_start());
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// A token or quoted string, and what follows it.
fn value(text: &str) -> (String, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return (value, &quoted[at + 1..]),
                '\\' => value.extend(characters.next().map(|(_, next)| next)),
                '\n' => {}
                other => value.push(other),
            }
        }
        return (value, "");
    }
    let end = text
        .find(|character: char| character == ';' || character.is_ascii_whitespace())
        .unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn is_comment(token: &Token) -> bool {
    matches!(token, Token::Comment(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn multipart(value: &str) -> Option<String> {
        match Content::parse(value.as_bytes(), 70) {
            Content::Multipart { boundary, .. } => Some(String::from_utf8(boundary).unwrap()),
            _ => None,
        }
    }

    #[test]
    fn boundaries_are_found_among_parameters() {
        for (value, boundary) in [
            (" multipart/mixed; boundary=bb", "bb"),
            (" Multipart/Mixed;\n charset=x; BOUNDARY = \"a b;=\\\"c\"", "a b;=\"c"),
            (" multipart / (c) alternative; boundary=\"x\" ; y=z", "x"),
        ] {
            assert_eq!(multipart(value).as_deref(), Some(boundary), "{value}");
        }
        assert_eq!(multipart("multipart/mixed"), None);
        assert_eq!(multipart(&format!("multipart/mixed; boundary={}", "x".repeat(80))).unwrap().len(), 70);
    }

    #[test]
    fn messages_and_leaves_are_told_apart() {
        assert_eq!(Content::parse(b" message/RFC822", 70), Content::Message);
        assert_eq!(Content::parse(b" message/partial; id=x", 70), Content::OtherMessage);
        assert_eq!(Content::parse(b" text/plain; charset=utf-8", 70), Content::Leaf);
        assert_eq!(Content::parse(b"", 70), Content::Leaf);
    }

    #[test]
    fn encodings_are_known_by_name() {
        assert_eq!(Encoding::parse(b" 8BIT"), Encoding::EightBit);
        assert_eq!(Encoding::parse(b" (c) base64"), Encoding::Base64);
        assert_eq!(Encoding::parse(b" x-uuencode"), Encoding::Other);
        assert_eq!(Encoding::parse(b" quoted-printable\n"), Encoding::QuotedPrintable);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut header = b" multipart/mixed;".to_vec();
            header.extend(value);
            if let Content::Multipart { boundary, .. } = Content::parse(&header, 10) {
                prop_assert!(boundary.len() <= 10);
            }
        }
    }
}
