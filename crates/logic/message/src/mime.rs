//! Values of MIME fields: a type with parameters, a token, a list of languages (RFC 2045 §5, RFC 2183, RFC 3282).

use std::collections::BTreeMap;

/// Parameters of one field.
const PARAMETERS_LIMIT: usize = 100;

/// A parameter: its name in lower case, and its value.
pub type Parameter = (Vec<u8>, Vec<u8>);

/// `type/subtype; name=value`, types and names in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaType {
    /// `text`; empty where the field makes no sense.
    pub kind: Vec<u8>,
    /// `plain`
    pub subtype: Vec<u8>,
    /// In their order; continuations are joined (RFC 2231 §3), still encoded, and stand behind the others.
    pub parameters: Vec<Parameter>,
}

impl MediaType {
    /// Reads the value of Content-Type.
    pub fn parse(value: &[u8]) -> Self {
        let mut reader = Reader::new(value);
        let kind = reader.token().to_ascii_lowercase();
        let mut subtype = Vec::new();
        reader.blanks();
        if reader.take(b'/') {
            subtype = reader.token().to_ascii_lowercase();
            if kind.is_empty() || subtype.is_empty() {
                return Self::default();
            }
        }
        Self { kind, subtype, parameters: reader.parameters() }
    }

    /// What a part without Content-Type is (RFC 2045 §5.2).
    pub fn text() -> Self {
        Self { kind: b"text".to_vec(), subtype: b"plain".to_vec(), parameters: Vec::new() }
    }

    /// `message/rfc822`, what a part of a digest is without Content-Type (RFC 2046 §5.1.5).
    pub fn message() -> Self {
        Self { kind: b"message".to_vec(), subtype: b"rfc822".to_vec(), parameters: Vec::new() }
    }

    /// Is it this type?
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind.as_bytes() && self.subtype == subtype.as_bytes()
    }

    /// The value of the first parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(own, _)| own == name.as_bytes()).map(|(_, value)| value.as_slice())
    }
}

/// `attachment; filename=x` (RFC 2183).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// As it was written.
    pub kind: Vec<u8>,
    /// As of [`MediaType`].
    pub parameters: Vec<Parameter>,
}

impl Disposition {
    /// Reads the value of Content-Disposition; `None` where it begins with no token.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let kind = reader.token().to_vec();
        (!kind.is_empty()).then(|| Self { kind, parameters: reader.parameters() })
    }
}

/// A value of one token, as Content-Transfer-Encoding has; `None` where it is anything else.
pub fn token(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(value);
    let token = reader.token().to_vec();
    reader.blanks();
    (!token.is_empty() && reader.rest.is_empty()).then_some(token)
}

/// The tags of Content-Language.
pub fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(value);
    let mut languages = Vec::new();
    while languages.len() < PARAMETERS_LIMIT {
        let tag = reader.token();
        if tag.is_empty() {
            break;
        }
        languages.push(tag.to_vec());
        reader.blanks();
        if !reader.take(b',') {
            break;
        }
    }
    languages
}

/// Goes through a value.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(found)..];
        found
    }

    /// White space and comments (RFC 5322 §3.2.2). Nesting costs a count, not a stack.
    fn blanks(&mut self) {
        loop {
            let length = self.rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.rest = &self.rest[length..];
            if self.rest.first() != Some(&b'(') {
                return;
            }
            self.rest = &self.rest[comment_length(self.rest)..];
        }
    }

    /// token = 1*<any CHAR except SPACE, CTLs, or tspecials> (RFC 2045 §5.1); 8-bit bytes are taken as well.
    fn token(&mut self) -> &'a [u8] {
        self.blanks();
        let length = self.rest.iter().take_while(|byte| is_token(**byte)).count();
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        token
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let (mut plain, mut extended) = (Vec::new(), Vec::new());
        let mut continued: BTreeMap<Vec<u8>, Continued> = BTreeMap::new();
        for _ in 0..PARAMETERS_LIMIT {
            self.blanks();
            if !self.skip_to_semicolon() {
                break;
            }
            let name = self.token().to_ascii_lowercase();
            self.blanks();
            if !self.take(b'=') {
                continue;
            }
            let value = self.value();
            match continuation(&name) {
                Some((base, number, encoded)) => {
                    continued.entry(base).or_default().add(number, encoded, value)
                }
                None if name.ends_with(b"*") => extended.push((name, value)),
                None => plain.push((name, value)),
            }
        }
        // What RFC 2231 made comes last, by name.
        extended.extend(continued.into_iter().map(|(base, parts)| parts.joined(base)));
        extended.sort_by(|(one, _), (other, _)| one.cmp(other));
        plain.extend(extended);
        plain
    }

    fn skip_to_semicolon(&mut self) -> bool {
        let place = self.rest.iter().position(|byte| *byte == b';');
        self.rest = place.map_or(&[], |place| &self.rest[place + 1..]);
        place.is_some()
    }

    /// value = token / quoted-string
    fn value(&mut self) -> Vec<u8> {
        self.blanks();
        if !self.take(b'"') {
            let value = self.rest.iter().take_while(|byte| is_value(**byte)).count();
            let (value, rest) = self.rest.split_at(value);
            self.rest = rest;
            return value.to_vec();
        }
        let mut value = Vec::new();
        let mut bytes = self.rest.iter().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.rest = &self.rest[at + 1..];
                    return value;
                }
                b'\\' => value.extend(bytes.next().map(|(_, byte)| *byte)),
                b'\r' | b'\n' => {}
                byte => value.push(*byte),
            }
        }
        self.rest = &[];
        value
    }
}

