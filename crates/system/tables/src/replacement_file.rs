//! A file that takes the place of another at one stroke: whoever opens the path sees the old one whole or the new one
//! whole, also after a crash.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use sys::locks::{Hold, wait_for_fcntl};

/// What a new index is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Its mode, if there is no old one.
    pub(crate) mode: u32,
    /// The time before its source was read: a change to the source since then makes it stale.
    pub(crate) modified: SystemTime,
}

/// A new file beside the one that it will replace.
pub(crate) struct ReplacementFile {
    target: PathBuf,
    path: PathBuf,
    file: File,
    done: bool,
}

impl ReplacementFile {
    /// Makes `target.new`, empty. If another process is at it, waits for its end; what a crash has left is used
    /// again.
    ///
    /// # Errors
    /// Permission denied, for one: then the target can be changed in place only.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let mut path = target.clone().into_os_string();
        path.push(".new");
        let path = PathBuf::from(path);
        loop {
            let Some(file) = open(&path)? else { continue };
            let lock = wait_for_fcntl(&file, Hold::Exclusive)?;
            std::mem::forget(lock); // The lock is to last as long as the open file does.
            if is_still_there(&path, &file) {
                file.set_len(0)?;
                return Ok(Self { target, path, file, done: false });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in the target's place, on disk when this returns. It gets the mode and owner of the old
    /// one, if there is one.
    ///
    /// # Errors
    /// The target is as it was.
    pub(crate) fn commit(mut self, stamp: &Stamp) -> io::Result<()> {
        let own = self.file.metadata()?;
        let old = fs::metadata(&self.target).ok();
        if let Some(old) = &old
            && (old.uid(), old.gid()) != (own.uid(), own.gid())
        {
            fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
        }
        let mode = old.map_or(stamp.mode, |old| old.mode() & 0o7777);
        self.file.set_permissions(fs::Permissions::from_mode(mode))?;
        self.file.set_modified(stamp.modified)?;
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.done = true;
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for ReplacementFile {
    fn drop(&mut self) {
        if !self.done {
            // If this fails, too, the next one uses the file again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens or makes the file, but follows no symbolic link to make one elsewhere. `None` if it has just been renamed by
/// another process: try again.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    let exists = match options.create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => error,
        other => return other.map(Some),
    };
    if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        return Err(exists);
    }
    match options.create_new(false).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn is_still_there(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(own)) => (there.dev(), there.ino()) == (own.dev(), own.ino()),
        _ => false,
    }
}
