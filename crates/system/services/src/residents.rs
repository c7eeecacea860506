//! How a client that has logged in gets to its mailbox.
//!
//! A login server (pop3d, imapd) has a client, and a ticket from authd(8). It sends both to spawnd(8), which asks authd
//! whom the ticket stands for, and passes the client on to a resident: a process that runs as the owner of mailboxes
//! and serves everybody whose mail that owner has. With TLS the client stays where it is, and one end of a pair of
//! sockets goes the way.

mod parking;

pub use parking::{PARKED_LIMIT, PARKING_LIMIT_BYTES, ParkedClient, ParkedWords, Parking, STAY};

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use attributes::{Attributes, Missing};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailbox::mbox::LockSettings;
use mailbox::place::BadPlace;
use mailbox::store::{GlobalRights, Layout, Limits, Location};
use mailbox::{Form, Place};
use sys::descriptors;
use sys::directory::Links;
use sys::ids::Identity;
use sys::sockets::{self, Socket};

use crate::couriers;

/// No message on a resident's line is longer, in bytes.
pub const MESSAGE_LIMIT_BYTES: usize = 128 * 1024;
/// What a client has said beyond its login is not longer, in bytes.
pub const EARLY_LIMIT_BYTES: usize = 64 * 1024;

/// The programs that have residents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// POP3.
    Pop3d,
    /// IMAP.
    Imapd,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pop3d, Self::Imapd];

    /// The name of its file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pop3d => "pop3d",
            Self::Imapd => "imapd",
        }
    }

    /// The program of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.name() == name)
    }
}

/// Login server to spawnd, with the client's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// Whose resident.
    pub program: Program,
    /// From authd.
    pub ticket: String,
    /// What the login server wants the resident to know; only those two understand it.
    pub words: Attributes,
    /// What the client has said already beyond its login.
    pub early: Vec<u8>,
    /// What the client is told when it can not get to its mailbox.
    pub refusal: String,
}

/// spawnd to a resident, with the client's socket, and after it the log file if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Who has logged in, by the whole name.
    pub user: String,
    /// The mailbox below the base: a Maildir when it ends in `/`, else an mbox file.
    pub path: String,
    /// With an mbox file, the directory of the other folders, absolute; else empty.
    pub folders: String,
    /// What a mail location says after its path: `LAYOUT=fs`.
    pub options: String,
    /// What the mail may grow to, as tables have it ([`Limits::parse`]); empty for no limit.
    pub quota: String,
    /// The groups that lists of rights may name, with commas between them.
    pub acl_groups: String,
    /// As in [`SessionRequest`].
    pub words: Attributes,
    /// As in [`SessionRequest`].
    pub early: Vec<u8>,
}

/// spawnd's first word to a resident, with the log file if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The directory that nothing leaves.
    pub base: PathBuf,
    /// But for this one, if there is one: where folders lie beside an mbox file that is elsewhere.
    pub folders: Option<PathBuf>,
    /// And `mailbox_index_directory`.
    pub index_directory: Option<PathBuf>,
    /// `imapd_acl_global`
    pub global_acl: Option<PathBuf>,
    /// `process_no_new_privs_enable`
    pub no_new_privileges: bool,
    /// `process_landlock_enable`
    pub landlock: bool,
    /// `process_seccomp_enable`
    pub seccomp: bool,
    /// `virtual_mailbox_follow_links`
    pub follow_links: bool,
    /// How mbox files are locked.
    pub locks: LockSettings,
}

/// A resident to spawnd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// It takes sessions.
    Ready,
    /// It has taken a session: spawnd need not know it any more. This many have come since its start.
    Came {
        /// Sessions that have come.
        come: u64,
    },
    /// It has had none for a while; this many have come since its start.
    Idle {
        /// Sessions that have come.
        come: u64,
    },
}

/// From the process that keeps root to one that waits to be a resident: whom it becomes. The line to spawnd comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calling {
    /// For good.
    pub identity: Identity,
}

impl Calling {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let groups: Vec<String> = self.identity.groups.iter().map(u32::to_string).collect();
        Attributes::new()
            .with("order", "become")
            .with("uid", self.identity.uid)
            .with("gid", self.identity.gid)
            .with("groups", groups.join(" "))
    }

    /// Reads what [`Calling::to_attributes`] wrote; none when the message is something else.
    pub fn from_attributes(message: &Attributes) -> Option<Self> {
        let is_one = message.get("order") == Some("become");
        let groups = message.get("groups")?.split_whitespace().map(str::parse);
        let groups = groups.collect::<Result<_, _>>().ok()?;
        let identity = Identity { uid: message.parse("uid").ok()?, gid: message.parse("gid").ok()?, groups };
        is_one.then_some(Self { identity })
    }
}

/// In front of the names of words that are passed on.
const WORD_PREFIX: &str = "word_";

