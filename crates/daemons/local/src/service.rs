//! The service: what its sessions share.

use std::collections::HashMap;
use std::sync::Arc;

use attributes::Attributes;
use mailbox::job::Answer;
use posting::Poster;
use queue::Queue;
use reactor::channel::Channel;
use reactor::{EventLoop, HandlerId};
use rewriting::Rewriting;
use services::couriers::{Couriers, HasCouriers, NoDelivery, Ticket};
use services::qmgr::Notifier;
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::{Clients, Service, Setup, StartError};

use crate::job::Request;
use crate::session::Session;
use crate::settings::Settings;

/// The queue manager's public socket.
const QUEUE_MANAGER: &str = "qmgr";

/// The agent.
pub(crate) struct Local {
    pub(crate) settings: Settings,
    pub(crate) tables: Tables,
    pub(crate) rewriting: Rewriting,
    pub(crate) queue: Queue,
    pub(crate) poster: Arc<Poster>,
    pub(crate) notifier: Notifier,
    pub(crate) couriers: Couriers,
    /// Requests that are not answered yet.
    pub(crate) requests: HashMap<u64, Request>,
    pub(crate) next_request: u64,
    /// Reports of this turn, for whom.
    pub(crate) reports: HashMap<HandlerId, Vec<Attributes>>,
    pub(crate) clients: Clients,
}

impl Service for Local {
    const PROGRAM: &'static str = "local";
    const POOL_THREADS: usize = 4;
    const READS_EVERYTHING: bool = true;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::new(setup).map_err(|error| *error)?;
        // `$1` would let a stranger's address choose a file or a command.
        let tables = Tables::new(Options { substitution: false, ..Options::default() });
        tables.open_maps(&settings.aliases.alias_maps);
        let queue = setup.queue()?;
        Ok(Self {
            couriers: Couriers::new(setup.private_socket(SPAWN_SERVICE), settings.couriers),
            settings,
            tables,
            rewriting: Rewriting::new(rewriting::Settings::from(config)),
            queue,
            poster: Arc::new(Poster::new(config, "forward")),
            notifier: Notifier::new(setup.public_socket(QUEUE_MANAGER)),
            requests: HashMap::new(),
            next_request: 0,
            reports: HashMap::new(),
            clients: Clients::default(),
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Session, events));
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    /// Reports go out together, one write for each connection.
    fn turn_ends(&mut self, events: &mut EventLoop<Self>) {
        for (client, reports) in std::mem::take(&mut self.reports) {
            events.hand(client, Box::new(reports), self);
        }
    }
}

impl HasCouriers for Local {
    fn couriers(&mut self) -> &mut Couriers {
        &mut self.couriers
    }

    fn job_is_over(
        &mut self,
        ticket: Ticket,
        outcome: Result<Answer, NoDelivery>,
        _events: &mut EventLoop<Self>,
    ) {
        self.courier_is_back(ticket, outcome);
    }
}
