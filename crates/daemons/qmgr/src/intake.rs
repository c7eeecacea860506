//! Which message becomes active next: those announced, those found in `incoming/`, those due in `deferred/`.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use queue::{Queue, QueueError, QueueName};
use queue_format::QueueId;
use services::qmgr::Request;

use crate::disk::Candidate;

/// How many announced messages are remembered; past that a scan has to find them.
const ANNOUNCED_LIMIT: usize = 10_000;
/// A message is taken so much before its time, in seconds, as Postfix does: scans come each second at the most.
const AHEAD_SECONDS: u64 = 1;

/// The messages that wait to become active.
#[derive(Debug)]
pub(crate) struct Intake {
    incoming: VecDeque<Candidate>,
    deferred: VecDeque<Candidate>,
    /// Announced, found or active: these are not taken a second time.
    known: HashSet<QueueId>,
    incoming_scan: ScanState,
    deferred_scan: ScanState,
    /// The next scan of `deferred/` takes messages that are not due.
    all: bool,
    deferred_turn: bool,
    /// What an earlier queue manager had left is known by now.
    has_looked: bool,
    /// What an earlier queue manager had in its active queue, as far as it has not been taken from there again.
    left_behind: HashSet<QueueId>,
    next_deferred_scan: Instant,
    queue_run_delay: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanState {
    Idle,
    Wanted,
    Running,
    /// Running, and something has happened since it began.
    RunningAndWanted,
}

/// A scan to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanOrder {
    pub(crate) queue: QueueName,
    /// Take messages whose time has not come too.
    pub(crate) all: bool,
}

/// A letter: what a scan has found.
pub(crate) struct ScanResult {
    pub(crate) queue: QueueName,
    pub(crate) found: Result<Vec<Candidate>, QueueError>,
}

impl Intake {
    /// Begins with a look through both folders.
    pub(crate) fn new(now: Instant, queue_run_delay: Duration) -> Self {
        Self {
            incoming: VecDeque::new(),
            deferred: VecDeque::new(),
            known: HashSet::new(),
            incoming_scan: ScanState::Wanted,
            deferred_scan: ScanState::Wanted,
            all: false,
            deferred_turn: false,
            has_looked: false,
            left_behind: HashSet::new(),
            next_deferred_scan: now + queue_run_delay,
            queue_run_delay,
        }
    }

    /// These messages were in the active queue of an earlier queue manager, and are in `incoming/` now.
    pub(crate) fn was_left_behind(&mut self, ids: Vec<QueueId>) {
        self.left_behind.extend(ids);
    }

    /// Notes a request; dead destinations are the scheduler's.
    pub(crate) fn asked(&mut self, request: Request) {
        match request {
            Request::Arrived(id) => self.announced(&id, false),
            Request::Doubtful(id) => self.announced(&id, true),
            Request::ScanIncoming => self.incoming_scan.want(),
            Request::ScanDeferred => self.deferred_scan.want(),
            Request::ScanAll => self.all = true,
            Request::FlushDead | Request::Direct(_) | Request::Settled(_) => {}
        }
    }

    /// `doubtful`: an earlier queue manager had it in memory.
    fn announced(&mut self, id: &str, doubtful: bool) {
        if self.incoming.len() >= ANNOUNCED_LIMIT {
            self.incoming_scan.want();
            return;
        }
        match id.parse::<QueueId>() {
            Ok(id) => {
                if self.known.insert(id.clone()) {
                    let queue = QueueName::Incoming;
                    let in_doubt = self.left_behind.remove(&id) || doubtful;
                    self.incoming.push_back(Candidate {
                        queue,
                        id,
                        fresh: self.has_looked && !doubtful,
                        in_doubt,
                        reached: None,
                        force_expire: false,
                        unthrottle: false,
                    });
                }
            }
            Err(error) => log::warn!("{error} announced on the public socket"),
        }
    }

    /// What somebody asked for and has not come to pass yet.
    pub(crate) fn wishes(&self) -> Vec<Request> {
        let mut wishes = Vec::new();
        wishes.extend(self.all.then_some(Request::ScanAll));
        wishes.extend(self.deferred_scan.is_wanted().then_some(Request::ScanDeferred));
        wishes.extend(self.incoming_scan.is_wanted().then_some(Request::ScanIncoming));
        wishes
    }

    /// The scans that are due now.
    pub(crate) fn scans(&mut self, now: Instant) -> Vec<ScanOrder> {
        if now >= self.next_deferred_scan {
            self.next_deferred_scan = now + self.queue_run_delay;
            self.deferred_scan.want();
            self.incoming_scan.want();
        }
        let mut orders = Vec::new();
        // A folder is looked through again only when what it held last time is used up.
        if self.incoming.is_empty() && self.incoming_scan.begin() {
            orders.push(ScanOrder { queue: QueueName::Incoming, all: self.all });
        }
        if self.deferred.is_empty() && self.deferred_scan.begin() {
            orders.push(ScanOrder { queue: QueueName::Deferred, all: std::mem::take(&mut self.all) });
        }
        orders
    }

