//! The couriers of a delivery agent: kept per owner, asked for when they are needed, let go when they are not.
//!
//! A courier is a process that delivers as one user (see `mailbox::job`, spawnd(8)). It does one job at a time, so
//! that an owner with much mail has several and their syncs run side by side. One that had nothing to do for a
//! minute is let go, and the one that has waited longest makes room when there are too many. Jobs for one mbox file
//! follow each other, or their couriers would wait for each other's locks.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use std::{fs, io};

use attributes::Attributes;
use mailbox::Form;
use mailbox::job::{Answer, CourierSettings, Hello, Job, MESSAGE_LIMIT_BYTES};
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::descriptors;
use sys::sockets::{self, Socket};

use crate::spawn::CourierRequest;

/// Couriers that one owner may have.
const COURIERS_PER_OWNER: usize = 16;
/// Couriers that one agent may have.
const COURIERS_LIMIT: usize = 1000;
/// How long a courier is kept without work.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How long a courier may take to report for work.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often a courier is asked for anew when those before died without a word (spawnd was replaced).
const START_ATTEMPTS: u32 = 3;
/// What a courier says is not longer, in bytes.
const ANSWER_LIMIT_BYTES: usize = 8 * 1024;

/// An agent that has couriers.
pub trait HasCouriers: Sized + 'static {
    /// Its couriers.
    fn couriers(&mut self) -> &mut Couriers;

    /// The job with this ticket is over.
    fn job_is_over(
        &mut self,
        ticket: Ticket,
        outcome: Result<Answer, NoDelivery>,
        events: &mut EventLoop<Self>,
    );
}

/// Names a job; chosen by the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Which request.
    pub request: u64,
    /// Which of its recipients.
    pub recipient: usize,
}

/// Who delivers: couriers with the same owner can stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Which directory they may write below; text that differs where the directories do.
    pub base: Rc<str>,
}

/// A job with the open queue file.
#[derive(Debug)]
pub struct Assignment {
    /// Names it.
    pub ticket: Ticket,
    /// What to do.
    pub job: Job,
    /// The message.
    pub file: Rc<fs::File>,
}

/// Why a job was not done, when it is not its own fault. It may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDelivery {
    /// spawnd gives no courier for this owner.
    #[error("{text}")]
    Refused {
        /// Why.
        text: String,
        /// It will not be otherwise until somebody changes the configuration.
        misconfigured: bool,
    },
    /// The courier has gone in the middle.
    #[error("courier ended unexpectedly")]
    Died,
    /// spawnd can not be reached.
    #[error("connect to spawnd: {0}")]
    Unreachable(String),
}

/// What a courier does.
#[derive(Debug)]
enum Duty {
    Starting,
    Waiting { since: Instant },
    Delivering(Box<Assignment>),
}

struct Courier {
    line: Rc<Socket>,
    owner: Owner,
    /// How to get another like it.
    request: CourierRequest,
    duty: Duty,
}

/// What one owner has.
struct Staff {
    /// How to get one more courier.
    request: CourierRequest,
    waiting: Vec<HandlerId>,
    starting: usize,
    total: usize,
    queue: VecDeque<Assignment>,
    /// Couriers that died without a word since the last one that worked.
    failures: u32,
}

/// A job that waits for its turn at an mbox file.
struct Errand {
    owner: Owner,
    request: CourierRequest,
    assignment: Assignment,
}

/// An mbox file: its base and its path below.
type Mbox = (Rc<str>, PathBuf);

/// A connection to spawnd: one serves for all requests. When spawnd was replaced it is made anew.
#[derive(Debug)]
pub(crate) struct SpawndLine {
    path: PathBuf,
    socket: Option<Socket>,
}

impl SpawndLine {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, socket: None }
    }

    /// Sends a request with a descriptor.
    pub(crate) fn send(&mut self, bytes: &[u8], file: BorrowedFd<'_>) -> io::Result<()> {
        if let Some(spawnd) = &self.socket {
            match descriptors::send(spawnd.as_fd(), bytes, &[file]) {
                Ok(count) if count == bytes.len() => return Ok(()),
                _ => self.socket = None,
            }
        }
        let spawnd = sockets::connect_unix(&self.path)?;
        let count = descriptors::send(spawnd.as_fd(), bytes, &[file])?;
        if count < bytes.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.socket = Some(spawnd);
        Ok(())
    }
}

/// All couriers of an agent.
pub struct Couriers {
    spawnd: SpawndLine,
    settings: CourierSettings,
    couriers: HashMap<HandlerId, Courier>,
    staffs: HashMap<Owner, Staff>,
    /// mbox files that a job is under way for, and the jobs to come.
    mboxes: HashMap<Mbox, VecDeque<Errand>>,
    /// The mbox files of jobs under way.
    at_mbox: HashMap<Ticket, Mbox>,
}

