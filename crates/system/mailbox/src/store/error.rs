//! Why something in a mailbox could not be read or changed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sys::error_text::reason;

use super::Uid;
use super::names::{BadName, FolderName};

/// Facts about a failure; what a client is told of it is its protocol's business.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailError {
    /// A step on the disk failed.
    #[error("{verb} {}: {}", path.display(), reason(source))]
    Io {
        /// What was tried: "open", "rename".
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not; shared by those whose mail was in the same step.
        source: Arc<io::Error>,
    },
    /// There is no such folder.
    #[error("folder {0} does not exist")]
    NoFolder(FolderName),
    /// The folder is only the parent of others and holds no mail.
    #[error("folder {0} holds no messages, only other folders")]
    NotSelectable(FolderName),
    /// A directory that is not empty.
    #[error("folder {0} has others below it")]
    HasChildren(FolderName),
    /// The name is taken.
    #[error("folder {0} exists already")]
    FolderExists(FolderName),
    /// The name can not be a folder here.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// INBOX is neither deleted nor renamed.
    #[error("INBOX stays where it is")]
    Inbox,
    /// This kind of mailbox can not do that.
    #[error("{what} is not possible in a mailbox of this kind")]
    Unsupported {
        /// "a folder below INBOX"
        what: &'static str,
    },
    /// The message has gone.
    #[error("message {0} was removed by another session")]
    Gone(Uid),
    /// Another session has the maildrop (RFC 1939 §4, RFC 2449 §8.1.1 `[IN-USE]`).
    #[error("maildrop is in use by another session")]
    InUse,
    /// Another program held a lock all the time that we were ready to wait.
    #[error("{} is locked by another program", path.display())]
    Locked {
        /// The lock file or the mailbox.
        path: PathBuf,
    },
    /// No further keyword fits into this folder.
    #[error("folder has {limit} keywords already, \"{keyword}\" is too many")]
    TooManyKeywords {
        /// The one too many.
        keyword: String,
        /// How many there may be.
        limit: usize,
    },
    /// The mailbox would become larger than its limit.
    #[error(
        "mailbox would exceed its quota of {limit_bytes} bytes and {limit_messages} messages (0: no limit)"
    )]
    OverQuota {
        /// Largest sum of all messages, 0 for none.
        limit_bytes: u64,
        /// Largest number of messages, 0 for none.
        limit_messages: u64,
    },
    /// No further annotation has room.
    #[error("annotations of a mailbox have room for {limit_bytes} bytes")]
    TooManyAttributes {
        /// Of all of them.
        limit_bytes: usize,
    },
    /// What should be an mbox file is none.
    #[error("{}: {problem}", path.display())]
    NoMbox {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file makes no sense.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl MailError {
    /// An error of the disk.
    pub(crate) fn io(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { verb, path, source: Arc::new(source) }
    }
}
