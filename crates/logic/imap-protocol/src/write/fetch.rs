//! `* n FETCH (...)` (RFC 3501 §7.4.2).

use crate::types::{DateTime, Flags, Partial, Section, SectionText};
use crate::write::Out;

/// A FETCH response that is being written; it is closed by [`FetchResponse::end`].
#[derive(Debug)]
#[must_use]
pub struct FetchResponse<'a> {
    out: &'a mut Out,
    empty: bool,
}

impl Out {
    /// `* n FETCH (`
    pub fn fetch(&mut self, number: u32) -> FetchResponse<'_> {
        self.format(format_args!("* {number} FETCH ("));
        FetchResponse { out: self, empty: true }
    }
}

impl FetchResponse<'_> {
    /// Is nothing told yet? The grammar has no empty response.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// `)`
    pub fn end(self) {
        self.out.text(")\r\n");
    }

    fn name(&mut self, name: &str) -> &mut Out {
        self.label(name.as_bytes())
    }

    fn label(&mut self, label: &[u8]) -> &mut Out {
        if !std::mem::take(&mut self.empty) {
            self.out.text(" ");
        }
        self.out.raw(label);
        self.out.text(" ");
        self.out
    }

    /// `UID n`
    pub fn uid(&mut self, uid: u32) {
        self.name("UID").format(format_args!("{uid}"));
    }

    /// `FLAGS (...)`
    pub fn flags(&mut self, flags: &Flags, recent: bool) {
        self.name("FLAGS").flag_list(flags, recent, false);
    }

    /// `FLAGS (...)` from names, each a flag.
    pub fn flag_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let out = self.name("FLAGS");
        out.text("(");
        for (place, name) in names.enumerate() {
            if place > 0 {
                out.text(" ");
            }
            out.text(name);
        }
        out.text(")");
    }

    /// `MODSEQ (n)`
    pub fn modseq(&mut self, modseq: u64) {
        self.name("MODSEQ").format(format_args!("({modseq})"));
    }

    /// `INTERNALDATE "..."`
    pub fn internal_date(&mut self, date: DateTime) {
        self.name("INTERNALDATE").format(format_args!("\"{date}\""));
    }

    /// `SAVEDATE "..."`
    pub fn save_date(&mut self, date: Option<DateTime>) {
        match date {
            Some(date) => self.name("SAVEDATE").format(format_args!("\"{date}\"")),
            None => self.name("SAVEDATE").text("NIL"),
        }
    }

    /// `RFC822.SIZE n`
    pub fn size(&mut self, bytes: u64) {
        self.name("RFC822.SIZE").format(format_args!("{bytes}"));
    }

    /// `ENVELOPE (...)`, of this header.
    pub fn envelope(&mut self, header: &[u8]) {
        self.name("ENVELOPE").envelope_of(header);
    }

    /// `ENVELOPE` or `BODYSTRUCTURE` with the value that was written before.
    pub fn ready(&mut self, name: &'static str, value: &[u8]) {
        self.name(name).raw(value);
    }

    /// `RFC822.HEADER` or `RFC822.TEXT`
    pub fn rfc822(&mut self, which: Rfc822, text: &[u8]) {
        self.name(match which {
            Rfc822::Header => "RFC822.HEADER",
            Rfc822::Text => "RFC822.TEXT",
        })
        .literal(text);
    }

    /// `BODY[...]<n> {...}`; `None` where the message has gone.
    pub fn section(&mut self, section: &Section, partial: Option<Partial>, text: Option<&[u8]>) {
        let label = label("BODY", section, partial);
        let out = self.label(&label);
        match text {
            Some(text) => out.literal(text),
            None => out.text("NIL"),
        }
    }

    /// As [`Self::section`], of the text that `write` appends: `length` bytes, if it is as long as was thought.
    ///
    /// # Errors
    /// What `write` said; then nothing of it is told.
    pub fn section_by<E>(
        &mut self,
        section: &Section,
        partial: Option<Partial>,
        length: u64,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.literal_by(&label("BODY", section, partial), length, write)
    }

    /// `RFC822`: the whole text, which `write` appends as in [`Self::section_by`].
    ///
    /// # Errors
    /// As [`Self::section_by`].
    pub fn rfc822_by<E>(
        &mut self,
        length: u64,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.literal_by(b"RFC822", length, write)
    }

    fn literal_by<E>(
        &mut self,
        label: &[u8],
        length: u64,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = (self.out.len(), self.empty);
        let written = self.label(label).literal_by(length, write);
        if written.is_err() {
            self.out.bytes.truncate(before.0);
            self.empty = before.1;
        }
        written
    }

    /// `BINARY[...]<n>`: a literal8 where it holds a NUL or has been decoded.
    pub fn binary(&mut self, section: &Section, partial: Option<Partial>, content: &[u8], decoded: bool) {
        let label = label("BINARY", section, partial);
        let out = self.label(&label);
        if decoded || content.contains(&0) {
            out.literal8(content);
        } else {
            out.literal(content);
        }
    }

    /// `BINARY.SIZE[...] n`
    pub fn binary_size(&mut self, section: &Section, bytes: u64) {
        let label = label("BINARY.SIZE", section, None);
        self.label(&label).format(format_args!("{bytes}"));
    }

    /// `PREVIEW "..."`; text in UTF-8, `None` where there is none yet.
    pub fn preview(&mut self, text: Option<&str>) {
        self.name("PREVIEW").nstring(text.map(str::as_bytes));
    }

    /// `SNIPPET (FUZZY "...")`
    pub fn snippet(&mut self, text: Option<&str>) {
        let out = self.name("SNIPPET");
        out.text("(FUZZY ");
        out.nstring(text.map(str::as_bytes));
        out.text(")");
    }

    /// `EMAILID (...)` (RFC 8474): letters, digits, `_` and `-`.
    pub fn email_id(&mut self, id: &str) {
        self.name("EMAILID").format(format_args!("({id})"));
    }

    /// `THREADID NIL`
    pub fn no_thread_id(&mut self) {
        self.name("THREADID").text("NIL");
    }
}

