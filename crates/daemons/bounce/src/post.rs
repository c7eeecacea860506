//! How a report gets into the queue: by the same editor and the same commit as all mail.

use parameters::Config;
use queue::{NewFile, Queue, QueueError};
use queue_format::QueueId;

use crate::prepare::Report;

/// Why a report is not in the queue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("reports can not be queued yet")]
    NotYet,
}

/// Puts reports into the queue.
pub(crate) struct Poster {
    queue: Queue,
}

/// A report as records, in a file that is not synced yet.
pub(crate) struct Edited {
    file: NewFile,
    records: Vec<u8>,
}

/// A report that is in the queue for good.
pub(crate) struct Committed {
    pub(crate) id: QueueId,
}

impl Poster {
    pub(crate) fn new(_config: &Config, queue: Queue) -> Self {
        Self { queue }
    }

    pub(crate) fn edit(&mut self, _report: &Report) -> Result<Edited, PostError> {
        Err(PostError::NotYet)
    }

    pub(crate) fn announce(&mut self, _committed: &Committed) {}
}

impl Edited {
    /// Brings the report onto the disk.
    pub(crate) fn commit(self) -> Result<Committed, PostError> {
        Ok(Committed { id: self.file.commit(&self.records)? })
    }
}
