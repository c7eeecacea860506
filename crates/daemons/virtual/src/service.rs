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
use worker::{Service, Setup, StartError};

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
    pub(crate) sessions: usize,
    served: u64,
}

impl Service for Virtual {
    const PROGRAM: &'static str = "virtual";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::new(config)?;
        let queue = open_queue(config)?;
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
            sessions: 0,
            served: 0,
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        match Channel::start(socket, Session, events) {
            Ok(_) => {
                self.sessions += 1;
                self.served += 1;
            }
            Err(error) => log::warn!("watch a connection: {error}"),
        }
    }

    fn sessions(&self) -> usize {
        self.sessions
    }

    fn served(&self) -> u64 {
        self.served
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

fn open_queue(config: &parameters::Config) -> Result<Queue, StartError> {
    let settings = queue::Settings::new(
        &config.get(&parameters::HASH_QUEUE_NAMES),
        config.get(&parameters::HASH_QUEUE_DEPTH),
        config.get(&parameters::ENABLE_LONG_QUEUE_IDS),
    );
    Queue::open(".", settings).map_err(|error| StartError::Refused(error.to_string()))
}
