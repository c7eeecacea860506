//! How a message gets into the spool: the one commit.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use queue_format::QueueId;
use sys::disk::Disk;

use crate::{MODE_READY, MODE_WRITING, Queue, QueueError, QueueName};

/// How many microseconds are tried when the name for a new file is taken.
const NAME_ATTEMPTS: u64 = 1000;

/// A queue file that is being written. Dropped without [`NewFile::commit`], it is removed.
pub struct NewFile {
    queue: Queue,
    file: Option<File>,
    path: PathBuf,
    id: QueueId,
    length: u64,
    mode: u32,
    /// There is a log of the message.
    noted: bool,
}

/// Modes of a file in `maildrop/` while it is written, and when it is complete: pickup reads it as the mail owner, who need not be its owner.
const MAILDROP_MODES: (u32, u32) = (0o644, 0o744);

impl Queue {
    /// Makes an empty queue file in `incoming/` and gives it its name. `now_us` is the time since 1970 in microseconds.
    ///
    /// # Errors
    /// [`QueueError::Io`]; nothing is left behind.
    pub fn create(&self, now_us: u64) -> Result<NewFile, QueueError> {
        self.create_in(QueueName::Incoming, (MODE_WRITING, MODE_READY), now_us)
    }

    /// Makes an empty file in `maildrop/`, for a submission that pickup has to take.
    ///
    /// # Errors
    /// As [`Queue::create`].
    pub fn create_submission(&self, now_us: u64) -> Result<NewFile, QueueError> {
        self.create_in(QueueName::Maildrop, MAILDROP_MODES, now_us)
    }

    /// Makes an empty file in `incoming/` that gets its name when it gets a message: see [`Reserved`].
    ///
    /// # Errors
    /// As [`Queue::create`].
    pub fn reserve(&self, now_us: u64) -> Result<Reserved, QueueError> {
        let (file, path, _) = self.create_temporary(QueueName::Incoming, MODE_WRITING, now_us)?;
        let inode = file.metadata().map_err(QueueError::io("fstat", &path));
        match inode {
            Ok(facts) => Ok(Reserved { queue: self.clone(), file: Some(file), path, inode: facts.ino() }),
            Err(error) => {
                let _ = self.disk.remove(&path);
                Err(error)
            }
        }
    }

    fn create_in(&self, folder: QueueName, modes: (u32, u32), now_us: u64) -> Result<NewFile, QueueError> {
        let (file, temporary, time) = self.create_temporary(folder, modes.0, now_us)?;
        let named = self.name(folder, &file, &temporary, time);
        if named.is_err() {
            let _ = self.disk.remove(&temporary);
        }
        let (id, path) = named?;
        Ok(NewFile {
            queue: self.clone(),
            file: Some(file),
            path,
            id,
            length: 0,
            mode: modes.1,
            noted: false,
        })
    }

    /// `<folder>/<microseconds>.<pid>`; another microsecond when that name is taken.
    fn create_temporary(
        &self,
        folder: QueueName,
        mode: u32,
        now_us: u64,
    ) -> Result<(File, PathBuf, u64), QueueError> {
        let mut time = now_us;
        loop {
            let mut path = self.directory.join(folder.as_str());
            path.push(format!("{}.{}", time % 1_000_000, self.process));
            match self.disk.create(&path, mode) {
                Ok(file) => return Ok((file, path, time)),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && time < now_us + NAME_ATTEMPTS =>
                {
                    time += 1
                }
                Err(error) => return Err(QueueError::io("create", &path)(error)),
            }
        }
    }

    fn name(
        &self,
        folder: QueueName,
        file: &File,
        temporary: &Path,
        time_us: u64,
    ) -> Result<(QueueId, PathBuf), QueueError> {
        let inode = file.metadata().map_err(QueueError::io("fstat", temporary))?.ino();
        let id = self.id(inode, time_us);
        let path = self.path(folder, &id);
        self.rename(temporary, &path)?;
        Ok((id, path))
    }

    fn id(&self, inode: u64, time_us: u64) -> QueueId {
        let (seconds, microseconds) = (time_us / 1_000_000, (time_us % 1_000_000) as u32);
        match self.settings.long_ids {
            true => QueueId::long(seconds, microseconds, inode),
            false => QueueId::short(microseconds, inode),
        }
    }
}

