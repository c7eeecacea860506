//! Files reached from an open directory, with no way out of it (openat2(2), `RESOLVE_BENEATH`).
//!
//! A path in a table or a symbolic link that somebody planted must not lead a delivery to a place outside its
//! base. Every path here is resolved below the directory that is held open; names are single components.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::fcntl::{
    AT_FDCWD, AtFlags, OFlag, OpenHow, RenameFlags, ResolveFlag, openat, openat2, renameat, renameat2,
};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
}

/// May a path below the directory go through symbolic links?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// No: a link anywhere in the path is the error `ELOOP`.
    Refuse,
    /// Yes, wherever they lead. For those who ask for it by a parameter.
    Follow,
}

/// What the kernel knows about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Device number of the file system.
    pub device: u64,
    /// Inode number on that device.
    pub inode: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// How many names the file has.
    pub links: u64,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the content, seconds since 1970.
    pub modified: i64,
    /// File, directory, link or another thing.
    pub kind: Kind,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Device number of the file system.
    pub device: u64,
    /// Inode number on that device.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the content (of a directory: of its names), nanoseconds since 1970.
    pub modified_ns: i64,
    /// Last change of the content or of what is known about the file, nanoseconds since 1970.
    pub changed_ns: i64,
}

/// What sort of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Special,
}

