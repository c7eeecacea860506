//! Waiting for changes in folders: one inotify instance for all sessions of a process.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

/// Names what is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchKey(pub(crate) u64);

/// Tells which folders have changed. Its descriptor is readable when [`Watcher::changed`] has something to say.
#[derive(Debug)]
pub struct Watcher {
    descriptor: RawFd,
}

impl Watcher {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the user has too many inotify instances (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Watches a folder, or counts one more who does.
    ///
    /// # Errors
    /// When the user has too many watches (`fs.inotify.max_user_watches`): poll instead.
    pub fn watch(&mut self, _folder: &super::Folder) -> io::Result<WatchKey> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// One watches less.
    pub fn unwatch(&mut self, _key: WatchKey) {}

    /// The folders that changed since the last call, without duplicates. Never waits.
    ///
    /// # Errors
    /// As read(2).
    pub fn changed(&mut self) -> io::Result<Vec<WatchKey>> {
        Ok(Vec::new())
    }
}

impl AsRawFd for Watcher {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor
    }
}
