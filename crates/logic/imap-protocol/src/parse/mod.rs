//! From bytes to commands: one file a grammar area, the ABNF at each parser.
//!
//! A command comes whole: its literals stand in it as they came, `{4}` CRLF and four bytes. Depth, length and numbers are
//! bounded; every byte string either parses or is refused with a text for the client.

mod cursor;
mod command;
mod authentication;
mod mailbox;
mod list;
mod metadata;
mod acl;
mod notify;
mod append;
mod sequence;
mod date;
mod section;
mod fetch;
mod store;
mod search;
mod sort;
mod select;

pub(crate) use append::{Destination, Next, Piece, append_next, brings_messages, upload_begin};
pub(crate) use command::{command, tag_and_name};
pub(crate) use cursor::{Cursor, LiteralMark, literal_mark};

use std::borrow::Cow;

/// Parentheses, `NOT` and `OR` within one another.
pub const NESTING_LIMIT: usize = 50;

/// Why a command is not understood: the text of the BAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the client.
    pub text: Cow<'static, str>,
    /// It is well formed, but means nothing here: NO, with this code.
    pub code: Option<crate::types::Code>,
}

impl Refusal {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), code: None }
    }

    pub(crate) fn no(code: crate::types::Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), code: Some(code) }
    }

    pub(crate) fn arguments() -> Self {
        Self::new("Invalid arguments")
    }
}

type Parsed<T> = Result<T, Refusal>;

/// Words from the client in a text for it: printable, and not many.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_LIMIT_BYTES: usize = 64;
    let text = &bytes[..bytes.len().min(SHOWN_LIMIT_BYTES)];
    text.iter().map(|byte| if (32..=126).contains(byte) { char::from(*byte) } else { '?' }).collect()
}
