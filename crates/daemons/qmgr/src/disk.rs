//! What the queue manager has done on the disk, away from the loop: in a few lanes, a batch at a time in each, so
//! that a burst of messages costs few wake-ups, a single one waits for nobody, and a removal that waits for the
//! filesystem's journal does not hold up all others. What comes in has lanes of its own, or the agents would stand
//! idle behind removals; after that the tasks of one message stay in one lane, and so in order.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

use queue::{Loaded, MODE_FORCE_EXPIRE, MODE_READY, Queue, QueueError, QueueName, RecipientSource};
use queue_format::envelope::WarnTime;
use queue_format::{QueueId, Recipient};
use scheduling::{Delivery, MessageKey};

use crate::direct::Reached;
use crate::finish::NOTIFY_SUCCESS;

/// Lanes that only load messages.
const LOADING_LANES: usize = 4;
/// Lanes for all that follows.
const KEEPING_LANES: usize = 4;
/// How many batches are under way at a time.
pub(crate) const LANES: usize = LOADING_LANES + KEEPING_LANES;
/// How many tasks one batch takes.
const BATCH_LIMIT: usize = 64;
/// What waits in a lane is done in so many batches at least, so that the first results are not the last.
const BATCHES_AT_LEAST: usize = 4;

/// A message that waits to become active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) queue: QueueName,
    pub(crate) id: QueueId,
    /// Its writer has just announced it: nobody has noted anything about it yet.
    pub(crate) fresh: bool,
    /// An earlier queue manager had it in its active queue.
    pub(crate) in_doubt: bool,
    /// Who has got it when it was in memory only.
    pub(crate) reached: Option<Reached>,
    pub(crate) force_expire: bool,
    pub(crate) unthrottle: bool,
}

/// One thing to be done.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a task lives from its order to its thread")]
pub(crate) enum Task {
    /// Take a message into the active queue and read it, with so many recipients.
    Load(Candidate, usize),
    /// Read so many more recipients.
    More(MessageKey, RecipientSource, usize),
    /// Cross recipients off.
    Mark { key: MessageKey, id: QueueId, offsets: Vec<u64> },
    /// Strike a record out that has had its effect.
    StrikeOut { key: MessageKey, id: QueueId, offset: u64 },
    /// Cross recipients off, note that the sender was warned, and put the message into `deferred/`.
    Park { key: MessageKey, id: QueueId, offsets: Vec<u64>, until: u64, warned: Option<WarnTime> },
    /// Remove the message, after what was noted about it.
    Remove { key: MessageKey, id: QueueId, with_logs: bool },
    /// Take a message in that is active already but had no queue file until now.
    Activate { key: MessageKey, id: QueueId },
    /// Remove the queue file of a message that everybody had got without one.
    RemoveCopy(QueueId),
    /// See how far an agent has come that has ended.
    Look(Box<Lost>),
}

/// A delivery whose agent has ended.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) key: MessageKey,
    pub(crate) id: QueueId,
    /// The message, when it was no queue file that the agent had.
    pub(crate) memory: Option<Arc<File>>,
    /// Of the recipients, in the order of the delivery.
    pub(crate) offsets: Vec<u64>,
    pub(crate) delivery: Delivery,
}

/// What became of a task.
#[derive(Debug)]
pub(crate) enum Done {
    Loaded(Candidate, usize, Result<Box<LoadedMessage>, QueueError>),
    More(MessageKey, usize, Result<MoreRecipients, QueueError>),
    Marked(MessageKey, Result<(), QueueError>),
    Parked(MessageKey, Result<(), Refused>),
    Removed(MessageKey, Result<(), Refused>),
    CopyRemoved(QueueId, Result<(), QueueError>),
    Activated(MessageKey, Result<(), Refused>),
    /// Nobody is at work on the message; the recipients at these offsets are crossed off.
    Looked(Box<Lost>, Vec<u64>),
    /// An agent that has ended, or one of an earlier queue manager, has left somebody at work on the message.
    Busy(Task),
}

/// Further recipients, and where those after them come from.
pub(crate) type MoreRecipients = (Vec<Recipient>, Option<RecipientSource>);

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

/// The tasks that wait, and which lanes are busy.
#[derive(Debug, Default)]
pub(crate) struct DiskWork {
    lanes: [Lane; LANES],
    /// The lane of the next message that is loaded.
    next_lane: usize,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Task>,
    busy: bool,
}

/// A letter: the results of a lane's batch.
pub(crate) struct Batch {
    pub(crate) lane: usize,
    pub(crate) done: Vec<Done>,
}

