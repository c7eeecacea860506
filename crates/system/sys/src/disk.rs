//! The steps by which mail reaches a disk, one system call each.
//!
//! The spool and the mailboxes change files through [`Disk`] alone, so that a test can stop or fail at each step.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What changes files. [`RealDisk`] does it; tests put a disk in front that fails at a given step.
pub trait Disk: Send + Sync {
    /// Makes a file that must not exist yet, open for reading and writing.
    ///
    /// # Errors
    /// As open(2) with `O_CREAT|O_EXCL`.
    fn create(&self, path: &Path, mode: u32) -> io::Result<File>;

    /// Opens a file that exists for writing, without following a symbolic link.
    ///
    /// # Errors
    /// As open(2).
    fn open_to_write(&self, path: &Path) -> io::Result<File>;

    /// Writes all of `bytes` from `offset` on.
    ///
    /// # Errors
    /// As pwrite(2); the file then holds any part of it.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Sets the permission bits.
    ///
    /// # Errors
    /// As fchmod(2).
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()>;

    /// Sets the time of modification, in seconds since 1970.
    ///
    /// # Errors
    /// As futimens(2).
    fn set_modified(&self, file: &File, seconds: u64) -> io::Result<()>;

    /// Brings content and metadata onto the disk. After an error the content is lost: a second call must not be trusted.
    ///
    /// # Errors
    /// As fsync(2).
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Brings the entries of a directory onto the disk.
    ///
    /// # Errors
    /// As open(2) and fsync(2).
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Renames a file over whatever bears the new name.
    ///
    /// # Errors
    /// As rename(2).
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As unlink(2).
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory and those above it that are missing.
    ///
    /// # Errors
    /// As mkdir(2).
    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()>;
}

/// The disk itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
    }

    fn open_to_write(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        file.set_permissions(PermissionsExt::from_mode(mode))
    }

    fn set_modified(&self, file: &File, seconds: u64) -> io::Result<()> {
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(mode).create(path)
    }
}

/// Does fsync of a new file also bring its directory entry onto the disk? So it is on ext3, ext4, xfs and btrfs, whose journal or log
/// holds the creation of the inode together with its name. Elsewhere the directory must be synced too.
///
/// # Errors
/// As statfs(2).
pub fn sync_carries_entry(path: &Path) -> io::Result<bool> {
    use nix::sys::statfs::{BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, statfs};
    let kind = statfs(path)?.filesystem_type();
    Ok([EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC].contains(&kind))
}

/// Bytes that an unprivileged user may still write to the file system of `path`.
///
/// # Errors
/// As statvfs(2).
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let facts = nix::sys::statvfs::statvfs(path)?;
    Ok(facts.blocks_available().saturating_mul(facts.fragment_size()))
}
