//! The service: what its sessions share.

use std::collections::HashMap;

use mailbox::job::Answer;
use queue::Queue;
use reactor::EventLoop;
use rewriting::Rewriting;
use services::couriers::{Couriers, HasCouriers, NoDelivery, Ticket};
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::deliveries::{self, Desk};
use worker::status_filter::StatusFilter;
use worker::{Service, Setup, StartError};

use crate::job::Request;
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
    pub(crate) desk: Desk,
    pub(crate) filter: StatusFilter,
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
            desk: Desk::default(),
            filter: StatusFilter::new(config, &parameters::VIRTUAL_DELIVERY_STATUS_FILTER),
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        deliveries::accept(self, socket, events);
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        [&self.tables, self.filter.tables()].into_iter()
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
