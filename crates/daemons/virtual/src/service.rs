//! The service: what its sessions share.

use std::collections::HashMap;

use attributes::Attributes;
use mailbox::job::Answer;
use queue::Queue;
use reactor::channel::Channel;
use reactor::{EventLoop, HandlerId};
use rewriting::Rewriting;
use services::couriers::{Couriers, HasCouriers, NoDelivery, Ticket};
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::{Clients, Service, Setup, StartError};

use crate::job::Request;
use crate::session::Session;
use crate::settings::Settings;

/// The agent.
pub(crate) struct Virtual {
    pub(crate) settings: Settings,
    pub(crate) tables: Tables,
    pub(crate) rewriting: Rewriting,
    pub(crate) queue: Queue,
    pub(crate) couriers: Couriers,
    /// Requests that are not answered yet.
    pub(crate) requests: HashMap<u64, Request>,
    pub(crate) next_request: u64,
    /// Reports of this turn, for whom.
    pub(crate) reports: HashMap<HandlerId, Vec<Attributes>>,
    pub(crate) clients: Clients,
}

impl Service for Virtual {
    const PROGRAM: &'static str = "virtual";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::new(config)?;
        let queue = setup.queue()?;
        // `$1` would let a stranger's address choose a file.
        let tables = Tables::new(Options { substitution: false, ..Options::default() });
        let rewriting = Rewriting::new(rewriting::Settings::from(config));
        for maps in [
            &rewriting.settings().virtual_mailbox_maps,
            &settings.owners.virtual_uid_maps,
            &settings.owners.virtual_gid_maps,
        ] {
            tables.open_maps(maps);
        }
        let couriers = Couriers::new(setup.private_socket(SPAWN_SERVICE), settings.couriers);
        Ok(Self {
            settings,
            tables,
            rewriting,
            queue,
            couriers,
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

impl HasCouriers for Virtual {
    fn couriers(&mut self) -> &mut Couriers {
        &mut self.couriers
    }

    fn job_is_over(
        &mut self,
        ticket: Ticket,
        outcome: Result<Answer, NoDelivery>,
        _events: &mut EventLoop<Self>,
    ) {
        self.errand_is_over(ticket, outcome);
    }
}
