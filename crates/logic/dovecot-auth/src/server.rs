//! What the one who knows passwords says.

use crate::Malformed;
use crate::line::Words;

/// A line from the one who knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerLine {
    /// First: the version spoken.
    Version {
        /// Must be [`crate::MAJOR_VERSION`].
        major: u32,
    },
    /// A mechanism that is offered.
    Mechanism(Mechanism),
    /// Its process id.
    ProcessId(u32),
    /// The number of this connection.
    ConnectionId(u32),
    /// A secret of this connection, in hexadecimal digits.
    Cookie(String),
    /// All has been said that comes first.
    Done,
    /// The client is who it says.
    Success(Success),
    /// A challenge for the client.
    Challenge {
        /// Which exchange.
        id: u32,
        /// In Base64.
        challenge: String,
    },
    /// Not this client, or not now.
    Failure(Failure),
    /// A user's mailbox, for [`crate::ClientLine::User`] and [`crate::ClientLine::Redeem`].
    User {
        /// Which question.
        id: u32,
        /// The whole name.
        name: String,
        /// Owner.
        uid: u32,
        /// The owner's group.
        gid: u32,
        /// The folder that nothing leaves.
        home: String,
        /// Where the mail lies, absolute: `maildir:/base/u` or `mbox:/home/u/mail:INBOX=/base/u`.
        mail: String,
        /// What it may grow to: `1G`, or a rule of Dovecot's.
        quota_rule: Option<String>,
        /// The groups that lists of rights may name, with commas between them.
        acl_groups: Option<String>,
        /// The same below `home`, as delivery agents write it: a Maildir ends in `/`.
        path: String,
    },
    /// No such user, or ticket.
    NotFound {
        /// Which question.
        id: u32,
    },
    /// A word that we do not know.
    Unknown(String),
}

/// A mechanism with its properties.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mechanism {
    /// Registered name.
    pub name: String,
    /// Who listens has the password.
    pub plaintext: bool,
    /// Who listens can try passwords at home.
    pub dictionary: bool,
    /// Who stands in between can take the session over.
    pub active: bool,
    /// The server proves itself too.
    pub mutual: bool,
    /// Not to be announced to clients.
    pub private: bool,
}

/// A login that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Success {
    /// Which exchange.
    pub id: u32,
    /// Who it is, by the whole name.
    pub user: String,
    /// Last words for the client, in Base64.
    pub response: Option<String>,
    /// Opens the mailbox, once and soon. Ours alone.
    pub ticket: Option<String>,
}

/// A login that did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// Which exchange.
    pub id: u32,
    /// Who it said it was, where that is known.
    pub user: Option<String>,
    /// Nothing is wrong with the client: try again later.
    pub temporary: bool,
    /// It may not act as whom it wants to.
    pub authorization: bool,
    /// The account is not open to it.
    pub disabled: bool,
    /// For the client.
    pub reason: Option<String>,
}

