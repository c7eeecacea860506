//! What a delivery agent asks of a courier, and what the courier answers.
//!
//! A courier is a process that runs as the owner of mailboxes and does nothing but deliver (spawnd(8) starts it).
//! They talk over a socket that keeps message borders: the agent sends its [`CourierSettings`]; the courier says
//! [`Hello`]; then the agent sends one [`Job`] at a time, each with the open queue file, and the courier answers
//! each with an [`Answer`].

use std::time::Duration;

use attributes::{Attributes, Missing};

use crate::content::ContentError;
use crate::deliver::QuotaRule;
use crate::error::{DeliverError, Status};
use crate::mbox::LockSettings;
use crate::place::{Form, Place};
use crate::store::{Layout, Limits};

/// No message between agent and courier is longer, in bytes.
pub const MESSAGE_LIMIT_BYTES: usize = 128 * 1024;

/// The courier's first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// It runs as this user and group, and is ready.
    Ready {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
    /// There will be no courier.
    Refused {
        /// Why, for the log.
        text: String,
        /// It can not be otherwise until somebody changes the configuration.
        misconfigured: bool,
    },
}

/// What holds for all jobs of a courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CourierSettings {
    /// How an mbox file is locked.
    pub locks: LockSettings,
    /// `strict_mailbox_ownership`: what exists must be the courier's own.
    pub strict_ownership: bool,
}

/// One copy to deliver. The open queue file comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Where to, below the courier's base.
    pub place: Place,
    /// As [`crate::Copy::name`].
    pub name: String,
    /// The lines above the message, each ended by LF.
    pub head: String,
    /// Where the content begins in the queue file, in bytes.
    pub content_offset: u64,
    /// The largest size of the mailbox file, 0 for no limit.
    pub limit_bytes: u64,
    /// What all mail of the recipient may grow to.
    pub quota: QuotaRule,
    /// Nothing is to be delivered: is there room for a message of so many bytes? The file that comes along is not read.
    pub only_measure: Option<u64>,
    /// Where in the queue file the recipient is crossed off as soon as the copy is safe; 0 where that is not the
    /// courier's business.
    pub record_offset: u64,
    /// The message's queue id; a courier is told when there is doubt.
    pub queue_id: String,
    /// An earlier try may have died before it could tell that it had delivered.
    pub in_doubt: bool,
    /// Absolute paths: where one of these files exists, the mail is not for the mailbox, and nothing is done.
    pub unless_exists: Vec<String>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is on the disk.
    Delivered {
        /// The recipient is crossed off.
        crossed_off: bool,
    },
    /// The message was in memory and has got a queue file: that is to be delivered instead.
    Moved,
    /// A file exists of [`Job::unless_exists`].
    Withheld {
        /// Which.
        path: String,
    },
    /// It is not.
    Failed {
        /// 4 to try again, 5 to give up.
        status: Status,
        /// As Postfix's log has it, without what it puts in front.
        text: String,
        /// What the administrator may want to know beyond that.
        hint: Hint,
    },
}

/// Advice for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// None.
    None,
    /// The courier's user may not write there.
    Access,
    /// The mailbox belongs to another user.
    Ownership,
}

impl Hello {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        match self {
            Self::Ready { uid, gid } => Attributes::new().with("uid", uid).with("gid", gid),
            Self::Refused { text, misconfigured } => {
                Attributes::new().with("refused", text).with("misconfigured", u8::from(*misconfigured))
            }
        }
    }

    /// Reads what [`Hello::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        if let Some(text) = message.get("refused") {
            let misconfigured = message.parse::<u8>("misconfigured")? != 0;
            return Ok(Self::Refused { text: text.to_owned(), misconfigured });
        }
        Ok(Self::Ready { uid: message.parse("uid")?, gid: message.parse("gid")? })
    }
}

impl CourierSettings {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        Attributes::new()
            .with("fcntl", u8::from(self.locks.fcntl))
            .with("flock", u8::from(self.locks.flock))
            .with("dotlock", u8::from(self.locks.dotlock))
            .with("attempts", self.locks.attempts)
            .with("delay_ms", self.locks.delay.as_millis())
            .with("stale_s", self.locks.stale_after.as_secs())
            .with("strict", u8::from(self.strict_ownership))
    }

    /// Reads what [`CourierSettings::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`Hello::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let flag = |name| message.parse::<u8>(name).map(|number| number != 0);
        Ok(Self {
            locks: LockSettings {
                fcntl: flag("fcntl")?,
                flock: flag("flock")?,
                dotlock: flag("dotlock")?,
                attempts: message.parse("attempts")?,
                delay: Duration::from_millis(message.parse("delay_ms")?),
                stale_after: Duration::from_secs(message.parse("stale_s")?),
            },
            strict_ownership: flag("strict")?,
        })
    }
}

