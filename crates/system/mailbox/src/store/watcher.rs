//! Waiting for changes in folders: one inotify instance for all sessions of a process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use sys::watch::{Change, DirectoryWatch, WatchId};

use super::folder::{WatchPlace, Watched};
use super::{Layout, structure};

/// Names what is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchKey(u64);

/// Tells which folders have changed. Its descriptor is readable when [`Watcher::changed`] has something to say.
#[derive(Debug)]
pub struct Watcher {
    watch: DirectoryWatch,
    /// By what is watched. Two sessions share a folder; mbox files share a directory, where each has its name.
    keys: HashMap<WatchId, Vec<(Interest, WatchKey)>>,
    folders: HashMap<WatchKey, Entry>,
    by_path: HashMap<(PathBuf, Kind), WatchKey>,
    last_key: u64,
}

/// What is watched at a path: a folder, or which folders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Folder,
    Folders,
}

/// What of a directory is of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Interest {
    /// All of it.
    Everything,
    /// This entry.
    Entry(OsString),
    /// Entries that have to do with which folders there are.
    Folders(Layout),
}

impl Interest {
    /// What happens to a directory itself has no name, and concerns all that is in it.
    fn has(&self, change: &Change) -> bool {
        match (self, &change.entry) {
            (Self::Everything, _) | (Self::Entry(_), None) => true,
            (Self::Entry(name), Some(entry)) => name == entry,
            (Self::Folders(_), None) => change.moved,
            (Self::Folders(layout), Some(entry)) => {
                change.moved && structure::concerns_folders(*layout, entry)
            }
        }
    }
}

#[derive(Debug)]
struct Entry {
    path: (PathBuf, Kind),
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

    /// Watches a folder, or which folders there are; or counts one more who does.
    ///
    /// # Errors
    /// When the user has too many watches (`fs.inotify.max_user_watches`): poll instead.
    pub fn watch(&mut self, place: &WatchPlace) -> io::Result<WatchKey> {
        let path = match &place.0 {
            Watched::Directories(paths) => (paths.first().cloned().unwrap_or_default(), Kind::Folder),
            Watched::File(path) => (path.clone(), Kind::Folder),
            Watched::Folders { directories, .. } => {
                (directories.first().cloned().unwrap_or_default(), Kind::Folders)
            }
        };
        if let Some(key) = self.by_path.get(&path).copied() {
            // Directories of folders may have come since.
            if path.1 == Kind::Folders {
                self.complete(key, &place.0)?;
            }
            if let Some(entry) = self.folders.get_mut(&key) {
                entry.sessions += 1;
            }
            return Ok(key);
        }
        self.last_key += 1;
        let key = WatchKey(self.last_key);
        self.folders.insert(key, Entry { path: path.clone(), ids: Vec::new(), sessions: 1 });
        self.by_path.insert(path, key);
        if let Err(error) = self.complete(key, &place.0) {
            self.unwatch(key);
            return Err(error);
        }
        Ok(key)
    }

    /// Watches what of a place is not watched yet.
    fn complete(&mut self, key: WatchKey, watched: &Watched) -> io::Result<()> {
        match watched {
            Watched::Directories(paths) => {
                for path in paths {
                    self.add(path, Interest::Everything, key)?;
                }
            }
            Watched::File(path) => {
                let interest =
                    path.file_name().map_or(Interest::Everything, |name| Interest::Entry(name.into()));
                if self.add(path.parent().unwrap_or(Path::new("/")), interest, key).is_err() {
                    // Who may not list the directory still sees what is written into the file that is there.
                    self.add(path, Interest::Everything, key)?;
                }
            }
            Watched::Folders { layout, directories } => {
                for (place, path) in directories.iter().enumerate() {
                    match self.add(path, Interest::Folders(*layout), key) {
                        // A directory that has gone has no folders.
                        Err(error) if error.kind() == io::ErrorKind::NotFound && place > 0 => {}
                        outcome => outcome?,
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, interest: Interest, key: WatchKey) -> io::Result<()> {
        let id = self.watch.add(path)?;
        if let Some(entry) = self.folders.get_mut(&key)
            && !entry.ids.contains(&id)
        {
            entry.ids.push(id);
            self.keys.entry(id).or_default().push((interest, key));
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
        let Some(changes) = self.watch.changed()? else { return Ok(self.folders.keys().copied().collect()) };
        let mut keys = Vec::new();
        for change in changes {
            let concerned = self.keys.get(&change.watch).into_iter().flatten();
            keys.extend(concerned.filter(|(interest, _)| interest.has(&change)).map(|(_, key)| *key));
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
        let first = watcher.watch(&inbox.watch_place()).unwrap();
        let second = watcher.watch(&other.watch_place()).unwrap();
        assert_eq!(watcher.watch(&inbox.watch_place()).unwrap(), first);
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
        let (first, second) =
            (watcher.watch(&one.watch_place()).unwrap(), watcher.watch(&two.watch_place()).unwrap());
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