    /// When the next scan is due by the clock.
    pub(crate) fn next_scan(&self) -> Instant {
        self.next_deferred_scan
    }

    /// Takes what a scan has found.
    pub(crate) fn scanned(&mut self, result: ScanResult) {
        let (state, waiting) = match result.queue {
            QueueName::Incoming => (&mut self.incoming_scan, &mut self.incoming),
            _ => (&mut self.deferred_scan, &mut self.deferred),
        };
        state.end();
        // What was there before us may have been in the memory of an earlier queue manager, that is, half delivered.
        let from_before = result.queue == QueueName::Incoming && !self.has_looked;
        self.has_looked |= from_before;
        match result.found {
            Ok(found) => {
                for mut candidate in found {
                    candidate.in_doubt = self.left_behind.remove(&candidate.id) || from_before;
                    if self.known.insert(candidate.id.clone()) {
                        waiting.push_back(candidate);
                    }
                }
            }
            Err(error) => log::warn!("scan of the {} queue: {error}", result.queue),
        }
    }

    /// The next message to become active: from both queues in turn, so that neither new mail nor a backlog waits for the other.
    pub(crate) fn next(&mut self) -> Option<Candidate> {
        self.deferred_turn = !self.deferred_turn;
        let (first, second) = match self.deferred_turn {
            true => (&mut self.deferred, &mut self.incoming),
            false => (&mut self.incoming, &mut self.deferred),
        };
        first.pop_front().or_else(|| second.pop_front())
    }

    /// Does a message wait that has never been active?
    pub(crate) fn has_new_mail(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Takes this id for a message that comes by another way; false when a message of that id is known.
    pub(crate) fn claim(&mut self, id: &QueueId) -> bool {
        self.known.insert(id.clone())
    }

    /// The message has left the active queue, or never got there.
    pub(crate) fn forget(&mut self, id: &QueueId) {
        self.known.remove(id);
    }
}

impl ScanState {
    fn want(&mut self) {
        *self = match self {
            Self::Idle | Self::Wanted => Self::Wanted,
            Self::Running | Self::RunningAndWanted => Self::RunningAndWanted,
        };
    }

    fn is_wanted(self) -> bool {
        matches!(self, Self::Wanted | Self::RunningAndWanted)
    }

    fn begin(&mut self) -> bool {
        let wanted = *self == Self::Wanted;
        if wanted {
            *self = Self::Running;
        }
        wanted
    }

    fn end(&mut self) {
        *self = if *self == Self::RunningAndWanted { Self::Wanted } else { Self::Idle };
    }
}

/// Looks through a folder for messages that are complete and due; blocks. `now` is in seconds since 1970.
pub(crate) fn scan(queue: &Queue, order: ScanOrder, now: u64) -> ScanResult {
    ScanResult { queue: order.queue, found: candidates(queue, order, now) }
}

fn candidates(queue: &Queue, order: ScanOrder, now: u64) -> Result<Vec<Candidate>, QueueError> {
    let mut found = Vec::new();
    for entry in queue.scan(order.queue)? {
        let entry = entry?;
        let Some(id) = entry.id() else { continue };
        let Ok(facts) = entry.facts() else { continue };
        let due = order.all
            || facts.unthrottle()
            || facts.force_expire()
            || facts.modified_seconds <= now + AHEAD_SECONDS;
        if !facts.is_ready() || !due || queue.settle(&entry, order.queue, &id).is_err() {
            continue;
        }
        found.push(Candidate {
            queue: order.queue,
            id,
            fresh: false,
            in_doubt: false,
            reached: None,
            force_expire: facts.force_expire(),
            unthrottle: facts.unthrottle() || order.all,
        });
    }
    Ok(found)
}

/// Puts everything in the active queue back: a queue manager that ended has left it there. What was taken before its time stays due. Blocks.
/// `now` is in seconds since 1970.
///
/// Answers which messages they were.
pub(crate) fn recover(queue: &Queue, now: u64) -> Result<Vec<QueueId>, QueueError> {
    let mut left_behind = Vec::new();
    for entry in queue.scan(QueueName::Active)? {
        let entry = entry?;
        let (Some(id), Ok(facts)) = (entry.id(), entry.facts()) else { continue };
        if facts.modified_seconds > now {
            queue.set_modified(QueueName::Active, &id, now)?;
        }
        queue.move_message(QueueName::Active, QueueName::Incoming, &id)?;
        left_behind.push(id);
    }
    Ok(left_behind)
}