impl Couriers {
    /// None yet. `spawnd_path` is the socket of spawnd.
    pub fn new(spawnd_path: PathBuf, settings: CourierSettings) -> Self {
        Self {
            spawnd: SpawndLine::new(spawnd_path),
            settings,
            couriers: HashMap::new(),
            staffs: HashMap::new(),
            mboxes: HashMap::new(),
            at_mbox: HashMap::new(),
        }
    }

    /// Has `owner`'s courier do a job; `request` says how to get one. The outcome comes to
    /// [`HasCouriers::job_is_over`], never from within this call.
    ///
    /// # Errors
    /// When no courier can be asked for; the job is not done then.
    pub fn assign<D: HasCouriers>(
        &mut self,
        owner: &Owner,
        request: &CourierRequest,
        assignment: Assignment,
        events: &mut EventLoop<D>,
    ) -> Result<(), NoDelivery> {
        if assignment.job.place.form == Form::Maildir {
            return self.begin(owner, request, assignment, events);
        }
        let mbox = (Rc::clone(&owner.base), assignment.job.place.path.clone());
        if let Some(waiting) = self.mboxes.get_mut(&mbox) {
            waiting.push_back(Errand { owner: owner.clone(), request: request.clone(), assignment });
            return Ok(());
        }
        let ticket = assignment.ticket;
        self.begin(owner, request, assignment, events)?;
        self.mboxes.insert(mbox.clone(), VecDeque::new());
        self.at_mbox.insert(ticket, mbox);
        Ok(())
    }

    /// Whoever is next at the mbox file of a job that is over.
    fn next_at_mbox(&mut self, ticket: Ticket) -> Option<Errand> {
        let mbox = self.at_mbox.remove(&ticket)?;
        let next = self.mboxes.get_mut(&mbox)?.pop_front();
        match &next {
            Some(errand) => self.at_mbox.insert(errand.assignment.ticket, mbox).map_or((), drop),
            None => self.mboxes.remove(&mbox).map_or((), drop),
        }
        next
    }

    fn begin<D: HasCouriers>(
        &mut self,
        owner: &Owner,
        request: &CourierRequest,
        assignment: Assignment,
        events: &mut EventLoop<D>,
    ) -> Result<(), NoDelivery> {
        let mut assignment = assignment;
        while let Some(courier) = self.staffs.get_mut(owner).and_then(|staff| staff.waiting.pop()) {
            assignment = match self.send_off(courier, assignment, events) {
                Ok(()) => return Ok(()),
                // That it is dead the loop will hear in this turn or the next.
                Err((assignment, NoDelivery::Died)) => assignment,
                Err((_, why)) => return Err(why),
            };
        }
        let staff = self.staffs.entry(owner.clone()).or_insert_with(|| Staff::new(request.clone()));
        let enough = staff.starting > staff.queue.len() || staff.total >= COURIERS_PER_OWNER;
        let alone = staff.total == 0;
        if !enough {
            let room = self.couriers.len() < COURIERS_LIMIT || self.let_oldest_go(events);
            // With no courier at all this job would wait for ever, so the limit gives way.
            if room || alone {
                let asked = self.ask_for_courier(owner, request, events);
                if asked.is_err() && alone {
                    self.staffs.remove(owner);
                    return asked;
                }
            }
        }
        if let Some(staff) = self.staffs.get_mut(owner) {
            staff.queue.push_back(assignment);
        }
        Ok(())
    }

    /// Couriers of all owners, for tests and status.
    pub fn population(&self) -> usize {
        self.couriers.len()
    }

    #[expect(clippy::result_large_err, reason = "on failure the assignment goes back to the caller")]
    fn send_off<D: HasCouriers>(
        &mut self,
        id: HandlerId,
        assignment: Assignment,
        events: &mut EventLoop<D>,
    ) -> Result<(), (Assignment, NoDelivery)> {
        let Some(courier) = self.couriers.get_mut(&id) else { return Err((assignment, NoDelivery::Died)) };
        let bytes = assignment.job.to_attributes().to_bytes();
        if bytes.len() > MESSAGE_LIMIT_BYTES {
            let text = "the lines above the message are too long".to_owned();
            return Err((assignment, NoDelivery::Refused { text, misconfigured: false }));
        }
        if descriptors::send(courier.line.as_fd(), &bytes, &[assignment.file.as_fd()]).is_err() {
            return Err((assignment, NoDelivery::Died));
        }
        courier.duty = Duty::Delivering(Box::new(assignment));
        events.set_deadline(id, None);
        Ok(())
    }

