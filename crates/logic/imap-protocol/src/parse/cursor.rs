//! The small pieces of the grammar (RFC 3501 §9).

use crate::parse::{Parsed, Refusal};
use crate::types::{Flag, Flags, MailboxName, is_astring as is_atom};

/// Where a parser stands in a command.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
    /// Strings may hold UTF-8 outside of literals (RFC 6855).
    pub(crate) utf8: bool,
    /// What the texts of a search are written in; nothing is UTF-8.
    pub(crate) charset: Option<Vec<u8>>,
}

/// `{5}`, `{5+}` or `~{5}` at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LiteralMark {
    pub(crate) bytes: u64,
    /// The client waits for `+` (RFC 3501 §7.5); it does not behind `{5+}` (RFC 7888).
    pub(crate) waits: bool,
    pub(crate) binary: bool,
    /// How long the mark is.
    pub(crate) length: usize,
}

/// literal = "{" number64 ["+"] "}" CRLF *CHAR8, at the end of `line`. A number that is no u64 makes it an error.
pub(crate) fn literal_mark(line: &[u8]) -> Option<Result<LiteralMark, Refusal>> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|byte| *byte == b'{')?;
    let text = &inner[open + 1..];
    let (digits, waits) = text.strip_suffix(b"+").map_or((text, true), |digits| (digits, false));
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        // RFC 3501 has no other use for braces at the end of a line but in a quoted string, which is closed by then.
        return digits.starts_with(b"-").then(|| Err(Refusal::new("Invalid literal size")));
    }
    let binary = open > 0 && inner[open - 1] == b'~';
    let length = line.len() - open + usize::from(binary);
    let bytes = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    Some(match bytes {
        Some(bytes) => Ok(LiteralMark { bytes, waits, binary, length }),
        None => Err(Refusal::new("Invalid literal size")),
    })
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(input: &'a [u8], utf8: bool) -> Self {
        Self { input, at: 0, utf8, charset: None }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.input[self.at..]
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.input.len()
    }

    /// The byte, if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { Err(Refusal::arguments()) }
    }

    /// SP. More than one is taken for one, as Dovecot does.
    pub(crate) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ')?;
        while self.take(b' ') {}
        Ok(())
    }

    /// Nothing may follow; blanks at the end do no harm.
    pub(crate) fn end(&mut self) -> Parsed<()> {
        while self.take(b' ') {}
        if self.is_done() { Ok(()) } else { Err(Refusal::arguments()) }
    }

    /// The longest run of bytes that fit.
    pub(crate) fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The word comes next, in any case, and no atom character follows it.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
            && rest.get(word.len()).is_none_or(|next| !is_atom(*next));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// atom = 1*ATOM-CHAR
    pub(crate) fn atom(&mut self) -> Parsed<&'a [u8]> {
        let atom = self.run(is_atom);
        if atom.is_empty() { Err(Refusal::arguments()) } else { Ok(atom) }
    }

    /// An atom in upper case.
    pub(crate) fn word(&mut self) -> Parsed<String> {
        Ok(self.atom()?.iter().map(|byte| char::from(byte.to_ascii_uppercase())).collect())
    }

    /// number64 = 1*DIGIT (RFC 9051 §9): no sign, no wrap.
    pub(crate) fn number(&mut self) -> Parsed<u64> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| Refusal::new("Invalid number"))
    }

    /// number = 1*DIGIT, below 2^32.
    pub(crate) fn number32(&mut self) -> Parsed<u32> {
        u32::try_from(self.number()?).map_err(|_| Refusal::new("Invalid number"))
    }

    /// string = quoted / literal
    pub(crate) fn string(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ if self.at_literal() => self.literal(),
            _ => Err(Refusal::arguments()),
        }
    }

    /// astring = 1*ASTRING-CHAR / string
    pub(crate) fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ if self.at_literal() => self.literal(),
            _ => {
                let utf8 = self.utf8;
                let text = self.run(|byte| is_atom(byte) || (utf8 && byte >= 0x80));
                if text.is_empty() { Err(Refusal::arguments()) } else { Ok(text.to_vec()) }
            }
        }
    }

    /// list-mailbox = 1*list-char / string
    pub(crate) fn list_mailbox(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ if self.at_literal() => self.literal(),
            _ => {
                let utf8 = self.utf8;
                let fits = |byte| is_atom(byte) || matches!(byte, b'%' | b'*') || (utf8 && byte >= 0x80);
                let text = self.run(fits);
                if text.is_empty() { Err(Refusal::arguments()) } else { Ok(text.to_vec()) }
            }
        }
    }

    /// A tilde alone is an atom.
    fn at_literal(&self) -> bool {
        self.rest().starts_with(b"{") || self.rest().starts_with(b"~{")
    }

    /// nstring = string / nil; `None` is nil.
    pub(crate) fn nstring(&mut self) -> Parsed<Option<Vec<u8>>> {
        if self.keyword("NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// quoted = DQUOTE *QUOTED-CHAR DQUOTE. 8-bit bytes are taken, as real clients send them; NUL and line breaks not.
    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            text.extend_from_slice(self.run(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0)));
            if self.take(b'"') {
                return Ok(text);
            }
            if !self.take(b'\\') {
                return Err(Refusal::new("Missing '\"'"));
            }
            match self.peek() {
                Some(byte @ (b'"' | b'\\')) => text.push(byte),
                _ => return Err(Refusal::new("Invalid escape in a quoted string")),
            }
            self.at += 1;
        }
    }

    /// literal = "{" number64 ["+"] "}" CRLF *CHAR8. CHAR8 has no NUL.
    fn literal(&mut self) -> Parsed<Vec<u8>> {
        self.take(b'~');
        self.expect(b'{')?;
        let bytes = self.number()?;
        self.take(b'+');
        self.expect(b'}')?;
        self.take(b'\r');
        self.expect(b'\n')?;
        let length = usize::try_from(bytes).map_err(|_| Refusal::new("Literal size is too large"))?;
        let text = self.rest().get(..length).ok_or_else(Refusal::arguments)?;
        self.at += length;
        if text.contains(&0) {
            return Err(Refusal::new("NULs not allowed in strings"));
        }
        Ok(text.to_vec())
    }

    /// mailbox = "INBOX" / astring; wildcards without quotes are taken, as Dovecot does.
    pub(crate) fn mailbox(&mut self) -> Parsed<MailboxName> {
        let wire = self.list_mailbox()?;
        self.name(&wire)
    }

    pub(crate) fn name(&self, wire: &[u8]) -> Parsed<MailboxName> {
        MailboxName::from_wire(wire, self.utf8)
            .map_err(|bad| Refusal::no(crate::types::Code::Cannot, bad.text()))
    }

    /// flag-list = "(" [flag *(SP flag)] ")"
    pub(crate) fn flag_list(&mut self) -> Parsed<Flags> {
        self.expect(b'(')?;
        let flags = self.flags()?;
        self.expect(b')')?;
        Ok(flags)
    }

    /// [flag *(SP flag)]
    pub(crate) fn flags(&mut self) -> Parsed<Flags> {
        let mut flags = Flags::default();
        loop {
            while self.take(b' ') {}
            if matches!(self.peek(), None | Some(b')')) {
                return Ok(flags);
            }
            flags.insert(self.flag()?);
        }
    }

    /// flag = "\" atom / atom
    pub(crate) fn flag(&mut self) -> Parsed<Flag> {
        let word = self.run(|byte| matches!(byte, b'\\' | b'*' | b'%') || is_atom(byte));
        Flag::new(word).ok_or_else(|| match word {
            [] => Refusal::arguments(),
            [b'\\', ..] => Refusal::new(format!("Invalid system flag {}", super::shown(word).to_uppercase())),
            _ => {
                Refusal::no(crate::types::Code::Cannot, "Invalid characters in keyword, or too many of them")
            }
        })
    }

    /// Calls `each` for what stands between parentheses, parted by blanks. An empty list has none.
    pub(crate) fn list(&mut self, mut each: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.expect(b'(')?;
        loop {
            while self.take(b' ') {}
            if self.take(b')') {
                return Ok(());
            }
            if self.is_done() {
                return Err(Refusal::new("Missing ')'"));
            }
            each(self)?;
            if !matches!(self.peek(), Some(b' ' | b')') | None) {
                return Err(Refusal::arguments());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &[u8]) -> Option<Vec<u8>> {
        Cursor::new(text, false).astring().ok()
    }

    #[test]
    fn strings_have_three_forms() {
        assert_eq!(string(b"abc] x"), Some(b"abc]".to_vec()));
        assert_eq!(string(b"\"a \\\"b\\\\\""), Some(b"a \"b\\".to_vec()));
        assert_eq!(string(b"{3}\r\na b"), Some(b"a b".to_vec()));
        assert_eq!(string(b"{3+}\r\na\r\n"), Some(b"a\r\n".to_vec()));
    }

    #[test]
    fn what_could_deceive_is_refused() {
        for bad in [
            b"\"a\0b\"".as_slice(),
            b"{3}\r\na\0b",
            b"\"open",
            b"\"a\\nb\"",
            b"{9}\r\nabc",
            b"{18446744073709551616}\r\nx",
            b"",
            b"(",
        ] {
            assert_eq!(string(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn literal_marks_are_at_the_end_of_a_line() {
        let mark = |line: &[u8]| literal_mark(line).map(|mark| mark.map(|mark| (mark.bytes, mark.waits)));
        assert_eq!(mark(b"a LOGIN {4}"), Some(Ok((4, true))));
        assert_eq!(mark(b"a LOGIN {4+}"), Some(Ok((4, false))));
        assert_eq!(mark(b"a LOGIN x"), None);
        assert_eq!(mark(b"{}"), None);
        assert!(matches!(mark(b"{-1}"), Some(Err(_))));
        assert!(matches!(mark(b"{18446744073709551616}"), Some(Err(_))));
        assert!(literal_mark(b"a APPEND x ~{3}").unwrap().unwrap().binary);
    }

    #[test]
    fn numbers_neither_wrap_nor_have_signs() {
        assert!(Cursor::new(b"4294967296", false).number32().is_err());
        assert!(Cursor::new(b"-1", false).number().is_err());
        assert!(Cursor::new(b"+1", false).number().is_err());
        assert_eq!(Cursor::new(b"18446744073709551615", false).number(), Ok(u64::MAX));
    }

    proptest! {
        #[test]
        fn any_string_survives_as_a_literal(text in prop::collection::vec(1_u8.., 0..50)) {
            let mut wire = format!("{{{}}}\r\n", text.len()).into_bytes();
            wire.extend_from_slice(&text);
            prop_assert_eq!(string(&wire), Some(text));
        }
    }
}
