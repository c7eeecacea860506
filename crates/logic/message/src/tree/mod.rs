//! A whole message as a tree of parts, read the way a content filter must: nothing is refused, everything is noted.
//!
//! [`crate::Scanner`] reads a message as it streams by and never changes it. Here the message lies in memory, and what is
//! wanted is what a reader's program would show: header fields decoded, parts found even when boundaries are wrong. Where
//! a message breaks the rules this follows SpamAssassin 4, whose rules were measured on its reading of such messages.

mod charset;
mod coding;
mod encoded_word;
mod fields;
mod lines;
mod media_type;
mod multipart;
mod part;
mod reading;
mod transfer;

pub use charset::{Text, Trust, to_text};
pub use encoded_word::decode_value;
pub use fields::{Field, Fields};
pub use lines::Lines;
pub use media_type::MediaType;
pub use part::Part;
pub use transfer::{decode_base64, decode_quoted_printable};

use std::collections::BTreeMap;

/// Bytes of a body line; what is longer becomes several lines.
pub const LINE_LIMIT_BYTES: usize = 2048;
/// Bytes of all header fields together, as the rules see them.
pub const HEADERS_LIMIT_BYTES: usize = 65536;
/// Messages within messages.
pub const NESTING_LIMIT: u32 = 20;
/// Parts of one multipart.
pub const PARTS_LIMIT: usize = 1000;

/// How the message's lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnd {
    /// LF alone.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
}

impl LineEnd {
    /// Its bytes.
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// What was wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flaws {
    /// A header field was cut: its name or its value is too long, or there is too much of them.
    pub truncated_header: bool,
    /// No blank line between headers and body.
    pub missing_head_body_separator: bool,
    /// A part begins without any header field.
    pub missing_mime_headers: bool,
    /// A part's headers run into its body.
    pub missing_mime_head_body_separator: bool,
    /// Text behind the last boundary.
    pub mime_epilogue_exists: bool,
    /// More parts than are looked at.
    pub mimepart_limit_exceeded: bool,
}

/// Which part of a [`Tree`].
pub type PartId = usize;

/// A message in memory.
#[derive(Debug, Clone)]
pub struct Tree {
    parts: Vec<Part>,
    /// What was wrong with it.
    pub flaws: Flaws,
    /// How its lines end.
    pub line_end: LineEnd,
    /// The `From ` line of a mailbox file, which stood before the header.
    pub mbox_separator: Option<Vec<u8>>,
    /// The header as it came, with the blank line.
    pub head: Vec<u8>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// For each boundary that was begun, how often more than ended.
    pub boundaries: BTreeMap<Vec<u8>, i32>,
}

impl Tree {
    /// Reads a message; never fails.
    pub fn parse(message: &[u8]) -> Self {
        reading::parse(message)
    }

    /// The message itself.
    pub fn root(&self) -> &Part {
        &self.parts[0]
    }

    /// The message itself, to change.
    pub fn root_mut(&mut self) -> &mut Part {
        &mut self.parts[0]
    }

    /// A part.
    pub fn part(&self, id: PartId) -> &Part {
        &self.parts[id]
    }

    /// How many parts there are; ids are below it.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// There is always the message itself.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The parts at and below `top`, each before its children.
    pub fn below(&self, top: PartId) -> Vec<PartId> {
        let mut found = Vec::new();
        let mut waiting = vec![top];
        while let Some(id) = waiting.pop() {
            found.push(id);
            waiting.extend(self.parts[id].children.iter().flatten().rev());
        }
        found
    }

    /// All parts, each before its children.
    pub fn all(&self) -> Vec<PartId> {
        self.below(0)
    }

    /// The parts without parts of their own, in order.
    pub fn leaves(&self) -> Vec<PartId> {
        self.all().into_iter().filter(|id| self.parts[*id].is_leaf()).collect()
    }

    /// The message as it came, without a mailbox file's `From ` line.
    pub fn pristine(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.body].concat()
    }

    /// The whole message with CRLF at the end of each line, as it is sent (RFC 5321 §2.3.8).
    pub fn with_crlf(&self) -> Vec<u8> {
        let message = self.pristine();
        if self.line_end == LineEnd::CrLf {
            return message;
        }
        let mut sent = Vec::with_capacity(message.len() + message.len() / 32);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            match line.split_last() {
                Some((b'\n', text)) => sent.extend_from_slice(&[text, b"\r\n"].concat()),
                _ => sent.extend_from_slice(line),
            }
        }
        sent
    }

    /// The types of the top part's children, each with the types below it: `multipart/alternative`, `text/plain`.
    pub fn content_summary(&self) -> Vec<String> {
        let mut summary = vec![self.root().kind.clone()];
        for child in self.root().children.iter().flatten() {
            let kinds: Vec<_> = self.below(*child).iter().map(|id| self.part(*id).kind.as_str()).collect();
            summary.push(kinds.join(","));
        }
        summary
    }
}
