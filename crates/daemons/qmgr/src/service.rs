//! The queue manager's state and its turns.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use parameters::Config;
use queue::{Queue, QueueError};
use queue_format::QueueId;
use reactor::channel::{Channel, Wire};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter};
use rewriting::Rewriting;
use scheduling::{MessageKey, Scheduler};
use services::qmgr::Request;
use sys::error_text::reason;
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::direct::{DirectMail, Reached};
use crate::disk::{self, Batch, Candidate, DiskWork, Done, LoadedMessage, MoreRecipients, Task};
use crate::dispatch::Agents;
use crate::intake::{self, Intake, ScanResult};
use crate::lost::LOOK_AGAIN_US;
use crate::memory::LongMessages;
use crate::message::Message;
use crate::reports::Reporters;
use crate::settings::Settings;
use crate::trigger::TriggerClient;

/// How often a second queue manager looks whether the first is gone.
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// How long the next queue manager waits for deliveries of this one, in microseconds. Agents go on without a queue
/// manager: they cross off whom they reach, and hold a lock on the message meanwhile.
const MAKE_WAY_US: u64 = 1_000_000;
/// Where requests come in, below the queue directory.
const PUBLIC_SOCKET: &str = "public/qmgr";
/// How many clients the public socket may have at a time.
const TRIGGER_CLIENT_LIMIT: usize = 10_000;

/// The queue manager.
pub(crate) struct Manager {
    pub(crate) settings: Settings,
    pub(crate) config: Config,
    pub(crate) queue: Queue,
    pub(crate) rewriting: Rewriting,
    pub(crate) tables: Tables,
    pub(crate) scheduler: Scheduler,
    pub(crate) intake: Intake,
    pub(crate) disk: DiskWork,
    pub(crate) messages: HashMap<MessageKey, Message>,
    pub(crate) long_messages: LongMessages,
    pub(crate) direct: DirectMail,
    pub(crate) agents: Agents,
    pub(crate) reporters: Reporters,
    /// Tasks that the disk refused, and when (in microseconds since 1970) they are tried again.
    pub(crate) later: Vec<(u64, Task)>,
    /// The time at which this turn began, in microseconds since 1970.
    pub(crate) now_us: u64,
    /// No more deliveries are begun.
    pub(crate) leaving: bool,
    /// When it goes whatever is still being delivered, in microseconds since 1970.
    makes_way_at: Option<u64>,
    pub(crate) trigger_clients: Clients,
    /// Words for flush(8) that have not been said yet, and those under way.
    pub(crate) flush_words: Vec<services::flush::Request>,
    pub(crate) flush_talks: usize,
    last_key: MessageKey,
    loading: usize,
    scans: usize,
    ownership: Ownership,
    desk: Option<HandlerId>,
}

/// Whose the active queue is.
#[derive(Debug)]
enum Ownership {
    /// Another queue manager has it, or had it when we last looked.
    Wanted,
    /// It is ours, and what was left in it goes back to `incoming/`.
    Recovering { lock: File },
    /// It is ours and was empty.
    Ours { _lock: File },
}

/// A letter: the active queue is empty.
struct Recovered(Result<Vec<QueueId>, QueueError>);

/// Takes the letters of the offload pool.
struct Desk;

impl Handler<Manager> for Desk {
    fn letter(
        &mut self,
        letter: Letter,
        manager: &mut Manager,
        _: &mut EventLoop<Manager>,
        _: HandlerId,
    ) -> Fate {
        manager.look_at_the_clock();
        let letter = match letter.downcast::<Batch>() {
            Ok(batch) => {
                manager.disk.batch_is_over(batch.lane);
                batch.done.into_iter().for_each(|done| manager.done(done));
                return Fate::Keep;
            }
            Err(letter) => letter,
        };
        match letter.downcast::<ScanResult>() {
            Ok(result) => {
                manager.scans -= 1;
                manager.adopt(&result);
                manager.intake.scanned(*result);
            }
            Err(letter) => {
                if let Ok(recovered) = letter.downcast::<Recovered>() {
                    manager.recovered(recovered.0);
                }
            }
        }
        Fate::Keep
    }
}