impl SessionRequest {
    /// Is this message one?
    pub fn is_one(message: &Attributes) -> bool {
        message.get("kind") == Some("session")
    }

    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let message = Attributes::new()
            .with("kind", "session")
            .with("program", self.program.name())
            .with("ticket", &self.ticket)
            .with("refusal", &self.refusal);
        with_words(message, &self.words, &self.early)
    }

    /// Reads what [`SessionRequest::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        Ok(Self {
            program: Program::parse(message.text("program")?).ok_or(Missing { name: "program" })?,
            ticket: message.text("ticket")?.to_owned(),
            words: words_of(message),
            early: early_of(message)?,
            refusal: message.text("refusal")?.to_owned(),
        })
    }
}

impl NewSession {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let message = Attributes::new()
            .with("user", &self.user)
            .with("path", &self.path)
            .with("folders", &self.folders)
            .with("options", &self.options)
            .with("quota", &self.quota)
            .with("acl_groups", &self.acl_groups);
        with_words(message, &self.words, &self.early)
    }

    /// Reads what [`NewSession::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`SessionRequest::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        Ok(Self {
            user: message.text("user")?.to_owned(),
            path: message.text("path")?.to_owned(),
            folders: message.text("folders")?.to_owned(),
            options: message.text("options")?.to_owned(),
            quota: message.text("quota")?.to_owned(),
            acl_groups: message.text("acl_groups")?.to_owned(),
            words: words_of(message),
            early: early_of(message)?,
        })
    }

    /// Where the mail lies, below `base`.
    ///
    /// # Errors
    /// [`BadMailbox`]: the path. A quota that is not understood is logged, and is none: who reads can make room.
    pub fn location(&self, base: &Path) -> Result<Location, BadMailbox> {
        let place = Place::parse(&self.path).map_err(|why| BadMailbox { path: self.path.clone(), why })?;
        let limits = Limits::parse(&self.quota).unwrap_or_else(|error| {
            log::warn!("user=<{}>: {error}", self.user);
            Limits::default()
        });
        let has = |wanted: &str| self.options.split(':').any(|option| option.eq_ignore_ascii_case(wanted));
        let layout = match place.form {
            Form::Mbox => Layout::Mbox,
            Form::Maildir if has("LAYOUT=fs") => Layout::MaildirTree,
            Form::Maildir => Layout::MaildirPlusPlus,
        };
        Ok(Location {
            inbox: base.join(&place.path),
            layout,
            folders: (layout == Layout::Mbox && !self.folders.is_empty())
                .then(|| self.folders.clone().into()),
            utf8_names: has("UTF-8"),
            limits,
        })
    }
}

/// Where a mailbox can not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad mailbox path {path}: {why}")]
pub struct BadMailbox {
    /// As the table has it.
    path: String,
    /// What is wrong with it.
    why: BadPlace,
}

impl Setup {
    /// What holds for all mailboxes of a resident.
    pub fn store_settings(&self) -> mailbox::store::Settings {
        let mut settings = mailbox::store::Settings::new(sys::process::host_name(), std::process::id());
        settings.links = if self.follow_links { Links::Follow } else { Links::Refuse };
        settings.mbox_locks = self.locks;
        settings.index_directory.clone_from(&self.index_directory);
        settings.global_acl = self.global_acl.clone().map(GlobalRights::new).map(Arc::new);
        settings
    }

    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let settings = mailbox::job::CourierSettings { locks: self.locks, strict_ownership: false };
        let mut message = settings.to_attributes();
        message.push("base", self.base.display());
        let shown = |path: &Option<PathBuf>| path.as_deref().unwrap_or(Path::new("")).display().to_string();
        message.push("folders", shown(&self.folders));
        message.push("index_directory", shown(&self.index_directory));
        message.push("global_acl", shown(&self.global_acl));
        let flags = [
            ("no_new_privileges", self.no_new_privileges),
            ("landlock", self.landlock),
            ("seccomp", self.seccomp),
            ("follow_links", self.follow_links),
        ];
        flags.iter().for_each(|(name, flag)| message.push(name, u8::from(*flag)));
        message
    }

    /// Reads what [`Setup::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`SessionRequest::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let flag = |name| message.parse::<u8>(name).map(|number| number != 0);
        let path = |name| {
            message.text(name).map(|path| Some(path).filter(|path| !path.is_empty()).map(PathBuf::from))
        };
        Ok(Self {
            base: PathBuf::from(message.text("base")?),
            folders: path("folders")?,
            index_directory: path("index_directory")?,
            global_acl: path("global_acl")?,
            no_new_privileges: flag("no_new_privileges")?,
            landlock: flag("landlock")?,
            seccomp: flag("seccomp")?,
            follow_links: flag("follow_links")?,
            locks: mailbox::job::CourierSettings::from_attributes(message)?.locks,
        })
    }
}

impl Report {
    /// The message that goes over the socket.
    pub fn to_attributes(self) -> Attributes {
        match self {
            Self::Ready => Attributes::new().with("report", "ready"),
            Self::Came { come } => Attributes::new().with("report", "came").with("come", come),
            Self::Idle { come } => Attributes::new().with("report", "idle").with("come", come),
        }
    }

