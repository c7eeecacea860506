//! What all folders of a store share.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sys::directory::Directory;

use super::error::MailError;
use super::index::{self, Index};
use super::{Limits, Settings, Uid, locked, uid_validity};

/// What all folders of a store share.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) settings: Settings,
    /// The Maildir of INBOX; with mbox the directory of the other folders.
    pub(crate) root: PathBuf,
    pub(crate) home: Directory,
    /// Where the files of programs lie that are not mail; none: in the root.
    control: Option<(PathBuf, Directory)>,
    /// What the mail may grow to; each who logs in brings it anew.
    limits: Mutex<Limits>,
    pub(crate) index: Index,
    /// The microsecond that the last name was made from.
    last_name_us: Mutex<u64>,
    /// Held while a UIDVALIDITY is taken: two would write the same file beside each other.
    numbering: Mutex<()>,
    /// Messages of folders, by their directories, that no session has had as recent although they lie in `cur/`.
    unclaimed: Mutex<HashMap<PathBuf, BTreeSet<Uid>>>,
}

impl Root {
    pub(crate) fn new(
        settings: Settings,
        (root, home): (PathBuf, Directory),
        control: Option<(PathBuf, Directory)>,
    ) -> Self {
        let beside = control.as_ref().map_or(&root, |(path, _)| path);
        let index = Index::new(index_path(&settings, &root, beside));
        let limits = Limits { bytes: settings.quota_bytes, messages: settings.quota_messages };
        let (last_name_us, unclaimed) = (Mutex::new(0), Mutex::default());
        let (limits, numbering) = (Mutex::new(limits), Mutex::default());
        Self { settings, root, home, control, limits, index, last_name_us, numbering, unclaimed }
    }

    /// The directory for files that are not mail, and its path.
    pub(crate) fn control(&self) -> (&Directory, &Path) {
        match &self.control {
            Some((path, directory)) => (directory, path),
            None => (&self.home, &self.root),
        }
    }

    /// What the mail may grow to.
    pub(crate) fn limits(&self) -> Limits {
        *locked(&self.limits)
    }

    /// From now on it may grow to this.
    pub(crate) fn set_limits(&self, limits: Limits) {
        *locked(&self.limits) = limits;
    }

    /// A moment that no other name of this process is made from: now, or a little later.
    pub(crate) fn unique_us(&self, now_us: u64) -> u64 {
        let mut last = locked(&self.last_name_us);
        *last = now_us.max(*last + 1);
        *last
    }

    /// New messages came into `cur/` of a folder: they are recent, whoever opens it next.
    pub(crate) fn leave_unclaimed(&self, path: &Path, uids: &[Uid]) {
        if !uids.is_empty() {
            locked(&self.unclaimed).entry(path.to_owned()).or_default().extend(uids);
        }
    }

    /// What was left of a folder.
    pub(crate) fn unclaimed(&self, path: &Path) -> BTreeSet<Uid> {
        locked(&self.unclaimed).get(path).cloned().unwrap_or_default()
    }

    /// A session has claimed them.
    pub(crate) fn claim(&self, path: &Path) {
        locked(&self.unclaimed).remove(path);
    }

    /// 16 bytes that no other folder has: time, process and host.
    pub(crate) fn new_guid(&self, now_us: u64) -> [u8; 16] {
        let unique_us = self.unique_us(now_us);
        let mut hasher = DefaultHasher::new();
        (&self.settings.host, &self.root).hash(&mut hasher);
        let mut guid = [0; 16];
        guid[..8].copy_from_slice(&unique_us.to_be_bytes());
        guid[8..12].copy_from_slice(&self.settings.process.to_be_bytes());
        guid[12..].copy_from_slice(&hasher.finish().to_be_bytes()[..4]);
        guid
    }

    /// A UIDVALIDITY that no folder of this store has had.
    pub(crate) fn next_uid_validity(&self, now_us: u64) -> Result<u32, MailError> {
        let _alone = locked(&self.numbering);
        let (directory, path) = self.control();
        uid_validity::next(&*self.settings.disk, directory, now_us)
            .map_err(MailError::io("write", path.join(uid_validity::FILE)))
    }
}

/// With an index directory, a directory of the user's below it: the last name of the root's path, for people, and a number
/// made from all of it.
fn index_path(settings: &Settings, root: &Path, beside: &Path) -> PathBuf {
    match &settings.index_directory {
        None => beside.join(index::FILE),
        Some(directory) => {
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            let number =
                root.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |number, byte| {
                    (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
                });
            directory.join(format!("{name}.{number:016x}")).join(index::FILE)
        }
    }
}
