//! Waiting for changes in directories (inotify(7)).
//!
//! The kernel allows 128 of these per user id: one for a process, not one for a session.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_a_change_once() {
        let directory = tempfile::tempdir().unwrap();
        let watch = Watch::new(&[directory.path()]).unwrap();
        assert!(!watch.changed(Duration::ZERO).unwrap());
        std::fs::write(directory.path().join("a"), "x").unwrap();
        assert!(watch.changed(Duration::from_secs(10)).unwrap());
        assert!(!watch.changed(Duration::ZERO).unwrap());
    }
}
