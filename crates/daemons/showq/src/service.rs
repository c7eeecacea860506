//! What the sessions have in common.

use reactor::EventLoop;
use sys::sockets::{Peer, Socket};
use worker::{Service, Setup, StartError};

use crate::listing::Settings;
use crate::session::Session;

/// How many lists are written at a time.
const SESSION_LIMIT: usize = 50;

/// The service.
pub(crate) struct Showq {
    pub(crate) settings: Settings,
    pub(crate) sessions: usize,
    served: u64,
}

impl Service for Showq {
    const PROGRAM: &'static str = "showq";
    const POOL_THREADS: usize = 2;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let settings =
            Settings::from_config(&setup.config).map_err(|error| StartError::Refused(error.to_string()))?;
        Ok(Self { settings, sessions: 0, served: 0 })
    }

    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        let session = Session::new(socket, self.settings.clone());
        match events.add(Box::new(session)) {
            Ok(id) => {
                self.sessions += 1;
                self.served += 1;
                events.again(id);
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
}