impl Directory {
    /// Opens the directory `path`, which the administrator named and which may contain links.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self { handle: openat(AT_FDCWD, path, flags, Mode::empty())? })
    }

    /// Opens the directory `path` below this one; needs no right but to search.
    ///
    /// # Errors
    /// What openat2(2) says: `EXDEV` for a path that leaves this directory, `ELOOP` for a link.
    pub fn enter(&self, path: &Path, links: Links) -> io::Result<Self> {
        self.open_beneath(path, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty(), links)
            .map(|handle| Self { handle })
    }

    /// As [`Directory::enter`], for a directory that [`Directory::sync`] will be asked of; needs the right to read it.
    ///
    /// # Errors
    /// As [`Directory::enter`].
    pub fn enter_to_sync(&self, path: &Path, links: Links) -> io::Result<Self> {
        self.open_beneath(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty(), links)
            .map(|handle| Self { handle })
    }

    /// Makes the directory `name` in this one.
    ///
    /// # Errors
    /// What mkdirat(2) says.
    pub fn make(&self, name: &Path, mode: u32) -> io::Result<()> {
        Ok(mkdirat(&self.handle, name, permissions(mode))?)
    }

    /// Creates the file `name` for writing; it must not exist.
    ///
    /// # Errors
    /// What openat(2) says.
    pub fn create(&self, name: &Path, mode: u32) -> io::Result<File> {
        let flags = OFlag::O_CREAT
            | OFlag::O_EXCL
            | OFlag::O_WRONLY
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC
            | OFlag::O_NOCTTY;
        Ok(openat(&self.handle, name, flags, permissions(mode))?.into())
    }

    /// Opens the file `path` below this directory for reading and writing. Never waits, whatever the file is.
    ///
    /// # Errors
    /// As [`Directory::enter`].
    pub fn open_to_write(&self, path: &Path, links: Links) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        self.open_beneath(path, flags, Mode::empty(), links).map(File::from)
    }

    /// Opens the file `path` below this directory for reading. Never waits, whatever the file is.
    ///
    /// # Errors
    /// As [`Directory::enter`].
    pub fn open_to_read(&self, path: &Path, links: Links) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        self.open_beneath(path, flags, Mode::empty(), links).map(File::from)
    }

    /// Gives the file `name` the name `new_name` in `target`; `EEXIST` when that name is taken.
    ///
    /// File systems that can not do that in one step get a second name and lose the first.
    ///
    /// # Errors
    /// What renameat2(2) says.
    pub fn rename_new(&self, name: &Path, target: &Self, new_name: &Path) -> io::Result<()> {
        match renameat2(&self.handle, name, &target.handle, new_name, RenameFlags::RENAME_NOREPLACE) {
            Err(nix::Error::EINVAL | nix::Error::ENOSYS) => {
                linkat(&self.handle, name, &target.handle, new_name, AtFlags::empty())?;
                self.remove(name)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Gives the file `name` the further name `new_name` in `target`; `EEXIST` when that name is taken.
    ///
    /// # Errors
    /// What linkat(2) says.
    pub fn link(&self, name: &Path, target: &Self, new_name: &Path) -> io::Result<()> {
        Ok(linkat(&self.handle, name, &target.handle, new_name, AtFlags::empty())?)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    pub fn remove(&self, name: &Path) -> io::Result<()> {
        Ok(unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// About this directory.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn facts(&self) -> io::Result<Facts> {
        Ok(from_stat(&fstat(&self.handle)?))
    }

    /// About `path` below this directory; of a link, about the link. Links on the way are followed: use it
    /// only to compare with what is open already.
    ///
    /// # Errors
    /// What fstatat(2) says.
    pub fn facts_of(&self, path: &Path) -> io::Result<Facts> {
        Ok(from_stat(&fstatat(&self.handle, path, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// Does a name in this directory stand for this inode? Reads it all; only after [`Directory::enter_to_sync`].
    ///
    /// # Errors
    /// What openat(2) and getdents(2) say.
    pub fn has_inode(&self, inode: u64) -> io::Result<bool> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut names = Dir::openat(&self.handle, ".", flags, Mode::empty())?;
        for name in names.iter() {
            if name?.ino() == inode {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Calls `each` for every name in this directory but `.` and `..`, with what it stands for if that costs nothing.
    /// Names that come or go meanwhile may be missed or seen twice.
    ///
    /// # Errors
    /// What open(2) and readdir(3) say.
    pub fn names(&self, mut each: impl FnMut(&[u8], Option<Kind>)) -> io::Result<()> {
        let mut stream = Dir::openat(
            &self.handle,
            ".",
            OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        for entry in stream.iter() {
            let entry = entry?;
            let kind = entry.file_type().map(|kind| match kind {
                Type::File => Kind::File,
                Type::Directory => Kind::Directory,
                Type::Symlink => Kind::Link,
                _ => Kind::Special,
            });
            match entry.file_name().to_bytes() {
                b"." | b".." => {}
                name => each(name, kind),
            }
        }
        Ok(())
    }

    /// The stamp of `path` below this directory; of a link, that of the link.
    ///
    /// # Errors
    /// What fstatat(2) says.
    pub fn stamp_of(&self, path: &Path) -> io::Result<Stamp> {
        Ok(stamp_from(&fstatat(&self.handle, path, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// The stamp of this directory itself.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn own_stamp(&self) -> io::Result<Stamp> {
        Ok(stamp_from(&fstat(&self.handle)?))
    }

    /// Gives the file or directory `name` the name `new_name` in `target`; what had that name is gone.
    ///
    /// # Errors
    /// What renameat(2) says.
    pub fn replace(&self, name: &Path, target: &Self, new_name: &Path) -> io::Result<()> {
        Ok(renameat(&self.handle, name, &target.handle, new_name)?)
    }

    /// Removes the empty directory `name`.
    ///
    /// # Errors
    /// What unlinkat(2) says.
    pub fn remove_directory(&self, name: &Path) -> io::Result<()> {
        Ok(unlinkat(&self.handle, name, UnlinkatFlags::RemoveDir)?)
    }

    /// Returns when the names in this directory are on the disk. Only after [`Directory::enter_to_sync`].
    ///
    /// # Errors
    /// What fsync(2) says.
    pub fn sync(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.handle)?)
    }

    fn open_beneath(&self, path: &Path, flags: OFlag, mode: Mode, links: Links) -> io::Result<OwnedFd> {
        let resolve = match links {
            Links::Refuse => ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS,
            Links::Follow => ResolveFlag::empty(),
        };
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .mode(mode)
            .resolve(resolve | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        loop {
            // EAGAIN: a name moved while it was resolved, so the kernel could not tell whether it is beneath.
            match openat2(&self.handle, path, how) {
                Err(nix::Error::EAGAIN | nix::Error::EINTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Was a path refused because it leaves the directory or goes through a symbolic link?
pub fn is_detour(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EXDEV))
}

/// About an open file.
///
/// # Errors
/// What fstat(2) says.
pub fn facts(file: impl AsFd) -> io::Result<Facts> {
    Ok(from_stat(&fstat(file)?))
}

/// The stamp of an open file.
///
/// # Errors
/// What fstat(2) says.
pub fn stamp(file: impl AsFd) -> io::Result<Stamp> {
    Ok(stamp_from(&fstat(file)?))
}

fn stamp_from(stat: &FileStat) -> Stamp {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stamp {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: stat.st_size.max(0) as u64,
        modified_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        changed_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}

fn permissions(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode)
}

// The width of st_nlink differs between architectures.
#[allow(clippy::useless_conversion)]
fn from_stat(stat: &FileStat) -> Facts {
    Facts {
        device: stat.st_dev,
        inode: stat.st_ino,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mode: stat.st_mode & 0o7777,
        links: stat.st_nlink.into(),
        size: stat.st_size.max(0) as u64,
        modified: stat.st_mtime,
        kind: match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Directory,
            SFlag::S_IFLNK => Kind::Link,
            _ => Kind::Special,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Directory) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("base/a/b")).unwrap();
        std::fs::create_dir_all(root.path().join("outside")).unwrap();
        std::fs::write(root.path().join("outside/file"), "x").unwrap();
        let base = Directory::open(&root.path().join("base")).unwrap();
        (root, base)
    }

    fn code(outcome: io::Result<impl Sized>) -> Option<i32> {
        outcome.err().and_then(|error| error.raw_os_error())
    }

    #[test]
    fn no_path_leads_out() {
        let (root, base) = tree();
        symlink("../outside", root.path().join("base/out")).unwrap();
        symlink("a", root.path().join("base/in")).unwrap();
        let enter = |path: &str| code(base.enter(Path::new(path), Links::Refuse));
        assert_eq!(enter("a/b"), None);
        assert_eq!(enter("a/../a"), None);
        assert_eq!(enter("../outside"), Some(libc::EXDEV));
        assert_eq!(enter("a/../../outside"), Some(libc::EXDEV));
        assert_eq!(enter(&root.path().join("outside").to_string_lossy()), Some(libc::EXDEV));
        assert_eq!(enter("out"), Some(libc::ELOOP));
        assert_eq!(enter("in/b"), Some(libc::ELOOP));
        assert_eq!(code(base.enter(Path::new("out"), Links::Follow)), None);
        assert_eq!(code(base.open_to_write(Path::new("out/file"), Links::Refuse)), Some(libc::ELOOP));
    }

    #[test]
    fn a_name_that_is_taken_stays() {
        let (root, base) = tree();
        let a = base.enter_to_sync(Path::new("a"), Links::Refuse).unwrap();
        a.create(Path::new("one"), 0o600).unwrap();
        base.create(Path::new("two"), 0o640).unwrap();
        assert_eq!(code(base.create(Path::new("two"), 0o600)), Some(libc::EEXIST));
        assert_eq!(code(base.rename_new(Path::new("two"), &a, Path::new("one"))), Some(libc::EEXIST));
        base.rename_new(Path::new("two"), &a, Path::new("three")).unwrap();
        a.sync().unwrap();
        assert!(root.path().join("base/a/three").exists() && !root.path().join("base/two").exists());
        let three = a.facts_of(Path::new("three")).unwrap();
        assert_eq!((three.kind, three.links, three.size), (Kind::File, 1, 0));
        assert!(a.has_inode(three.inode).unwrap() && !a.has_inode(u64::MAX).unwrap());
    }

    #[test]
    fn names_are_listed_and_replaced() {
        let (root, base) = tree();
        std::fs::write(root.path().join("base/one"), "1").unwrap();
        std::fs::write(root.path().join("base/two"), "22").unwrap();
        let before = base.stamp_of(Path::new("two")).unwrap();
        base.replace(Path::new("two"), &base, Path::new("one")).unwrap();
        let after = base.stamp_of(Path::new("one")).unwrap();
        assert_eq!((before.inode, before.modified_ns, after.size), (after.inode, after.modified_ns, 2));
        base.remove_directory(Path::new("a/b")).unwrap();
        let mut found = Vec::new();
        base.enter(Path::new("."), Links::Refuse)
            .unwrap()
            .names(|name, kind| found.push((String::from_utf8(name.to_vec()).unwrap(), kind)))
            .unwrap();
        found.sort();
        assert_eq!(found, [("a".into(), Some(Kind::Directory)), ("one".into(), Some(Kind::File))]);
        assert!(base.own_stamp().unwrap().modified_ns >= after.modified_ns);
    }

    #[test]
    fn a_fifo_does_not_hold_up_whoever_opens_it() {
        let (root, base) = tree();
        nix::unistd::mkfifo(&root.path().join("base/fifo"), Mode::from_bits_truncate(0o666)).unwrap();
        let file = base.open_to_write(Path::new("fifo"), Links::Refuse).unwrap();
        assert_eq!(facts(&file).unwrap().kind, Kind::Special);
    }
}