impl Service for Manager {
    const PROGRAM: &'static str = "qmgr";
    /// One a lane, and two that scan.
    const POOL_THREADS: usize = disk::LANES + 2;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let settings = Settings::from(&setup.config);
        let queue = setup.queue()?;
        let rewriting = rewriting::Settings::from(&setup.config);
        Ok(Self {
            intake: Intake::new(Instant::now(), settings.queue_run_delay),
            tables: open_tables(&rewriting, &settings.fast_flush_domains),
            rewriting: Rewriting::new(rewriting),
            config: setup.config.clone(),
            queue,
            long_messages: LongMessages::new(settings.memory),
            settings,
            scheduler: Scheduler::new(),
            disk: DiskWork::default(),
            messages: HashMap::new(),
            direct: DirectMail::default(),
            agents: Agents::default(),
            reporters: Reporters::default(),
            later: Vec::new(),
            now_us: sys::clock::now_us(),
            leaving: false,
            makes_way_at: None,
            trigger_clients: Clients::default(),
            flush_words: Vec::new(),
            flush_talks: 0,
            last_key: 0,
            loading: 0,
            scans: 0,
            ownership: Ownership::Wanted,
            desk: None,
        })
    }

    fn start(&mut self, _: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        let desk = events.add(Box::new(Desk)).map_err(|error| StartError::Refused(error.to_string()))?;
        self.desk = Some(desk);
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        self.trigger_clients.welcome(Channel::start(socket, TriggerClient::default(), events));
    }

    fn has_room(&self) -> bool {
        self.trigger_clients.here() < TRIGGER_CLIENT_LIMIT
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.tables)
    }

    /// What has to come to an end before the queue manager may: deliveries, and what follows from them.
    fn sessions(&self) -> usize {
        let over = self.makes_way_at.is_some_and(|time| time <= self.now_us);
        let deliveries = if over { 0 } else { self.agents.under_way() };
        deliveries + self.reporters.pending() + usize::from(!self.disk.is_idle())
    }

    fn may_retire(&self) -> bool {
        false
    }

    fn woken(&mut self, _: &mut EventLoop<Self>) {
        self.intake.asked(Request::ScanIncoming);
    }

    fn draining(&mut self, _: &mut EventLoop<Self>) {
        self.look_at_the_clock();
        self.leaving = true;
        self.makes_way_at = Some(self.now_us + MAKE_WAY_US);
        pass_on(&self.intake.wishes());
    }

    /// Nobody waits for our place.
    fn stopping(&mut self, _: &mut EventLoop<Self>) {
        self.makes_way_at = None;
    }

    fn turn_ends(&mut self, events: &mut EventLoop<Self>) {
        self.look_at_the_clock();
        let active = self.is_owner(events) && !self.leaving && !worker::is_behind(self);
        if active {
            self.look_for_mail(events);
            self.read_on_all();
            self.dispatch(events);
        }
        self.send_answers(events);
        self.send_reports(events);
        self.tell_flush(events);
        self.use_the_disk(events);
        self.set_the_alarm(events);
        let more = (active && self.scheduler.is_ready()) || self.reporters.is_ready();
        if let Some(desk) = self.desk.filter(|_| more) {
            events.again(desk);
        }
    }
}

/// Leaves what was asked of us to the queue manager that takes our place: it is the one that hears the socket now.
/// When the suite stops nobody does, and nothing is lost: the next one looks through the queue.
fn pass_on(requests: &[Request]) {
    let mut bytes = Vec::new();
    requests.iter().for_each(|request| request.encode(&mut bytes));
    if !bytes.is_empty()
        && let Ok(socket) = sys::sockets::connect_unix(Path::new(PUBLIC_SOCKET))
    {
        let _ = socket.write(&bytes);
    }
}

/// The tables of routing, opened while the rights are there.
fn open_tables(settings: &rewriting::Settings, flush_domains: &str) -> Tables {
    let tables = Tables::default();
    for maps in [
        &settings.transport_maps,
        &settings.virtual_alias_maps,
        &settings.relocated_maps,
        &settings.sender_dependent_default_transport_maps,
        &settings.sender_dependent_relayhost_maps,
    ] {
        tables.open_maps(maps);
    }
    for list in [
        &settings.mydestination,
        &settings.virtual_alias_domains,
        &settings.virtual_mailbox_domains,
        &settings.relay_domains,
    ] {
        tables.open_list(list);
    }
    tables.open_list(flush_domains);
    tables
}

