//! One client: its request is read, judged by the pool, and answered.
//!
//! The end of what the client sends is the end of its message; the reply goes out behind it.

use std::sync::Arc;
use std::time::Duration;

use machine::TlsFacts;
use reactor::drive::{self, Driver};
use reactor::{EventLoop, HandlerId, Letter};
use spamc_protocol::{Fault, Reply, Request, Server, Settings};
use sys::sockets::Socket;

use crate::encryption::Encryption;
use crate::judge::{Case, judge};
use crate::notes::Notes;
use crate::users::Rules;

/// What sessions share.
pub(crate) struct Shared {
    pub(crate) rules: Arc<Rules>,
    pub(crate) notes: Notes,
    pub(crate) host: String,
    pub(crate) settings: Settings,
}

/// What runs sessions, as a service or by hand.
pub(crate) trait Office: Sized + 'static {
    /// A session has ended.
    fn session_ended(&mut self);
}

/// How a client came in.
#[derive(Default)]
pub(crate) struct Entrance {
    /// By TLS.
    pub(crate) encryption: Option<Arc<Encryption>>,
    /// What the log says of it once the handshake is done.
    pub(crate) told: Option<String>,
}

/// A client.
pub(crate) struct Session {
    machine: Server,
    shared: Arc<Shared>,
    entrance: Entrance,
    client: String,
}

impl Session {
    /// Takes a client into the loop.
    pub(crate) fn start<D: Office>(
        socket: Socket,
        shared: Arc<Shared>,
        client: String,
        entrance: Entrance,
        events: &mut EventLoop<D>,
    ) -> std::io::Result<HandlerId> {
        let settings = shared.settings.clone();
        let machine = match entrance.encryption {
            Some(_) => Server::behind_tls(settings),
            None => Server::new(settings),
        };
        Driver::start(socket, Self { machine, shared, entrance, client }, events)
    }
}

impl<D: Office> drive::Session<D> for Session {
    type Machine = Server;

    fn machine(&mut self) -> &mut Server {
        &mut self.machine
    }

    fn answer(
        &mut self,
        (request, message): (Request, Vec<u8>),
        _: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) -> Option<Reply> {
        let shared = Arc::clone(&self.shared);
        let time_limit = shared.settings.check_time;
        let size_limit_bytes = shared.settings.message_limit_bytes;
        let client = self.client.clone();
        let case = Case { request, message, client, time_limit, size_limit_bytes };
        match events.offload(me, move || judge(&shared, case)) {
            Ok(_) => None,
            Err(_) => Some(Reply::Fault(Fault::Unavailable("too busy".to_owned()))),
        }
    }

    fn letter(&mut self, letter: Letter, _: &mut D, _: &mut EventLoop<D>, _: HandlerId) -> Option<Reply> {
        letter.downcast::<Reply>().ok().map(|reply| *reply)
    }

    fn begin_tls(&mut self, _: &mut D) -> Option<(tls::Server, Duration)> {
        Some((self.entrance.encryption.as_ref()?.begin()?, self.shared.settings.patience))
    }

    fn secured(&mut self, facts: &TlsFacts) {
        if let Some(told) = &self.entrance.told {
            let protocol = facts.protocol.replace('.', "_");
            log::info!("spamd: {told}, {protocol}/{}", facts.cipher);
        }
    }

    fn handshake_failed(&mut self, why: &str) {
        log::info!("spamd: accept_a_conn: SSL accept failed: {why} ({})", self.client);
    }

    fn hears_on(&self) -> Option<Duration> {
        Some(self.shared.settings.patience)
    }

    fn ended(&mut self, daemon: &mut D, _: &mut EventLoop<D>) {
        if let Some(fault) = self.machine.take_fault() {
            log::warn!("spamd: {}", fault.log_line());
        }
        daemon.session_ended();
    }
}
