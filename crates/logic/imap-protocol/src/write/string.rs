//! Strings (RFC 3501 §4.3).

use crate::types::MailboxName;
use crate::write::Out;

/// Longer strings go out as literals.
const QUOTED_LIMIT_BYTES: usize = 1000;

/// Strings that need more backslashes do, too, as with Dovecot.
const ESCAPES_LIMIT: usize = 4;

impl Out {
    /// string: quoted where it has nothing but ASCII on one line, else a literal.
    pub(crate) fn string(&mut self, text: &[u8]) {
        let plain = |byte: &u8| matches!(byte, 1..=127) && !matches!(byte, b'\r' | b'\n');
        let escapes = text.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        if text.len() <= QUOTED_LIMIT_BYTES && escapes <= ESCAPES_LIMIT && text.iter().all(plain) {
            self.quoted(text);
        } else {
            self.literal(text);
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        self.text("\"");
        for part in text.split_inclusive(|byte| matches!(byte, b'"' | b'\\')) {
            match part.split_last() {
                Some((last @ (b'"' | b'\\'), before)) => {
                    self.raw(before);
                    self.raw(&[b'\\', *last]);
                }
                _ => self.raw(part),
            }
        }
        self.text("\"");
    }

    /// literal. Its bytes go out as they are, but for NUL, which CHAR8 has not (RFC 3501 §9): it becomes 0x80, as Dovecot
    /// does.
    pub(crate) fn literal(&mut self, text: &[u8]) {
        self.format(format_args!("{{{}}}\r\n", text.len()));
        let begin = self.bytes.len();
        self.raw(text);
        self.without_nul(begin);
    }

    /// As [`Self::literal`], of what `write` appends: `length` bytes, if it is as long as was thought. So a long text is moved
    /// once.
    pub(crate) fn literal_by<E>(
        &mut self,
        length: u64,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mark = self.bytes.len();
        self.format(format_args!("{{{length}}}\r\n"));
        let begin = self.bytes.len();
        write(&mut self.bytes)?;
        self.without_nul(begin);
        let written = self.bytes.len().saturating_sub(begin);
        if written as u64 != length {
            self.bytes.splice(mark..begin, format!("{{{written}}}\r\n").into_bytes());
        }
        Ok(())
    }

    fn without_nul(&mut self, begin: usize) {
        let mut at = begin;
        while let Some(place) = self.bytes.get(at..).and_then(|text| memchr::memchr(0, text)) {
            self.bytes[at + place] = 0x80;
            at += place + 1;
        }
    }

    /// literal8 (RFC 3516 §7): any byte may stand in it.
    pub(crate) fn literal8(&mut self, text: &[u8]) {
        self.format(format_args!("~{{{}}}\r\n", text.len()));
        self.raw(text);
    }

    /// nstring
    pub(crate) fn nstring(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.string(text),
            None => self.text("NIL"),
        }
    }

    /// Header text for people: white space in one blank, none at the ends. As with Dovecot it is a quoted string where it stood
    /// so in the message and needs no escape, else a literal.
    pub(crate) fn human(&mut self, text: &[u8]) {
        let mut clean = Vec::with_capacity(text.len());
        for word in
            text.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty())
        {
            if !clean.is_empty() {
                clean.push(b' ');
            }
            clean.extend_from_slice(word);
        }
        let is_plain = |byte: &u8| matches!(byte, 1..=127) && !matches!(byte, b'"' | b'\\');
        if clean.is_empty() || (clean == text && clean.iter().all(is_plain)) {
            self.quoted(&clean);
        } else {
            self.literal(&clean);
        }
    }

    /// mailbox: an atom where it is one, as Dovecot shows it.
    pub(crate) fn mailbox(&mut self, name: &MailboxName) {
        let wire = name.to_wire(self.utf8);
        let atom = !wire.is_empty() && wire.bytes().all(crate::types::is_astring);
        if atom && !wire.eq_ignore_ascii_case("NIL") {
            self.text(&wire);
        } else if self.utf8 && !wire.is_ascii() && wire.len() <= QUOTED_LIMIT_BYTES {
            self.quoted(wire.as_bytes());
        } else {
            self.string(wire.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Cursor;
    use proptest::prelude::*;

    fn written(text: &[u8]) -> String {
        let mut out = Out::default();
        out.string(text);
        String::from_utf8_lossy(&out.into_bytes()).into_owned()
    }

    #[test]
    fn strings_have_the_form_they_need() {
        assert_eq!(written(b"a b"), "\"a b\"");
        assert_eq!(written(b"a\"b\\"), "\"a\\\"b\\\\\"");
        assert_eq!(written(b"a\r\nb"), "{4}\r\na\r\nb");
        assert_eq!(written(b""), "\"\"");
    }

    #[test]
    fn a_literal_that_is_written_in_place_says_how_long_it_became() {
        for promised in [0, 3, 7, 12] {
            let mut out = Out::default();
            out.text("x ");
            let written: Result<(), ()> = out.literal_by(promised, |bytes| {
                bytes.extend_from_slice(b"a\0b\0\0 c");
                Ok(())
            });
            assert_eq!(written, Ok(()));
            assert_eq!(out.into_bytes(), b"x {7}\r\na\x80b\x80\x80 c", "{promised}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_parses_back(text in prop::collection::vec(1_u8.., 0..60)) {
            let mut out = Out::default();
            out.string(&text);
            let bytes = out.into_bytes();
            let mut cursor = Cursor::new(&bytes, false);
            prop_assert_eq!(cursor.string(), Ok(text));
            prop_assert!(cursor.is_done());
        }

        #[test]
        fn names_parse_back(text in "[ -~äß漢&.\"]{1,12}", utf8: bool) {
            let name = MailboxName::new(&text).unwrap();
            let mut out = Out::new(utf8);
            out.mailbox(&name);
            let bytes = out.into_bytes();
            prop_assert_eq!(Cursor::new(&bytes, utf8).mailbox(), Ok(name));
        }
    }
}
