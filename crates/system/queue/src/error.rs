//! What can go wrong in the spool.

use std::io;
use std::path::{Path, PathBuf};

use queue_format::DecodeError;

/// Why a step in the spool did not succeed. Temporary for whoever sends the mail: nothing was promised, or the message lies where it lay.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A system call failed.
    #[error("{verb} {}: {}", path.display(), sys::error_text::reason(source))]
    Io {
        /// The step.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// As the kernel said.
        source: io::Error,
    },
    /// The file is there and is no message.
    #[error("{}: {source}", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The file is there and lacks what every message has.
    #[error("{}: no {what} record", path.display())]
    Incomplete {
        /// Which file.
        path: PathBuf,
        /// "sender", "arrival time", "size".
        what: &'static str,
    },
}

impl QueueError {
    pub(crate) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { verb, path, source }
    }

    /// The file is not there (any more).
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// The file is there and can not be read as a message; [`crate::Queue::corrupt`] puts it aside.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Incomplete { .. })
    }

    /// The disk or the quota is full.
    pub fn is_full(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        matches!(self, Self::Io { source, .. } if full.contains(&source.kind()))
    }
}
