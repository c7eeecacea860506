//! The steps by which a delivery changes the disk, each of which can fail, or be the last before a crash.
//!
//! Everything that a delivery changes goes through here, so that a test can stop it at every step.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use sys::directory::Directory;

/// The changes a delivery makes.
pub trait Disk {
    /// Makes a directory.
    ///
    /// # Errors
    /// What mkdirat(2) says.
    fn make(&self, parent: &Directory, name: &Path, mode: u32) -> io::Result<()> {
        parent.make(name, mode)
    }

    /// Creates a file that was not there.
    ///
    /// # Errors
    /// What openat(2) says.
    fn create(&self, parent: &Directory, name: &Path, mode: u32) -> io::Result<File> {
        parent.create(name, mode)
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// What pwrite(2) says.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Returns when the file is on the disk. After an error nothing is known about the bytes, and a second
    /// call would tell nothing either: the kernel has forgotten.
    ///
    /// # Errors
    /// What fsync(2) says.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Cuts the file off at `length`.
    ///
    /// # Errors
    /// What ftruncate(2) says.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Gives a file a further name that nothing else has.
    ///
    /// # Errors
    /// What linkat(2) says.
    fn link(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        from.link(name, to, new_name)
    }

    /// Moves a file or a directory to a name; what had it is gone.
    ///
    /// # Errors
    /// What renameat(2) says.
    fn replace(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        from.replace(name, to, new_name)
    }

    /// Moves a file to a name that nothing else has.
    ///
    /// # Errors
    /// What renameat2(2) says.
    fn rename(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        from.rename_new(name, to, new_name)
    }

    /// Sets the time of last change, seconds since 1970.
    ///
    /// # Errors
    /// What futimens(2) says.
    fn set_modified(&self, file: &File, seconds: i64) -> io::Result<()> {
        let since = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { UNIX_EPOCH.checked_sub(since) } else { UNIX_EPOCH.checked_add(since) };
        file.set_modified(time.ok_or(io::ErrorKind::InvalidInput)?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    fn remove_directory(&self, parent: &Directory, name: &Path) -> io::Result<()> {
        parent.remove_directory(name)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    fn remove(&self, parent: &Directory, name: &Path) -> io::Result<()> {
        parent.remove(name)
    }

    /// Returns when the directory's names are on the disk.
    ///
    /// # Errors
    /// What fsync(2) says.
    fn sync_directory(&self, directory: &Directory) -> io::Result<()> {
        directory.sync()
    }
}

/// The disk as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}
