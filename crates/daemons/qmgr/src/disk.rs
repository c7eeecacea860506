//! What the queue manager has done on the disk, away from the loop: in batches, one at a time, so that a burst of messages costs few
//! wake-ups and a single one waits for nobody.

use std::collections::VecDeque;

use queue::{Loaded, MODE_FORCE_EXPIRE, MODE_READY, Queue, QueueError, QueueName, RecipientSource};
use queue_format::envelope::WarnTime;
use queue_format::{QueueId, Recipient};
use scheduling::MessageKey;

/// How many tasks one batch takes.
const BATCH_LIMIT: usize = 256;

/// A message that waits to become active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) queue: QueueName,
    pub(crate) id: QueueId,
    /// Its writer has just announced it: nobody has noted anything about it yet.
    pub(crate) fresh: bool,
    pub(crate) force_expire: bool,
    pub(crate) unthrottle: bool,
}

/// One thing to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Take a message into the active queue and read it.
    Load(Candidate),
    /// Read more recipients.
    More(MessageKey, RecipientSource),
    /// Cross recipients off.
    Mark { key: MessageKey, id: QueueId, offsets: Vec<u64> },
    /// Cross recipients off, note that the sender was warned, and put the message into `deferred/`.
    Park { key: MessageKey, id: QueueId, offsets: Vec<u64>, until: u64, warned: Option<WarnTime> },
    /// Remove the message, after what was noted about it.
    Remove { key: MessageKey, id: QueueId, with_logs: bool },
}

/// What became of a task.
#[derive(Debug)]
pub(crate) enum Done {
    Loaded(Candidate, Result<Box<LoadedMessage>, QueueError>),
    More(MessageKey, Result<(Vec<Recipient>, Option<RecipientSource>), QueueError>),
    Marked(MessageKey, Result<(), QueueError>),
    Parked(MessageKey, Result<(), Refused>),
    Removed(MessageKey, Result<(), Refused>),
}

/// A task that the disk refused, as it was, to be tried again.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: QueueError,
    pub(crate) task: Task,
}

/// A message and what was noted about it before.
#[derive(Debug)]
pub(crate) struct LoadedMessage {
    pub(crate) loaded: Loaded,
    pub(crate) bounce_log: bool,
    pub(crate) trace_log: bool,
    /// Only of a message that goes back to its sender now: the reason is the last delay's.
    pub(crate) defer_log: bool,
}

/// The tasks that wait, and whether a batch is under way.
#[derive(Debug, Default)]
pub(crate) struct DiskWork {
    waiting: VecDeque<Task>,
    busy: bool,
}

/// A letter: the results of a batch.
pub(crate) struct Batch(pub(crate) Vec<Done>);

impl DiskWork {
    pub(crate) fn push(&mut self, task: Task) {
        self.waiting.push_back(task);
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }

    /// The next batch, if none is under way. The caller has it done and says so with [`DiskWork::batch_is_over`].
    pub(crate) fn next_batch(&mut self) -> Option<Vec<Task>> {
        if self.busy || self.waiting.is_empty() {
            return None;
        }
        self.busy = true;
        let count = self.waiting.len().min(BATCH_LIMIT);
        Some(self.waiting.drain(..count).collect())
    }

    pub(crate) fn batch_is_over(&mut self) {
        self.busy = false;
    }
}

/// Does a batch; blocks.
pub(crate) fn work(queue: &Queue, tasks: Vec<Task>, recipient_limit: usize) -> Batch {
    Batch(tasks.into_iter().map(|task| one(queue, task, recipient_limit)).collect())
}

fn one(queue: &Queue, task: Task, recipient_limit: usize) -> Done {
    match task {
        Task::Load(candidate) => {
            let loaded = load(queue, &candidate, recipient_limit);
            Done::Loaded(candidate, loaded.map(Box::new))
        }
        Task::More(key, mut source) => {
            let read = source.read();
            Done::More(key, read.map(|recipients| (recipients, (!source.is_done()).then_some(source))))
        }
        Task::Mark { key, id, offsets } => {
            Done::Marked(key, queue.mark_done(QueueName::Active, &id, &offsets))
        }
        Task::Park { key, id, offsets, until, warned } => {
            let parked = park(queue, &id, &offsets, until, warned);
            let task = Task::Park { key, id, offsets, until, warned };
            Done::Parked(key, parked.map_err(|error| Refused { error, task }))
        }
        Task::Remove { key, id, with_logs } => {
            let removed = remove(queue, &id, with_logs);
            Done::Removed(
                key,
                removed.map_err(|error| Refused { error, task: Task::Remove { key, id, with_logs } }),
            )
        }
    }
}

/// A message that can not be read goes to `corrupt/`; one that could not be read this time, back to where it was.
fn load(queue: &Queue, candidate: &Candidate, recipient_limit: usize) -> Result<LoadedMessage, QueueError> {
    let id = &candidate.id;
    queue.activate(candidate.queue, id)?;
    load_active(queue, candidate, recipient_limit).inspect_err(|error| {
        let home = if error.is_corrupt() { QueueName::Corrupt } else { candidate.queue };
        if let Err(error) = queue.move_message(QueueName::Active, home, id) {
            log::warn!("{id}: {error}");
        }
    })
}

fn load_active(
    queue: &Queue,
    candidate: &Candidate,
    recipient_limit: usize,
) -> Result<LoadedMessage, QueueError> {
    let id = &candidate.id;
    if candidate.unthrottle {
        // The wish is for this attempt.
        let wish = if candidate.force_expire { MODE_FORCE_EXPIRE } else { 0 };
        queue.set_mode(QueueName::Active, id, MODE_READY | wish)?;
    }
    let (mut bounce_log, mut trace_log, mut defer_log) = (false, false, false);
    if !candidate.fresh {
        if candidate.force_expire {
            defer_log = queue.facts(QueueName::Defer, id).is_ok();
        } else {
            // What the last attempt noted is about recipients that are tried again now.
            forget(queue.remove(QueueName::Defer, id))?;
        }
        bounce_log = queue.facts(QueueName::Bounce, id).is_ok();
        trace_log = queue.facts(QueueName::Trace, id).is_ok();
    }
    let loaded = queue.load(QueueName::Active, id, recipient_limit)?;
    Ok(LoadedMessage { loaded, bounce_log, trace_log, defer_log })
}

fn park(
    queue: &Queue,
    id: &QueueId,
    offsets: &[u64],
    until: u64,
    warned: Option<WarnTime>,
) -> Result<(), QueueError> {
    if !offsets.is_empty() {
        queue.mark_done(QueueName::Active, id, offsets)?;
    }
    if let Some(warn_time) = warned {
        queue.mark_warned(QueueName::Active, id, warn_time)?;
    }
    queue.defer(QueueName::Active, id, until)
}

fn remove(queue: &Queue, id: &QueueId, with_logs: bool) -> Result<(), QueueError> {
    if with_logs {
        queue.remove_logs(id)?;
    }
    forget(queue.remove(QueueName::Active, id))
}

/// What is gone already needs no removal.
fn forget(result: Result<(), QueueError>) -> Result<(), QueueError> {
    match result {
        Err(error) if error.is_gone() => Ok(()),
        result => result,
    }
}
