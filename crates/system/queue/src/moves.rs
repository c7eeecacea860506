//! A message moves from one folder to another.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use queue_format::QueueId;

use crate::{Queue, QueueError, QueueName};

/// Mode of hash folders.
const FOLDER_MODE: u32 = 0o700;

impl Queue {
    /// Takes a message into `active/`.
    ///
    /// # Errors
    /// [`QueueError::is_gone`] when somebody else was faster.
    pub fn activate(&self, from: QueueName, id: &QueueId) -> Result<(), QueueError> {
        self.move_message(from, QueueName::Active, id)
    }

    /// Puts an active message into `deferred/`, to be tried again at `until_seconds` since 1970.
    ///
    /// # Errors
    /// [`QueueError::Io`]; the message then lies where it lay.
    pub fn defer(&self, from: QueueName, id: &QueueId, until_seconds: u64) -> Result<(), QueueError> {
        self.set_modified(from, id, until_seconds)?;
        self.move_message(from, QueueName::Deferred, id)
    }

    /// Sets when a message is to be tried (again).
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn set_modified(&self, name: QueueName, id: &QueueId, seconds: u64) -> Result<(), QueueError> {
        let path = self.path(name, id);
        let file = self.disk.open_to_write(&path).map_err(QueueError::io("open", &path))?;
        self.disk.set_modified(&file, seconds).map_err(QueueError::io("utime", &path))
    }

    /// Puts a file that is no message aside, into `corrupt/`, readable for its owner only.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn corrupt(&self, from: QueueName, id: &QueueId) -> Result<(), QueueError> {
        self.move_message(from, QueueName::Corrupt, id)
    }

    /// Puts a message on hold.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn hold(&self, from: QueueName, id: &QueueId) -> Result<(), QueueError> {
        self.move_message(from, QueueName::Hold, id)
    }

    /// Removes a message for good, after its logs.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn remove(&self, name: QueueName, id: &QueueId) -> Result<(), QueueError> {
        let path = self.path(name, id);
        self.disk.remove(&path).map_err(QueueError::io("remove", &path))
    }

    /// Removes what the services bounce, defer and trace have noted about a message; goes before [`Queue::remove`], so that no log outlives
    /// its message and is taken for that of another with the same id.
    ///
    /// # Errors
    /// [`QueueError::Io`]; a log that is not there is none.
    pub fn remove_logs(&self, id: &QueueId) -> Result<(), QueueError> {
        for name in QueueName::LOGS {
            match self.remove(name, id) {
                Err(error) if !error.is_gone() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Renames a message from one folder into another, both as `hash_queue_names` says.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn move_message(&self, from: QueueName, to: QueueName, id: &QueueId) -> Result<(), QueueError> {
        self.rename(&self.path(from, id), &self.path(to, id))
    }

    /// Brings a file that lies at another place of its folder to where `hash_queue_names` wants it.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn settle(&self, entry: &crate::Entry, name: QueueName, id: &QueueId) -> Result<(), QueueError> {
        let path = self.path(name, id);
        if entry.path == path { Ok(()) } else { self.rename(&entry.path, &path) }
    }

    /// Sets the permission bits of a message.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn set_mode(&self, name: QueueName, id: &QueueId, mode: u32) -> Result<(), QueueError> {
        let path = self.path(name, id);
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(QueueError::io("chmod", &path))
    }

    /// Renames, and makes the hash folders of the new name when they are missing.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), QueueError> {
        let mut renamed = self.disk.rename(from, to);
        if renamed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Also where they are there by now: somebody else has just made them, and the file is not gone.
            self.make_folder_of(to)?;
            renamed = self.disk.rename(from, to);
        }
        renamed.map_err(QueueError::io("rename", from))
    }

    /// Makes the folders above `path` that are missing.
    pub(crate) fn make_folder_of(&self, path: &Path) -> Result<(), QueueError> {
        let Some(folder) = path.parent().filter(|folder| !folder.exists()) else { return Ok(()) };
        self.disk.make_directory(folder, FOLDER_MODE).map_err(QueueError::io("mkdir", folder))
    }
}
