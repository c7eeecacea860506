//! Mailbox names (RFC 3501 §5.1).

use crate::utf7;

/// Bytes of a name in UTF-8.
const NAME_LIMIT_BYTES: usize = 1000;

/// The name of a mailbox, as text. `INBOX` is in upper case, however it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(String);

/// Why a text names no mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadName {
    /// Not modified UTF-7, or not in its one right form (RFC 3501 §5.1.3).
    Encoding,
    /// A control character or NUL stands in it.
    Control,
    /// Too long.
    Length,
}

impl BadName {
    /// For the client.
    pub fn text(self) -> &'static str {
        match self {
            Self::Encoding => "Mailbox name is not valid mUTF-7",
            Self::Control => "Mailbox name has control characters",
            Self::Length => "Mailbox name is too long",
        }
    }
}

impl MailboxName {
    /// A name from the wire: modified UTF-7, or UTF-8 where `utf8` is enabled (RFC 6855 §3).
    ///
    /// # Errors
    /// [`BadName`]: checks are made on the decoded text.
    pub fn from_wire(bytes: &[u8], utf8: bool) -> Result<Self, BadName> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if utf8 => text.to_owned(),
            _ => utf7::decode(bytes).ok_or(BadName::Encoding)?,
        };
        Self::new(&text)
    }

    /// A name from text.
    ///
    /// # Errors
    /// [`BadName`]
    pub fn new(text: &str) -> Result<Self, BadName> {
        if text.len() > NAME_LIMIT_BYTES {
            return Err(BadName::Length);
        }
        if text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')) {
            return Err(BadName::Control);
        }
        Ok(Self(if text.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { text.to_owned() }))
    }

    /// `INBOX`
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it INBOX?
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// As it goes over the wire.
    pub fn to_wire(&self, utf8: bool) -> String {
        if utf8 { self.0.clone() } else { utf7::encode(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_has_one_spelling() {
        assert!(MailboxName::from_wire(b"iNbOx", false).unwrap().is_inbox());
        assert!(!MailboxName::from_wire(b"inbox.a", false).unwrap().is_inbox());
    }

    #[test]
    fn names_are_judged_when_decoded() {
        assert_eq!(MailboxName::from_wire(b"&Jjo", false), Err(BadName::Encoding));
        assert_eq!(MailboxName::from_wire(b"&AAA-x", false), Err(BadName::Encoding));
        assert_eq!(MailboxName::from_wire(b"a\0b", false), Err(BadName::Encoding));
        assert_eq!(MailboxName::new("a\u{1}"), Err(BadName::Control));
        assert_eq!(MailboxName::from_wire("ä".as_bytes(), true).unwrap().to_wire(false), "&AOQ-");
        assert_eq!(MailboxName::from_wire("ä".as_bytes(), false), Err(BadName::Encoding));
        assert_eq!(MailboxName::new(&"x".repeat(1001)), Err(BadName::Length));
    }
}
