//! What a client is told when something can not be done.

use imap_protocol::types::{Code, MailboxName, Reply};
use mailbox::store::{FolderName, MailError};

/// Why a command is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The mailbox's side failed.
    Mail(MailError),
    /// The protocol says so.
    Reply(Reply),
    /// The selected mailbox has been deleted: the session can not go on.
    Deleted,
}

impl From<MailError> for Refused {
    fn from(error: MailError) -> Self {
        Self::Mail(error)
    }
}

/// A refusal with this reply.
pub(crate) fn refused(reply: Reply) -> Refused {
    Refused::Reply(reply)
}

impl Refused {
    /// The last word on the command. What only the administrator can mend is logged.
    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::Reply(reply) => reply,
            Self::Mail(error) => mail_reply(&error),
            Self::Deleted => Reply::no("Selected mailbox was deleted").with(Code::NonExistent),
        }
    }
}

fn mail_reply(error: &MailError) -> Reply {
    let shown = |name: &FolderName| name.to_text('.');
    match error {
        MailError::NoFolder(name) => {
            Reply::no(format!("Mailbox doesn't exist: {}", shown(name))).with(Code::NonExistent)
        }
        MailError::NotSelectable(name) => {
            Reply::no(format!("Mailbox isn't selectable: {}", shown(name))).with(Code::NonExistent)
        }
        MailError::HasChildren(_) => Reply::no("Mailbox has children, delete them first"),
        MailError::FolderExists(_) => Reply::no("Mailbox already exists").with(Code::AlreadyExists),
        MailError::BadName(bad) => {
            Reply::no(format!("Invalid mailbox name: {}", bad.problem)).with(Code::Cannot)
        }
        MailError::Inbox => Reply::no("INBOX stays where it is").with(Code::Cannot),
        MailError::Unsupported { .. } | MailError::TooManyKeywords { .. } => {
            Reply::no(error.to_string()).with(Code::Cannot)
        }
        MailError::TooManyAttributes { .. } => Reply::no(error.to_string()).with(Code::MetadataTooMany),
        MailError::Gone(_) => Reply::no("Some messages were already expunged").with(Code::ExpungeIssued),
        MailError::InUse | MailError::Locked { .. } => {
            log::warn!("{error}");
            Reply::no("Mailbox is in use, try again later").with(Code::InUse)
        }
        MailError::OverQuota { .. } => {
            Reply::no("Quota exceeded (mailbox for user is full)").with(Code::OverQuota)
        }
        MailError::NoMbox { .. } => {
            log::error!("{error}");
            Reply::no("Mailbox isn't a valid mbox file").with(Code::Cannot)
        }
        MailError::Io { .. } | MailError::Damaged { .. } => {
            log::error!("{error}");
            Reply::no("Internal error occurred, see the log of the server").with(Code::ServerBug)
        }
    }
}

/// The folder that a name on the wire means.
pub(crate) fn folder_name(name: &MailboxName, separator: char) -> Result<FolderName, Refused> {
    let text = name.as_str();
    let problem = if text.is_empty() {
        Some("Name is empty")
    } else if text.starts_with('~') {
        Some("Begins with '~'")
    } else if text.starts_with(separator) {
        Some("Begins with hierarchy separator")
    } else if text.contains([separator, separator].iter().collect::<String>().as_str()) {
        Some("Has adjacent hierarchy separators")
    } else if separator != '/' && text.contains('/') {
        Some("Name must not have '/' characters")
    } else {
        None
    };
    if let Some(problem) = problem {
        let reply = Reply::no(format!("Invalid mailbox name: {problem}")).with(Code::Cannot);
        return Err(refused(reply));
    }
    let text = text.strip_suffix(separator).unwrap_or(text);
    // As with Dovecot, INBOX in any case also stands before its children's names.
    let below =
        text.get(5..).filter(|rest| rest.starts_with(separator) && text[..5].eq_ignore_ascii_case("INBOX"));
    let joined = below.map(|rest| format!("INBOX{rest}"));
    FolderName::from_utf8(joined.as_deref().unwrap_or(text), separator)
        .map_err(|bad| MailError::from(bad).into())
}

/// The name of a folder on the wire.
pub(crate) fn mailbox_name(name: &FolderName, separator: char) -> Option<MailboxName> {
    MailboxName::new(&name.to_utf8(separator)).ok()
}
