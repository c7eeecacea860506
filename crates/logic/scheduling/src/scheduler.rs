//! Who goes next.

pub mod crowd;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::Microseconds;
use crate::concurrency::{Feedback, Window};
use crate::limits::TransportLimits;
use crate::order::{Order, Place};

/// The caller's number of an active message.
pub type MessageKey = u64;

/// The recipients of one message that wait for one destination, by the caller's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whose.
    pub message: MessageKey,
    /// Which.
    pub recipients: Vec<u32>,
}

/// One delivery to be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names the delivery for [`Scheduler::finished`].
    pub ticket: u64,
    /// By which transport.
    pub transport: Arc<str>,
    /// To which destination: the nexthop, before [`DESTINATION_SEPARATOR`].
    pub destination: Arc<str>,
    /// What.
    pub job: Job,
}

/// Stands between the nexthop and the recipient where each recipient is a destination of its own.
pub const DESTINATION_SEPARATOR: char = '\0';

/// Why a job was not taken: its recipients are to be deferred with this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As the failure that closed the destination or the transport said.
    pub reason: Reason,
    /// It is the transport that is closed, for all its destinations.
    pub whole_transport: bool,
}

/// The failure of a destination or a transport, kept while it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// RFC 3463 status, "4.4.1".
    pub status: String,
    /// In words.
    pub text: String,
}

impl Reason {
    /// Where nothing has failed.
    pub const fn none() -> Self {
        Self { status: String::new(), text: String::new() }
    }
}

/// The recipients of active messages by transport and destination.
#[derive(Debug, Default)]
pub struct Scheduler {
    transports: HashMap<Arc<str>, Transport>,
    /// Transports that may have something to deliver, each once.
    turn: VecDeque<Arc<str>>,
    /// When something may become possible that is not now.
    alarms: BTreeSet<(Microseconds, Arc<str>, Arc<str>)>,
    under_way: HashMap<u64, (Arc<str>, Arc<str>)>,
    last_ticket: u64,
}

#[derive(Debug)]
struct Transport {
    limits: TransportLimits,
    destinations: HashMap<Arc<str>, Destination>,
    /// Which message goes first.
    order: Order,
    /// The destinations of each message that has recipients waiting.
    messages: HashMap<MessageKey, BTreeSet<Arc<str>>>,
    /// The destinations that may have one more delivery: by the first message there, and by how long ago they had one.
    open: BTreeSet<(Place, u64, Arc<str>)>,
    /// Deliveries so far.
    made: u64,
    in_turn: bool,
    busy: u32,
    closed: Option<(Microseconds, Reason)>,
    not_before: Microseconds,
}

#[derive(Debug)]
struct Destination {
    window: Window,
    /// By the places of their messages.
    jobs: BTreeMap<Place, VecDeque<Job>>,
    /// As it stands among the open ones, if it does.
    offered: Option<(Place, u64)>,
    /// Which delivery of the transport its last one was.
    last_made: u64,
    busy: u32,
    closed: Option<(Microseconds, Reason)>,
    not_before: Microseconds,
    /// Until then nobody is told that it is crowded.
    quiet_until: Microseconds,
}

/// Where recipients join those of their message that wait for the same destination.
#[derive(Debug, Clone, Copy)]
enum End {
    Back,
    Front,
}

impl Scheduler {
    /// No transports, no messages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits of a transport; needed before its first job.
    pub fn set_limits(&mut self, transport: &str, limits: TransportLimits) {
        if let Some(known) = self.transports.get_mut(transport) {
            known.limits = limits;
            return;
        }
        self.transports.insert(transport.into(), Transport::new(limits));
    }

    /// The limits of a transport, if they are set.
    pub fn limits(&self, transport: &str) -> Option<&TransportLimits> {
        self.transports.get(transport).map(|transport| &transport.limits)
    }

    /// Has a message overtaken another one of this transport?
    pub fn has_overtaken(&self, transport: &str, message: MessageKey) -> bool {
        self.transports.get(transport).is_some_and(|transport| transport.order.has_overtaken(message))
    }

