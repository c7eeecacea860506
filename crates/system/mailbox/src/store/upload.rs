//! A message on its way in.

use super::error::MailError;
use super::flags::Flags;

/// A message that is being written. Dropped before [`super::Folder::append`], it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    size_bytes: u64,
}

/// An upload that is to become a message.
#[derive(Debug)]
pub struct Addition {
    /// The whole text.
    pub upload: Upload,
    /// System flags.
    pub flags: Flags,
    /// Keywords by name.
    pub keywords: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
}

impl Upload {
    /// Adds bytes of the message. Line ends may be CRLF or LF; on disk they are LF in a mailbox that keeps LF.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), MailError> {
        self.size_bytes += bytes.len() as u64;
        Err(MailError::Unsupported { what: "APPEND" })
    }

    /// Bytes so far, line ends counted as CRLF.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}
