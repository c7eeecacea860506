//! A maildrop: INBOX as one POP3 session sees it (RFC 1939).

use super::error::MailError;
use super::text::MessageText;
use super::{Store, Uid};

/// How a UIDL is made from what is known about a message (Dovecot's `pop3_uidl_format`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UidlFormat {
    text: String,
}

/// A format that names no message in particular.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("UIDL format \"{text}\": {problem}; the default is %08Xu%08Xv")]
pub struct BadUidlFormat {
    /// The format.
    pub text: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl UidlFormat {
    /// Reads a format: text with `%u` (UID), `%v` (UIDVALIDITY), `%f` (name of the Maildir file), `%g` (GUID), `%m` (MD5 of
    /// the header); between `%` and the letter a width and `X` for hexadecimal in lower case, as Dovecot has it.
    ///
    /// # Errors
    /// [`BadUidlFormat`].
    pub fn parse(text: &str) -> Result<Self, BadUidlFormat> {
        Ok(Self { text: text.to_owned() })
    }
}

impl Default for UidlFormat {
    /// Dovecot's: UID and UIDVALIDITY, 8 hexadecimal digits each.
    fn default() -> Self {
        Self { text: "%08Xu%08Xv".into() }
    }
}

/// A message of a maildrop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropMessage {
    /// Its UID.
    pub uid: Uid,
    /// Its unique id (RFC 1939 §7 UIDL): 1 to 70 printable characters, no two the same.
    pub uidl: String,
    /// Size on the wire in bytes, line ends counted as CRLF and the last line ended.
    pub size_bytes: u64,
}

/// A maildrop that is open. New mail does not show until the next session.
#[derive(Debug)]
pub struct Maildrop {
    messages: Vec<DropMessage>,
}

impl Maildrop {
    /// Opens INBOX; with `exclusive` no other session gets it while this value lives.
    ///
    /// # Errors
    /// [`MailError::InUse`], [`MailError::Locked`], [`MailError::Io`].
    pub fn open(
        _store: &Store,
        _format: &UidlFormat,
        _exclusive: bool,
        _now_us: u64,
    ) -> Result<Self, MailError> {
        Err(MailError::Unsupported { what: "POP3" })
    }

    /// In the order of POP3's message numbers, the first is 1.
    pub fn messages(&self) -> &[DropMessage] {
        &self.messages
    }

    /// Opens the text of a message.
    ///
    /// # Errors
    /// [`MailError::Gone`], [`MailError::Io`].
    pub fn text(&self, _uid: Uid) -> Result<MessageText, MailError> {
        Err(MailError::Unsupported { what: "POP3" })
    }

    /// Has any message `\Seen`? For LAST: the highest message number that a session has retrieved before.
    pub fn last_seen(&self) -> usize {
        0
    }

    /// Shows other programs that the session is alive; call it about once a minute.
    pub fn touch(&self, _now_us: u64) {}

    /// UPDATE (RFC 1939 §6): removes the messages of `delete`, marks those of `seen`, and gives the maildrop back.
    /// Dropped without it, nothing is removed.
    ///
    /// # Errors
    /// [`MailError::Locked`], [`MailError::Io`]: some messages may not have been removed.
    pub fn update(self, _delete: &[Uid], _seen: &[Uid], _now_us: u64) -> Result<(), MailError> {
        Err(MailError::Unsupported { what: "POP3" })
    }
}
