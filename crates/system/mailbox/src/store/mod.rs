//! The reader's side: a user's folders and messages, as pop3d and imapd see them.
//!
//! # How it is used
//!
//! A process keeps one [`Stores`]. For a user who has logged in it asks for the user's [`Store`], and that for a
//! [`Folder`]. Both are shared: two sessions in one folder get the same [`Folder`], whose messages are in memory
//! once. Functions here wait for the disk and for locks, so they are called from the offload pool or from a thread
//! of their own; they may be called from several threads at once. No clock is read: `now_us` is microseconds since
//! 1970.
//!
//! **A session sees changes by modification sequence** (RFC 7162). [`Folder::sync`] looks whether anybody changed the
//! folder: deliveries, other processes, Dovecot. [`Contents::changes_since`] then tells a session what is new to it:
//! it remembers the [`Changes::upto`] of the last time, and a list of the UIDs its client knows, which give the
//! message sequence numbers. Changes that a session makes itself come back to it the same way.
//!
//! ```text
//! let folder = store.folder(&name, now)?;      // SELECT; MailError::NoFolder, NotSelectable
//! folder.sync(now)?;                           // three stat(2) when nothing happened
//! let summary = folder.read(|contents| contents.summary());
//! let recent = folder.claim_recent(now)?;      // not for EXAMINE
//! ...
//! folder.sync(now)?;                           // NOOP, IDLE: also when the Watcher says so
//! let news = folder.read(|contents| contents.changes_since(seen));
//! ```
//!
//! **Message text** comes with CRLF line ends, whatever is on disk; offsets and sizes count those
//! ([`MessageText`]).
//!
//! **An upload** ([`Folder::upload`]) takes the bytes of APPEND as they come, into `tmp/`; [`Folder::append`] makes
//! one or many of them (MULTIAPPEND) messages. An upload that is dropped leaves nothing.
//!
//! **A POP3 session** holds a [`Maildrop`].
//!
//! **What a session computes** about a message (ENVELOPE, BODYSTRUCTURE) can be left in the index with
//! [`Folder::cache`] and had again with [`Folder::cached`]: bytes that mean nothing to this crate, and that may be gone.

mod contents;
mod error;
mod filename;
mod flags;
mod folder;
mod keywords;
mod maildrop;
pub mod mutf7;
mod names;
mod subscriptions;
mod text;
mod uidlist;
mod upload;
mod watcher;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sys::directory::Links;

use crate::disk::{Disk, RealDisk};
use crate::mbox::LockSettings;

pub use contents::{Changes, Contents, Message, Summary, Vanished};
pub use error::MailError;
pub use flags::{FlagChange, Flags, How, KEYWORDS_LIMIT, KeywordSet};
pub use folder::{CacheKind, Copied, Folder, Quota, Stored};
pub use maildrop::{BadUidlFormat, DropMessage, Maildrop, UidlFormat};
pub use names::{BadName, FolderName};
pub use text::MessageText;
pub use upload::{Addition, Upload};
pub use watcher::{WatchKey, Watcher};

/// Identifies a message in its folder for ever (RFC 3501 §2.3.1.1); never 0.
pub type Uid = u32;

/// How folders lie on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `.A.B` beside `cur`, `new` and `tmp` of INBOX.
    MaildirPlusPlus,
    /// Directories in directories, `A/B`; Dovecot's `LAYOUT=fs`.
    MaildirTree,
    /// INBOX is one file, and there are no other folders.
    Mbox,
}

/// What holds for all mailboxes of a process.
#[derive(Clone)]
pub struct Settings {
    /// How folders lie.
    pub layout: Layout,
    /// Names of folders are UTF-8 on disk, not modified UTF-7 (Dovecot's `:UTF-8`).
    pub utf8_names: bool,
    /// May paths go through symbolic links?
    pub links: Links,
    /// The name of this host, as it stands in names of Maildir files.
    pub host: String,
    /// This process, as it stands in names of Maildir files and in lock files.
    pub process: u32,
    /// Where indexes lie instead of in the mailbox (`mailbox_index_directory`); below it a directory for each user is made.
    pub index_directory: Option<PathBuf>,
    /// How mbox files are locked.
    pub mbox_locks: LockSettings,
    /// How long to wait for another program's lock on a folder.
    pub lock_patience: Duration,
    /// Largest sum of all messages in bytes (`virtual_mailbox_limit` does not count here), 0 for none.
    pub quota_bytes: u64,
    /// Largest number of messages, 0 for none.
    pub quota_messages: u64,
    /// What changes the disk; a test puts a broken one here.
    pub disk: Arc<dyn Disk + Send + Sync>,
}

