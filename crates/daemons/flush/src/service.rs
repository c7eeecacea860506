//! What the sessions have in common.

use std::path::Path;
use std::sync::Arc;

use attributes::Attributes;
use reactor::EventLoop;
use reactor::channel::{Channel, Send};
use services::flush::{GREETING, Request};
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::session::Session;
use crate::site_log::Settings;

/// How many clients are served at a time.
const SESSION_LIMIT: usize = 1000;

/// The service.
pub(crate) struct Flush {
    pub(crate) settings: Arc<Settings>,
    pub(crate) clients: Clients,
}

impl Service for Flush {
    const PROGRAM: &'static str = "flush";
    const POOL_THREADS: usize = 2;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let queue = setup.queue()?;
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
        Ok(Self { settings: Arc::new(settings), clients: Clients::default() })
    }

    /// The server speaks first.
    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        if let Some(id) = self.clients.welcome(Channel::start(socket, Session, events)) {
            events.hand(id, Box::new(Send(Attributes::new().with("protocol", GREETING))), self);
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.settings.tables)
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    fn has_room(&self) -> bool {
        self.clients.here() < SESSION_LIMIT
    }

    /// Nobody waits for the answer; what can not be done now is done at the next wake-up.
    fn woken(&mut self, events: &mut EventLoop<Self>) {
        let settings = Arc::clone(&self.settings);
        let Some(desk) = self.clients.welcome(events.add(Box::new(crate::session::Desk))) else { return };
        if events.offload(desk, move || settings.perform(&Request::Refresh)).is_err() {
            events.remove(desk, self);
        }
    }
}
