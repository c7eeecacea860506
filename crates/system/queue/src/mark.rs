//! Marks made in place in the file of an active message.

use queue_format::QueueId;
use queue_format::envelope::WarnTime;
use queue_format::record::{Kind, fixed_number};

use crate::{Queue, QueueError, QueueName};

impl Queue {
    /// Crosses recipients off: the type byte at each of these offsets becomes `D`. Not synced: after a power cut a recipient may get the
    /// message twice, never not at all.
    ///
    /// # Errors
    /// [`QueueError::Io`]; some may be marked.
    pub fn mark_done(&self, name: QueueName, id: &QueueId, offsets: &[u64]) -> Result<(), QueueError> {
        let path = self.path(name, id);
        let file = self.disk.open_to_write(&path).map_err(QueueError::io("open", &path))?;
        for offset in offsets {
            self.disk.write_at(&file, &[Kind::DONE.0], *offset).map_err(QueueError::io("write", &path))?;
        }
        Ok(())
    }

    /// Strikes the record at this offset out: the type byte becomes `K`.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn strike_out(&self, name: QueueName, id: &QueueId, offset: u64) -> Result<(), QueueError> {
        let path = self.path(name, id);
        let file = self.disk.open_to_write(&path).map_err(QueueError::io("open", &path))?;
        self.disk.write_at(&file, &[Kind::KILLED.0], offset).map_err(QueueError::io("write", &path))
    }

    /// Notes that the sender has been told of the delay, so that it is told once.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn mark_warned(&self, name: QueueName, id: &QueueId, warn_time: WarnTime) -> Result<(), QueueError> {
        let path = self.path(name, id);
        let file = self.disk.open_to_write(&path).map_err(QueueError::io("open", &path))?;
        self.disk
            .write_at(&file, &fixed_number(0), warn_time.data_offset)
            .map_err(QueueError::io("write", &path))
    }
}
