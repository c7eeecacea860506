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

mod acl;
mod append_queue;
mod attributes;
mod contents;
mod copying;
mod courier;
mod error;
mod filename;
mod flags;
mod folder;
mod folders;
mod global_acl;
mod index;
mod kept;
mod keywords;
mod layout;
mod limits;
mod lock;
mod maildir;
mod maildrop;
mod mbox;
pub mod mutf7;
mod names;
mod quota;
mod reading;
mod root;
mod structure;
mod subscriptions;
mod text;
mod uid_validity;
mod uidl;
mod uidlist;
mod upload;
mod watcher;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sys::directory::Links;

use crate::disk::{Disk, RealDisk};
use crate::mbox::LockSettings;
use kept::KeptStores;

pub use attributes::Attribute;
pub use contents::{Changes, Contents, Message, Summary, Vanished};
pub use error::MailError;
pub use flags::{FlagChange, FlagScope, Flags, How, KEYWORDS_LIMIT, KeywordSet};
pub use folder::{CacheKind, Copied, Folder, Quota, Stored, WatchPlace};
pub use folders::Store;
pub use global_acl::GlobalRights;
pub use index::Computed;
pub(crate) use layout::folder_paths;
pub use limits::{BadLimits, Limits};
pub use maildrop::{DropMessage, DropSettings, Maildrop};
pub use names::{BadName, FolderName};
pub(crate) use quota::Ledger;
pub use structure::FolderIdentity;
pub use text::MessageText;
pub use uidl::{BadUidlFormat, UidlFormat};
pub use upload::{Addition, Upload};
pub use watcher::{WatchKey, Watcher};

/// Identifies a message in its folder for ever (RFC 3501 §2.3.1.1); never 0.
pub type Uid = u32;

/// How folders lie on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `.A.B` beside `cur`, `new` and `tmp` of INBOX.
    MaildirPlusPlus,
    /// Directories in directories, `A/B`; Dovecot's `LAYOUT=fs`.
    MaildirTree,
    /// Each folder is one file.
    Mbox,
}

/// Where the mail of one user lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The Maildir of INBOX, or the mbox file that INBOX is.
    pub inbox: PathBuf,
    /// How folders lie.
    pub layout: Layout,
    /// With mbox the directory of the other folders; none: there are no others.
    pub folders: Option<PathBuf>,
    /// Names of folders are UTF-8 on disk, not modified UTF-7 (Dovecot's `:UTF-8`).
    pub utf8_names: bool,
    /// What it may grow to.
    pub limits: Limits,
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
    /// This start of the machine, as the kernel names it. Zeros when that is not known: then folders are read afresh by each
    /// process.
    pub boot: [u8; 16],
    /// The administrator's list of rights for the mailboxes of all users, if there is one.
    pub global_acl: Option<Arc<GlobalRights>>,
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
            global_acl: None,
            boot: sys::process::boot_id().unwrap_or_default(),
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

/// The stores of a process: each user's is open once, and those used last stay open for a next session.
#[derive(Debug)]
pub struct Stores {
    settings: Settings,
    open: Mutex<HashMap<PathBuf, Weak<Store>>>,
    kept: Mutex<KeptStores>,
}

impl Stores {
    /// None open yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, open: Mutex::default(), kept: Mutex::default() }
    }

    /// The store whose INBOX is the Maildir (with [`Layout::Mbox`] the file) `path`. What is missing of INBOX is made.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn open(&self, path: &Path) -> Result<Arc<Store>, MailError> {
        let Settings { layout, utf8_names, quota_bytes, quota_messages, .. } = self.settings;
        let limits = Limits { bytes: quota_bytes, messages: quota_messages };
        self.open_at(&Location { inbox: path.to_owned(), layout, folders: None, utf8_names, limits })
    }

    /// As [`Stores::open`], with what is known about the user.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn open_at(&self, location: &Location) -> Result<Arc<Store>, MailError> {
        // One user is one store, however the path is written.
        let path: PathBuf = location.inbox.components().collect();
        let mut open = locked(&self.open);
        if let Some(store) = open.get(&path).and_then(Weak::upgrade) {
            if store.is_in_place() {
                store.set_limits(location.limits);
                locked(&self.kept).keep(&store);
                return Ok(store);
            }
            // Another directory has the name now.
            locked(&self.kept).forget(&store);
        }
        let (layout, utf8_names) = (location.layout, location.utf8_names);
        let settings = Settings { layout, utf8_names, ..self.settings.clone() };
        let store = Arc::new(Store::new(settings, &path, location.folders.as_deref())?);
        store.set_limits(location.limits);
        open.retain(|_, store| store.strong_count() > 0);
        open.insert(path, Arc::downgrade(&store));
        locked(&self.kept).keep(&store);
        Ok(store)
    }
}

/// What a thread that panicked left is as good as what it found: every change is made in one go.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// It is a directory and no folder; one that is neither is only implied by those below it.
    pub is_directory: bool,
    /// None can be made below it.
    pub is_leaf: bool,
}
