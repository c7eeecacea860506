//! Locks on whole files that see Postfix's: its programs lock with fcntl(2).
//!
//! These are open-file-description locks. They wait for, and hold off, the classic locks of other processes,
//! but belong to the open file: another descriptor of the same file closed in this process does not drop them.

use nix::fcntl::{FcntlArg, fcntl};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// What others may do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Read.
    Shared,
    /// Nothing. The file must be open for writing.
    Exclusive,
}

/// A lock that is held until this value goes away.
#[derive(Debug)]
pub struct FileLock<'a> {
    file: &'a File,
}

/// Locks the whole of `file`, waiting for whoever holds it.
///
/// # Errors
/// What fcntl(2) says; an interrupted wait is taken up again.
pub fn lock_file(file: &File, lock: Lock) -> io::Result<FileLock<'_>> {
    let kind = match lock {
        Lock::Shared => libc::F_RDLCK,
        Lock::Exclusive => libc::F_WRLCK,
    };
    loop {
        match fcntl(file.as_fd(), FcntlArg::F_OFD_SETLKW(&whole(kind))) {
            Ok(_) => return Ok(FileLock { file }),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        // Fails for a bad descriptor only, and a File has a good one.
        let _ = fcntl(self.file.as_fd(), FcntlArg::F_OFD_SETLK(&whole(libc::F_UNLCK)));
    }
}

fn whole(kind: libc::c_int) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}
