//! Waiting for changes in directories (inotify(7)).
//!
//! The kernel allows 128 of these per user id: one for a process, not one for a session.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// Tells when something happened to the entries of directories.
#[derive(Debug)]
pub struct Watch {
    inotify: Inotify,
}

impl Watch {
    /// Watches for entries that are made, renamed, removed, written or closed.
    ///
    /// # Errors
    /// When a directory can not be read, or the user has too many of these.
    pub fn new(directories: &[&Path]) -> io::Result<Self> {
        let watch = Self { inotify: Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)? };
        for directory in directories {
            watch.add(directory)?;
        }
        Ok(watch)
    }

    /// Watches one more directory.
    ///
    /// # Errors
    /// As [`Watch::new`].
    pub fn add(&self, directory: &Path) -> io::Result<()> {
        let kinds = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE;
        self.inotify.add_watch(directory, kinds)?;
        Ok(())
    }

    /// Waits for a change since the last call, at most for `limit`. Was there one?
    ///
    /// # Errors
    /// As poll(2) and read(2).
    pub fn changed(&self, limit: Duration) -> io::Result<bool> {
        let timeout = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        loop {
            match self.inotify.read_events() {
                Ok(_) => {}
                Err(Errno::EAGAIN) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Tells in which of many directories (or files) something happened.
#[derive(Debug)]
pub struct DirectoryWatch {
    inotify: Inotify,
}

/// Names a directory that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WatchId(WatchDescriptor);

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub watch: WatchId,
    /// To which entry of the directory; to none when it happened to the directory itself.
    pub entry: Option<OsString>,
    /// Something came, went or got another name. Otherwise it was written.
    pub moved: bool,
}

impl DirectoryWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the user has too many of these.
    pub fn new() -> io::Result<Self> {
        Ok(Self { inotify: Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)? })
    }

    /// Watches for entries that come, go or get another name; of a file, for a write.
    ///
    /// # Errors
    /// When it can not be read, or the user watches too much.
    pub fn add(&self, path: &Path) -> io::Result<WatchId> {
        let kinds = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_DELETE_SELF;
        Ok(WatchId(self.inotify.add_watch(path, kinds)?))
    }

    /// Watches it no more.
    pub fn remove(&self, id: WatchId) {
        // A directory that is gone took its watch with it.
        let _ = self.inotify.rm_watch(id.0);
    }

    /// Where something happened since the last call, with repetitions, and to which entry of a directory; none when so much
    /// did that the kernel does not know it all. Never waits.
    ///
    /// # Errors
    /// As read(2).
    pub fn changed(&self) -> io::Result<Option<Vec<Change>>> {
        let (mut changes, mut lost) = (Vec::new(), false);
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    lost |= events.iter().any(|event| event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW));
                    changes.extend(events.into_iter().map(|event| Change {
                        watch: WatchId(event.wd),
                        entry: event.name,
                        moved: !event.mask.contains(AddWatchFlags::IN_MODIFY),
                    }));
                }
                Err(Errno::EAGAIN) => return Ok(if lost { None } else { Some(changes) }),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for DirectoryWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_a_change_once() {
        let directory = tempfile::tempdir().unwrap();
        let watch = Watch::new(&[directory.path()]).unwrap();
        assert!(!watch.changed(Duration::ZERO).unwrap());
        std::fs::write(directory.path().join("a"), "x").unwrap();
        assert!(watch.changed(Duration::from_secs(60)).unwrap());
        assert!(!watch.changed(Duration::ZERO).unwrap());
    }
}