/// An empty file in `incoming/`, kept for the next message that turns out to need one. Its inode gives each message
/// it is kept for an id, so that the id is right whether the message ever comes to lie in the file or not.
///
/// Dropped, the file is removed; one that a crash leaves is empty and of the mode of files being written.
pub struct Reserved {
    queue: Queue,
    file: Option<File>,
    path: PathBuf,
    inode: u64,
}

impl Reserved {
    /// The id of a message that begins now. `now_us` is the time since 1970 in microseconds.
    pub fn id(&self, now_us: u64) -> QueueId {
        self.queue.id(self.inode, now_us)
    }

    /// Gives the file to the message of this id, which [`Reserved::id`] made.
    ///
    /// # Errors
    /// [`QueueError::Io`]; nothing is left behind.
    pub fn into_file(mut self, id: QueueId) -> Result<NewFile, QueueError> {
        let path = self.queue.path(QueueName::Incoming, &id);
        self.queue.rename(&self.path, &path)?;
        let file = self.file.take();
        Ok(NewFile { queue: self.queue.clone(), file, path, id, length: 0, mode: MODE_READY, noted: false })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = self.queue.disk.remove(&self.path);
        }
    }
}

impl NewFile {
    /// The message's id, for the Received header and the log.
    pub fn id(&self) -> &QueueId {
        &self.id
    }

    /// Bytes written so far: the offset of the next ones.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends records. For content that is too large to wait for [`NewFile::commit`] in memory.
    ///
    /// # Errors
    /// [`QueueError::Io`]; the file is gone, and later calls fail too.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        let at = self.length;
        self.length += bytes.len() as u64;
        self.overwrite(at, bytes)
    }

    /// Writes over what was written before, such as the size record.
    ///
    /// # Errors
    /// As [`NewFile::write`].
    pub fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> Result<(), QueueError> {
        self.step("write", |disk, file| disk.write_at(file, bytes, offset))
    }

    /// Appends whole entries to the message's log of successes. It goes with the file when that is not committed, so that it is not
    /// taken for the log of another message with the same id.
    ///
    /// # Errors
    /// [`QueueError::Io`]
    pub fn note_success(&mut self, entries: &[u8]) -> Result<(), QueueError> {
        self.noted = true;
        self.queue.append_log(QueueName::Trace, &self.id, entries)
    }

    /// Puts the file on hold, before it is complete: the queue manager will not see it.
    ///
    /// # Errors
    /// As [`NewFile::write`].
    pub fn hold(&mut self) -> Result<(), QueueError> {
        let path = self.queue.path(QueueName::Hold, &self.id);
        let renamed = self.queue.rename(&self.path, &path);
        if renamed.is_err() {
            self.discard();
        } else {
            self.path = path;
        }
        renamed
    }

    /// Writes the rest and makes the message safe: on `Ok` it survives a power cut, and a 250 may be sent. The queue manager finds
    /// it by itself, sooner when told.
    ///
    /// # Errors
    /// [`QueueError::Io`]; the file is gone, nothing was promised. A failed fsync is not tried again: the kernel has
    /// dropped what it could not write.
    pub fn commit(mut self, rest: &[u8]) -> Result<QueueId, QueueError> {
        if !rest.is_empty() {
            self.write(rest)?;
        }
        let mode = self.mode;
        self.step("fchmod", |disk, file| disk.set_mode(file, mode))?;
        self.step("fsync", |disk, file| disk.sync(file))?;
        if self.queue.sync_directories {
            let folder = self.path.parent().unwrap_or(Path::new(".")).to_owned();
            self.step("fsync", |disk, _| disk.sync_directory(&folder))?;
        }
        self.file = None;
        Ok(self.id.clone())
    }

    fn step(
        &mut self,
        verb: &'static str,
        act: impl FnOnce(&dyn Disk, &File) -> io::Result<()>,
    ) -> Result<(), QueueError> {
        let error = match &self.file {
            Some(file) => match act(self.queue.disk.as_ref(), file) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            None => io::Error::from(io::ErrorKind::NotConnected),
        };
        self.discard();
        Err(QueueError::io(verb, &self.path)(error))
    }

    fn discard(&mut self) {
        if self.file.take().is_some() {
            if self.noted {
                let _ = self.queue.remove_log(QueueName::Trace, &self.id);
            }
            let _ = self.queue.disk.remove(&self.path);
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        self.discard();
    }
}
