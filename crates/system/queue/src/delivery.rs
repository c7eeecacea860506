//! What delivery agents do with the file of an active message, and how others can tell that they are at it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use queue_format::QueueId;
use queue_format::record::Kind;
use sys::locks::{self, Hold};

use crate::{Queue, QueueError, QueueName};

/// Where a message that has just got its queue file may be; `active/` once more, for it may have been on its way there.
const ON_THE_WAY: [QueueName; 6] = [
    QueueName::Active,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Maildrop,
];

impl Queue {
    /// Opens the file of an active message for a delivery agent: to read it, and for [`cross_off`].
    ///
    /// Whoever has the descriptor, or got it handed over, holds a shared lock. So an agent that dies leaves the message
    /// locked as long as a process that it sent on its way still delivers it.
    ///
    /// # Errors
    /// What open(2) and fcntl(2) say.
    pub fn open_to_deliver(&self, id: &QueueId) -> io::Result<File> {
        let file = self.disk.open_to_write(&self.path(QueueName::Active, id))?;
        // Nobody holds it alone: the queue manager looks for locks and takes none.
        locks::try_fcntl(&file, Hold::Shared)?;
        Ok(file)
    }

    /// As [`Queue::open_to_deliver`], of a message that was in memory and has got a queue file: it may be about to become
    /// active, or somebody has put it elsewhere since.
    ///
    /// # Errors
    /// What open(2) and fcntl(2) say.
    pub fn open_wherever(&self, id: &QueueId) -> io::Result<File> {
        let mut opened = Err(io::ErrorKind::NotFound.into());
        for name in ON_THE_WAY {
            opened = self.disk.open_to_write(&self.path(name, id));
            if !opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                break;
            }
        }
        let file = opened?;
        locks::try_fcntl(&file, Hold::Shared)?;
        Ok(file)
    }

    /// Is some process still at work on this message, for this queue manager or one before it? Then nobody else may
    /// deliver it: each of its recipients could be the one that is just being reached.
    ///
    /// # Errors
    /// [`QueueError::Io`], [`QueueError::is_gone`].
    pub fn is_being_delivered(&self, name: QueueName, id: &QueueId) -> Result<bool, QueueError> {
        let path = self.path(name, id);
        let file = File::open(&path).map_err(QueueError::io("open", &path))?;
        locks::is_fcntl_locked(&file).map_err(QueueError::io("look for a lock on", &path))
    }

    /// Which of these recipients of an active message, named by their offsets, are crossed off.
    ///
    /// # Errors
    /// [`QueueError::Io`]
    pub fn crossed_off(&self, id: &QueueId, offsets: &[u64]) -> Result<Vec<u64>, QueueError> {
        let path = self.path(QueueName::Active, id);
        let file = File::open(&path).map_err(QueueError::io("open", &path))?;
        crossed_off(&file, offsets).map_err(QueueError::io("read", &path))
    }

    /// Crosses a recipient off in the file of a message that was in memory when its delivery began: by now it may be in
    /// `incoming/` or on its way to `active/`, or where somebody has put it.
    ///
    /// # Errors
    /// [`QueueError::is_gone`] when it has no file; [`QueueError::Io`].
    pub fn cross_off_late(&self, id: &QueueId, offset: u64) -> Result<(), QueueError> {
        let opened = |name| self.open_to_mark(name, id);
        let mut found = opened(QueueName::Active);
        for name in &ON_THE_WAY[1..] {
            if !found.as_ref().is_err_and(QueueError::is_gone) {
                break;
            }
            found = opened(*name);
        }
        let (path, file) = found?;
        let failed = |source| QueueError::io("write", &path)(source);
        let mut kind = [0];
        file.read_exact_at(&mut kind, offset).map_err(failed)?;
        if Kind(kind[0]) == Kind::RECIPIENT { cross_off(&file, offset).map_err(failed) } else { Ok(()) }
    }

    fn open_to_mark(&self, name: QueueName, id: &QueueId) -> Result<(PathBuf, File), QueueError> {
        let path = self.path(name, id);
        let file = self.disk.open_to_write(&path).map_err(QueueError::io("open", &path))?;
        Ok((path, file))
    }
}

/// As [`Queue::crossed_off`], in the open file of a message.
///
/// # Errors
/// What pread(2) says.
pub fn crossed_off(file: &File, offsets: &[u64]) -> io::Result<Vec<u64>> {
    let mut crossed = Vec::new();
    for offset in offsets {
        let mut kind = [0];
        file.read_exact_at(&mut kind, *offset)?;
        if Kind(kind[0]) == Kind::DONE {
            crossed.push(*offset);
        }
    }
    Ok(crossed)
}

/// Crosses the recipient at `offset` off in the open file of a message, as [`Queue::mark_done`] does.
///
/// # Errors
/// What pwrite(2) says: the recipient may get the message twice.
pub fn cross_off(file: &File, offset: u64) -> io::Result<()> {
    file.write_all_at(&[Kind::DONE.0], offset)
}
