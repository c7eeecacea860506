//! How a command ends, and response codes (RFC 3501 §7.1, RFC 5530).

use std::borrow::Cow;

use crate::types::{Capability, EventName, Flags, Numbers};

/// OK, NO or BAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is done.
    Ok,
    /// It is refused.
    No,
    /// It is no command, or not in order.
    Bad,
}

/// Text for a human: one line without line breaks and NUL, that does not look like a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Cow<'static, str>);

impl Text {
    /// Makes a text; what can not stand in one becomes a blank or a question mark.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let fits = |letter: char| matches!(letter, ' '..='~');
        if !text.is_empty() && !text.starts_with('[') && text.chars().all(fits) {
            return Self(text);
        }
        let clean: String = text
            .chars()
            .map(|letter| match letter {
                letter if letter.is_control() => ' ',
                letter if fits(letter) => letter,
                _ => '?',
            })
            .collect();
        let clean = clean.trim_start_matches('[');
        Self(Cow::Owned(if clean.is_empty() { "-".to_owned() } else { clean.to_owned() }))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code for the client's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// `ALERT`: the client must show the text.
    Alert,
    /// `ALREADYEXISTS`
    AlreadyExists,
    /// `AUTHENTICATIONFAILED`
    AuthenticationFailed,
    /// `BADCHARSET`
    BadCharset,
    /// `BADEVENT`: those that are known (RFC 5465)
    BadEvent(Vec<EventName>),
    /// `BADURL`: which (RFC 4469)
    BadUrl(String),
    /// `CANNOT`
    Cannot,
    /// `CAPABILITY`
    Capability(Vec<Capability>),
    /// `CLIENTBUG`
    ClientBug,
    /// `CLOSED` (RFC 7162)
    Closed,
    /// `COMPRESSIONACTIVE` (RFC 4978)
    CompressionActive,
    /// `EXPIRED`
    Expired,
    /// `EXPUNGEISSUED`
    ExpungeIssued,
    /// `HIGHESTMODSEQ`
    HighestModSeq(u64),
    /// `INPROGRESS`: the command of this tag goes on (RFC 9585)
    InProgress(String),
    /// `INUSE`
    InUse,
    /// `LIMIT`
    Limit,
    /// `METADATA LONGENTRIES`: the longest value that was left out, bytes (RFC 5464)
    MetadataLongEntries(u64),
    /// `METADATA MAXSIZE`: so long may a value be, bytes (RFC 5464)
    MetadataMaxSize(u64),
    /// `METADATA TOOMANY` (RFC 5464)
    MetadataTooMany,
    /// `MODIFIED`: the messages that were left alone (RFC 7162)
    Modified(Numbers),
    /// `NONEXISTENT`
    NonExistent,
    /// `NOMODSEQ`
    NoModSeq,
    /// `NOPERM`
    NoPerm,
    /// `NOTIFICATIONOVERFLOW` (RFC 5465)
    NotificationOverflow,
    /// `NOTSAVED` (RFC 5182)
    NotSaved,
    /// `NOUPDATE`: the search of this tag is not kept up to date (RFC 5267)
    NoUpdate(String),
    /// `OVERQUOTA`
    OverQuota,
    /// `PERMANENTFLAGS`, and whether new keywords can be made.
    PermanentFlags(Flags, bool),
    /// `PRIVACYREQUIRED`
    PrivacyRequired,
    /// `READ-ONLY`
    ReadOnly,
    /// `READ-WRITE`
    ReadWrite,
    /// `SERVERBUG`
    ServerBug,
    /// `TOOBIG` (RFC 7889)
    TooBig,
    /// `TRYCREATE`
    TryCreate,
    /// `UIDNEXT`
    UidNext(u32),
    /// `UIDVALIDITY`
    UidValidity(u32),
    /// `UNAVAILABLE`
    Unavailable,
    /// `UNKNOWN-CTE` (RFC 3516)
    UnknownCte,
    /// `UNSEEN`: the first.
    Unseen(u32),
    /// `USEATTR` (RFC 6154)
    UseAttr,
    /// `APPENDUID` (RFC 4315)
    AppendUid {
        /// Of the mailbox.
        uid_validity: u32,
        /// Of the messages, in order.
        uids: Numbers,
    },
    /// `COPYUID` (RFC 4315): equally many, in the same order.
    CopyUid {
        /// Of the mailbox they went to.
        uid_validity: u32,
        /// What they were.
        from: Numbers,
        /// What they are there.
        to: Numbers,
    },
    /// `MAILBOXID` (RFC 8474)
    MailboxId(String),
}

/// The last word on a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub condition: Condition,
    /// For programs.
    pub code: Option<Code>,
    /// For people.
    pub text: Text,
}

impl Reply {
    /// `OK text`
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Self { condition: Condition::Ok, code: None, text: Text::new(text) }
    }

    /// `NO text`
    pub fn no(text: impl Into<Cow<'static, str>>) -> Self {
        Self { condition: Condition::No, code: None, text: Text::new(text) }
    }

    /// `BAD text`
    pub fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self { condition: Condition::Bad, code: None, text: Text::new(text) }
    }

    /// With this code.
    #[must_use]
    pub fn with(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_plain_line() {
        assert_eq!(Text::new("a\r\nb * BYE").as_str(), "a  b * BYE");
        assert_eq!(Text::new("[ALERT] x").as_str(), "ALERT] x");
        assert_eq!(Text::new("").as_str(), "-");
        assert_eq!(Text::new("ä").as_str(), "?");
    }
}