    fn ask_for_courier<D: HasCouriers>(
        &mut self,
        owner: &Owner,
        request: &CourierRequest,
        events: &mut EventLoop<D>,
    ) -> Result<(), NoDelivery> {
        let failed = |error: io::Error| NoDelivery::Unreachable(error.to_string());
        let (ours, theirs) = descriptors::message_pair().map_err(failed)?;
        let ours = Rc::new(Socket::from_descriptor(ours).map_err(failed)?);
        descriptors::send(ours.as_fd(), &self.settings.to_attributes().to_bytes(), &[]).map_err(failed)?;
        self.spawnd.send(&request.to_attributes().to_bytes(), theirs.as_fd()).map_err(failed)?;
        let id = events.add(Box::new(Line(Rc::clone(&ours)))).map_err(failed)?;
        events.set_deadline(id, Some(events.now() + START_LIMIT));
        let (owner_of, request) = (owner.clone(), request.clone());
        self.couriers.insert(id, Courier { line: ours, owner: owner_of, request, duty: Duty::Starting });
        if let Some(staff) = self.staffs.get_mut(owner) {
            staff.starting += 1;
            staff.total += 1;
        }
        Ok(())
    }

    /// Lets go the courier that has waited longest; false when all are busy.
    fn let_oldest_go<D: HasCouriers>(&mut self, events: &mut EventLoop<D>) -> bool {
        let waiting = self.couriers.iter().filter_map(|(id, courier)| match courier.duty {
            Duty::Waiting { since } => Some((since, *id)),
            _ => None,
        });
        let Some((_, oldest)) = waiting.min() else { return false };
        self.forget(oldest);
        // The line closes when its handler has left the loop, at the end of this turn.
        events.set_deadline(oldest, Some(events.now()));
        true
    }

    /// Takes a courier off the books.
    fn forget(&mut self, id: HandlerId) -> Option<Courier> {
        let courier = self.couriers.remove(&id)?;
        if let Some(staff) = self.staffs.get_mut(&courier.owner) {
            staff.total -= 1;
            match courier.duty {
                Duty::Starting => staff.starting -= 1,
                Duty::Waiting { .. } => staff.waiting.retain(|waiting| *waiting != id),
                Duty::Delivering(_) => {}
            }
            if staff.total == 0 && staff.queue.is_empty() {
                self.staffs.remove(&courier.owner);
            }
        }
        Some(courier)
    }

    /// A courier has nothing to do: the next job of its owner, if there is one, is its own.
    fn next_job<D: HasCouriers>(
        &mut self,
        id: HandlerId,
        events: &mut EventLoop<D>,
    ) -> Vec<(Ticket, NoDelivery)> {
        let mut undone = Vec::new();
        loop {
            let Some(courier) = self.couriers.get_mut(&id) else { return undone };
            let Some(staff) = self.staffs.get_mut(&courier.owner) else { return undone };
            let Some(assignment) = staff.queue.pop_front() else {
                courier.duty = Duty::Waiting { since: events.now() };
                staff.waiting.push(id);
                events.set_deadline(id, Some(events.now() + IDLE_LIMIT));
                return undone;
            };
            match self.send_off(id, assignment, events) {
                Ok(()) => return undone,
                Err((assignment, why)) => undone.push((assignment.ticket, why)),
            }
        }
    }

    /// A courier has gone. Another one does its job, once; that the copy may be there already it is told. When it was
    /// the owner's last one, those jobs that waited are not done, unless another courier can be had for them.
    fn gone<D: HasCouriers>(
        &mut self,
        id: HandlerId,
        why: NoDelivery,
        events: &mut EventLoop<D>,
    ) -> Vec<(Ticket, NoDelivery)> {
        let Some(courier) = self.forget(id) else { return Vec::new() };
        let mut undone = Vec::new();
        let owner = courier.owner;
        if let Duty::Delivering(mut assignment) = courier.duty {
            let ticket = assignment.ticket;
            let again = match std::mem::replace(&mut assignment.job.in_doubt, true) {
                false => self.begin(&owner, &courier.request, *assignment, events),
                true => Err(NoDelivery::Died),
            };
            undone.extend(again.err().map(|why| (ticket, why)));
        }
        let Some(staff) = self.staffs.get_mut(&owner).filter(|staff| staff.total == 0) else { return undone };
        staff.failures += 1;
        let hopeless = why != NoDelivery::Died || staff.failures >= START_ATTEMPTS;
        let request = staff.request.clone();
        let asked = if hopeless { Err(why) } else { self.ask_for_courier(&owner, &request, events) };
        if let Err(why) = asked
            && let Some(staff) = self.staffs.remove(&owner)
        {
            undone.extend(staff.queue.into_iter().map(|assignment| (assignment.ticket, why.clone())));
        }
        undone
    }
}

