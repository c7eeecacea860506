//! Values of MIME fields: a type with parameters, a token, a list of languages (RFC 2045 §5, RFC 2183, RFC 3282).

use crate::mailboxes::is_atom;

/// Parameters of one field.
const PARAMETERS_LIMIT: usize = 100;

/// A parameter: its name as it was written, and its value.
pub type Parameter = (Vec<u8>, Vec<u8>);

/// `type/subtype; name=value`, as they were written.
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
    /// Reads the value of Content-Type. Of one that is no `type` or `type/subtype`, with
    /// nothing or `;` behind it, nothing counts.
    pub fn parse(value: &[u8]) -> Self {
        let mut reader = Reader::new(value);
        let kind = reader.token().to_vec();
        if reader.rest.is_empty() {
            return Self { kind, ..Self::default() };
        }
        if kind.is_empty() || !reader.take(b'/') {
            return Self::default();
        }
        let subtype = reader.token().to_vec();
        if subtype.is_empty() || !matches!(reader.rest.first(), None | Some(b';')) {
            return Self::default();
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
        self.is_kind(kind) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// Is it of this type, whatever its subtype?
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    /// The value of the first parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        let named = |(own, _): &&Parameter| own.eq_ignore_ascii_case(name.as_bytes());
        self.parameters.iter().find(named).map(|(_, value)| value.as_slice())
    }
}

/// `attachment; filename=x` (RFC 2183).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// As it was written; empty where there is none.
    pub kind: Vec<u8>,
    /// As of [`MediaType`].
    pub parameters: Vec<Parameter>,
}

impl Disposition {
    /// Reads the value of Content-Disposition.
    pub fn parse(value: &[u8]) -> Self {
        let mut reader = Reader::new(value);
        Self { kind: reader.token().to_vec(), parameters: reader.parameters() }
    }
}

/// A value of one token, as Content-Transfer-Encoding has; `None` where it is anything else.
pub fn token(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(value);
    let token = reader.token().to_vec();
    (!token.is_empty() && reader.rest.is_empty() && !is_comment_open(value)).then_some(token)
}

/// Does a comment begin that does not end (RFC 5322 §3.2.2)?
fn is_comment_open(value: &[u8]) -> bool {
    let (mut depth, mut bytes) = (0_usize, value.iter());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0
}

/// The tags of Content-Language.
pub fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(value);
    let mut languages = Vec::new();
    while languages.len() < PARAMETERS_LIMIT {
        let tag = reader.run(is_atom);
        if tag.is_empty() {
            break;
        }
        languages.push(tag.to_vec());
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
        self.run(is_token)
    }

    /// What fits, with the blanks around it.
    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        self.blanks();
        let length = self.rest.iter().take_while(|byte| fits(**byte)).count();
        let (found, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.blanks();
        found
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let (mut plain, mut continued) = (Vec::new(), Vec::new());
        while plain.len() + continued.len() < PARAMETERS_LIMIT && !self.rest.is_empty() {
            match self.one_parameter() {
                Some((name, value)) => match Continued::read(&name) {
                    Some(place) => continued.push((place, value)),
                    None => plain.push((name, value)),
                },
                // Dovecot tries again one byte further on.
                None => self.rest = self.rest.get(1..).unwrap_or_default(),
            }
        }
        continued.sort_by(|(one, _), (other, _)| one.order(other));
        join(&continued, &mut plain);
        plain
    }

    /// parameter = ";" token "=" value
    fn one_parameter(&mut self) -> Option<Parameter> {
        if !self.take(b';') {
            return None;
        }
        let name = self.token().to_vec();
        if !self.take(b'=') {
            return None;
        }
        Some((name, self.value()?))
    }

    /// value = token / quoted-string; also what encoders make that put one `=` too many: `name==?utf-8?q?a?=`.
    fn value(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        match self.rest.first() {
            Some(b'"') => self.quoted(),
            Some(b'=') => {
                Some(self.run(|byte| !matches!(byte, b';' | b' ' | b'\t' | b'\r' | b'\n')).to_vec())
            }
            _ => Some(self.token().to_vec()),
        }
    }

    /// quoted-string; `None` where it is never closed.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        let mut bytes = self.rest.iter().enumerate().skip(1);
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.rest = &self.rest[at + 1..];
                    self.blanks();
                    return Some(value);
                }
                b'\\' => value.extend(bytes.next().map(|(_, byte)| *byte)),
                b'\r' | b'\n' => {}
                0 => value.extend_from_slice("\u{fffd}".as_bytes()),
                byte => value.push(*byte),
            }
        }
        self.rest = &[];
        None
    }
}

