//! The spool: queue files made, found, moved and removed.
//!
//! # The states of a message
//!
//! A queue file's folder and mode are its state. No other state is legal; what a crash leaves is always one of these.
//!
//! | folder | mode | what it means | leaves by |
//! |---|---|---|---|
//! | `incoming/` | 0600 | being written, or left by a writer that died: no promise was made | [`NewFile::commit`]; removed by postsuper when old |
//! | `incoming/` | 0700 | complete and synced: from here mail is never lost | [`Queue::activate`] |
//! | `active/` | 0700 | the queue manager has it | [`Queue::defer`], [`Queue::remove`], [`Queue::corrupt`]; at start all go back to `incoming/` |
//! | `deferred/` | 0700 | modification time = when to try again | [`Queue::activate`] |
//! | `hold/` | 0700 | kept until the administrator says so | postsuper |
//! | `corrupt/` | 0400 or 0700 | not a queue file, kept for the administrator | the administrator |
//! | `maildrop/` | 0600 | being written by postdrop | 0700 |
//! | `maildrop/` | 0700 | submitted by a local user | pickup, which makes a file in `incoming/` first |
//!
//! Group bits are wishes: read = try again even where the destination is throttled (`postqueue -i`), execute = return to the sender
//! now (`postsuper -f`).
//!
//! # Why nothing is lost
//!
//! | step | a crash after it leaves |
//! |---|---|
//! | reserve | an empty file 0600 that is nobody's |
//! | create, write | a file 0600: the client got no 250 and sends again |
//! | fchmod 0700, fsync | the message, once; the client may send again when it did not see the 250 |
//! | rename to `active/` | the message; at start it goes back to `incoming/` |
//! | delivered, before the recipient is crossed off | the message; the mailbox shows that it has its copy |
//! | recipient crossed off (`R` -> `D`) by whoever delivered | the others |
//! | all done, unlink | nothing, and nothing is owed; the logs of the message went before it |
//! | set time, rename to `deferred/` | the message in `active/` or `deferred/` |
//!
//! fsync comes once, before the promise. Renames need none: either name is a legal state.
//!
//! All calls block; daemons make them on the reactor's offload pool.

mod name;
mod error;
mod commit;
mod load;
mod moves;
mod mark;
mod delivery;
mod logs;
mod scan;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parameters::Config;
use queue_format::QueueId;
use sys::disk::{Disk, RealDisk};

pub use commit::{NewFile, Reserved};
pub use delivery::{cross_off, crossed_off};
pub use error::QueueError;
pub use load::{Loaded, RecipientSource};
pub use logs::LOG_LIMIT_BYTES;
pub use name::{BadQueueName, QueueName};
pub use scan::{Entry, FileFacts, Scan};

/// Mode of a queue file that is being written.
pub const MODE_WRITING: u32 = 0o600;
/// Mode of a complete queue file.
pub const MODE_READY: u32 = 0o700;
/// Group bit: try again even where the destination is throttled.
pub const MODE_UNTHROTTLE: u32 = 0o040;
/// Group bit: return to the sender at the next attempt.
pub const MODE_FORCE_EXPIRE: u32 = 0o010;

/// How the spool is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `enable_long_queue_ids`
    pub long_ids: bool,
    /// `hash_queue_names`: folders with a level of folders for each of the first characters of the id.
    pub hash_queue_names: Vec<String>,
    /// `hash_queue_depth`
    pub hash_queue_depth: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            long_ids: false,
            hash_queue_names: vec!["deferred".into(), "defer".into()],
            hash_queue_depth: 1,
        }
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self::new(
            &config.get(&parameters::HASH_QUEUE_NAMES),
            config.get(&parameters::HASH_QUEUE_DEPTH),
            config.get(&parameters::ENABLE_LONG_QUEUE_IDS),
        )
    }
}

impl Settings {
    /// From the text of `hash_queue_names` (separated by commas or blanks), `hash_queue_depth` and `enable_long_queue_ids`.
    pub fn new(hash_queue_names: &str, hash_queue_depth: i64, long_ids: bool) -> Self {
        let words = hash_queue_names.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        Self {
            long_ids,
            hash_queue_names: words.map(str::to_owned).collect(),
            hash_queue_depth: usize::try_from(hash_queue_depth).unwrap_or(0).min(HASH_DEPTH_LIMIT),
        }
    }
}

/// The deepest hashing that is followed: Postfix allows any depth, an id has no more characters.
pub const HASH_DEPTH_LIMIT: usize = 8;

/// A queue directory.
#[derive(Clone)]
pub struct Queue {
    directory: PathBuf,
    settings: Settings,
    disk: Arc<dyn Disk>,
    sync_directories: bool,
    process: u32,
}

impl Queue {
    /// The spool below `directory` (`queue_directory`).
    ///
    /// # Errors
    /// [`QueueError::Io`] when the directory can not be looked at.
    pub fn open(directory: impl Into<PathBuf>, settings: Settings) -> Result<Self, QueueError> {
        Self::open_on(Arc::new(RealDisk), directory, settings)
    }

    /// As [`Queue::open`], with another disk; for tests.
    ///
    /// # Errors
    /// As [`Queue::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: impl Into<PathBuf>,
        settings: Settings,
    ) -> Result<Self, QueueError> {
        let mut directory = directory.into();
        if directory == Path::new(".") {
            // The working directory is the spool: shorter paths for the kernel and in messages.
            directory = PathBuf::new();
        }
        let looked_at = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
        let carries =
            sys::disk::sync_carries_entry(looked_at).map_err(QueueError::io("statfs", looked_at))?;
        Ok(Self { directory, settings, disk, sync_directories: !carries, process: std::process::id() })
    }

    /// The queue directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many levels of hash folders this folder has.
    pub fn hash_depth(&self, name: QueueName) -> usize {
        let hashed = self.settings.hash_queue_names.iter().any(|hashed| hashed == name.as_str());
        if hashed { self.settings.hash_queue_depth } else { 0 }
    }

    /// Where the file of this message lies when it is in `name`.
    pub fn path(&self, name: QueueName, id: &QueueId) -> PathBuf {
        let mut path = self.directory.join(name.as_str());
        let depth = self.hash_depth(name);
        if depth > 0 {
            for character in id.hash_characters(depth).chars() {
                path.push(character.encode_utf8(&mut [0; 4]));
            }
        }
        path.push(id.as_str());
        path
    }
}
