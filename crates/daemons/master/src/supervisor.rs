//! The loop of master: clients knock, workers come and go, signals arrive.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use parameters::Config;
use parameters::master_cf::Service as Entry;
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::descriptors;
use sys::error_text::reason;
use sys::process::{End, reap};
use sys::signals::{SignalKind, Signals};
use sys::sockets::Socket;
use worker::protocol::{Order, PACKET_LIMIT_BYTES, Status};

use crate::configuration::Settings;
use crate::listen::{Endpoint, ListenError};
use crate::log_file::LogFile;
use crate::service::{Service, Worker};
use crate::start::{self, Surroundings};
use crate::status_page::StatusPage;

/// How long workers may take to finish when the suite stops; then they are killed.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// A worker that ends by itself earlier than this, and has served nobody, counts as crashed: else master would
/// start one after the other for a client that none of them takes.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Names a service as long as master runs.
pub(crate) type Key = u32;

/// A service of master.cf that can not listen.
#[derive(Debug, thiserror::Error)]
#[error("{path}: line {line}: {problem}", path = path.display())]
pub(crate) struct EntryError {
    path: PathBuf,
    line: usize,
    problem: ListenError,
}

/// The supervisor's state.
pub(crate) struct Master {
    pub(crate) services: BTreeMap<Key, Service>,
    next_key: Key,
    around: Surroundings,
    /// main.cf, as it was read at the start.
    pub(crate) config: Config,
    pub(crate) config_directory: PathBuf,
    queue_directory: PathBuf,
    /// `-v`: the services' logs are chatty too.
    verbose: bool,
    /// When it ends by itself (`-e`).
    exit_at: Option<Instant>,
    log: LogFile,
    pub(crate) processors: usize,
    /// Wakes master for wake-ups and restarts.
    clock: Option<HandlerId>,
    stopping: Option<Instant>,
}

impl Master {
    /// A master with the sockets of all services open and no worker yet.
    ///
    /// # Errors
    /// A service can not listen: whoever starts the suite is there to hear of it.
    pub(crate) fn new(settings: Settings, log: LogFile, verbose: bool) -> Result<Self, EntryError> {
        let processors = sys::process::processors();
        let mut master = Self {
            services: BTreeMap::new(),
            next_key: 0,
            around: Surroundings::new(
                &settings.config,
                &settings.config_directory,
                &settings.queue_directory,
                processors,
            )
            .verbose(verbose),
            config: settings.config.clone(),
            config_directory: settings.config_directory.clone(),
            verbose,
            exit_at: None,
            queue_directory: settings.queue_directory.clone(),
            log,
            processors,
            clock: None,
            stopping: None,
        };
        match master.open_services(settings).into_iter().next() {
            Some(error) => Err(error),
            None => Ok(master),
        }
    }

    /// Opens the services that are not there yet; returns those that can not listen.
    fn open_services(&mut self, settings: Settings) -> Vec<EntryError> {
        let mut errors = Vec::new();
        for entry in settings.entries {
            let known = self
                .services
                .values()
                .any(|service| (&service.entry.name, service.entry.kind) == (&entry.name, entry.kind));
            if known {
                continue;
            }
            let line = entry.line;
            match Service::open(entry, &settings.config, &self.queue_directory) {
                Ok(service) => {
                    self.services.insert(self.next_key, service);
                    self.next_key += 1;
                }
                Err(problem) => {
                    let path = settings.config_directory.join("master.cf");
                    errors.push(EntryError { path, line, problem });
                }
            }
        }
        errors
    }

    /// Runs until told to stop.
    pub(crate) fn run(
        mut self,
        signals: Signals,
        mut events: EventLoop<Self>,
        exit_time: Option<Duration>,
    ) -> io::Result<()> {
        self.exit_at = exit_time.map(|time| events.now() + time);
        events.add(Box::new(SignalWatch(signals)))?;
        self.clock = Some(events.add(Box::new(Clock))?);
        StatusPage::open(&self.queue_directory, &mut events)?;
        self.begin(&mut events);
        loop {
            events.turn(&mut self, None)?;
            self.bury_the_dead(&mut events);
            events.turn_is_over();
            maillog::flush();
            if self.is_over(&mut events) {
                return self.clean_up();
            }
        }
    }

    fn begin(&mut self, events: &mut EventLoop<Self>) {
        for key in self.keys() {
            self.watch(key, events);
            self.wake(key, events);
        }
        self.set_clock(events);
    }

    fn keys(&self) -> Vec<Key> {
        self.services.keys().copied().collect()
    }