impl Manager {
    /// Somebody has asked for something on the public socket.
    pub(crate) fn asked(&mut self, request: Request) {
        match request {
            Request::Arrived(id) | Request::Doubtful(id) if self.has_in_memory(&id) => self.settled(id),
            request if self.leaving => pass_on(&[request]),
            Request::FlushDead => self.scheduler.open_all(),
            request => self.intake.asked(request),
        }
    }

    /// To be called first by whoever is told something from outside: pauses and ages count from there, and the last
    /// turn may have been long ago.
    pub(crate) fn look_at_the_clock(&mut self) {
        self.now_us = sys::clock::now_us();
    }

    /// Is the active queue ours? One queue manager at a time, or messages would be delivered twice: the lock goes with the process that
    /// has it.
    fn is_owner(&mut self, events: &mut EventLoop<Self>) -> bool {
        match &self.ownership {
            Ownership::Ours { .. } => return true,
            Ownership::Recovering { .. } => return false,
            Ownership::Wanted => {}
        }
        let active = File::open("active").and_then(|folder| {
            Ok(sys::locks::try_flock(&folder, sys::locks::Hold::Exclusive)?.then_some(folder))
        });
        match active {
            Ok(Some(folder)) => {
                self.ownership = Ownership::Recovering { lock: folder };
                let (queue, now) = (self.queue.clone(), self.now_us / 1_000_000);
                self.offload(events, move || Recovered(intake::recover(&queue, now)));
            }
            Ok(None) => {}
            Err(error) => log::warn!("open active: {}", reason(&error)),
        }
        false
    }

    fn recovered(&mut self, result: Result<Vec<QueueId>, QueueError>) {
        match result {
            Ok(left_behind) => self.intake.was_left_behind(left_behind),
            Err(error) => {
                log::warn!("move messages from the active to the incoming queue: {error}");
                self.ownership = Ownership::Wanted;
                return;
            }
        }
        if let Ownership::Recovering { lock } = std::mem::replace(&mut self.ownership, Ownership::Wanted) {
            self.ownership = Ownership::Ours { _lock: lock };
        }
    }

    /// Scans what is to be scanned and takes messages in, up to `qmgr_message_active_limit`.
    fn look_for_mail(&mut self, events: &mut EventLoop<Self>) {
        for order in self.intake.scans(events.now()) {
            let (queue, now) = (self.queue.clone(), self.now_us / 1_000_000);
            self.scans += 1;
            self.offload(events, move || intake::scan(&queue, order, now));
        }
        while self.messages.len() + self.loading < self.settings.active_limit {
            let Some(mut candidate) = self.intake.next() else { break };
            candidate.reached = self.direct.finished.reached(&candidate.id).cloned();
            self.loading += 1;
            let limit = self.long_messages.memory.promise_for_new();
            self.disk.push(Task::Load(candidate, limit));
        }
    }