/// `name*0*`: a part of a value (RFC 2231 §3). `name*`, an encoded value of its own (§4), is the only part of it.
struct Continued {
    name: Vec<u8>,
    number: usize,
    encoded: bool,
}

impl Continued {
    /// `None` where the name is an ordinary one.
    fn read(written: &[u8]) -> Option<Self> {
        let star = written.iter().position(|byte| *byte == b'*')?;
        let behind = &written[star + 1..];
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let encoded = match &behind[digits..] {
            b"" => digits == 0,
            b"*" if digits > 0 => true,
            _ => return None,
        };
        let number = match digits {
            0 => 0,
            _ => std::str::from_utf8(&behind[..digits]).ok()?.parse().ok()?,
        };
        Some(Self { name: written[..star].to_vec(), number, encoded })
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let folded = |name: &[u8]| name.to_ascii_lowercase();
        (folded(&self.name), self.number, self.encoded).cmp(&(
            folded(&other.name),
            other.number,
            other.encoded,
        ))
    }

    /// The name of a part that stands by itself.
    fn full_name(&self) -> Vec<u8> {
        let star = if self.encoded { "*" } else { "" };
        [self.name.as_slice(), format!("*{}{star}", self.number).as_bytes()].concat()
    }
}

/// Appends values whose parts are all there, joined and still encoded, and the others part by part.
fn join(sorted: &[(Continued, Vec<u8>)], out: &mut Vec<Parameter>) {
    for parts in sorted.chunk_by(|(one, _), (other, _)| one.name.eq_ignore_ascii_case(&other.name)) {
        let whole = parts.iter().enumerate().all(|(place, (part, _))| part.number == place);
        if !whole {
            out.extend(parts.iter().map(|(part, value)| (part.full_name(), value.clone())));
            continue;
        }
        let mut name = parts[0].0.name.clone();
        let mut joined = Vec::new();
        if parts.iter().any(|(part, _)| part.encoded) {
            name.push(b'*');
            // Charset and language stand in the first part, if that is encoded.
            joined.extend_from_slice(if parts[0].0.encoded { b"" } else { b"''" });
        }
        joined.extend(parts.iter().flat_map(|(_, value)| value.iter().copied()));
        out.push((name, joined));
    }
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
            ("Text / Plain (c); A=b (c)", "Text/Plain; A=b"),
            ("text", "text/"),
            ("text;", "/"),
            ("text/", "/"),
            ("/plain", "/"),
            ("", "/"),
            ("text/plain x", "/"),
            ("text/plain; charset", "text/plain"),
            ("text/plain; charset=", "text/plain; charset="),
            ("text/plain; charset=[x]; a=b", "text/plain; charset=; a=b"),
            ("text/plain; name=\"a\\\"b\"", "text/plain; name=a\"b"),
            ("text/plain; name=\"a; a=b", "text/plain"),
            ("text/plain; name=a(c)b", "text/plain; name=a"),
            ("text/plain; name==?utf-8?q?a?=; a=b", "text/plain; name==?utf-8?q?a?=; a=b"),
            ("text/plain; a=1; a=2;", "text/plain; a=1; a=2"),
            ("text/plain; =x", "text/plain; =x"),
            ("t/p; f*0=a; f*1=b", "t/p; f=ab"),
            ("t/p; f*1=b; f*0=a", "t/p; f=ab"),
            ("t/p; f*0=a; f*2=b", "t/p; f*0=a; f*2=b"),
            ("t/p; f*0*=utf-8''a%20b; f*1=c", "t/p; f*=utf-8''a%20bc"),
            ("t/p; f*0=a; f*1*=%20b", "t/p; f*=''a%20b"),
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
        assert_eq!([token(b"8bit (x"), token(b"8bit (x\\)"), token(b"8bit (x) (y")], [const { None }; 3]);
        assert_eq!(languages(b"en, de"), [b"en".to_vec(), b"de".to_vec()]);
        assert_eq!(Disposition::parse(b" inline").kind, b"inline");
        assert_eq!(Disposition::parse(b" ;").kind, b"");
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let media = MediaType::parse(&value);
            prop_assert!(media.parameters.len() <= PARAMETERS_LIMIT);
        }
    }
}