/// `name*0=`, `name*1*=`: parts of one value (RFC 2231 §3).
#[derive(Default)]
struct Continued {
    parts: BTreeMap<u32, Vec<u8>>,
    encoded: bool,
}

impl Continued {
    fn add(&mut self, number: u32, encoded: bool, value: Vec<u8>) {
        self.parts.entry(number).or_insert(value);
        self.encoded |= encoded;
    }

    fn joined(self, mut name: Vec<u8>) -> Parameter {
        if self.encoded {
            name.push(b'*');
        }
        (name, self.parts.into_values().flatten().collect())
    }
}

/// The name, number and encoding of `name*0*`.
fn continuation(name: &[u8]) -> Option<(Vec<u8>, u32, bool)> {
    let (inner, encoded) = name.strip_suffix(b"*").map_or((name, false), |inner| (inner, true));
    let star = inner.iter().rposition(|byte| *byte == b'*')?;
    let number = std::str::from_utf8(&inner[star + 1..]).ok()?.parse().ok()?;
    Some((inner[..star].to_vec(), number, encoded))
}

/// How long the comment is that begins here.
fn comment_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn is_token(byte: u8) -> bool {
    byte > 32 && byte != 127 && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

/// Values without quotes may hold more than tokens in real mail.
fn is_value(byte: u8) -> bool {
    byte > 32 && byte != 127 && !b"();\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: &str) -> String {
        let media = MediaType::parse(value.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let parameters: String = media
            .parameters
            .iter()
            .map(|(name, value)| format!("; {}={}", text(name), text(value)))
            .collect();
        format!("{}/{}{parameters}", text(&media.kind), text(&media.subtype))
    }

    #[test]
    fn types_read_as_dovecot_reads_them() {
        for (value, expected) in [
            ("Text / Plain (c); A=b (c)", "text/plain; a=b"),
            ("text", "text/"),
            ("text/", "/"),
            ("/plain", "/"),
            ("", "/"),
            ("text/plain; charset", "text/plain"),
            ("text/plain; charset=", "text/plain; charset="),
            ("text/plain; name=\"a\\\"b\"", "text/plain; name=a\"b"),
            ("text/plain; name=a(c)b", "text/plain; name=a"),
            ("text/plain; a=1; a=2;", "text/plain; a=1; a=2"),
            ("text/plain; =x", "text/plain; =x"),
            ("t/p; f*0=a; f*1=b", "t/p; f=ab"),
            ("t/p; f*0*=utf-8''a%20b; f*1=c", "t/p; f*=utf-8''a%20bc"),
            ("t/p; f*=utf-8''a%20b", "t/p; f*=utf-8''a%20b"),
            ("t/p; f*=utf-8''a; size=5", "t/p; size=5; f*=utf-8''a"),
        ] {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    #[test]
    fn other_values() {
        assert_eq!(token(b" 8bit (c)"), Some(b"8bit".to_vec()));
        assert_eq!(token(b" x y"), None);
        assert_eq!(languages(b"en, de"), [b"en".to_vec(), b"de".to_vec()]);
        assert_eq!(Disposition::parse(b" inline").unwrap().kind, b"inline");
        assert_eq!(Disposition::parse(b" ;"), None);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let media = MediaType::parse(&value);
            prop_assert!(media.parameters.len() <= PARAMETERS_LIMIT);
        }
    }
}
