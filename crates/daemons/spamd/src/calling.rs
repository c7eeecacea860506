//! Who calls: clients that speak SPAMC, or mail servers that speak the milter protocol.

use std::io;
use std::sync::Arc;

use reactor::drive::Driver;
use reactor::{EventLoop, HandlerId};
use sys::sockets::{Peer, Socket};

use crate::filtering::{Milter, Policy};
use crate::service::client_text;
use crate::session::{Entrance, Office, Session, Shared};

/// The protocol of those who call.
#[derive(Debug, Clone)]
pub(crate) enum Calling {
    /// SPAMC.
    Spamc,
    /// Milter.
    Milter(Arc<Policy>),
}

impl Calling {
    /// Takes a client into the loop.
    pub(crate) fn welcome<D: Office>(
        &self,
        socket: Socket,
        peer: &Peer,
        shared: &Arc<Shared>,
        entrance: Entrance,
        events: &mut EventLoop<D>,
    ) -> io::Result<HandlerId> {
        let shared = Arc::clone(shared);
        match self {
            Self::Spamc => Session::start(socket, shared, client_text(peer), entrance, events),
            Self::Milter(policy) => Driver::start(socket, Milter::new(shared, Arc::clone(policy)), events),
        }
    }
}