    /// Starts workers until the service has as many as it should, unless it crashed a moment ago.
    fn ensure(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let Some(service) = self.services.get_mut(&key) else { return };
        let blocked = service.is_single() && !service.workers.is_empty();
        if self.stopping.is_some() || blocked || service.backoff.until(events.now()).is_some() {
            return;
        }
        service.used = true;
        for _ in service.active_workers()..service.workers_wanted(self.processors) {
            match start::start(service, &self.around, self.log.descriptor()) {
                Ok((pid, line)) => hire(service, pid, line, key, events),
                Err(error) => {
                    let program = self.around.program(&service.entry);
                    log::error!(
                        "start {} for service {}: {}",
                        program.display(),
                        service.full_name(),
                        reason(&error)
                    );
                    service.backoff.crashed(events.now(), events.now());
                    break;
                }
            }
        }
        if service.active_workers() > 0 {
            self.unwatch(key, events);
        }
    }

    /// Lets master hear clients who knock while no worker is there.
    fn watch(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let Some(service) = self.services.get_mut(&key) else { return };
        if !service.watchers.is_empty() || service.active_workers() > 0 || self.stopping.is_some() {
            return;
        }
        for socket in &service.sockets {
            match events.add(Box::new(Doorbell { descriptor: socket.as_raw_fd(), service: key })) {
                Ok(id) => service.watchers.push(id),
                Err(error) => log::error!("watch service {}: {error}", service.full_name()),
            }
        }
    }

    /// Leaves the doorbell to the workers.
    fn unwatch(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let watchers = self.services.get_mut(&key).map(|service| std::mem::take(&mut service.watchers));
        for watcher in watchers.unwrap_or_default() {
            events.remove(watcher, self);
        }
    }

    fn wake(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let now = events.now();
        let Some(service) = self.services.get_mut(&key) else { return };
        let Some(interval) = service.wakeup_interval() else { return };
        service.next_wakeup = Some(now + interval);
        if service.wants_wakeup() {
            self.ensure(key, events);
            self.order(key, Order::WakeUp, events);
        }
    }

    /// Sends an order to the workers that take clients.
    pub(crate) fn order(&mut self, key: Key, order: Order, events: &mut EventLoop<Self>) {
        let Some(service) = self.services.get(&key) else { return };
        let post_box = events.post_box();
        for worker in service.workers.iter().filter(|worker| !worker.leaving) {
            post_box.send(worker.line, Box::new(order));
        }
    }

    /// Wake-ups and restarts whose time has come.
    fn tick(&mut self, events: &mut EventLoop<Self>) {
        let now = events.now();
        if self.exit_at.is_some_and(|time| time <= now) {
            self.exit_at = None;
            log::info!("master exit time has arrived");
            self.stop_all(events);
        }
        for key in self.keys() {
            self.calm_down(key, events);
            let Some(service) = self.services.get(&key) else { continue };
            let due = service.next_wakeup.is_some_and(|time| time <= now);
            if due {
                self.wake(key, events);
            } else {
                self.revive(key, events);
            }
        }
        self.set_clock(events);
    }

    /// Fills the place of a worker that died; one that nobody used waits for a client.
    fn revive(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let Some(service) = self.services.get(&key) else { return };
        let died = service.used && service.last_failure.is_some();
        if died && service.active_workers() < service.workers_wanted(self.processors) {
            self.ensure(key, events);
            if self.services.get(&key).is_some_and(|service| service.wakeup_interval().is_some()) {
                self.order(key, Order::WakeUp, events);
            }
        }
        self.watch(key, events);
    }

    /// Takes down what a worker says of itself; true when it has just begun to leave, by itself.
    fn told(&mut self, key: Key, pid: u32, status: Status) -> bool {
        let service = self.services.get_mut(&key);
        let worker = service.and_then(|service| service.workers.iter_mut().find(|worker| worker.pid == pid));
        let Some(worker) = worker else { return false };
        worker.status = status;
        let leaves = status.leaving && !worker.leaving;
        worker.leaving |= leaves;
        leaves
    }

    pub(crate) fn set_clock(&mut self, events: &mut EventLoop<Self>) {
        let now = events.now();
        let times = self
            .services
            .values()
            .flat_map(|service| [service.next_wakeup, service.backoff.until(now), service.stressed_until]);
        let next = times.flatten().chain(self.stopping).chain(self.exit_at).min();
        if let Some(clock) = self.clock {
            events.set_deadline(clock, next);
        }
    }

    fn bury_the_dead(&mut self, events: &mut EventLoop<Self>) {
        while let Some((pid, end)) = reap() {
            self.bury(pid, end, events);
        }
    }