impl Staff {
    fn new(request: CourierRequest) -> Self {
        Self { request, waiting: Vec::new(), starting: 0, total: 0, queue: VecDeque::new(), failures: 0 }
    }
}

/// The line to one courier, in the loop.
struct Line(Rc<Socket>);

impl<D: HasCouriers> Handler<D> for Line {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }

    /// A courier that waits for work has emptied the socket.
    fn waits_to_write(&self) -> bool {
        false
    }

    /// A courier says one thing at a time, so one look is enough, unless it has gone as well.
    fn ready(&mut self, how: Readiness, agent: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        let mut buffer = [0; ANSWER_LIMIT_BYTES];
        loop {
            let length = match descriptors::receive(self.0.as_fd(), &mut buffer) {
                Ok(received) => received.length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => 0,
            };
            let message = Attributes::decode(&buffer[..length]).ok().flatten().map(|(message, _)| message);
            let fate = hear(message, agent, events, me);
            if fate == Fate::Close || !how.closed {
                return fate;
            }
        }
    }

    /// It has waited for a minute, or does not report for work, or was let go.
    fn elapsed(&mut self, agent: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        lose(NoDelivery::Died, agent, events, me)
    }
}

/// Acts on what a courier says; none when it says nothing more.
fn hear<D: HasCouriers>(
    message: Option<Attributes>,
    agent: &mut D,
    events: &mut EventLoop<D>,
    me: HandlerId,
) -> Fate {
    let (Some(message), Some(courier)) = (message, agent.couriers().couriers.get(&me)) else {
        return lose(NoDelivery::Died, agent, events, me);
    };
    let ticket = match &courier.duty {
        Duty::Starting => return reports_for_work(&message, agent, events, me),
        Duty::Waiting { .. } => return lose(NoDelivery::Died, agent, events, me),
        Duty::Delivering(assignment) => assignment.ticket,
    };
    let Ok(answer) = Answer::from_attributes(&message) else {
        return lose(NoDelivery::Died, agent, events, me);
    };
    take_next(agent, events, me);
    is_over(ticket, Ok(answer), agent, events);
    Fate::Keep
}

fn reports_for_work<D: HasCouriers>(
    message: &Attributes,
    agent: &mut D,
    events: &mut EventLoop<D>,
    me: HandlerId,
) -> Fate {
    let couriers = agent.couriers();
    let Some(courier) = couriers.couriers.get(&me) else { return Fate::Close };
    let Owner { uid, gid, .. } = courier.owner;
    let why = match Hello::from_attributes(message) {
        Ok(Hello::Ready { uid: is_uid, gid: is_gid }) if (is_uid, is_gid) == (uid, gid) => {
            if let Some(staff) = couriers.staffs.get_mut(&courier.owner) {
                staff.starting -= 1;
                staff.failures = 0;
            }
            // Out of `Starting`, so that it is not counted off a second time.
            if let Some(courier) = couriers.couriers.get_mut(&me) {
                courier.duty = Duty::Waiting { since: events.now() };
            }
            take_next(agent, events, me);
            return Fate::Keep;
        }
        // A table has changed between the agent's look at it and spawnd's.
        Ok(Hello::Ready { .. }) => NoDelivery::Refused {
            text: "the owner of the mailbox has just changed".into(),
            misconfigured: false,
        },
        Ok(Hello::Refused { text, misconfigured }) => NoDelivery::Refused { text, misconfigured },
        Err(_) => NoDelivery::Died,
    };
    lose(why, agent, events, me)
}

fn take_next<D: HasCouriers>(agent: &mut D, events: &mut EventLoop<D>, me: HandlerId) {
    for (ticket, why) in agent.couriers().next_job(me, events) {
        is_over(ticket, Err(why), agent, events);
    }
}

fn lose<D: HasCouriers>(why: NoDelivery, agent: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
    for (ticket, why) in agent.couriers().gone(me, why, events) {
        is_over(ticket, Err(why), agent, events);
    }
    Fate::Close
}

/// Tells the agent, and begins with the job that waited for the same mbox file.
fn is_over<D: HasCouriers>(
    ticket: Ticket,
    outcome: Result<Answer, NoDelivery>,
    agent: &mut D,
    events: &mut EventLoop<D>,
) {
    let mut next = agent.couriers().next_at_mbox(ticket);
    agent.job_is_over(ticket, outcome, events);
    while let Some(Errand { owner, request, assignment }) = next.take() {
        let ticket = assignment.ticket;
        if let Err(why) = agent.couriers().begin(&owner, &request, assignment, events) {
            next = agent.couriers().next_at_mbox(ticket);
            agent.job_is_over(ticket, Err(why), events);
        }
    }
}
