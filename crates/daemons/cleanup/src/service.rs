//! The service: what its sessions share.

use std::sync::Arc;

use cleanup::{Options, Settings};
use posting::editing;
use queue::Queue;
use reactor::EventLoop;
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::session::{Created, Session};

/// The program.
pub(crate) struct CleanupService {
    pub(crate) settings: Arc<Settings>,
    pub(crate) tables: Tables,
    pub(crate) queue: Queue,
    pub(crate) manager: Notifier,
    pub(crate) clients: Clients,
}

impl Service for CleanupService {
    const PROGRAM: &'static str = "cleanup";

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::from(config);
        let tables = Tables::default();
        editing::open_tables(&tables, &settings, Options::default());
        let queue = setup.queue()?;
        let manager = setup.public_socket(&config.get(&parameters::QUEUE_SERVICE_NAME));
        Ok(Self {
            settings: Arc::new(settings),
            tables,
            queue,
            manager: Notifier::new(manager),
            clients: Clients::default(),
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        if let Some(session) = self.clients.welcome(events.add(Box::new(Session::new(socket)))) {
            let queue = self.queue.clone();
            if let Err(full) = events.offload(session, move || Created(queue.create(sys::clock::now_us()))) {
                log::warn!("{full}");
                events.remove(session, self);
            }
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.tables)
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }
}
