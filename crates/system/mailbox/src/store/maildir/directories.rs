//! The directories of a Maildir.

use std::io;
use std::path::Path;

use sys::directory::{Directory, Links};

use super::Maildir;
use crate::disk::Disk;
use crate::store::error::MailError;

/// The list of UIDs.
pub(crate) const LIST: &str = "dovecot-uidlist";
/// Only the owner may look into a mailbox.
pub(crate) const DIRECTORY_MODE: u32 = 0o700;
pub(crate) const FILE_MODE: u32 = 0o600;

/// Open handles.
#[derive(Debug)]
pub(super) struct Directories {
    /// The Maildir itself, with its lists.
    pub(super) home: Directory,
    pub(super) cur: Directory,
    pub(super) new: Directory,
    pub(super) tmp: Directory,
}

impl Directories {
    /// Where messages lie that are `fresh`, or that are not.
    pub(super) fn of(&self, fresh: bool) -> &Directory {
        if fresh { &self.new } else { &self.cur }
    }
}

impl Maildir {
    /// Opens the directories, where they are not open.
    pub(super) fn enter(&mut self) -> Result<&Directories, MailError> {
        if self.directories.is_none() {
            self.directories = Some(self.open_directories()?);
        }
        self.directories.as_ref().ok_or_else(|| self.gone())
    }

    /// What an operation answers when the folder is not there any more.
    pub(super) fn gone(&self) -> MailError {
        MailError::io("open", self.full_path())(io::ErrorKind::NotFound.into())
    }

    fn open_directories(&self) -> Result<Directories, MailError> {
        let links = self.shared.settings.links;
        let enter = |name: &str| {
            let path = if name.is_empty() { Path::new(".").join(&self.path) } else { self.path.join(name) };
            self.shared.home.enter_to_sync(&path, links).map_err(self.trouble("open", name))
        };
        Ok(Directories { home: enter("")?, cur: enter("cur")?, new: enter("new")?, tmp: enter("tmp")? })
    }
}

/// Makes the directories of a Maildir in `home` that are missing. `tmp` comes last: where it is, the others are.
pub(crate) fn make(disk: &dyn Disk, home: &Directory) -> io::Result<()> {
    for name in ["cur", "new", "tmp"] {
        match disk.make(home, Path::new(name), DIRECTORY_MODE) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    disk.sync_directory(&home.enter_to_sync(Path::new("."), Links::Refuse)?)
}
