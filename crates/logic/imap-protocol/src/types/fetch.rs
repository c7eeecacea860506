//! What FETCH asks for (RFC 3501 §6.4.5, and the extensions named at each item).

use crate::types::{Partial, Section, SequenceSet};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItem {
    /// `UID`
    Uid,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822.SIZE`
    Size,
    /// `ENVELOPE`
    Envelope,
    /// `BODY`: the structure without extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `RFC822`
    Rfc822,
    /// `RFC822.HEADER`
    Rfc822Header,
    /// `RFC822.TEXT`
    Rfc822Text,
    /// `BODY[...]`
    Section {
        /// Which.
        section: Section,
        /// Of its bytes, these.
        partial: Option<Partial>,
        /// `BODY.PEEK`: `\Seen` stays as it is.
        peek: bool,
    },
    /// `BINARY[...]`, decoded (RFC 3516 §4.2).
    Binary {
        /// Which; its text is [`SectionText::All`](crate::types::SectionText::All).
        section: Section,
        /// Of its bytes, these.
        partial: Option<Partial>,
        /// `BINARY.PEEK`
        peek: bool,
    },
    /// `BINARY.SIZE[...]`
    BinarySize(Section),
    /// `MODSEQ` (RFC 7162 §3.1.4)
    ModSeq,
    /// `SAVEDATE` (RFC 8514)
    SaveDate,
    /// `PREVIEW` (RFC 8970)
    Preview {
        /// Only where it costs nothing.
        lazy: bool,
    },
    /// `SNIPPET`, as Dovecot had it before RFC 8970.
    Snippet {
        /// Only where it costs nothing.
        lazy: bool,
    },
    /// `EMAILID` (RFC 8474)
    EmailId,
    /// `THREADID` (RFC 8474)
    ThreadId,
}

impl FetchItem {
    /// Is it read from the message's text, and not known beside it?
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Section { .. }
                | Self::Binary { .. }
                | Self::BinarySize(_)
                | Self::Rfc822
                | Self::Rfc822Header
                | Self::Rfc822Text
                | Self::Envelope
                | Self::Body
                | Self::BodyStructure
        )
    }

    /// Does it make `\Seen` (RFC 3501 §6.4.5)?
    pub fn marks_seen(&self) -> bool {
        match self {
            Self::Section { peek, .. } | Self::Binary { peek, .. } => !peek,
            Self::Rfc822 | Self::Rfc822Text => true,
            _ => false,
        }
    }
}

/// FETCH's modifiers (RFC 7162 §3.1.4.1, §3.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FetchModifiers {
    /// `CHANGEDSINCE`
    pub changed_since: Option<u64>,
    /// `VANISHED`; only with UID FETCH and CHANGEDSINCE.
    pub vanished: bool,
}

/// The messages of a command, and whether they are named by UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The command began with UID.
    pub uid: bool,
    /// Which.
    pub set: SequenceSet,
}
