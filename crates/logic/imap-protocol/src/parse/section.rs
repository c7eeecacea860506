//! Sections of BODY and BINARY (RFC 3501 §9, RFC 3516 §7).

use std::num::NonZeroU32;

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Partial, Section, SectionText};

/// Levels of a part's number.
const PART_LEVELS_LIMIT: usize = 100;
/// Names in HEADER.FIELDS.
const FIELDS_LIMIT: usize = 1000;

impl Cursor<'_> {
    /// section = "[" [section-spec] "]"
    ///
    /// section-spec = section-msgtext / (section-part ["." section-text])
    pub(crate) fn section(&mut self) -> Parsed<Section> {
        self.expect(b'[')?;
        let mut section = Section { part: self.section_part()?, text: SectionText::All };
        if section.part.is_empty() || self.take(b'.') {
            section.text = self.section_text(&section)?;
        }
        if self.take(b']') { Ok(section) } else { Err(missing_bracket()) }
    }

    /// The section of BINARY: section-binary = "[" [section-part] "]"
    pub(crate) fn binary_section(&mut self) -> Parsed<Section> {
        self.expect(b'[')?;
        let part = self.section_part()?;
        if self.take(b']') { Ok(Section { part, text: SectionText::All }) } else { Err(bad_section()) }
    }

    /// section-part = nz-number *("." nz-number)
    fn section_part(&mut self) -> Parsed<Vec<NonZeroU32>> {
        let mut part = Vec::new();
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let number = self.number32().ok().and_then(NonZeroU32::new).ok_or_else(bad_section)?;
            part.push(number);
            if part.len() > PART_LEVELS_LIMIT {
                return Err(bad_section());
            }
            let followed = self.rest().get(1).is_some_and(u8::is_ascii_digit);
            if !followed || !self.take(b'.') {
                break;
            }
        }
        Ok(part)
    }

    /// section-text = section-msgtext / "MIME"
    fn section_text(&mut self, section: &Section) -> Parsed<SectionText> {
        let word = self.run(|byte| byte.is_ascii_alphabetic() || byte == b'.').to_ascii_uppercase();
        match word.as_slice() {
            b"" if section.part.is_empty() => Ok(SectionText::All),
            b"HEADER" => Ok(SectionText::Header),
            b"TEXT" => Ok(SectionText::Text),
            b"MIME" if !section.part.is_empty() => Ok(SectionText::Mime),
            b"HEADER.FIELDS" => self.header_list().map(SectionText::Fields),
            b"HEADER.FIELDS.NOT" => self.header_list().map(SectionText::FieldsNot),
            _ => Err(bad_section()),
        }
    }

    /// header-list = "(" header-fld-name *(SP header-fld-name) ")"
    fn header_list(&mut self) -> Parsed<Vec<Vec<u8>>> {
        while self.take(b' ') {}
        let mut names = Vec::new();
        self.list(|cursor| {
            names.push(cursor.astring()?.to_ascii_uppercase());
            if names.len() > FIELDS_LIMIT { Err(bad_section()) } else { Ok(()) }
        })?;
        if names.is_empty() { Err(bad_section()) } else { Ok(names) }
    }

    /// partial = "<" number64 ["." number64] ">"
    pub(crate) fn partial(&mut self) -> Parsed<Option<Partial>> {
        if !self.take(b'<') {
            return Ok(None);
        }
        let bad = |_| Refusal::new("Invalid BODY[..] parameter: Invalid partial");
        let offset = self.number().map_err(bad)?;
        let count = if self.take(b'.') { Some(self.number().map_err(bad)?) } else { None };
        self.expect(b'>')?;
        Ok(Some(Partial { offset, count }))
    }
}

impl Section {
    /// A section as it stands in URLs (RFC 5092 §3): `1.2.HEADER`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let wire = [b"[", text, b"]"].concat();
        let mut cursor = Cursor::new(&wire, false);
        cursor.section().ok().filter(|_| cursor.is_done())
    }
}

fn bad_section() -> Refusal {
    Refusal::new("Invalid BODY[..] section")
}

fn missing_bracket() -> Refusal {
    Refusal::new("Invalid BODY[..] parameter: Missing ']'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(String, SectionText)> {
        let mut cursor = Cursor::new(text.as_bytes(), false);
        let section = cursor.section().ok()?;
        let part: Vec<_> = section.part.iter().map(ToString::to_string).collect();
        cursor.is_done().then(|| (part.join("."), section.text))
    }

    #[test]
    fn sections_are_read() {
        assert_eq!(parse("[]"), Some((String::new(), SectionText::All)));
        assert_eq!(parse("[2.1]"), Some(("2.1".into(), SectionText::All)));
        assert_eq!(parse("[1.mime]"), Some(("1".into(), SectionText::Mime)));
        assert_eq!(parse("[2.header]"), Some(("2".into(), SectionText::Header)));
        let fields = SectionText::Fields(vec![b"A".to_vec(), b"B C".to_vec()]);
        assert_eq!(parse("[HEADER.FIELDS (a \"b c\")]"), Some((String::new(), fields)));
        for bad in
            ["[", "[FOO]", "[1.FOO]", "[MIME]", "[0]", "[1.]", "[.1]", "[HEADER.FIELDS ()]", "[-1]", "[1"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse(&format!("[{}1]", "1.".repeat(3000))), None);
    }
}
