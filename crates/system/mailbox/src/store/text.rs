//! The text of a message, with the line ends of the wire.

use super::error::MailError;

/// An open message. It stays readable when the message is expunged.
#[derive(Debug)]
pub struct MessageText {
    size_bytes: u64,
}

impl MessageText {
    /// Length in bytes, each line end counted as CRLF (RFC822.SIZE).
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Appends at most `limit_bytes` of the text from `offset` on to `out`; fewer only at the end. Reading on where
    /// the last call ended is cheap.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn read_at(
        &mut self,
        _offset: u64,
        _limit_bytes: usize,
        _out: &mut Vec<u8>,
    ) -> Result<(), MailError> {
        Err(MailError::Unsupported { what: "FETCH" })
    }
}
