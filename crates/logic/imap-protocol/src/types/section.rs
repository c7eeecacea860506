//! Sections of a message (RFC 3501 §6.4.5).

use std::num::NonZeroU32;

/// What a BODY item asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Section {
    /// Which part: `2.1`; empty is the message.
    pub part: Vec<NonZeroU32>,
    /// Which of its texts.
    pub text: SectionText,
}

/// The text of a part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum SectionText {
    /// All of it.
    #[default]
    All,
    /// `HEADER`
    Header,
    /// `HEADER.FIELDS`: these; names are field names, in upper case.
    Fields(Vec<Vec<u8>>),
    /// `HEADER.FIELDS.NOT`: all but these.
    FieldsNot(Vec<Vec<u8>>),
    /// `TEXT`
    Text,
    /// `MIME`: the part's own header. Only with a part.
    Mime,
}

/// `<offset.count>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partial {
    /// Bytes to skip.
    pub offset: u64,
    /// Bytes to give at the most; none of them where it is `None` is the rest (Dovecot takes `<offset>` alone).
    pub count: Option<u64>,
}

impl Partial {
    /// The bytes of a text of `length` bytes that it asks for.
    pub fn of(self, length: u64) -> std::ops::Range<u64> {
        let first = self.offset.min(length);
        let last = self.count.map_or(length, |count| first.saturating_add(count).min(length));
        first..last
    }
}