    /// How many deliveries are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Takes recipients of a message that go to one destination.
    ///
    /// # Errors
    /// [`Refused`] while the destination or the transport is closed, unless `even_if_closed` (a flush that somebody asked for).
    ///
    /// # Panics
    /// When the transport has no limits.
    pub fn enqueue(
        &mut self,
        now: Microseconds,
        transport: &str,
        destination: &str,
        job: Job,
        even_if_closed: bool,
    ) -> Result<(), Refused> {
        let Some((name, known)) = self.transports.get_key_value(transport) else {
            panic!("transport {transport} has no limits")
        };
        let name = Arc::clone(name);
        if !even_if_closed {
            let one = known.destinations.get(destination).and_then(|destination| destination.closed.as_ref());
            for (closed, whole_transport) in [(known.closed.as_ref(), true), (one, false)] {
                if let Some((_, reason)) = closed.filter(|(until, _)| *until > now) {
                    return Err(Refused { reason: reason.clone(), whole_transport });
                }
            }
        }
        let Some(known) = self.transports.get_mut(&name) else { return Ok(()) };
        let destination_name = known.destination(destination);
        known.put(now, &destination_name, job, End::Back);
        self.offer(&name, &destination_name, now);
        Ok(())
    }

    /// The next delivery, or `None` until a delivery has finished, a job has come, or [`Scheduler::next_alarm`] has passed.
    pub fn next(&mut self, now: Microseconds) -> Option<Delivery> {
        self.ring_alarms(now);
        while let Some(name) = self.turn.pop_front() {
            let Some(transport) = self.transports.get_mut(&name) else { continue };
            transport.in_turn = false;
            if transport.not_before > now && !transport.open.is_empty() {
                self.alarms.insert((transport.not_before, Arc::clone(&name), "".into()));
                continue;
            }
            let Some((destination, job)) = transport.next(now) else { continue };
            self.last_ticket += 1;
            let ticket = self.last_ticket;
            self.under_way.insert(ticket, (Arc::clone(&name), Arc::clone(&destination)));
            self.offer_transport(&name);
            return Some(Delivery { ticket, transport: name, destination, job });
        }
        None
    }

    /// May [`Scheduler::next`] have something now? False right after it had nothing.
    pub fn is_ready(&self) -> bool {
        !self.turn.is_empty()
    }

    /// When [`Scheduler::next`] may have something that it does not have now.
    pub fn next_alarm(&self) -> Option<Microseconds> {
        self.alarms.first().map(|(time, ..)| *time)
    }

    /// A delivery is over. When that makes the destination dead, the jobs that waited for it come back: they are to be deferred with `reason`.
    /// It opens again after `closed_for`.
    pub fn finished(
        &mut self,
        now: Microseconds,
        ticket: u64,
        feedback: Feedback,
        reason: &Reason,
        closed_for: Microseconds,
    ) -> Vec<Job> {
        let Some((name, destination_name)) = self.under_way.remove(&ticket) else { return Vec::new() };
        let Some(transport) = self.transports.get_mut(&name) else { return Vec::new() };
        transport.busy = transport.busy.saturating_sub(1);
        if transport.limits.transport_rate_delay > 0 {
            transport.not_before = now + transport.limits.transport_rate_delay;
        }
        let mut orphans = Vec::new();
        if let Some(destination) = transport.destinations.get_mut(&destination_name) {
            let dead = destination.window.feed(feedback, destination.busy, &transport.limits);
            destination.busy = destination.busy.saturating_sub(1);
            if transport.limits.destination_rate_delay > 0 {
                destination.not_before = now + transport.limits.destination_rate_delay;
            }
            if dead {
                destination.closed = Some((now + closed_for, reason.clone()));
                destination.window =
                    Window::new(&TransportLimits { initial_concurrency: 1, ..transport.limits.clone() });
                orphans = transport.take_all(&destination_name);
                self.alarms.insert((now + closed_for, Arc::clone(&name), Arc::clone(&destination_name)));
            }
        }
        transport.forget_if_idle(&destination_name, now);
        self.offer(&name, &destination_name, now);
        orphans
    }

    /// Gives the recipients of a delivery that never reached an agent back to the queue, at its head; the destination is not to blame.
    pub fn put_back(&mut self, now: Microseconds, delivery: Delivery) {
        let Some((name, destination_name)) = self.under_way.remove(&delivery.ticket) else { return };
        if let Some(transport) = self.transports.get_mut(&name) {
            transport.busy = transport.busy.saturating_sub(1);
            if let Some(destination) = transport.destinations.get_mut(&destination_name) {
                destination.busy = destination.busy.saturating_sub(1);
                transport.put(now, &destination_name, delivery.job, End::Front);
            }
        }
        self.offer(&name, &destination_name, now);
    }

