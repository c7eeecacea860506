//! One request from begin to end. Runs on the offload pool: it reads, edits, writes and syncs.

use queue::Queue;
use queue_format::QueueId;
use services::bounce::{BounceRequest, Command};

use crate::post::post;
use crate::prepare::{PrepareError, Preparer};
use posting::{PostError, Poster};

/// What jobs need.
pub(crate) struct Job {
    pub(crate) queue: Queue,
    pub(crate) preparer: Preparer,
    pub(crate) poster: Poster,
}

/// What became of a request.
pub(crate) struct Done {
    /// It is done and on disk.
    pub(crate) done: bool,
    /// New messages that the queue manager is to be told of.
    pub(crate) queued: Vec<QueueId>,
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Post(#[from] PostError),
}

impl Job {
    /// Does what is asked; what goes wrong is logged.
    pub(crate) fn run(&self, request: &BounceRequest) -> Done {
        let mut queued = Vec::new();
        let result = self.try_run(request, &mut queued);
        if let Err(error) = &result {
            log::warn!("{}: {error}", request.queue_id);
        }
        Done { done: result.is_ok(), queued }
    }

    fn try_run(&self, request: &BounceRequest, queued: &mut Vec<QueueId>) -> Result<(), JobError> {
        let id = &request.queue_id;
        if let Command::Append(failures) = &request.command {
            return Ok(self.preparer.append(id, failures)?);
        }
        self.send(id, &request.command, queued)?;
        if matches!(request.command, Command::Flush(_))
            && let Err(error) = self.preparer.forget(id)
        {
            // The sender knows; a log that stays is removed with its message.
            log::warn!("{id}: {error}");
        }
        Ok(())
    }

    /// Queues the reports. The sender's have to succeed; the postmaster's copy need not, and the sender must not be told
    /// twice for its sake.
    fn send(&self, id: &str, command: &Command, queued: &mut Vec<QueueId>) -> Result<(), JobError> {
        for report in self.preparer.reports(id, command)? {
            match post(&self.poster, &self.queue, &report) {
                Ok(Some(new)) => {
                    log::info!("{id}: {}: {new}", report.log_words);
                    queued.push(new);
                }
                Ok(None) => {}
                Err(error) if report.is_courtesy => log::warn!("{id}: postmaster notice failed: {error}"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