    fn bury(&mut self, pid: u32, end: End, events: &mut EventLoop<Self>) {
        let now = events.now();
        let found = self.services.iter_mut().find_map(|(key, service)| {
            let place = service.workers.iter().position(|worker| worker.pid == pid)?;
            let worker = service.workers.swap_remove(place);
            Some((*key, worker, service))
        });
        let Some((key, worker, service)) = found else { return };
        let program = self.around.program(&service.entry);
        let fruitless = !worker.leaving
            && worker.status.served + worker.status.sessions == 0
            && now.duration_since(worker.started) < SHORT_LIFE;
        if (end != End::Exited(0) || fruitless) && self.stopping.is_none() {
            log::warn!("process {} pid {pid} {}", program.display(), describe(end));
            service.restarts += 1;
            service.last_failure = Some(end);
            let until = service.backoff.crashed(worker.started, now);
            if until - now >= Duration::from_secs(1) {
                log::warn!("{}: bad command startup -- throttling", program.display());
            }
        }
        let retired = service.sockets.is_empty() && service.workers.is_empty();
        events.remove(worker.line, self);
        if retired {
            self.services.remove(&key);
        }
        self.after_a_death(key, worker.leaving, events);
    }

    fn after_a_death(&mut self, key: Key, was_leaving: bool, events: &mut EventLoop<Self>) {
        self.watch(key, events);
        if was_leaving {
            // A single worker made room for one with the new settings.
            self.wake(key, events);
        }
        self.set_clock(events);
    }

    fn obey(&mut self, signal: SignalKind, events: &mut EventLoop<Self>) {
        match signal {
            SignalKind::SIGHUP => self.reload(events),
            SignalKind::SIGTERM | SignalKind::SIGINT => self.stop(signal, events),
            SignalKind::SIGUSR1 => {
                self.stop(signal, events);
                self.kill_all();
            }
            _ => {}
        }
    }

    /// New settings for new clients; nobody who is here is sent away.
    fn reload(&mut self, events: &mut EventLoop<Self>) {
        let settings = match Settings::read(&self.config_directory) {
            Ok(settings) => settings,
            Err(error) => {
                log::error!("reload: {error}: the old settings stay in force");
                return;
            }
        };
        log::info!(
            "reload -- version {}, configuration {}",
            settings.config.get(&parameters::MAIL_VERSION),
            self.config_directory.display()
        );
        settings.tell_warnings();
        self.log.reopen(&settings.config);
        self.around = Surroundings::new(
            &settings.config,
            &self.config_directory,
            &self.queue_directory,
            self.processors,
        )
        .verbose(self.verbose);
        for key in self.keys() {
            self.renew(key, &settings, events);
        }
        for error in self.open_services(settings) {
            log::error!("reload: {error}: the service is not there, the others are");
        }
        self.begin(events);
    }

    /// A service keeps the sockets whose addresses it still has; one that is gone closes all. Its workers drain.
    fn renew(&mut self, key: Key, settings: &Settings, events: &mut EventLoop<Self>) {
        self.order_new_log(key, events);
        self.order(key, Order::Drain, events);
        let Some(service) = self.services.get_mut(&key) else { return };
        service.workers.iter_mut().for_each(|worker| worker.leaving = true);
        let entry = settings
            .entries
            .iter()
            .find(|entry| (&entry.name, entry.kind) == (&service.entry.name, service.entry.kind));
        let Some(entry) = entry.cloned() else { return self.retire(key, events) };
        match crate::service::endpoints(&entry, &settings.config) {
            Ok(endpoints) if endpoints == service.endpoints => service.entry = entry,
            Ok(endpoints) => self.move_to(key, entry, endpoints, events),
            // What is wrong is told when it is opened anew.
            Err(_) => self.retire(key, events),
        }
    }

    /// The service listens elsewhere from now on.
    fn move_to(&mut self, key: Key, entry: Entry, endpoints: Vec<Endpoint>, events: &mut EventLoop<Self>) {
        self.unwatch(key, events);
        let Some(service) = self.services.get_mut(&key) else { return };
        service.entry = entry;
        if service.listen_at(endpoints, &self.queue_directory).is_err() {
            // Opened anew it says what is wrong.
            self.retire(key, events);
        }
    }

    fn retire(&mut self, key: Key, events: &mut EventLoop<Self>) {
        self.unwatch(key, events);
        let Some(mut service) = self.services.remove(&key) else { return };
        service.sockets.clear();
        service.next_wakeup = None;
        // Out of the way of a service with the same name; it leaves with its last worker.
        service.entry.name = format!("{} (old)", service.entry.name);
        if !service.workers.is_empty() {
            self.services.insert(self.next_key, service);
            self.next_key += 1;
        }
    }

    fn order_new_log(&mut self, key: Key, events: &mut EventLoop<Self>) {
        if self.log.descriptor().is_some() {
            self.order(key, Order::NewLog, events);
        }
    }

