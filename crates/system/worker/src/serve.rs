//! The life of a worker: from its first turn to its last client.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::{EventLoop, HandlerId};
use tables::Tables;

use crate::listener::Listener;
use crate::protocol::{Order, Status};
use crate::status::{OrderReader, Reporter};
use crate::{Service, Setup, watchdog};

/// How soon lines are offered again to a log daemon that had no room for them.
const LOG_RETRY: Duration = Duration::from_millis(100);
/// How long a worker that was told to stop waits for clients in the middle of a transaction.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What master has said since the run loop last looked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    inbox: Rc<RefCell<Inbox>>,
}

#[derive(Debug, Default)]
struct Inbox {
    orders: Vec<Order>,
    master_is_gone: bool,
}

impl Orders {
    pub(crate) fn give(&self, order: Order) {
        self.inbox.borrow_mut().orders.push(order);
    }

    pub(crate) fn master_is_gone(&self) {
        self.inbox.borrow_mut().master_is_gone = true;
    }

    fn take(&self) -> Vec<Order> {
        std::mem::take(&mut self.inbox.borrow_mut().orders)
    }
}

/// Why a worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// It does not.
    No,
    /// New settings have come, or a table that only a fresh worker can read: finish with the clients that are here,
    /// however long they stay.
    Draining,
    /// The suite stops: not later than this.
    Stopping(Instant),
}

struct Run<S: Service> {
    service: S,
    events: EventLoop<S>,
    listeners: Vec<HandlerId>,
    orders: Orders,
    reporter: Reporter,
    leaving: Leaving,
    listeners_wait: bool,
    idle_since: Instant,
    max_idle: Duration,
    /// Handlers that are always there: listeners and the status socket.
    staff: usize,
}

/// How long a worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until there is no more to do, or master says so, or master is gone.
    Told,
    /// Until the clients that are here from the start have gone; there is no master.
    ClientsHaveGone,
}

/// Serves until its life is over.
pub(crate) fn serve<S: Service>(
    service: S,
    mut events: EventLoop<S>,
    setup: &Setup,
    status: Option<OwnedFd>,
    until: Until,
) -> io::Result<()> {
    let orders = Orders::default();
    let reporter = Reporter::new(status.as_ref().map(OwnedFd::try_clone).transpose()?);
    let mut staff = 0;
    if let Some(socket) = status {
        events.add(Box::new(OrderReader::new(socket, orders.clone())))?;
        staff += 1;
    }
    let mut listeners = Vec::new();
    for (number, descriptor) in setup.take_listeners().into_iter().enumerate() {
        let socket = sys::sockets::Socket::from_descriptor(descriptor)?;
        listeners.push(events.add(Box::new(Listener::new(socket, number)))?);
    }
    staff += listeners.len();
    let run = Run {
        service,
        listeners,
        orders,
        reporter,
        leaving: if until == Until::Told { Leaving::No } else { Leaving::Draining },
        listeners_wait: false,
        idle_since: events.now(),
        max_idle: setup.max_idle,
        staff,
        events,
    };
    run.until_the_end()
}

impl<S: Service> Run<S> {
    fn until_the_end(mut self) -> io::Result<()> {
        watchdog::start(self.events.beat());
        let mut limit = Some(Duration::ZERO);
        loop {
            self.events.turn(&mut self.service, limit)?;
            for order in self.orders.take() {
                self.obey(order);
            }
            self.make_way();
            self.admit_waiting_clients();
            self.service.turn_ends(&mut self.events);
            self.events.turn_is_over();
            watchdog::judge(self.events.now());
            maillog::flush();
            limit = match self.next_limit() {
                Some(limit) if maillog::is_behind() => Some(limit.min(LOG_RETRY)),
                Some(limit) => Some(limit),
                None => return Ok(()),
            };
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::WakeUp => self.service.woken(&mut self.events),
            Order::Drain => self.leave(Leaving::Draining),
            Order::Stop => {
                self.leave(Leaving::Stopping(Instant::now() + STOP_PATIENCE));
                self.events.stop_all(&mut self.service);
                self.service.stopping(&mut self.events);
            }
            Order::Stress => self.service.stressed(true),
            Order::Calm => self.service.stressed(false),
            Order::NewLog => {}
        }
    }

    /// Makes way for a fresh worker when a table has changed that this one can not read.
    fn make_way(&mut self) {
        self.service.tables().for_each(Tables::new_turn);
        if self.leaving != Leaving::No {
            return;
        }
        let out_of_date = self.service.tables().find_map(Tables::out_of_date);
        if let Some(table) = out_of_date {
            log::info!("table {table} has changed -- restarting");
            self.leave(Leaving::Draining);
        }
    }

    fn leave(&mut self, how: Leaving) {
        self.leaving = how;
        for listener in self.listeners.drain(..) {
            self.events.remove(listener, &mut self.service);
            self.staff -= 1;
        }
        self.service.draining(&mut self.events);
    }

    /// When the last turn turned clients away for want of room, and there is room now, look again.
    fn admit_waiting_clients(&mut self) {
        let room = self.service.has_room();
        if self.listeners_wait && room {
            self.listeners.iter().for_each(|listener| self.events.again(*listener));
        }
        self.listeners_wait = !room;
    }

    /// How long the next turn may wait; `None` when this worker's life is over.
    fn next_limit(&mut self) -> Option<Duration> {
        let now = self.events.now();
        let sessions = self.service.sessions();
        let leaving = self.leaving != Leaving::No;
        let status = Status {
            sessions: u64::try_from(sessions).unwrap_or(u64::MAX),
            served: self.service.served(),
            leaving,
        };
        let report = self.reporter.report(status, now);
        if self.orders.inbox.borrow().master_is_gone || (leaving && sessions == 0) {
            return None;
        }
        if let Leaving::Stopping(end) = self.leaving {
            let left = end.saturating_duration_since(now);
            return (!left.is_zero()).then_some(left);
        }
        let idle = self.idle_left(sessions, now);
        if idle == Some(Duration::ZERO) {
            return None;
        }
        let shortest = [report, idle].into_iter().flatten().min();
        Some(shortest.unwrap_or(Duration::from_secs(3600)))
    }

    /// How long this worker may go on without clients; `None` while it has any, or stays for good.
    fn idle_left(&mut self, sessions: usize, now: Instant) -> Option<Duration> {
        let busy = sessions > 0 || self.events.population() > self.staff;
        if busy || !self.service.may_retire() {
            self.idle_since = now;
            return None;
        }
        Some((self.idle_since + self.max_idle).saturating_duration_since(now))
    }
}