    /// Reads what [`Report::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`SessionRequest::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        match message.text("report")? {
            "ready" => Ok(Self::Ready),
            "came" => Ok(Self::Came { come: message.parse("come")? }),
            "idle" => Ok(Self::Idle { come: message.parse("come")? }),
            _ => Err(Missing { name: "report" }),
        }
    }
}

fn with_words(mut message: Attributes, words: &Attributes, early: &[u8]) -> Attributes {
    for (name, value) in words.iter() {
        message.push(&format!("{WORD_PREFIX}{name}"), value);
    }
    message.with("early", STANDARD.encode(early))
}

fn words_of(message: &Attributes) -> Attributes {
    let ours = message.iter().filter_map(|(name, value)| Some((name.strip_prefix(WORD_PREFIX)?, value)));
    ours.fold(Attributes::new(), |words, (name, value)| words.with(name, value))
}

fn early_of(message: &Attributes) -> Result<Vec<u8>, Missing> {
    let bytes = STANDARD.decode(message.text("early")?).ok();
    bytes.filter(|bytes| bytes.len() <= EARLY_LIMIT_BYTES).ok_or(Missing { name: "early" })
}

/// A login server's line to spawnd.
#[derive(Debug)]
pub struct Residents {
    spawnd: couriers::SpawndLine,
}

impl Residents {
    /// Not connected yet. `spawnd_path` is the socket of spawnd.
    pub fn new(spawnd_path: PathBuf) -> Self {
        Self { spawnd: couriers::SpawndLine::new(spawnd_path) }
    }

    /// Passes a client on. From then on it is the resident's; a failure on the way is told to the client by spawnd.
    ///
    /// # Errors
    /// When spawnd can not be reached: the client is still here.
    pub fn hand_over(&mut self, request: &SessionRequest, client: BorrowedFd<'_>) -> io::Result<()> {
        self.spawnd.send(&request.to_attributes().to_bytes(), client)
    }

    /// Passes one end of a pair on, and gives the other: for a client whose TLS stays here.
    ///
    /// # Errors
    /// As [`Residents::hand_over`].
    pub fn hand_over_pair(&mut self, request: &SessionRequest) -> io::Result<Socket> {
        let (ours, theirs) = sockets::pair(false)?;
        self.hand_over(request, theirs.as_fd())?;
        Ok(ours)
    }
}

/// Tells a client why it is not let in, as far as its socket takes it.
pub fn refuse(client: impl AsFd, refusal: &str) {
    // A client that is gone needs no answer.
    let _ = descriptors::send(client, refusal.as_bytes(), &[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_crosses_the_socket_unchanged() {
        let words = Attributes::new().with("uidl", "%08Xu%08Xv").with("rip", "::1");
        let request = SessionRequest {
            program: Program::Pop3d,
            ticket: "00ff".into(),
            words: words.clone(),
            early: b"STAT\r\n\0\xff".to_vec(),
            refusal: "-ERR [SYS/TEMP] no\r\n".into(),
        };
        assert!(SessionRequest::is_one(&request.to_attributes()));
        assert_eq!(SessionRequest::from_attributes(&request.to_attributes()), Ok(request));
        let session = NewSession {
            user: "u@x".into(),
            path: "u/".into(),
            folders: "/home/u/mail".into(),
            options: "LAYOUT=fs:UTF-8".into(),
            quota: "1G".into(),
            acl_groups: "staff,crew".into(),
            words,
            early: Vec::new(),
        };
        let location = session.location(Path::new("/var/mail")).unwrap();
        assert_eq!((location.layout, location.utf8_names), (Layout::MaildirTree, true));
        assert_eq!((location.inbox, location.folders), ("/var/mail/u".into(), None));
        let file = NewSession { path: "u".into(), ..session.clone() };
        let location = file.location(Path::new("/var/mail")).unwrap();
        assert_eq!((location.layout, location.folders), (Layout::Mbox, Some("/home/u/mail".into())));
        assert_eq!(NewSession::from_attributes(&session.to_attributes()), Ok(session));
        let locks = mailbox::store::Settings::new("h", 1).mbox_locks;
        let setup = Setup {
            base: "/var/mail".into(),
            folders: Some("/home/u/mail".into()),
            index_directory: None,
            global_acl: Some("/etc/postfix/rights".into()),
            no_new_privileges: true,
            landlock: false,
            seccomp: true,
            follow_links: false,
            locks,
        };
        assert_eq!(Setup::from_attributes(&setup.to_attributes()), Ok(setup.clone()));
        for groups in [Vec::new(), vec![8, 100]] {
            let calling = Calling { identity: Identity { groups, ..Identity::new(5000, 5001) } };
            assert_eq!(Calling::from_attributes(&calling.to_attributes()), Some(calling));
        }
        assert_eq!(Calling::from_attributes(&setup.to_attributes()), None);
        for report in [Report::Ready, Report::Came { come: 3 }, Report::Idle { come: 7 }] {
            assert_eq!(Report::from_attributes(&report.to_attributes()), Ok(report));
        }
    }
}
