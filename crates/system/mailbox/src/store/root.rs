//! What all folders of a store share.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Mutex;

use sys::directory::Directory;

use super::error::MailError;
use super::{Settings, locked, uid_validity};

/// What all folders of a store share.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) settings: Settings,
    /// The Maildir of INBOX; with mbox the directory of the file.
    pub(crate) root: PathBuf,
    pub(crate) home: Directory,
    /// The microsecond that the last name was made from.
    last_name_us: Mutex<u64>,
}

impl Root {
    pub(crate) fn new(settings: Settings, root: PathBuf, home: Directory) -> Self {
        Self { settings, root, home, last_name_us: Mutex::new(0) }
    }

    /// A moment that no other name of this process is made from: now, or a little later.
    pub(crate) fn unique_us(&self, now_us: u64) -> u64 {
        let mut last = locked(&self.last_name_us);
        *last = now_us.max(*last + 1);
        *last
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
        uid_validity::next(&*self.settings.disk, &self.home, now_us)
            .map_err(MailError::io("write", self.root.join(uid_validity::FILE)))
    }
}
