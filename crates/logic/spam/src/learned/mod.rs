//! What was learned from earlier mail: how a check asks for it, and how it changes.
//!
//! A check only reads, through [`Memory`]; what it teaches comes back as a list of [`Change`]s. Whoever keeps the data
//! carries them out afterwards, so that no check waits for a disk.

mod backup;
mod notebook;

pub use backup::{BackupError, Entry, heading, read_entry, write_entry};
pub use notebook::{Amount, Notebook, TokenChange};

/// A word of a message, or another of its traits: the last five bytes of its SHA-1.
pub type Token = [u8; 5];

/// What a message was learned as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Unwanted.
    Spam,
    /// Wanted.
    Ham,
}

impl Class {
    /// The letter for it in a backup.
    pub fn letter(self) -> char {
        match self {
            Self::Spam => 's',
            Self::Ham => 'h',
        }
    }

    /// The class of a letter.
    pub fn of_letter(letter: &str) -> Option<Self> {
        match letter {
            "s" => Some(Self::Spam),
            "h" => Some(Self::Ham),
            _ => None,
        }
    }
}

/// How many messages were learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// As spam.
    pub spam: u64,
    /// As ham.
    pub ham: u64,
}

/// In how many messages a token was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounts {
    /// Learned as spam.
    pub spam: u32,
    /// Learned as ham.
    pub ham: u32,
    /// When it last told something of a message, in seconds since 1970.
    pub used: u32,
}

/// What is remembered of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reputation {
    /// Messages.
    pub count: i64,
    /// The sum of their scores.
    pub total: f64,
}

/// What a check may ask. What can not be read is not there: whoever keeps the data has said so in the log.
pub trait Memory {
    /// How many messages were learned; `None` when there is no such data at all.
    fn tally(&self) -> Option<Tally>;

    /// The counts of tokens, in the order asked for.
    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>>;

    /// What the message of that id was learned as.
    fn learned_as(&self, message_id: &str) -> Option<Class>;

    /// What is remembered under a key such as `joe@example.com|ip=192.0`.
    fn reputation(&self, key: &str) -> Option<Reputation>;
}

/// A change to what was learned.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// So many messages more, or fewer, of a class.
    Messages {
        /// Which.
        class: Class,
        /// How many; no count falls below zero.
        by: i64,
    },
    /// Each token was seen in so many messages more, or fewer.
    Tokens {
        /// Which tokens, each once.
        tokens: Vec<Token>,
        /// In messages of which class.
        class: Class,
        /// How many; a token whose counts are both zero is forgotten.
        by: i64,
        /// When the message came; it only ever grows.
        used: u32,
    },
    /// These tokens told something of a message: they are worth keeping.
    Used {
        /// Which.
        tokens: Vec<Token>,
        /// When the message came.
        used: u32,
    },
    /// A message is remembered as of a class, or forgotten.
    Message {
        /// Its id.
        id: String,
        /// What it was learned as; `None` forgets it.
        class: Option<Class>,
    },
    /// A sender has sent so many messages more.
    Score {
        /// The key.
        key: String,
        /// What is added to count and sum.
        more: Reputation,
    },
    /// What is remembered under a key is forgotten.
    ForgetKey(
        /// The key.
        String,
    ),
    /// What is remembered under all keys that begin so is forgotten: `joe@example.com|`.
    ForgetKeys(
        /// How they begin.
        String,
    ),
}