impl DiskWork {
    pub(crate) fn push(&mut self, task: Task) {
        let lane = match &task {
            Task::Load(..) | Task::RemoveCopy(_) => {
                self.next_lane = (self.next_lane + 1) % LOADING_LANES;
                self.next_lane
            }
            Task::More(key, ..)
            | Task::Mark { key, .. }
            | Task::StrikeOut { key, .. }
            | Task::Park { key, .. }
            | Task::Activate { key, .. }
            | Task::Remove { key, .. } => lane_of(*key),
            Task::Look(lost) => lane_of(lost.key),
        };
        self.lanes[lane].waiting.push_back(task);
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.waiting.is_empty() && !lane.busy)
    }

    /// The next batch of a lane that is free, and the lane. The caller has it done and says so with
    /// [`DiskWork::batch_is_over`].
    pub(crate) fn next_batch(&mut self) -> Option<(usize, Vec<Task>)> {
        let free = self.lanes.iter().position(|lane| !lane.busy && !lane.waiting.is_empty())?;
        let lane = &mut self.lanes[free];
        lane.busy = true;
        let count = lane.waiting.len().div_ceil(BATCHES_AT_LEAST).min(BATCH_LIMIT);
        Some((free, lane.waiting.drain(..count).collect()))
    }

    pub(crate) fn batch_is_over(&mut self, lane: usize) {
        self.lanes[lane].busy = false;
    }
}

fn lane_of(key: MessageKey) -> usize {
    LOADING_LANES + usize::try_from(key % KEEPING_LANES as u64).unwrap_or(0)
}

/// Does a batch; blocks.
pub(crate) fn work(queue: &Queue, lane: usize, tasks: Vec<Task>) -> Batch {
    Batch { lane, done: tasks.into_iter().map(|task| one(queue, task)).collect() }
}

fn one(queue: &Queue, task: Task) -> Done {
    match task {
        Task::Load(candidate, limit)
            if !candidate.fresh && is_busy(queue, candidate.queue, &candidate.id) =>
        {
            Done::Busy(Task::Load(candidate, limit))
        }
        Task::Load(candidate, limit) => {
            let loaded = load(queue, &candidate, limit);
            Done::Loaded(candidate, limit, loaded.map(Box::new))
        }
        Task::More(key, mut source, limit) => {
            let read = source.read(limit);
            Done::More(key, limit, read.map(|recipients| (recipients, (!source.is_done()).then_some(source))))
        }
        Task::Mark { key, id, offsets } => {
            Done::Marked(key, queue.mark_done(QueueName::Active, &id, &offsets))
        }
        Task::StrikeOut { key, id, offset } => {
            Done::Marked(key, queue.strike_out(QueueName::Active, &id, offset))
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
        Task::RemoveCopy(id) => {
            let removed = remove(queue, &id, false);
            Done::CopyRemoved(id, removed)
        }
        Task::Activate { key, id } => {
            let activated = queue.activate(QueueName::Incoming, &id);
            Done::Activated(
                key,
                activated.map_err(|error| Refused { error, task: Task::Activate { key, id } }),
            )
        }
        Task::Look(lost) if is_busy(queue, QueueName::Active, &lost.id) => Done::Busy(Task::Look(lost)),
        Task::Look(lost) => {
            let in_memory = lost.memory.as_ref().map(|file| queue::crossed_off(file, &lost.offsets));
            // What can not be read now will not be readable for an agent either.
            let mut crossed_off = in_memory.and_then(Result::ok).unwrap_or_default();
            // A message in memory may have got its queue file meanwhile.
            crossed_off.extend(queue.crossed_off(&lost.id, &lost.offsets).unwrap_or_default());
            Done::Looked(lost, crossed_off)
        }
    }
}

/// Whoever is at work on the message was sent on the way by an agent that is no more, or by an earlier queue manager.
/// When that can not be told (the file is gone, the file system knows no locks) nobody is waited for.
fn is_busy(queue: &Queue, name: QueueName, id: &QueueId) -> bool {
    queue.is_being_delivered(name, id).unwrap_or(false)
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
    let mut loaded = queue.load(QueueName::Active, id, recipient_limit)?;
    if candidate.fresh && asks_for_success(&loaded) {
        // Its writer may have noted which recipients were aliases.
        trace_log = queue.facts(QueueName::Trace, id).is_ok();
    }
    if let Some(reached) = candidate.reached.as_ref().filter(|it| Some(it.arrival) == loaded.envelope.arrival)
    {
        queue.mark_done(QueueName::Active, id, &reached.offsets)?;
        loaded = queue.load(QueueName::Active, id, recipient_limit)?;
    }
    Ok(LoadedMessage { loaded, bounce_log, trace_log, defer_log })
}

/// Has one of the recipients been given with NOTIFY=SUCCESS (RFC 3461 §4.1)? The size record keeps what they were given
/// with, shifted by one bit.
fn asks_for_success(loaded: &Loaded) -> bool {
    loaded.envelope.size.is_some_and(|size| size.manager_flags >> 1 & NOTIFY_SUCCESS != 0)
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
