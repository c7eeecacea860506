//! Why a copy was not delivered.

use std::io;
use std::path::PathBuf;

use sys::error_text::reason;

use crate::content::ContentError;
use crate::job::Hint;

/// Facts about a delivery that failed. The text is the one that Postfix logs in parentheses for the same cause,
/// after "maildir delivery failed: " or "delivery failed to mailbox PATH: ".
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// A step on the disk failed.
    #[error("{step}: {}", reason(source))]
    Io {
        /// What was tried: "create maildir file /p/tmp/x", "error writing message".
        step: String,
        /// Why not.
        source: io::Error,
    },
    /// The mailbox would become larger than its limit.
    #[error("error writing message: File too large")]
    TooLarge {
        /// `virtual_mailbox_limit` or `mailbox_size_limit`.
        limit_bytes: u64,
    },
    /// All mail of the recipient would become larger than it may.
    #[error("Quota exceeded (mailbox for user is full)")]
    OverQuota,
    /// The message itself could not be read.
    #[error("error reading message: {0}")]
    Content(#[from] ContentError),
    /// Somebody else owns what lies there.
    #[error("destination {} is not owned by recipient", path.display())]
    NotOwned {
        /// The mailbox file, or a directory of the Maildir.
        path: PathBuf,
    },
    /// The last name of the path is a symbolic link.
    #[error("file is a symbolic link")]
    SymbolicLink,
    /// A name before the last is a symbolic link, or the path leads out of the base.
    #[error("{} leads through a symbolic link or out of the mailbox base", path.display())]
    Detour {
        /// The path.
        path: PathBuf,
    },
    /// The file has other names, so somebody else may have put it there.
    #[error("file has {count} hard links")]
    HardLinks {
        /// How many names.
        count: u64,
    },
    /// A FIFO, socket or device.
    #[error("file is not a regular file")]
    NotRegular,
    /// The name stands for another file than a moment before.
    #[error("file status changed unexpectedly")]
    Changed,
    /// Another program has locked the mailbox all the time.
    #[error("unable to lock for exclusive access: {}", reason(&io::Error::from_raw_os_error(11)))]
    Locked,
    /// Another program's lock file stayed all the time.
    #[error("unable to create lock file {}: File exists", path.display())]
    DotLocked {
        /// The lock file.
        path: PathBuf,
    },
}

/// RFC 3463 status code: class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8, pub u16, pub u16);

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl DeliverError {
    /// An error of the disk at this step.
    pub(crate) fn io(step: impl Into<String>, source: io::Error) -> Self {
        Self::Io { step: step.into(), source }
    }

    /// RFC 3463 §3.3, §3.4. The one place that decides between a bounce (5) and another try (4).
    ///
    /// Only a full mailbox is final, as in Postfix. Whatever a disk may recover from is not: an I/O error,
    /// a full or read-only file system, too many open files.
    pub fn status(&self) -> Status {
        match self {
            Self::TooLarge { .. } | Self::OverQuota => Status(5, 2, 2),
            Self::Io { source, .. } => io_status(source),
            Self::Content(_) => Status(4, 3, 0),
            _ => Status(4, 2, 0),
        }
    }

    /// What an administrator may want to know beyond the text.
    pub fn hint(&self) -> Hint {
        match self {
            Self::NotOwned { .. } => Hint::Ownership,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Hint::Access,
            _ => Hint::None,
        }
    }
}

fn io_status(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Status(5, 2, 2),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::WouldBlock
        | io::ErrorKind::StaleNetworkFileHandle => Status(4, 2, 0),
        _ => Status(4, 3, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_fault_is_never_final_and_a_full_mailbox_is() {
        // EIO, ENOSPC, EROFS, EMFILE, ENFILE, ENOMEM
        for code in [5, 28, 30, 24, 23, 12] {
            let error = DeliverError::io("error writing message", io::Error::from_raw_os_error(code));
            assert_eq!(error.status(), Status(4, 3, 0), "{error}");
        }
        let quota = DeliverError::io("error writing message", io::Error::from_raw_os_error(122));
        assert_eq!(
            (quota.status(), quota.to_string()),
            (Status(5, 2, 2), "error writing message: Disk quota exceeded".into())
        );
        assert_eq!(DeliverError::TooLarge { limit_bytes: 1 }.status().to_string(), "5.2.2");
    }
}