    /// No agent answers: the transport is closed until `until`, and all that waits for it comes back, to be deferred with `reason`.
    pub fn close_transport(&mut self, transport: &str, until: Microseconds, reason: Reason) -> Vec<Job> {
        let Some((name, _)) = self.transports.get_key_value(transport) else { return Vec::new() };
        self.alarms.insert((until, Arc::clone(name), "".into()));
        let Some(transport) = self.transports.get_mut(transport) else { return Vec::new() };
        transport.closed = Some((until, reason));
        let names: Vec<_> = transport.destinations.keys().cloned().collect();
        names.iter().flat_map(|name| transport.take_all(name)).collect()
    }

    /// Opens every closed destination and transport: somebody asked for a flush.
    pub fn open_all(&mut self) {
        for transport in self.transports.values_mut() {
            transport.closed = None;
            transport.destinations.values_mut().for_each(|destination| destination.closed = None);
            transport
                .destinations
                .retain(|_, destination| destination.busy > 0 || !destination.jobs.is_empty());
        }
    }

    /// How many destinations are remembered, over all transports.
    pub fn destinations(&self) -> usize {
        self.transports.values().map(|transport| transport.destinations.len()).sum()
    }

    fn ring_alarms(&mut self, now: Microseconds) {
        while let Some((time, name, destination)) = self.alarms.first().cloned() {
            if time > now {
                break;
            }
            self.alarms.pop_first();
            if let Some(transport) = self.transports.get_mut(&name) {
                if transport.closed.as_ref().is_some_and(|(until, _)| *until <= now) {
                    transport.closed = None;
                }
                transport.forget_if_idle(&destination, now);
            }
            self.offer(&name, &destination, now);
        }
    }

    /// The destination may have something to deliver: it and its transport get their turn.
    fn offer(&mut self, name: &Arc<str>, destination_name: &Arc<str>, now: Microseconds) {
        let Some(transport) = self.transports.get_mut(name) else { return };
        if let Some(until) = transport.refresh(destination_name, now) {
            self.alarms.insert((until, Arc::clone(name), Arc::clone(destination_name)));
        }
        self.offer_transport(name);
    }

    fn offer_transport(&mut self, name: &Arc<str>) {
        let Some(transport) = self.transports.get_mut(name) else { return };
        if !transport.in_turn && !transport.open.is_empty() {
            transport.in_turn = true;
            self.turn.push_back(Arc::clone(name));
        }
    }
}

impl Transport {
    fn new(limits: TransportLimits) -> Self {
        Self {
            limits,
            destinations: HashMap::new(),
            order: Order::default(),
            messages: HashMap::new(),
            open: BTreeSet::new(),
            made: 0,
            in_turn: false,
            busy: 0,
            closed: None,
            not_before: 0,
        }
    }

