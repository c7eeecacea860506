//! The service: what its sessions share.

use std::collections::HashMap;

use mailbox::job::Answer;
use queue::Queue;
use reactor::channel::Channel;
use reactor::{EventLoop, HandlerId};
use rewriting::Rewriting;
use services::couriers::{Couriers, HasCouriers, NoDelivery, Ticket};
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::deliveries::{self, Desk};
use worker::status_filter::StatusFilter;
use worker::{Clients, Service, Setup, StartError};

use crate::job::Request;
use crate::quota_status::{self, Asker};
use crate::settings::Settings;

/// A service whose name ends so answers questions about quota.
const QUOTA_STATUS: &str = "quota-status";

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
    /// Is it asked about quota only?
    is_quota_status: bool,
    /// Questions about quota that a courier looks into, and whose they are.
    pub(crate) questions: HashMap<u64, HandlerId>,
    pub(crate) askers: Clients,
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
            &settings.limit_maps,
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
            is_quota_status: setup.service.ends_with(QUOTA_STATUS),
            questions: HashMap::new(),
            askers: Clients::default(),
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        if self.is_quota_status {
            self.askers.welcome(Channel::start(socket, Asker::default(), events));
        } else {
            deliveries::accept(self, socket, events);
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        [&self.tables, self.filter.tables()].into_iter()
    }

    fn sessions(&self) -> usize {
        self.desk.clients().here() + self.askers.here()
    }

    fn served(&self) -> u64 {
        self.desk.clients().come() + self.askers.come()
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
        events: &mut EventLoop<Self>,
    ) {
        if let Some(asker) = self.questions.remove(&ticket.request) {
            return events.post_box().send(asker, Box::new(quota_status::Looked(outcome)));
        }
        self.errand_is_over(ticket, outcome, events);
    }
}
