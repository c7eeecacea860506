//! A folder that is a Maildir, kept as Dovecot keeps it.

mod adding;
mod change;
mod directories;
mod indexed;
mod join;
mod keyword_file;
mod list_file;
mod open;
mod scan;
mod sync;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::contents::Contents;
use super::error::MailError;
use super::lock::{self, FolderLock, Wanted};
use super::root::Root;
use super::{Uid, uidlist};
pub(crate) use adding::Adopted;
pub(crate) use change::changed;
use directories::Directories;
use directories::LIST;
pub(crate) use directories::make;
pub(crate) use indexed::guid_of;
use list_file::ListFile;
pub(crate) use list_file::write_file;
pub(crate) use open::Opened;
use sync::Seen;

/// A Maildir that is open. What it holds is in [`Contents`]; here is what tells whether that is still true.
#[derive(Debug)]
pub(crate) struct Maildir {
    pub(crate) shared: Arc<Root>,
    /// Below the store's root; empty for INBOX.
    pub(crate) path: PathBuf,
    directories: Option<Directories>,
    list: ListFile,
    seen: Option<Seen>,
    /// Fields of records that have any: POP3's UIDL and order.
    fields: HashMap<Uid, Box<str>>,
    /// The state of the index that `contents` is from or was written to.
    generation: Option<u64>,
    /// The base names that are taken, while many messages are copied here.
    bases: Option<HashSet<Box<[u8]>>>,
}

/// The message that a step works on; locked only for moments.
pub(crate) type SharedContents = Mutex<Contents>;

impl Maildir {
    pub(crate) fn new(shared: Arc<Root>, path: PathBuf) -> Self {
        Self {
            shared,
            path,
            directories: None,
            list: ListFile::default(),
            seen: None,
            fields: HashMap::new(),
            generation: None,
            bases: None,
        }
    }

    /// Gives back what can be had again.
    pub(crate) fn rest(&mut self) {
        self.directories = None;
        self.list.rest();
    }

    /// What the list of UIDs says about a message beside its name: `P` its UIDL, `O` its place in POP3.
    pub(crate) fn field(&self, uid: Uid, key: char) -> Option<&str> {
        self.fields.get(&uid).and_then(|fields| uidlist::field(fields, key))
    }

    /// The lock under which everything in the Maildir changes, but for what comes into `new/`.
    fn lock(&mut self, now_us: u64) -> Result<FolderLock, MailError> {
        let shared = Arc::clone(&self.shared);
        let path = self.full_path();
        let directories = self.enter()?;
        Wanted {
            settings: &shared.settings,
            directory: &directories.home,
            path: &path,
            name: "dovecot-uidlist.lock",
            patience: shared.settings.lock_patience,
            stale_after: lock::STALE_AFTER,
            now_us,
        }
        .acquire()
    }

    fn full_path(&self) -> PathBuf {
        self.shared.root.join(&self.path)
    }

    /// An error of the disk about `name` in this Maildir.
    fn trouble(&self, verb: &'static str, name: &str) -> impl FnOnce(std::io::Error) -> MailError + use<> {
        MailError::io(verb, self.full_path().join(name))
    }
}