    fn destination(&mut self, name: &str) -> Arc<str> {
        if let Some((known, _)) = self.destinations.get_key_value(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.destinations.insert(Arc::clone(&name), Destination::new(&self.limits));
        name
    }

    /// Adds recipients of a message to those that wait for a destination.
    fn put(&mut self, now: Microseconds, name: &Arc<str>, job: Job, end: End) {
        let entries = self.limits.entries(job.recipients.len());
        let place = self.order.add(job.message, entries, now);
        self.messages.entry(job.message).or_default().insert(Arc::clone(name));
        if let Some(destination) = self.destinations.get_mut(name) {
            let jobs = destination.jobs.entry(place).or_default();
            match end {
                End::Back => jobs.push_back(job),
                End::Front => jobs.push_front(job),
            }
        }
    }

    /// Brings a destination's standing among the open ones up to date; the time from which on that may be another.
    fn refresh(&mut self, name: &Arc<str>, now: Microseconds) -> Option<Microseconds> {
        let destination = self.destinations.get_mut(name)?;
        if let Some((place, last_made)) = destination.offered.take() {
            self.open.remove(&(place, last_made, Arc::clone(name)));
        }
        let (first, _) = destination.jobs.first_key_value()?;
        if destination.not_before > now {
            return Some(destination.not_before);
        }
        if destination.busy < destination.window.size() {
            destination.offered = Some((*first, destination.last_made));
            self.open.insert((*first, destination.last_made, Arc::clone(name)));
        }
        None
    }

    /// The next delivery: of the first message that has an open destination, or of the one that overtakes it now.
    fn next(&mut self, now: Microseconds) -> Option<(Arc<str>, Job)> {
        let limit = if self.limits.transport_rate_delay > 0 { 1 } else { self.limits.deliveries };
        if self.busy >= limit {
            return None;
        }
        let (mut place, ..) = *self.open.first()?;
        let current = self.order.at(place)?;
        let (messages, destinations) = (&self.messages, &self.destinations);
        let selectable = |message| {
            let mut names = messages.get(&message).into_iter().flatten();
            names.any(|name| destinations.get(name).is_some_and(|one| one.offered.is_some()))
        };
        if let Some(moved) = self.order.preempt(current, now, &self.limits, selectable) {
            self.follow(moved.message, moved.from, moved.to, now);
            place = moved.to;
        }
        let (.., name) = self.open.range((place, 0, "".into())..).next()?.clone();
        self.select(name, place, now)
    }

    /// A message has another place now: so have its recipients at each destination.
    fn follow(&mut self, message: MessageKey, from: Place, to: Place, now: Microseconds) {
        let names: Vec<_> = self.messages.get(&message).into_iter().flatten().cloned().collect();
        for name in names {
            if let Some(destination) = self.destinations.get_mut(&name)
                && let Some(jobs) = destination.jobs.remove(&from)
            {
                destination.jobs.insert(to, jobs);
            }
            self.refresh(&name, now);
        }
    }

    /// Cuts a delivery off for this destination.
    fn select(&mut self, name: Arc<str>, place: Place, now: Microseconds) -> Option<(Arc<str>, Job)> {
        self.made += 1;
        let destination = self.destinations.get_mut(&name)?;
        let job = destination.cut(place, self.limits.recipients)?;
        destination.busy += 1;
        destination.last_made = self.made;
        let more_here = destination.jobs.contains_key(&place);
        self.busy += 1;
        self.order.selected(job.message);
        if !more_here {
            self.is_through(job.message, &name);
        }
        self.refresh(&name, now);
        Some((name, job))
    }

    /// Nobody of the message waits for this destination any more.
    fn is_through(&mut self, message: MessageKey, name: &Arc<str>) {
        let Some(names) = self.messages.get_mut(&message) else { return };
        names.remove(name);
        if names.is_empty() {
            self.messages.remove(&message);
            self.order.retire(message, &self.limits);
        }
    }

    /// Takes everybody away who waits for a destination.
    fn take_all(&mut self, name: &Arc<str>) -> Vec<Job> {
        let Some(destination) = self.destinations.get_mut(name) else { return Vec::new() };
        if let Some((place, last_made)) = destination.offered.take() {
            self.open.remove(&(place, last_made, Arc::clone(name)));
        }
        let jobs: Vec<Job> = std::mem::take(&mut destination.jobs).into_values().flatten().collect();
        for job in &jobs {
            self.order.withdraw(job.message, self.limits.entries(job.recipients.len()));
            self.is_through(job.message, name);
        }
        jobs
    }

    fn forget_if_idle(&mut self, name: &str, now: Microseconds) {
        let Some(destination) = self.destinations.get(name) else { return };
        let closed = destination.closed.as_ref().is_some_and(|(until, _)| *until > now);
        if destination.busy == 0 && destination.jobs.is_empty() && !closed && destination.not_before <= now {
            self.destinations.remove(name);
        }
    }
}

impl Destination {
    fn new(limits: &TransportLimits) -> Self {
        Self {
            window: Window::new(limits),
            jobs: BTreeMap::new(),
            offered: None,
            last_made: 0,
            busy: 0,
            closed: None,
            not_before: 0,
            quiet_until: 0,
        }
    }

    /// As many recipients as fit into one delivery, of the message at this place.
    fn cut(&mut self, place: Place, limit: u32) -> Option<Job> {
        let jobs = self.jobs.get_mut(&place)?;
        let mut job = jobs.pop_front()?;
        let limit = limit as usize;
        if limit > 0 && job.recipients.len() > limit {
            let rest = job.recipients.split_off(limit);
            jobs.push_front(Job { message: job.message, recipients: rest });
        }
        if jobs.is_empty() {
            self.jobs.remove(&place);
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests;