    fn stop(&mut self, signal: SignalKind, events: &mut EventLoop<Self>) {
        if self.stopping.is_some() {
            return self.kill_all();
        }
        log::info!("terminating on signal {}", signal as i32);
        self.stop_all(events);
    }

    fn stop_all(&mut self, events: &mut EventLoop<Self>) {
        self.stopping = Some(events.now() + STOP_PATIENCE);
        for key in self.keys() {
            self.order(key, Order::Stop, events);
            self.unwatch(key, events);
        }
        self.set_clock(events);
    }

    fn kill_all(&self) {
        for worker in self.services.values().flat_map(|service| &service.workers) {
            let _ = sys::signals::send(worker.pid, SignalKind::SIGKILL);
        }
    }

    fn is_over(&mut self, events: &mut EventLoop<Self>) -> bool {
        let Some(end) = self.stopping else { return false };
        if events.now() >= end {
            self.kill_all();
            return true;
        }
        self.services.values().all(|service| service.workers.is_empty())
    }

    /// Leaves no socket behind.
    fn clean_up(self) -> io::Result<()> {
        for endpoint in self.services.values().flat_map(|service| &service.endpoints) {
            if let Endpoint::Unix(path) | Endpoint::Datagram(path) = endpoint {
                let _ = std::fs::remove_file(self.queue_directory.join(path));
            }
        }
        StatusPage::close(&self.queue_directory);
        Ok(())
    }
}

/// Takes a new worker into the books.
fn hire(service: &mut Service, pid: u32, line: Socket, key: Key, events: &mut EventLoop<Master>) {
    match events.add(Box::new(WorkerLine { socket: line, service: key, pid })) {
        Ok(line) => service.workers.push(Worker {
            pid,
            line,
            started: events.now(),
            status: Status::default(),
            leaving: false,
        }),
        Err(error) => log::error!("talk to worker {pid} of service {}: {error}", service.full_name()),
    }
}

fn describe(end: End) -> String {
    match end {
        End::Exited(status) => format!("exit status {status}"),
        End::Killed(signal) => format!("killed by signal {signal}"),
    }
}

/// A client knocks at a service that has no worker.
struct Doorbell {
    descriptor: RawFd,
    service: Key,
}

impl Handler<Master> for Doorbell {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.descriptor)
    }

    /// The socket belongs to the service, and is watched again when its last worker has gone.
    fn descriptor_outlives(&self) -> bool {
        true
    }

    fn ready(
        &mut self,
        how: Readiness,
        master: &mut Master,
        events: &mut EventLoop<Master>,
        _: HandlerId,
    ) -> Fate {
        if how.readable {
            master.ensure(self.service, events);
            master.set_clock(events);
        }
        Fate::Keep
    }
}

/// Our end of a worker's status socket.
struct WorkerLine {
    socket: Socket,
    service: Key,
    pid: u32,
}

impl Handler<Master> for WorkerLine {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        master: &mut Master,
        events: &mut EventLoop<Master>,
        _: HandlerId,
    ) -> Fate {
        let mut packet = [0; PACKET_LIMIT_BYTES];
        while let Ok(length) = self.socket.read(&mut packet) {
            let Some(status) = Status::from_packet(&packet[..length]) else { break };
            let leaves = master.told(self.service, self.pid, status);
            master.feel_stress(self.service, events);
            if leaves {
                master.ensure(self.service, events);
                master.watch(self.service, events);
                master.set_clock(events);
            }
        }
        Fate::Keep
    }

    fn letter(
        &mut self,
        letter: reactor::Letter,
        master: &mut Master,
        _: &mut EventLoop<Master>,
        _: HandlerId,
    ) -> Fate {
        if let Ok(order) = letter.downcast::<Order>() {
            let log = master.log.descriptor().filter(|_| *order == Order::NewLog);
            let files: Vec<_> = log.into_iter().collect();
            // A worker that does not listen is about to die, which is seen elsewhere.
            let _ = descriptors::send(self.socket.as_fd(), order.packet(), &files);
        }
        Fate::Keep
    }
}

struct SignalWatch(Signals);

impl Handler<Master> for SignalWatch {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        master: &mut Master,
        events: &mut EventLoop<Master>,
        _: HandlerId,
    ) -> Fate {
        while let Ok(Some(signal)) = self.0.take() {
            master.obey(signal, events);
        }
        Fate::Keep
    }
}

/// Has no descriptor, only a deadline.
struct Clock;

impl Handler<Master> for Clock {
    fn elapsed(&mut self, master: &mut Master, events: &mut EventLoop<Master>, _: HandlerId) -> Fate {
        master.tick(events);
        Fate::Keep
    }
}
