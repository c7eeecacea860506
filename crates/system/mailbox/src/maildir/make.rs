//! Making a Maildir that is not there yet.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use sys::directory::{Directory, Links};

use crate::deliver::Mailboxes;
use crate::disk::Disk;

/// Only the owner may look into a mailbox.
const DIRECTORY_MODE: u32 = 0o700;

impl<D: Disk> Mailboxes<D> {
    /// Makes the Maildir `path`, with all directories above it that are missing, below the base.
    ///
    /// `tmp` comes last: where it is, the others are.
    pub(super) fn make_maildir(&self, path: &Path) -> io::Result<()> {
        let mut here = self.base.enter(Path::new("."), Links::Refuse)?;
        for name in path {
            here = self.make_and_enter(&here, name)?;
        }
        for name in ["cur", "new", "tmp"] {
            self.make_and_enter(&here, OsStr::new(name))?;
        }
        Ok(())
    }

    fn make_and_enter(&self, parent: &Directory, name: &OsStr) -> io::Result<Directory> {
        let name = Path::new(name);
        match parent.enter(name, self.rules.links) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
        match self.disk.make(parent, name, DIRECTORY_MODE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => outcome.and_then(|()| self.sync_names(parent))?,
        }
        parent.enter(name, self.rules.links)
    }

    /// The new name must outlast a power cut, as what will lie below it does. A directory that may be entered
    /// but not read can not be synced; there the file system's own order has to do.
    fn sync_names(&self, directory: &Directory) -> io::Result<()> {
        match directory.enter_to_sync(Path::new("."), Links::Refuse) {
            Ok(readable) => self.disk.sync_directory(&readable),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(error),
        }
    }
}
