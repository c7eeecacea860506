//! Walking over the files of a folder.

use std::ffi::OsString;
use std::fs::{Metadata, ReadDir};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use queue_format::QueueId;

use crate::{HASH_DEPTH_LIMIT, MODE_FORCE_EXPIRE, MODE_UNTHROTTLE, Queue, QueueError, QueueName};

/// The files of a folder and of the hash folders below it, in no order.
#[derive(Debug)]
pub struct Scan {
    open: Vec<(PathBuf, ReadDir)>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies; not always where its id says it should.
    pub path: PathBuf,
    /// Its name.
    pub name: OsString,
    /// How many hash folders lie between.
    pub depth: usize,
}

/// What the inode says of a queue file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Permission bits.
    pub mode: u32,
    /// Time of modification: when to try (again), in seconds since 1970.
    pub modified_seconds: u64,
    /// Bytes.
    pub length: u64,
    /// Its number on the file system.
    pub inode: u64,
    /// It is a regular file.
    pub regular: bool,
}

impl FileFacts {
    /// Is the file complete, and a file?
    pub fn is_ready(&self) -> bool {
        self.regular && self.mode & 0o100 != 0
    }

    /// Shall it be tried even where the destination is throttled?
    pub fn unthrottle(&self) -> bool {
        self.mode & MODE_UNTHROTTLE != 0
    }

    /// Shall it go back to its sender now?
    pub fn force_expire(&self) -> bool {
        self.mode & MODE_FORCE_EXPIRE != 0
    }
}

impl From<Metadata> for FileFacts {
    fn from(facts: Metadata) -> Self {
        Self {
            mode: facts.mode() & 0o7777,
            modified_seconds: u64::try_from(facts.mtime()).unwrap_or(0),
            length: facts.len(),
            inode: facts.ino(),
            regular: facts.is_file(),
        }
    }
}

impl Entry {
    /// The id that the name is; `None` for temporary files and strangers.
    pub fn id(&self) -> Option<QueueId> {
        self.name.to_str()?.parse().ok()
    }

    /// What the inode says, without following a symbolic link.
    ///
    /// # Errors
    /// [`QueueError::is_gone`] when the file has moved on.
    pub fn facts(&self) -> Result<FileFacts, QueueError> {
        let facts = std::fs::symlink_metadata(&self.path).map_err(QueueError::io("stat", &self.path))?;
        Ok(facts.into())
    }
}

impl Queue {
    /// Walks over all files of a folder, those in hash folders of any depth included. Files that come or go meanwhile may be missed.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the folder can not be opened.
    pub fn scan(&self, name: QueueName) -> Result<Scan, QueueError> {
        let path = self.directory.join(name.as_str());
        let folder = std::fs::read_dir(&path).map_err(QueueError::io("open", &path))?;
        Ok(Scan { open: vec![(path, folder)] })
    }

    /// What the inode of a message says.
    ///
    /// # Errors
    /// [`QueueError::is_gone`].
    pub fn facts(&self, name: QueueName, id: &QueueId) -> Result<FileFacts, QueueError> {
        let path = self.path(name, id);
        Ok(std::fs::symlink_metadata(&path).map_err(QueueError::io("stat", &path))?.into())
    }

    /// Looks for a message in these folders, in their order.
    pub fn find(&self, id: &QueueId, names: &[QueueName]) -> Option<(QueueName, FileFacts)> {
        names.iter().find_map(|name| self.facts(*name, id).ok().map(|facts| (*name, facts)))
    }
}

impl Iterator for Scan {
    type Item = Result<Entry, QueueError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let depth = self.open.len().checked_sub(1)?;
            let (folder, entries) = self.open.last_mut()?;
            let entry = match entries.next() {
                None => {
                    self.open.pop();
                    continue;
                }
                Some(Ok(entry)) => entry,
                Some(Err(error)) => {
                    let error = QueueError::io("read", folder)(error);
                    self.open.pop();
                    return Some(Err(error));
                }
            };
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if depth < HASH_DEPTH_LIMIT && entry.file_name().len() == 1 {
                        match std::fs::read_dir(&path) {
                            Ok(entries) => self.open.push((path, entries)),
                            Err(error) => return Some(Err(QueueError::io("open", &path)(error))),
                        }
                    }
                }
                _ => return Some(Ok(Entry { path, name: entry.file_name(), depth })),
            }
        }
    }
}
