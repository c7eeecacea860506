//! What the connections of all workers share.

use std::time::{Duration, Instant};

use reactor::channel::Channel;
use reactor::{EventLoop, Fate, Handler, HandlerId};
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError};

use crate::counts::Counts;
use crate::session::Session;

/// The service.
pub(crate) struct Anvil {
    pub(crate) counts: Counts,
    pub(crate) clients: Clients,
    status_update_time: Duration,
}

impl Service for Anvil {
    const PROGRAM: &'static str = "anvil";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let unit = setup.config.get(&parameters::ANVIL_RATE_TIME_UNIT);
        Ok(Self {
            counts: Counts::new(unit),
            clients: Clients::default(),
            status_update_time: setup.config.get(&parameters::ANVIL_STATUS_UPDATE_TIME),
        })
    }

    fn start(&mut self, _setup: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        let clock = Clock { report: events.now() + self.status_update_time };
        let next = clock.next(self, events.now());
        match events.add(Box::new(clock)) {
            Ok(clock) => events.set_deadline(clock, Some(next)),
            Err(error) => log::warn!("statistics: {error}"),
        }
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Session::default(), events));
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    /// It would forget what it has counted.
    fn may_retire(&self) -> bool {
        false
    }

    fn draining(&mut self, _events: &mut EventLoop<Self>) {
        self.counts.statistics.report(self.counts.unit());
    }
}

/// Clears up, and reports.
struct Clock {
    report: Instant,
}

impl Clock {
    fn next(&self, anvil: &Anvil, now: Instant) -> Instant {
        self.report.min(now + anvil.counts.unit().max(Duration::from_secs(1)))
    }
}

impl Handler<Anvil> for Clock {
    fn elapsed(&mut self, anvil: &mut Anvil, events: &mut EventLoop<Anvil>, me: HandlerId) -> Fate {
        let now = events.now();
        anvil.counts.clear_up(now);
        if now >= self.report {
            anvil.counts.statistics.report(anvil.counts.unit());
            self.report = now + anvil.status_update_time.max(Duration::from_secs(1));
        }
        events.set_deadline(me, Some(self.next(anvil, now)));
        Fate::Keep
    }
}
