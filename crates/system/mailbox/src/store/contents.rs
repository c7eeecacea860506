//! What a folder holds, as of its last sync.

use super::Uid;
use super::flags::{Flags, KeywordSet};

/// A message in a folder. Small, for there may be hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its UID.
    pub uid: Uid,
    /// System flags.
    pub flags: Flags,
    /// Keywords, see [`Contents::keywords`].
    pub keywords: KeywordSet,
    /// Modification sequence of the last change (RFC 7162), never 0.
    pub modseq: u64,
}

/// The messages of a folder, sorted by UID, and what is known about the folder as a whole.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    pub(crate) messages: Vec<Message>,
    pub(crate) summary: Summary,
    pub(crate) keywords: Vec<String>,
}

/// The numbers of SELECT and STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// UIDVALIDITY: as long as it stays, a UID means the same message.
    pub uid_validity: u32,
    /// UIDNEXT: above all UIDs.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ.
    pub highest_modseq: u64,
    /// How many messages.
    pub messages: usize,
    /// How many without `\Seen`.
    pub unseen: usize,
    /// How many with `\Deleted`.
    pub deleted: usize,
    /// How many that no session has claimed as recent.
    pub recent: usize,
    /// 16 bytes that name the folder for as long as it exists, under whatever name (RFC 8474 MAILBOXID).
    pub guid: [u8; 16],
}

/// What has happened in a folder since a certain moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Messages that are new or whose flags changed, sorted by UID: to a session that knows UIDs below n, those from n
    /// on are new, the others changed.
    pub changed: Vec<Message>,
    /// Messages that are gone.
    pub vanished: Vanished,
    /// Changes up to this modification sequence are included: what to ask from the next time.
    pub upto: u64,
}

/// Which messages are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// These, sorted, without duplicates.
    These(Vec<Uid>),
    /// So long ago that no record is left: all that the client knows and that are not in the folder.
    AllMissing,
}

impl Default for Vanished {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Contents {
    /// All messages, sorted by UID.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message with this UID.
    pub fn message(&self, uid: Uid) -> Option<&Message> {
        self.messages.binary_search_by_key(&uid, |message| message.uid).ok().map(|at| &self.messages[at])
    }

    /// The folder's keywords: bit n of a [`KeywordSet`] is the n-th of these. An empty name is a number not in use.
    pub fn keywords(&self) -> &[String] {
        &self.keywords
    }

    /// Counts and the folder's own numbers.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// What happened after `modseq`. Costs nothing when nothing did.
    pub fn changes_since(&self, modseq: u64) -> Changes {
        Changes { upto: modseq.max(self.summary.highest_modseq), ..Changes::default() }
    }
}