impl Settings {
    /// Maildir++, with the locks of Debian's Dovecot and Postfix for mbox, no quota.
    pub fn new(host: impl Into<String>, process: u32) -> Self {
        Self {
            layout: Layout::MaildirPlusPlus,
            utf8_names: false,
            links: Links::Refuse,
            host: host.into(),
            process,
            index_directory: None,
            mbox_locks: LockSettings {
                fcntl: true,
                flock: false,
                dotlock: true,
                attempts: 20,
                delay: Duration::from_secs(1),
                stale_after: Duration::from_secs(500),
            },
            lock_patience: Duration::from_secs(60),
            quota_bytes: 0,
            quota_messages: 0,
            disk: Arc::new(RealDisk),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("layout", &self.layout)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// The stores of a process: each user's is open once.
#[derive(Debug)]
pub struct Stores {
    settings: Settings,
}

impl Stores {
    /// None open yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The store whose INBOX is the Maildir (with [`Layout::Mbox`] the file) `path`. Missing directories of a
    /// Maildir are made when the first folder is opened.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn open(&self, path: &std::path::Path) -> Result<Arc<Store>, MailError> {
        Ok(Arc::new(Store { settings: self.settings.clone(), root: path.to_owned() }))
    }
}

/// All folders of one user.
#[derive(Debug)]
pub struct Store {
    settings: Settings,
    root: PathBuf,
}

/// A folder in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: FolderName,
    /// It holds messages; otherwise it is only the parent of others (`\Noselect`).
    pub selectable: bool,
    /// There are folders below it.
    pub has_children: bool,
}

impl Store {
    /// All folders with their parents, INBOX first, the others sorted.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn list(&self) -> Result<Vec<Listed>, MailError> {
        Err(self.not_built("LIST"))
    }

    /// Makes a folder. Parents need not exist.
    ///
    /// # Errors
    /// [`MailError::FolderExists`], [`MailError::BadName`], [`MailError::Unsupported`], [`MailError::Io`].
    pub fn create(&self, _name: &FolderName, _now_us: u64) -> Result<(), MailError> {
        Err(self.not_built("CREATE"))
    }

    /// Removes a folder with its messages; folders below it stay.
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::NotSelectable`] for a mere parent, [`MailError::Inbox`], [`MailError::Io`].
    pub fn delete(&self, _name: &FolderName, _now_us: u64) -> Result<(), MailError> {
        Err(self.not_built("DELETE"))
    }

    /// Gives a folder and all below it another name. UIDs stay.
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::FolderExists`], [`MailError::BadName`], [`MailError::Inbox`] (as Dovecot
    /// has it for Maildir), [`MailError::Io`].
    pub fn rename(&self, _from: &FolderName, _to: &FolderName, _now_us: u64) -> Result<(), MailError> {
        Err(self.not_built("RENAME"))
    }

    /// The names subscribed to, in the order of the file. A folder that is gone may still be among them.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn subscriptions(&self) -> Result<Vec<FolderName>, MailError> {
        Err(self.not_built("LSUB"))
    }

    /// Subscribes or unsubscribes. The folder need not exist.
    ///
    /// # Errors
    /// [`MailError::Io`], [`MailError::Locked`].
    pub fn subscribe(&self, _name: &FolderName, _subscribed: bool, _now_us: u64) -> Result<(), MailError> {
        Err(self.not_built("SUBSCRIBE"))
    }

    /// Opens a folder, or hands out the one that is open. What it holds is known after [`Folder::sync`].
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::NotSelectable`], [`MailError::Io`].
    pub fn folder(&self, _name: &FolderName, _now_us: u64) -> Result<Arc<Folder>, MailError> {
        Err(self.not_built("SELECT"))
    }

    /// What is used of how much (`maildirsize`, or counted afresh).
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn quota(&self, _now_us: u64) -> Result<Quota, MailError> {
        Err(self.not_built("QUOTA"))
    }

    fn not_built(&self, what: &'static str) -> MailError {
        let _ = (&self.settings, &self.root);
        MailError::Unsupported { what }
    }
}
