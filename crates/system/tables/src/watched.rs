//! Noticing that a file has changed under a running daemon.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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
    pub(crate) fn changed(&self) -> bool {
        self.now().is_some_and(|now| now != self.seen)
    }

    /// Is there another file in its place? Changed content does not count.
    pub(crate) fn replaced(&self) -> bool {
        self.now().is_some_and(|now| !now.is_same_file(&self.seen) || now.unlinked != self.seen.unlinked)
    }

    /// The time of the last change to the content.
    pub(crate) fn last_change(&self) -> io::Result<std::time::SystemTime> {
        self.file.metadata()?.modified()
    }

    /// Is it an index older than the `source` it was made from? Then it does not say what the source says.
    pub(crate) fn is_older_than(&self, source: &Path) -> bool {
        let source = std::fs::metadata(source).and_then(|metadata| metadata.modified());
        matches!((source, self.last_change()), (Ok(source), Ok(index)) if source > index)
    }

    fn now(&self) -> Option<Seen> {
        let metadata = std::fs::metadata(&self.path).or_else(|_| self.file.metadata());
        metadata.ok().map(|metadata| Seen::new(&metadata))
    }
}
