//! Waiting for changes in folders: one inotify instance for all sessions of a process.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::PathBuf;

use sys::watch::{DirectoryWatch, WatchId};

use super::Folder;

/// Names what is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchKey(u64);

/// Tells which folders have changed. Its descriptor is readable when [`Watcher::changed`] has something to say.
#[derive(Debug)]
pub struct Watcher {
    watch: DirectoryWatch,
    /// By what is watched. Two folders never share a directory, two sessions a folder.
    keys: HashMap<WatchId, WatchKey>,
    folders: HashMap<WatchKey, Watched>,
    by_path: HashMap<PathBuf, WatchKey>,
    last_key: u64,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    ids: Vec<WatchId>,
    sessions: usize,
}

impl Watcher {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the user has too many inotify instances (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            watch: DirectoryWatch::new()?,
            keys: HashMap::new(),
            folders: HashMap::new(),
            by_path: HashMap::new(),
            last_key: 0,
        })
    }

    /// Watches a folder, or counts one more who does.
    ///
    /// # Errors
    /// When the user has too many watches (`fs.inotify.max_user_watches`): poll instead.
    pub fn watch(&mut self, folder: &Folder) -> io::Result<WatchKey> {
        let paths = folder.watched();
        let path = paths.first().cloned().unwrap_or_default();
        if let Some(key) = self.by_path.get(&path)
            && let Some(watched) = self.folders.get_mut(key)
        {
            watched.sessions += 1;
            return Ok(*key);
        }
        let mut ids = Vec::with_capacity(paths.len());
        for path in &paths {
            match self.watch.add(path) {
                Ok(id) => ids.push(id),
                Err(error) => {
                    ids.into_iter().for_each(|id| self.watch.remove(id));
                    return Err(error);
                }
            }
        }
        self.last_key += 1;
        let key = WatchKey(self.last_key);
        self.keys.extend(ids.iter().map(|id| (*id, key)));
        self.by_path.insert(path.clone(), key);
        self.folders.insert(key, Watched { path, ids, sessions: 1 });
        Ok(key)
    }

    /// One watches less.
    pub fn unwatch(&mut self, key: WatchKey) {
        let Some(watched) = self.folders.get_mut(&key) else { return };
        watched.sessions -= 1;
        if watched.sessions > 0 {
            return;
        }
        if let Some(watched) = self.folders.remove(&key) {
            self.by_path.remove(&watched.path);
            for id in watched.ids {
                self.keys.remove(&id);
                self.watch.remove(id);
            }
        }
    }

    /// The folders that changed since the last call, without duplicates. Never waits. When the kernel had to drop
    /// events, all of them.
    ///
    /// # Errors
    /// As read(2).
    pub fn changed(&mut self) -> io::Result<Vec<WatchKey>> {
        let Some(ids) = self.watch.changed()? else { return Ok(self.folders.keys().copied().collect()) };
        let mut keys: Vec<WatchKey> = ids.iter().filter_map(|id| self.keys.get(id)).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

impl AsRawFd for Watcher {
    fn as_raw_fd(&self) -> RawFd {
        self.watch.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FolderName, Settings, Stores};

    #[test]
    fn deliveries_into_one_of_two_folders_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let store = Stores::new(Settings::new("vm", 1)).open(root.path()).unwrap();
        let name = FolderName::parse("a", '/').unwrap();
        store.create(&name, 1).unwrap();
        let (inbox, other) =
            (store.folder(&FolderName::inbox(), 1).unwrap(), store.folder(&name, 1).unwrap());
        let mut watcher = Watcher::new().unwrap();
        let first = watcher.watch(&inbox).unwrap();
        let second = watcher.watch(&other).unwrap();
        assert_eq!(watcher.watch(&inbox).unwrap(), first);
        assert_eq!(watcher.changed().unwrap(), []);
        std::fs::write(root.path().join("tmp/1.2.vm"), "x").unwrap();
        assert_eq!(watcher.changed().unwrap(), []);
        std::fs::rename(root.path().join("tmp/1.2.vm"), root.path().join("new/1.2.vm")).unwrap();
        assert_eq!(watcher.changed().unwrap(), [first]);
        std::fs::write(root.path().join(".a/cur/x:2,"), "x").unwrap();
        assert_eq!(watcher.changed().unwrap(), [second]);
        watcher.unwatch(first);
        std::fs::remove_file(root.path().join("new/1.2.vm")).unwrap();
        assert_eq!(watcher.changed().unwrap(), [first]);
        watcher.unwatch(first);
        std::fs::write(root.path().join("new/1.3.vm"), "x").unwrap();
        assert_eq!(watcher.changed().unwrap(), []);
    }
}
