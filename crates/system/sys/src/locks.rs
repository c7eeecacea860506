//! Locks on open files.
//!
//! Of fcntl(2) locks these are the kind that belongs to the open file and not to the process (OFD): they
//! exclude the others in the same way, but do not vanish when the process closes some other descriptor of
//! the same file.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::fcntl::{FcntlArg, FlockArg, fcntl};

/// Shared or exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Readers beside each other.
    Shared,
    /// One writer alone.
    Exclusive,
}

/// Tries to get an fcntl lock on the whole file; false when somebody else holds it.
///
/// # Errors
/// What fcntl(2) says, `EBADF` for an exclusive lock on a file not open for writing.
pub fn try_fcntl(file: impl AsFd, hold: Hold) -> io::Result<bool> {
    got(fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole(kind(hold)))).map(drop))
}

/// Does somebody hold an fcntl lock on the file, shared or exclusive, by another opening of it?
///
/// # Errors
/// What fcntl(2) says.
pub fn is_fcntl_locked(file: impl AsFd) -> io::Result<bool> {
    let mut asked = whole(kind(Hold::Exclusive));
    fcntl(file.as_fd(), FcntlArg::F_OFD_GETLK(&mut asked))?;
    Ok(i32::from(asked.l_type) != libc::F_UNLCK)
}

/// An fcntl lock that is held until this value goes away.
#[derive(Debug)]
pub struct FileLock<'a> {
    file: &'a File,
}

/// Gets an fcntl lock on the whole file, waiting for whoever holds it.
///
/// # Errors
/// As [`try_fcntl`]; an interrupted wait is taken up again.
pub fn wait_for_fcntl(file: &File, hold: Hold) -> io::Result<FileLock<'_>> {
    loop {
        match fcntl(file.as_fd(), FcntlArg::F_OFD_SETLKW(&whole(kind(hold)))) {
            Ok(_) => return Ok(FileLock { file }),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        // Fails for a bad descriptor only, and a File has a good one.
        let _ = fcntl(self.file.as_fd(), FcntlArg::F_OFD_SETLK(&whole(libc::F_UNLCK)));
    }
}

fn kind(hold: Hold) -> libc::c_int {
    match hold {
        Hold::Shared => libc::F_RDLCK,
        Hold::Exclusive => libc::F_WRLCK,
    }
}

fn whole(kind: libc::c_int) -> libc::flock {
    libc::flock { l_type: kind as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 }
}

/// Tries to get a flock(2) lock; false when somebody else holds it.
///
/// # Errors
/// What flock(2) says.
pub fn try_flock(file: impl AsFd, hold: Hold) -> io::Result<bool> {
    let kind = match hold {
        Hold::Shared => FlockArg::LockSharedNonblock,
        Hold::Exclusive => FlockArg::LockExclusiveNonblock,
    };
    // The lock is to live as long as the open file, which nix's owning guard can not express for a borrowed one.
    #[allow(deprecated)]
    got(nix::fcntl::flock(file.as_fd().as_raw_fd(), kind))
}

fn got(outcome: nix::Result<()>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_lock_is_seen_by_others_as_long_as_a_copy_of_the_descriptor_is_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || OpenOptions::new().read(true).write(true).open(file.path()).unwrap();
        let holder = open();
        assert!(try_fcntl(&holder, Hold::Shared).unwrap());
        let copy = holder.try_clone().unwrap();
        drop((holder, open()));
        assert!(!is_fcntl_locked(&copy).unwrap(), "one's own lock is none");
        assert!(is_fcntl_locked(std::fs::File::open(file.path()).unwrap()).unwrap());
        drop(copy);
        assert!(!is_fcntl_locked(open()).unwrap());
    }

    #[test]
    fn one_writer_excludes_the_next_until_it_closes() {
        type Try = fn(&std::fs::File, Hold) -> io::Result<bool>;
        for lock in [(|file, hold| try_fcntl(file, hold)) as Try, |file, hold| try_flock(file, hold)] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let open = || OpenOptions::new().read(true).write(true).open(file.path()).unwrap();
            let (first, second) = (open(), open());
            assert!(lock(&first, Hold::Exclusive).unwrap());
            assert!(!lock(&second, Hold::Exclusive).unwrap());
            assert!(!lock(&second, Hold::Shared).unwrap());
            drop(first);
            assert!(lock(&second, Hold::Shared).unwrap());
            assert!(lock(&open(), Hold::Shared).unwrap());
        }
    }

    #[test]
    fn a_lock_that_was_waited_for_ends_with_its_value() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (first, second) = (file.reopen().unwrap(), file.reopen().unwrap());
        let held = wait_for_fcntl(&first, Hold::Exclusive).unwrap();
        assert!(!try_fcntl(&second, Hold::Shared).unwrap());
        drop(held);
        assert!(try_fcntl(&second, Hold::Exclusive).unwrap());
    }
}
