//! What the sessions have in common.

use reactor::EventLoop;
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError};

use crate::listing::Settings;
use crate::session::Session;

/// How many lists are written at a time.
const SESSION_LIMIT: usize = 50;

/// The service.
pub(crate) struct Showq {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
}

impl Service for Showq {
    const PROGRAM: &'static str = "showq";
    const POOL_THREADS: usize = 2;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let settings =
            Settings::from_config(&setup.config).map_err(|error| StartError::Refused(error.to_string()))?;
        Ok(Self { settings, clients: Clients::default() })
    }

    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        let session = Session::new(socket, self.settings.clone());
        if let Some(id) = self.clients.welcome(events.add(Box::new(session))) {
            events.again(id);
        }
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
}
