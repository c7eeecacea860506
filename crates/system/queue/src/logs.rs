//! The logs that the services bounce, defer and trace keep of a message, one file each.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use queue_format::QueueId;

use crate::{MODE_WRITING, Queue, QueueError, QueueName};

/// A log larger than this is read no further: 100,000 recipients with long reasons.
pub const LOG_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// How often the log is opened again when somebody removes it in between.
const OPEN_ATTEMPTS: usize = 100;
/// Entries end so.
const ENTRY_END: &[u8; 2] = b"\n\n";

impl Queue {
    /// Appends whole entries to the log of a message. On `Ok` they survive a power cut; on `Err` part of them may stand at the end, and
    /// the next append ends that part first.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn append_log(&self, name: QueueName, id: &QueueId, entries: &[u8]) -> Result<(), QueueError> {
        let path = self.path(name, id);
        for _ in 0..OPEN_ATTEMPTS {
            let (file, is_new) = self.open_log(&path)?;
            file.lock().map_err(QueueError::io("lock", &path))?;
            let facts = file.metadata().map_err(QueueError::io("fstat", &path))?;
            if facts.nlink() > 0 {
                return self.append_locked(&file, facts.len(), entries, is_new, &path);
            }
        }
        Err(QueueError::io("open", &path)(io::ErrorKind::ResourceBusy.into()))
    }

    /// The log of a message, empty when there is none.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn read_log(&self, name: QueueName, id: &QueueId) -> Result<Vec<u8>, QueueError> {
        let path = self.path(name, id);
        let mut bytes = Vec::new();
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(bytes),
            Err(error) => return Err(QueueError::io("open", &path)(error)),
            Ok(file) => file.take(LOG_LIMIT_BYTES).read_to_end(&mut bytes),
        }
        .map_err(QueueError::io("read", &path))?;
        Ok(bytes)
    }

    /// Removes one log of a message.
    ///
    /// # Errors
    /// [`QueueError::Io`]; a log that is not there is no error.
    pub fn remove_log(&self, name: QueueName, id: &QueueId) -> Result<(), QueueError> {
        match self.remove(name, id) {
            Err(error) if !error.is_gone() => Err(error),
            _ => Ok(()),
        }
    }

    /// The log, made when it is not there; true when it was made.
    fn open_log(&self, path: &Path) -> Result<(File, bool), QueueError> {
        for _ in 0..OPEN_ATTEMPTS {
            match self.disk.open_to_write(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result.map(|file| (file, false)).map_err(QueueError::io("open", path)),
            }
            match self.disk.create(path, MODE_WRITING) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_folder_of(path)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return result.map(|file| (file, true)).map_err(QueueError::io("create", path)),
            }
        }
        Err(QueueError::io("open", path)(io::ErrorKind::ResourceBusy.into()))
    }

    fn append_locked(
        &self,
        file: &File,
        length: u64,
        entries: &[u8],
        is_new: bool,
        path: &Path,
    ) -> Result<(), QueueError> {
        let mut bytes = if ends_an_entry(file, length) { Vec::new() } else { ENTRY_END.to_vec() };
        bytes.extend_from_slice(entries);
        self.disk.write_at(file, &bytes, length).map_err(QueueError::io("write", path))?;
        self.disk.sync(file).map_err(QueueError::io("fsync", path))?;
        if is_new && self.sync_directories {
            let folder = path.parent().unwrap_or(Path::new("."));
            self.disk.sync_directory(folder).map_err(QueueError::io("fsync", folder))?;
        }
        Ok(())
    }
}

/// False when a crash or a full disk cut an entry short.
fn ends_an_entry(file: &File, length: u64) -> bool {
    let mut end = [0; ENTRY_END.len()];
    let Some(offset) = length.checked_sub(end.len() as u64) else { return length == 0 };
    file.read_exact_at(&mut end, offset).is_ok() && &end == ENTRY_END
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn queue() -> (tempfile::TempDir, Queue) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("defer")).unwrap();
        let queue = Queue::open(directory.path(), Settings::default()).unwrap();
        (directory, queue)
    }

    #[test]
    fn entries_are_appended_and_read_back() {
        let (_directory, queue) = queue();
        let id: QueueId = "E13879EA1AF".parse().unwrap();
        assert_eq!(queue.read_log(QueueName::Defer, &id).unwrap(), b"");
        queue.append_log(QueueName::Defer, &id, b"\none\n\n").unwrap();
        queue.append_log(QueueName::Defer, &id, b"\ntwo\n\n").unwrap();
        assert_eq!(queue.read_log(QueueName::Defer, &id).unwrap(), b"\none\n\n\ntwo\n\n");
        assert!(queue.path(QueueName::Defer, &id).ends_with("defer/E/E13879EA1AF"));
        queue.remove_log(QueueName::Defer, &id).unwrap();
        queue.remove_log(QueueName::Defer, &id).unwrap();
        assert_eq!(queue.read_log(QueueName::Defer, &id).unwrap(), b"");
    }

    #[test]
    fn an_entry_that_was_cut_short_does_not_swallow_the_next() {
        let (_directory, queue) = queue();
        let id: QueueId = "E13879EA1AF".parse().unwrap();
        queue.append_log(QueueName::Defer, &id, b"\n<a@b>: reas").unwrap();
        queue.append_log(QueueName::Defer, &id, b"\ntwo\n\n").unwrap();
        assert_eq!(queue.read_log(QueueName::Defer, &id).unwrap(), b"\n<a@b>: reas\n\n\ntwo\n\n");
    }
}
