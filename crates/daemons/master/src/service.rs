//! One service of master.cf: its sockets, its workers, its troubles.

use std::time::{Duration, Instant};

use parameters::Config;
use parameters::master_cf::{Kind, Service as Entry};
use reactor::HandlerId;
use sys::process::End;
use sys::sockets::Socket;
use worker::protocol::Status;

use crate::backoff::Backoff;
use crate::listen::{self, Endpoint, ListenError};

/// The service that starts delivery workers: it is always there, master.cf need not name it.
pub(crate) const SPAWN_SERVICE: &str = "spawnd";
/// How many clients a service serves when master.cf says `-`: no limit but the descriptors of a process.
const NO_SESSION_LIMIT: usize = 0;

/// A service that runs.
pub(crate) struct Service {
    /// Its line in master.cf.
    pub(crate) entry: Entry,
    /// Where it listens.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The sockets, in the order of `endpoints`.
    pub(crate) sockets: Vec<Socket>,
    /// The watchers of the sockets, while no worker is there to accept.
    pub(crate) watchers: Vec<HandlerId>,
    /// Processes that serve, or finish what they have.
    pub(crate) workers: Vec<Worker>,
    /// When it may start again.
    pub(crate) backoff: Backoff,
    /// When it is woken next.
    pub(crate) next_wakeup: Option<Instant>,
    /// Workers that were replaced after they had died.
    pub(crate) restarts: u64,
    /// How the last one ended that did not end by itself.
    pub(crate) last_failure: Option<End>,
    /// A client has come since the start.
    pub(crate) used: bool,
    /// Until when its workers are brief with their clients: a while after all sessions were taken.
    pub(crate) stressed_until: Option<Instant>,
}

/// A process of a service.
pub(crate) struct Worker {
    /// Its process id.
    pub(crate) pid: u32,
    /// Our end of its status socket.
    pub(crate) line: HandlerId,
    /// Since when it runs.
    pub(crate) started: Instant,
    /// What it reported last.
    pub(crate) status: Status,
    /// It takes no new clients.
    pub(crate) leaving: bool,
}

impl Service {
    /// Opens the sockets of `entry`.
    pub(crate) fn open(entry: Entry, config: &Config, queue: &std::path::Path) -> Result<Self, ListenError> {
        let endpoints = endpoints(&entry, config)?;
        let mut service = Self {
            entry,
            endpoints: Vec::new(),
            sockets: Vec::new(),
            watchers: Vec::new(),
            workers: Vec::new(),
            backoff: Backoff::default(),
            next_wakeup: None,
            restarts: 0,
            last_failure: None,
            used: false,
            stressed_until: None,
        };
        for endpoint in endpoints {
            if let Some(socket) = listen::open(&endpoint, queue)? {
                service.endpoints.push(endpoint);
                service.sockets.push(socket);
            }
        }
        Ok(service)
    }

    /// Listens at these endpoints and no others: sockets that stay are kept, with the clients that wait at them.
    ///
    /// # Errors
    /// [`ListenError`]: it listens at some of them.
    pub(crate) fn listen_at(
        &mut self,
        wanted: Vec<Endpoint>,
        queue: &std::path::Path,
    ) -> Result<(), ListenError> {
        let endpoints = std::mem::take(&mut self.endpoints);
        let mut old: Vec<(Endpoint, Socket)> =
            endpoints.into_iter().zip(std::mem::take(&mut self.sockets)).collect();
        for endpoint in wanted {
            let socket = match old.iter().position(|(own, _)| *own == endpoint) {
                Some(place) => Some(old.swap_remove(place).1),
                None => listen::open(&endpoint, queue)?,
            };
            if let Some(socket) = socket {
                self.endpoints.push(endpoint);
                self.sockets.push(socket);
            }
        }
        Ok(())
    }

    /// `smtp/inet`: names it in messages and in `master_service_disable`.
    pub(crate) fn full_name(&self) -> String {
        full_name(&self.entry)
    }

    /// Workers that take clients.
    pub(crate) fn active_workers(&self) -> usize {
        self.workers.iter().filter(|worker| !worker.leaving).count()
    }

