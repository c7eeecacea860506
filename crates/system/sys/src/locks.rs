//! Locks on open files.
//!
//! Of fcntl(2) locks these are the kind that belongs to the open file and not to the process (OFD): they
//! exclude the others in the same way, but do not vanish when the process closes some other descriptor of
//! the same file.

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
    let kind = match hold {
        Hold::Shared => libc::F_RDLCK,
        Hold::Exclusive => libc::F_WRLCK,
    };
    let whole =
        libc::flock { l_type: kind as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 };
    got(fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole)).map(drop))
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
}
