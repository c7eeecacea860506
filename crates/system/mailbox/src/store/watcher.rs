//! Waiting for changes in folders: one inotify instance for all sessions of a process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use sys::watch::{DirectoryWatch, WatchId};

use super::Folder;
use super::folder::Watched;

/// Names what is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchKey(u64);

/// Tells which folders have changed. Its descriptor is readable when [`Watcher::changed`] has something to say.
#[derive(Debug)]
pub struct Watcher {
    watch: DirectoryWatch,
    /// By what is watched. Two sessions share a folder; mbox files share a directory, where each has its name.
    keys: HashMap<WatchId, Vec<(Option<OsString>, WatchKey)>>,
    folders: HashMap<WatchKey, Entry>,
    by_path: HashMap<PathBuf, WatchKey>,
    last_key: u64,
}

#[derive(Debug)]
struct Entry {
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
        let watched = folder.watched();
        let path = match &watched {
            Watched::Directories(paths) => paths.first().cloned().unwrap_or_default(),
            Watched::File(path) => path.clone(),
        };
        if let Some(key) = self.by_path.get(&path)
            && let Some(entry) = self.folders.get_mut(key)
        {
            entry.sessions += 1;
            return Ok(*key);
        }
        self.last_key += 1;
        let key = WatchKey(self.last_key);
        let mut entry = Entry { path: path.clone(), ids: Vec::new(), sessions: 1 };
        if let Err(error) = self.add(&watched, key, &mut entry.ids) {
            self.remove(key, &entry.ids);
            return Err(error);
        }
        self.by_path.insert(path, key);
        self.folders.insert(key, entry);
        Ok(key)
    }

    fn add(&mut self, watched: &Watched, key: WatchKey, ids: &mut Vec<WatchId>) -> io::Result<()> {
        let mut added = |id, name| {
            self.keys.entry(id).or_default().push((name, key));
            ids.push(id);
        };
        match watched {
            Watched::Directories(paths) => {
                for path in paths {
                    added(self.watch.add(path)?, None);
                }
            }
            Watched::File(path) => match self.watch.add(path.parent().unwrap_or(Path::new("/"))) {
                Ok(id) => added(id, path.file_name().map(OsString::from)),
                // Who may not list the directory still sees what is written into the file that is there.
                Err(_) => added(self.watch.add(path)?, None),
            },
        }
        Ok(())
    }

    /// One watches less.
    pub fn unwatch(&mut self, key: WatchKey) {
        let Some(entry) = self.folders.get_mut(&key) else { return };
        entry.sessions -= 1;
        if entry.sessions > 0 {
            return;
        }
        if let Some(entry) = self.folders.remove(&key) {
            self.by_path.remove(&entry.path);
            self.remove(key, &entry.ids);
        }
    }

    fn remove(&mut self, key: WatchKey, ids: &[WatchId]) {
        for id in ids {
            let Some(others) = self.keys.get_mut(id) else { continue };
            others.retain(|(_, other)| *other != key);
            if others.is_empty() {
                self.keys.remove(id);
                self.watch.remove(*id);
            }
        }
    }

    /// The folders that changed since the last call, without duplicates. Never waits. When the kernel had to drop
    /// events, all of them.
    ///
    /// # Errors
    /// As read(2).
    pub fn changed(&mut self) -> io::Result<Vec<WatchKey>> {
        let Some(events) = self.watch.changed()? else { return Ok(self.folders.keys().copied().collect()) };
        let mut keys = Vec::new();
        for (id, entry) in events {
            let concerned = self.keys.get(&id).into_iter().flatten();
            // What happens to a directory itself has no name, and concerns all that is in it.
            let is_it = |name: &Option<OsString>| name.is_none() || entry.is_none() || *name == entry;
            keys.extend(concerned.filter(|(name, _)| is_it(name)).map(|(_, key)| *key));
        }
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

    #[test]
    fn a_file_that_takes_the_place_of_an_mbox_is_watched() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings { layout: crate::store::Layout::Mbox, ..Settings::new("vm", 1) };
        let stores = Stores::new(settings);
        let paths = ["one", "two"].map(|name| root.path().join(name));
        let [one, two] = paths.clone().map(|path| {
            std::fs::write(&path, "").unwrap();
            stores.open(&path).unwrap().folder(&FolderName::inbox(), 1).unwrap()
        });
        let mut watcher = Watcher::new().unwrap();
        let (first, second) = (watcher.watch(&one).unwrap(), watcher.watch(&two).unwrap());
        for round in 0..3 {
            std::fs::write(root.path().join("one.tmp"), "x").unwrap();
            assert_eq!(watcher.changed().unwrap(), [], "{round}");
            std::fs::rename(root.path().join("one.tmp"), &paths[0]).unwrap();
            assert_eq!(watcher.changed().unwrap(), [first], "{round}");
            std::fs::write(&paths[0], "xy").unwrap();
            assert_eq!(watcher.changed().unwrap(), [first], "{round}");
        }
        watcher.unwatch(first);
        std::fs::write(&paths[0], "z").unwrap();
        std::fs::remove_file(&paths[1]).unwrap();
        std::fs::write(&paths[1], "z").unwrap();
        assert_eq!(watcher.changed().unwrap(), [second]);
    }
}