impl Job {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let mut message = Attributes::new()
            .with("path", self.place.path.display())
            .with("maildir", u8::from(self.place.form == Form::Maildir))
            .with("name", &self.name)
            .with("head", &self.head)
            .with("offset", self.content_offset)
            .with("record", self.record_offset)
            .with("limit", self.limit_bytes);
        if !self.quota.limits.is_none() {
            message.push("quota_bytes", self.quota.limits.bytes);
            message.push("quota_messages", self.quota.limits.messages);
            message.push("quota_tree", u8::from(self.quota.layout == Layout::MaildirTree));
        }
        if let Some(bytes) = self.only_measure {
            message.push("measure", bytes);
        }
        if self.in_doubt {
            message.push("in_doubt", &self.queue_id);
        }
        self.unless_exists.iter().for_each(|path| message.push("unless", path));
        message
    }

    /// Reads what [`Job::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`Hello::from_attributes`]; also when the path would leave the base.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let form = if message.parse::<u8>("maildir")? != 0 { Form::Maildir } else { Form::Mbox };
        // The path of the base itself is empty, which `parse` takes for a table's mistake.
        let path = Place::parse(&format!("./{}", message.text("path")?));
        let path = path.map_err(|_| Missing { name: "path" })?.path;
        let unless = message.iter().filter(|(name, _)| *name == "unless");
        Ok(Self {
            place: Place { path, form },
            name: message.text("name")?.to_owned(),
            head: message.text("head")?.to_owned(),
            content_offset: message.parse("offset")?,
            record_offset: message.parse("record")?,
            queue_id: message.get("in_doubt").unwrap_or_default().to_owned(),
            in_doubt: message.get("in_doubt").is_some(),
            limit_bytes: message.parse("limit")?,
            quota: quota(message)?,
            only_measure: message.get("measure").map(|_| message.parse("measure")).transpose()?,
            unless_exists: unless.map(|(_, path)| path.to_owned()).collect(),
        })
    }
}

fn quota(message: &Attributes) -> Result<QuotaRule, Missing> {
    if message.get("quota_bytes").is_none() {
        return Ok(QuotaRule::default());
    }
    let limits = Limits { bytes: message.parse("quota_bytes")?, messages: message.parse("quota_messages")? };
    let is_tree = message.parse::<u8>("quota_tree")? != 0;
    Ok(QuotaRule { limits, layout: if is_tree { Layout::MaildirTree } else { Layout::MaildirPlusPlus } })
}

impl Answer {
    /// What a delivery came to.
    pub fn of(outcome: Result<(), DeliverError>, crossed_off: bool) -> Self {
        match outcome {
            Ok(()) => Self::Delivered { crossed_off },
            Err(DeliverError::Content(ContentError::CrossedOff)) => Self::Delivered { crossed_off: true },
            Err(DeliverError::Content(ContentError::Moved)) => Self::Moved,
            Err(error) => {
                let (status, text, hint) = (error.status(), error.to_string(), error.hint());
                Self::Failed { status, text, hint }
            }
        }
    }

    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        match self {
            Self::Delivered { crossed_off } => {
                Attributes::new().with("delivered", 1).with("crossed_off", u8::from(*crossed_off))
            }
            Self::Moved => Attributes::new().with("moved", 1),
            Self::Withheld { path } => Attributes::new().with("withheld", path),
            Self::Failed { status, text, hint } => Attributes::new()
                .with("class", status.0)
                .with("subject", status.1)
                .with("detail", status.2)
                .with("text", text)
                .with("hint", hint.word()),
        }
    }

    /// Reads what [`Answer::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`Hello::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        if message.get("delivered").is_some() {
            return Ok(Self::Delivered { crossed_off: message.parse::<u8>("crossed_off")? != 0 });
        }
        if message.get("moved").is_some() {
            return Ok(Self::Moved);
        }
        if let Some(path) = message.get("withheld") {
            return Ok(Self::Withheld { path: path.to_owned() });
        }
        let status = Status(message.parse("class")?, message.parse("subject")?, message.parse("detail")?);
        let hint = Hint::from_word(message.text("hint")?);
        Ok(Self::Failed { status, text: message.text("text")?.to_owned(), hint })
    }
}

impl Hint {
    const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Access => "access",
            Self::Ownership => "ownership",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "access" => Self::Access,
            "ownership" => Self::Ownership,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_crosses_the_socket_unchanged() {
        for hello in [
            Hello::Ready { uid: 5000, gid: 5001 },
            Hello::Refused { text: "no such user".into(), misconfigured: true },
        ] {
            assert_eq!(Hello::from_attributes(&hello.to_attributes()), Ok(hello));
        }
        let settings = CourierSettings {
            locks: LockSettings {
                fcntl: true,
                flock: false,
                dotlock: true,
                attempts: 20,
                delay: Duration::from_secs(1),
                stale_after: Duration::from_secs(500),
            },
            strict_ownership: true,
        };
        assert_eq!(CourierSettings::from_attributes(&settings.to_attributes()), Ok(settings));
        for path in ["example.com/info/", "box", "/"] {
            let place = Place::parse(path).unwrap();
            let unless_exists = vec!["/home/u/.forward".into()];
            let head = "A: b\nC: d\n".into();
            let job = Job {
                place,
                name: "1.QE13879EA1AFR812".into(),
                head,
                content_offset: 812,
                limit_bytes: 0,
                quota: QuotaRule { limits: Limits { bytes: 7, messages: 8 }, layout: Layout::MaildirTree },
                only_measure: Some(9),
                record_offset: 97,
                queue_id: "E13879EA1AF".into(),
                in_doubt: true,
                unless_exists,
            };
            assert_eq!(Job::from_attributes(&job.to_attributes()), Ok(job));
        }
        for answer in [
            Answer::Delivered { crossed_off: true },
            Answer::Delivered { crossed_off: false },
            Answer::Moved,
            Answer::Withheld { path: "/x".into() },
            Answer::Failed { status: Status(4, 3, 0), text: "error".into(), hint: Hint::Access },
        ] {
            assert_eq!(Answer::from_attributes(&answer.to_attributes()), Ok(answer));
        }
    }

    #[test]
    fn a_job_can_not_name_a_path_outside() {
        let message = Attributes::new().with("path", "../x").with("maildir", 1).with("head", "");
        let message = message.with("offset", 0).with("limit", 0).with("name", "x").with("record", 0);
        assert_eq!(Job::from_attributes(&message), Err(Missing { name: "path" }));
    }
}
