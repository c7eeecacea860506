//! What the sessions have in common.

use std::path::Path;
use std::sync::Arc;

use attributes::Attributes;
use queue::Queue;
use reactor::EventLoop;
use reactor::channel::{Channel, Send};
use services::flush::{GREETING, Request};
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Service, Setup, StartError};

use crate::session::Session;
use crate::site_log::Settings;

/// How many clients are served at a time.
const SESSION_LIMIT: usize = 1000;

/// The service.
pub(crate) struct Flush {
    pub(crate) settings: Arc<Settings>,
    pub(crate) sessions: usize,
    pub(crate) served: u64,
}

impl Service for Flush {
    const PROGRAM: &'static str = "flush";
    const POOL_THREADS: usize = 2;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let layout = queue::Settings::new(
            &config.get(&parameters::HASH_QUEUE_NAMES),
            config.get(&parameters::HASH_QUEUE_DEPTH),
            config.get(&parameters::ENABLE_LONG_QUEUE_IDS),
        );
        let queue = Queue::open(".", layout).map_err(|error| StartError::Refused(error.to_string()))?;
        let parents = config.get(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS);
        let tables = Tables::default();
        let domains = config.get(&parameters::FAST_FLUSH_DOMAINS);
        tables.open_list(&domains);
        let settings = Settings {
            queue,
            tables,
            domains,
            parents: parents
                .split(parameters::text::is_list_separator)
                .any(|word| word == "fast_flush_domains"),
            refresh_seconds: config.get(&parameters::FAST_FLUSH_REFRESH_TIME).as_secs(),
            purge_seconds: config.get(&parameters::FAST_FLUSH_PURGE_TIME).as_secs(),
            manager_socket: Path::new("public").join(config.get(&parameters::QUEUE_SERVICE_NAME)),
        };
        Ok(Self { settings: Arc::new(settings), sessions: 0, served: 0 })
    }

    /// The server speaks first.
    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        match Channel::start(socket, Session, events) {
            Ok(id) => {
                self.sessions += 1;
                self.served += 1;
                events.hand(id, Box::new(Send(Attributes::new().with("protocol", GREETING))), self);
            }
            Err(error) => log::warn!("watch a client: {error}"),
        }
    }

    fn sessions(&self) -> usize {
        self.sessions
    }

    fn served(&self) -> u64 {
        self.served
    }

    fn has_room(&self) -> bool {
        self.sessions < SESSION_LIMIT
    }

    /// Nobody waits for the answer; what can not be done now is done at the next wake-up.
    fn woken(&mut self, events: &mut EventLoop<Self>) {
        let settings = Arc::clone(&self.settings);
        if let Ok(desk) = events.add(Box::new(crate::session::Desk)) {
            self.sessions += 1;
            if events.offload(desk, move || settings.perform(&Request::Refresh)).is_err() {
                events.remove(desk, self);
            }
        }
    }
}
