//! Noticing that a file has changed under a running daemon.

use crate::sight::Sight;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that was read once, and what it looked like then.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    /// Kept open: where the path can not be seen any more (chroot), the file itself still tells.
    file: File,
    seen: Seen,
}

/// What makes a file another one.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    unlinked: bool,
}

/// There is another file in its place.
pub(crate) struct Replaced;

impl Seen {
    fn new(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            unlinked: metadata.nlink() == 0,
        }
    }

    fn last_change(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.modified;
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        UNIX_EPOCH + seconds + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Watched {
    /// Opens `path` for reading.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::of(path, File::open(path)?)
    }

    /// Watches a file that is open.
    pub(crate) fn of(path: &Path, file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(Self { path: path.to_owned(), seen: Seen::new(&metadata), file })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Is there another file in its place, or other content?
    pub(crate) fn changed(&self, sight: &Sight) -> bool {
        self.now(sight).is_some_and(|now| now != self.seen)
    }

    /// Is there another file in its place? Changed content does not count: if there is none, the time of the last
    /// change.
    pub(crate) fn replaced(&self, sight: &Sight) -> Result<SystemTime, Replaced> {
        match self.now(sight) {
            Some(now) if now.is_same_file(&self.seen) && now.unlinked == self.seen.unlinked => {
                Ok(now.last_change())
            }
            _ => Err(Replaced),
        }
    }

    /// The time of the last change to the content.
    pub(crate) fn last_change(&self) -> io::Result<SystemTime> {
        self.file.metadata()?.modified()
    }

    /// Is it an index older than the `source` it was made from? Then it does not say what the source says.
    pub(crate) fn is_older_than(&self, source: &Path) -> bool {
        let source = std::fs::metadata(source).and_then(|metadata| metadata.modified());
        matches!((source, self.last_change()), (Ok(source), Ok(index)) if source > index)
    }

    /// What is at the path; where that leads nowhere, or to something else of the same name, what was opened.
    fn now(&self, sight: &Sight) -> Option<Seen> {
        let at_path = if sight.is_lost() { None } else { std::fs::metadata(&self.path).ok() };
        let metadata = at_path.or_else(|| self.file.metadata().ok());
        metadata.map(|metadata| Seen::new(&metadata))
    }
}