impl ServerLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Malformed`]: a number that is none, a word that is missing.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let words = Words::parse(line);
        Self::read(&words).ok_or_else(|| Malformed { command: words.command().to_owned() })
    }

    fn read(words: &Words) -> Option<Self> {
        let text = |name: &str| words.value(name).map(str::to_owned);
        Some(match words.command() {
            "VERSION" => Self::Version { major: words.number(1)? },
            "MECH" => Self::Mechanism(Mechanism {
                name: words.word(1)?.to_owned(),
                plaintext: words.has("plaintext"),
                dictionary: words.has("dictionary"),
                active: words.has("active"),
                mutual: words.has("mutual-auth"),
                private: words.has("private"),
            }),
            "SPID" => Self::ProcessId(words.number(1)?),
            "CUID" => Self::ConnectionId(words.number(1)?),
            "COOKIE" => Self::Cookie(words.word(1)?.to_owned()),
            "DONE" => Self::Done,
            "OK" => Self::Success(Success {
                id: words.number(1)?,
                user: text("user")?,
                response: text("resp"),
                ticket: text("ticket"),
            }),
            "CONT" => Self::Challenge { id: words.number(1)?, challenge: words.word(2)?.to_owned() },
            "FAIL" => Self::Failure(Failure {
                id: words.number(1)?,
                user: text("user"),
                temporary: words.has("temp"),
                authorization: words.has("authz"),
                disabled: words.has("user_disabled"),
                reason: text("reason"),
            }),
            "USER" => Self::User {
                id: words.number(1)?,
                name: words.word(2)?.to_owned(),
                uid: text("uid")?.parse().ok()?,
                gid: text("gid")?.parse().ok()?,
                home: text("home")?,
                mail: text("mail")?,
                quota_rule: text("quota_rule"),
                acl_groups: text("acl_groups"),
                path: text("mailbox_path")?,
            },
            "NOTFOUND" => Self::NotFound { id: words.number(1)? },
            other => Self::Unknown(other.to_owned()),
        })
    }

    /// The bytes of the line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = match self {
            Self::Version { major } => Words::new("VERSION").with(major).with(crate::MINOR_VERSION),
            Self::Mechanism(mechanism) => mechanism.words(),
            Self::ProcessId(pid) => Words::new("SPID").with(pid),
            Self::ConnectionId(number) => Words::new("CUID").with(number),
            Self::Cookie(cookie) => Words::new("COOKIE").with(cookie),
            Self::Done => Words::new("DONE"),
            Self::Success(success) => Words::new("OK")
                .with(success.id)
                .with_pair("user", &success.user)
                .with_some("ticket", success.ticket.as_deref())
                .with_some("resp", success.response.as_deref()),
            Self::Challenge { id, challenge } => Words::new("CONT").with(id).with(challenge),
            Self::Failure(failure) => failure.words(),
            Self::User { id, name, uid, gid, home, mail, quota_rule, acl_groups, path } => Words::new("USER")
                .with(id)
                .with(name)
                .with_pair("uid", uid)
                .with_pair("gid", gid)
                .with_pair("home", home)
                .with_pair("mail", mail)
                .with_some("quota_rule", quota_rule.as_deref())
                .with_some("acl_groups", acl_groups.as_deref())
                .with_pair("mailbox_path", path),
            Self::NotFound { id } => Words::new("NOTFOUND").with(id),
            Self::Unknown(word) => Words::new(word),
        };
        words.to_bytes()
    }
}

impl Mechanism {
    fn words(&self) -> Words {
        Words::new("MECH")
            .with(&self.name)
            .with_flag("plaintext", self.plaintext)
            .with_flag("dictionary", self.dictionary)
            .with_flag("active", self.active)
            .with_flag("mutual-auth", self.mutual)
            .with_flag("private", self.private)
    }
}

impl Failure {
    fn words(&self) -> Words {
        Words::new("FAIL")
            .with(self.id)
            .with_some("user", self.user.as_deref())
            .with_flag("temp", self.temporary)
            .with_flag("authz", self.authorization)
            .with_flag("user_disabled", self.disabled)
            .with_some("reason", self.reason.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dovecot_sends_is_read() {
        let greeting = [
            "VERSION\t1\t2",
            "MECH\tPLAIN\tplaintext",
            "MECH\tCRAM-MD5\tdictionary\tactive",
            "SPID\t123",
            "CUID\t1",
            "COOKIE\t0123456789abcdef0123456789abcdef",
            "DONE",
        ];
        for line in greeting {
            let read = ServerLine::parse(line).unwrap();
            assert!(!matches!(read, ServerLine::Unknown(_)), "{line}");
            assert_eq!(read.to_bytes(), format!("{line}\n").into_bytes());
        }
        let failure = Failure { id: 1, user: Some("u".into()), temporary: true, ..Failure::default() };
        assert_eq!(ServerLine::parse("FAIL\t1\tuser=u\ttemp"), Ok(ServerLine::Failure(failure)));
    }

    #[test]
    fn every_line_crosses_unchanged() {
        for line in [
            ServerLine::Success(Success {
                id: 1,
                user: "u@x".into(),
                response: Some("dj0=".into()),
                ticket: Some("ab".into()),
            }),
            ServerLine::Challenge { id: 1, challenge: String::new() },
            ServerLine::Failure(Failure {
                id: 1,
                user: None,
                temporary: false,
                authorization: true,
                disabled: true,
                reason: Some("not\tnow".into()),
            }),
            ServerLine::User {
                id: 2,
                name: "u@x".into(),
                uid: 5000,
                gid: 5000,
                home: "/var/mail".into(),
                mail: "maildir:/var/mail/u".into(),
                quota_rule: Some("*:storage=1G".into()),
                acl_groups: Some("staff,crew".into()),
                path: "u/".into(),
            },
            ServerLine::NotFound { id: 3 },
        ] {
            let bytes = line.to_bytes();
            let text = std::str::from_utf8(&bytes).unwrap().trim_end_matches('\n');
            assert_eq!(ServerLine::parse(text), Ok(line));
        }
        assert!(ServerLine::parse("OK\t1").is_err() && ServerLine::parse("CONT\t1").is_err());
    }
}
