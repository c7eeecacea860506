//! The service: what its sessions share.

use std::collections::HashMap;
use std::sync::Arc;

use mailbox::job::Answer;
use posting::Poster;
use queue::Queue;
use reactor::EventLoop;
use rewriting::Rewriting;
use services::couriers::{Couriers, HasCouriers, NoDelivery, Ticket};
use services::qmgr::Notifier;
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::deliveries::{self, Desk};
use worker::status_filter::StatusFilter;
use worker::{Service, Setup, StartError};

use crate::job::Request;
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
    pub(crate) desk: Desk,
    pub(crate) filter: StatusFilter,
}

impl Service for Local {
    const PROGRAM: &'static str = "local";
    const POOL_THREADS: usize = 4;
    const READS_EVERYTHING: bool = true;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::new(setup)?;
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
            poster: Arc::new(Poster::new(config, &setup.cleanup_config()?, "forward")),
            notifier: Notifier::new(setup.public_socket(QUEUE_MANAGER)),
            requests: HashMap::new(),
            next_request: 0,
            desk: Desk::default(),
            filter: StatusFilter::new(config, &parameters::LOCAL_DELIVERY_STATUS_FILTER),
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        deliveries::accept(self, socket, events);
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        [&self.tables, self.poster.tables(), self.filter.tables()].into_iter()
    }

    fn sessions(&self) -> usize {
        self.desk.clients().here()
    }

    fn served(&self) -> u64 {
        self.desk.clients().come()
    }

    fn draining(&mut self, events: &mut EventLoop<Self>) {
        deliveries::make_way(self, events);
    }

    fn turn_ends(&mut self, events: &mut EventLoop<Self>) {
        deliveries::send_reports(self, events);
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
