//! Where an alias leads in the end.

/// What becomes of a part of the mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// It goes into a user's mailbox.
    Mailbox {
        /// The address that led here.
        address: String,
        /// Login name.
        user: String,
        /// What stands behind the delimiter.
        extension: Option<String>,
    },
    /// It goes on as a new message.
    Forward {
        /// The sender from here on; none keeps the one it has.
        sender: Option<String>,
        /// To whom.
        recipients: Vec<String>,
    },
    /// It goes to /dev/null.
    Null {
        /// The address that led here.
        address: String,
    },
    /// It goes nowhere.
    Refused {
        /// The address that led here.
        address: String,
        /// Why.
        why: Refusal,
    },
}

/// Why mail goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No alias and no user.
    #[error("unknown user: \"{0}\"")]
    UnknownUser(String),
    /// No alias and no user, but every system must have the name: it is thrown away, with a warning.
    #[error("discarded")]
    Required(String),
    /// The message has been delivered to this address before.
    #[error("mail forwarding loop for {0}")]
    ForwardingLoop(String),
    /// An alias with nothing on its right-hand side.
    #[error("no recipient in alias lookup result for {0}")]
    NoRecipient(String),
    /// Aliases lead in a circle.
    #[error("alias database loop for {0}")]
    Loop(String),
    /// An `:include:` file is of no use.
    #[error("mail system configuration error")]
    Include(String),
    /// `|command` in an `:include:` file (`allow_mail_to_commands`).
    #[error("mail to command is restricted")]
    RestrictedCommand,
    /// `/file` in an `:include:` file (`allow_mail_to_files`).
    #[error("mail to file is restricted")]
    RestrictedFile,
    /// `|command`
    #[error("delivery to a command is not available in this version")]
    Command,
    /// `/file`
    #[error("delivery to a file is not available in this version")]
    File,
    /// The user database does not answer.
    #[error("user lookup error")]
    UserLookup,
}