/// The items of RFC 822 times that are part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rfc822 {
    /// `RFC822.HEADER`
    Header,
    /// `RFC822.TEXT`
    Text,
}

/// `BODY[1.HEADER.FIELDS (A B)]<5>`
fn label(name: &str, section: &Section, partial: Option<Partial>) -> Vec<u8> {
    let mut out = Out::default();
    out.format(format_args!("{name}["));
    for (place, number) in section.part.iter().enumerate() {
        out.format(format_args!("{}{number}", if place > 0 { "." } else { "" }));
    }
    if !section.part.is_empty() && section.text != SectionText::All {
        out.text(".");
    }
    match &section.text {
        SectionText::All => {}
        SectionText::Header => out.text("HEADER"),
        SectionText::Text => out.text("TEXT"),
        SectionText::Mime => out.text("MIME"),
        SectionText::Fields(names) => fields(&mut out, "HEADER.FIELDS", names),
        SectionText::FieldsNot(names) => fields(&mut out, "HEADER.FIELDS.NOT", names),
    }
    out.text("]");
    if let Some(partial) = partial {
        out.format(format_args!("<{}>", partial.offset));
    }
    out.into_bytes()
}

fn fields(out: &mut Out, label: &str, names: &[Vec<u8>]) {
    out.text(label);
    out.text(" (");
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            out.text(" ");
        }
        if !name.is_empty() && name.iter().all(|byte| crate::types::is_astring(*byte)) {
            out.raw(name);
        } else {
            out.string(name);
        }
    }
    out.text(")");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Cursor;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    fn text() -> impl Strategy<Value = SectionText> {
        let names = prop::collection::vec(prop::collection::vec(33_u8..127, 1..8), 1..4);
        let upper = |names: Vec<Vec<u8>>| names.into_iter().map(|name| name.to_ascii_uppercase()).collect();
        prop_oneof![
            Just(SectionText::All),
            Just(SectionText::Header),
            Just(SectionText::Text),
            names.clone().prop_map(move |names| SectionText::Fields(upper(names))),
            names.prop_map(move |names| SectionText::FieldsNot(upper(names))),
        ]
    }

    proptest! {
        #[test]
        fn section_labels_parse_back(numbers in prop::collection::vec(1_u32.., 0..4), text in text()) {
            let part: Vec<_> = numbers.into_iter().filter_map(NonZeroU32::new).collect();
            let section = Section { part, text };
            let bytes = label("", &section, None);
            prop_assert_eq!(Cursor::new(&bytes, false).section(), Ok(section));
        }
    }

    #[test]
    fn of_a_text_that_fails_nothing_is_told() {
        let mut out = Out::default();
        let mut fetch = out.fetch(3);
        let fails = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"half");
            Err("broken")
        };
        assert_eq!(fetch.rfc822_by(9, fails), Err("broken"));
        assert!(fetch.is_empty());
        fetch.uid(7);
        assert_eq!(fetch.section_by(&Section::default(), None, 9, fails), Err("broken"));
        fetch.end();
        assert_eq!(out.into_bytes(), b"* 3 FETCH (UID 7)\r\n");
    }

    #[test]
    fn items_are_parted_by_blanks() {
        let mut out = Out::default();
        let mut fetch = out.fetch(3);
        fetch.uid(7);
        fetch.flags(&Flags::default(), true);
        fetch.section(&Section::default(), Some(Partial { offset: 5, count: Some(2) }), Some(b"ab"));
        fetch.end();
        let text = String::from_utf8(out.into_bytes()).unwrap();
        assert_eq!(text, "* 3 FETCH (UID 7 FLAGS (\\Recent) BODY[]<5> {2}\r\nab)\r\n");
    }
}