    fn use_the_disk(&mut self, events: &mut EventLoop<Self>) {
        let now = self.now_us;
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(time, _)| *time <= now);
        self.later = later;
        due.into_iter().for_each(|(_, task): (u64, Task)| self.disk.push(task));
        while let Some((lane, tasks)) = self.disk.next_batch() {
            let queue = self.queue.clone();
            self.offload(events, move || disk::work(&queue, lane, tasks));
        }
    }

    fn offload<T: Send + 'static>(
        &mut self,
        events: &mut EventLoop<Self>,
        job: impl FnOnce() -> T + Send + 'static,
    ) {
        let Some(desk) = self.desk else { return };
        // The pool takes thousands of jobs; the queue manager has a handful under way.
        if events.offload(desk, job).is_err() {
            log::error!("the offload pool is full");
        }
    }

    fn set_the_alarm(&mut self, events: &mut EventLoop<Self>) {
        let Some(desk) = self.desk else { return };
        let now = events.now();
        let from_us = |time: u64| now + Duration::from_micros(time.saturating_sub(self.now_us));
        let scan = match self.ownership {
            Ownership::Wanted => now + LOCK_RETRY,
            _ => self.intake.next_scan(),
        };
        let scheduler = self.scheduler.next_alarm().map(from_us);
        let later = self
            .later
            .iter()
            .map(|(time, _)| *time)
            .chain(self.makes_way_at.filter(|time| *time > self.now_us))
            .min()
            .map(from_us);
        let read_on = self.long_messages.next_look().map(from_us);
        events.set_deadline(desk, [Some(scan), scheduler, later, read_on].into_iter().flatten().min());
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Loaded(candidate, promised, loaded) => {
                self.long_messages.memory.is_read(promised);
                self.loaded(candidate, loaded);
            }
            Done::More(key, promised, read) => {
                self.long_messages.memory.is_read(promised);
                self.more_recipients(key, read);
            }
            Done::Marked(key, Err(error)) => {
                if let Some(message) = self.messages.get(&key) {
                    log::warn!("{}: {error}", message.id);
                }
            }
            Done::Marked(_, Ok(())) => {}
            Done::Activated(key, result) => self.activated(key, result),
            Done::Looked(lost, crossed_off) => self.found(*lost, &crossed_off),
            Done::Busy(task) => self.later.push((self.now_us + LOOK_AGAIN_US, task)),
            Done::Parked(key, result) => self.left(key, result, false),
            Done::Removed(key, result) => self.left(key, result, true),
            Done::CopyRemoved(id, result) => {
                if let Err(error) = result {
                    log::warn!("{error}; its recipients have the message already");
                }
                self.intake.forget(&id);
            }
        }
    }

    fn loaded(&mut self, candidate: Candidate, loaded: Result<Box<LoadedMessage>, QueueError>) {
        self.loading -= 1;
        let id = candidate.id;
        let found = match loaded {
            Ok(found) => *found,
            Err(error) => {
                if error.is_corrupt() {
                    log::warn!("{id}: {error}; saved in the corrupt queue");
                } else if !error.is_gone() {
                    log::warn!("{id}: {error}");
                }
                return self.intake.forget(&id);
            }
        };
        let same = |reached: &Reached| Some(reached.arrival) == found.loaded.envelope.arrival;
        let everybody_has_it = found.loaded.more.is_none()
            && found.loaded.envelope.recipients.iter().all(|recipient| recipient.done);
        if everybody_has_it && candidate.reached.as_ref().is_some_and(same) {
            return self.disk.push(Task::RemoveCopy(id));
        }
        let mut message = Message::new(id, found.loaded, self.now_us);
        self.settings.apply_to(&mut message);
        let told = message.envelope.warn_time.is_some_and(|warn| warn.seconds == 0);
        if told && self.settings.confirm_delay_cleared {
            message.trace = message.trace.with_cleared_delay();
        }
        message.bounce_log = found.bounce_log;
        message.trace_log = found.trace_log;
        message.defer_log = found.defer_log;
        message.force_expire = candidate.force_expire;
        message.unthrottle = candidate.unthrottle;
        message.in_doubt = candidate.in_doubt;
        let key = self.admit(message);
        self.assign(key);
        self.advance(key);
    }

    /// Is there room for a message that did not wait in `incoming/`?
    pub(crate) fn takes_more(&self) -> bool {
        let ours = matches!(self.ownership, Ownership::Ours { .. });
        ours && !self.leaving && self.messages.len() + self.loading < self.settings.active_limit
    }

    /// Do new messages wait for room in the active queue?
    pub(crate) fn is_crowded(&self) -> bool {
        self.messages.len() + self.loading >= self.settings.active_limit && self.intake.has_new_mail()
    }

    /// The message is active now.
    pub(crate) fn admit(&mut self, mut message: Message) -> MessageKey {
        message.one_report = self.settings.verp_bounces_disabled;
        log::info!(
            "{}: from=<{}>, size={}, nrcpt={} (queue active)",
            message.id,
            self.settings.shown(message.sender()),
            message.envelope.message_bytes(),
            message.recipients_left()
        );
        self.last_key += 1;
        self.messages.insert(self.last_key, message);
        self.note_length(self.last_key);
        self.last_key
    }

    fn more_recipients(&mut self, key: MessageKey, read: Result<MoreRecipients, QueueError>) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.waiting -= 1;
        match read {
            Ok((recipients, more)) => {
                message.more = more;
                message.take_recipients(recipients);
                self.note_length(key);
                self.assign(key);
            }
            Err(error) => {
                log::warn!("{}: {error}", message.id);
                // Those in memory are delivered to; the others at another attempt.
                message.deferred = true;
            }
        }
        self.advance(key);
    }
}