    /// How many workers it should have when there is work: one, or one for each processor if it faces the
    /// network; never more than `process_limit`.
    pub(crate) fn workers_wanted(&self, processors: usize) -> usize {
        let limit = match self.entry.process_limit {
            None | Some(0) => usize::MAX,
            Some(limit) => limit as usize,
        };
        let natural = if matches!(self.entry.kind, Kind::Inet | Kind::Pass) { processors } else { 1 };
        natural.min(limit)
    }

    /// How many clients one worker may serve at a time; an explicit `maxproc` caps the service as a whole.
    pub(crate) fn session_limit(&self, processors: usize) -> usize {
        match self.entry.process_limit {
            Some(limit) if limit > 1 => (limit as usize).div_ceil(self.workers_wanted(processors)),
            _ => NO_SESSION_LIMIT,
        }
    }

    /// Do its workers hear of stress? Those of services that strangers reach, not this host alone.
    pub(crate) fn feels_stress(&self) -> bool {
        let is_foreign = |endpoint: &Endpoint| match endpoint {
            Endpoint::Inet(address) => !address.ip().is_loopback(),
            _ => false,
        };
        !self.entry.private && self.endpoints.iter().any(is_foreign)
    }

    /// `25`, or `[192.0.2.1]:25` where master.cf names the address.
    pub(crate) fn place(&self) -> String {
        let ports = self.endpoints.iter().filter_map(|endpoint| match endpoint {
            Endpoint::Inet(address) => Some(address.port()),
            _ => None,
        });
        let port = ports.take(1).map(|port| port.to_string()).collect::<String>();
        match self.entry.name.rsplit_once(':') {
            Some((host, _)) => format!("[{}]:{port}", host.trim_matches(['[', ']'])),
            None => port,
        }
    }

    /// Are all sessions taken that an explicit `maxproc` allows?
    pub(crate) fn is_full(&self, processors: usize) -> bool {
        let limit = self.session_limit(processors) as u64;
        let active = || self.workers.iter().filter(|worker| !worker.leaving);
        limit > 0
            && active().count() >= self.workers_wanted(processors)
            && active().all(|worker| worker.status.sessions >= limit)
    }

    /// Must the old worker be gone before a new one starts?
    pub(crate) fn is_single(&self) -> bool {
        self.entry.process_limit == Some(1)
    }

    /// The time between two wake-ups.
    pub(crate) fn wakeup_interval(&self) -> Option<Duration> {
        let wakeup = self.entry.wakeup?;
        (wakeup.seconds > 0).then(|| Duration::from_secs(u64::from(wakeup.seconds)))
    }

    /// Has a wake-up an effect? With `?` only once the service has been used.
    pub(crate) fn wants_wakeup(&self) -> bool {
        self.entry.wakeup.is_some_and(|wakeup| self.used || !wakeup.only_once_used)
    }
}

/// `smtp/inet`.
pub(crate) fn full_name(entry: &Entry) -> String {
    format!("{}/{}", entry.name, entry.kind.text())
}

/// Where a service listens by its line in master.cf.
pub(crate) fn endpoints(entry: &Entry, config: &Config) -> Result<Vec<Endpoint>, ListenError> {
    match entry.kind {
        Kind::Inet => listen::inet_endpoints(&entry.name, config),
        Kind::Unix | Kind::Pass | Kind::Fifo => Ok(vec![Endpoint::Unix(entry.place().into())]),
        Kind::UnixDatagram => Ok(vec![Endpoint::Datagram(entry.place().into())]),
    }
}

/// The line that master.cf need not have.
pub(crate) fn spawn_entry() -> Entry {
    Entry {
        name: SPAWN_SERVICE.to_owned(),
        kind: Kind::Unix,
        private: true,
        unprivileged: false,
        chroot: Some(false),
        wakeup: None,
        // Not one alone: after a reload the old one stays with what it has begun, and the fresh one serves beside it.
        process_limit: None,
        command: SPAWN_SERVICE.to_owned(),
        arguments: Vec::new(),
        overrides: Vec::new(),
        verbosity: 0,
        line: 0,
    }
}
