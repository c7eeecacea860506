//! # NAME
//! tlsmgr - keeps what TLS servers share
//!
//! # DESCRIPTION
//! Makes the keys that TLS session tickets are sealed with and hands them to every worker that asks, so that
//! a client resumes its session with any of them. The keys live in memory only: a restart makes new ones, and
//! clients then do a full handshake. Sessions are kept in tickets alone; the session cache databases of
//! main.cf are not used, and random numbers come from the kernel, not from here.
//!
//! # CONFIGURATION PARAMETERS
//! `smtpd_tls_session_cache_timeout`: how long a ticket is good.

mod keys;

use std::process::ExitCode;
use std::time::Duration;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::ticket_keys;
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError};

use crate::keys::KeyRing;

struct TlsManager {
    keys: KeyRing,
    clients: Clients,
}

impl Service for TlsManager {
    const PROGRAM: &'static str = "tlsmgr";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let lifetime: Duration = setup.config.get(&parameters::SMTPD_TLS_SESSION_CACHE_TIMEOUT);
        Ok(Self { keys: KeyRing::new(lifetime), clients: Clients::default() })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Conversation, events));
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    /// The keys would be gone, and with them every client's session.
    fn may_retire(&self) -> bool {
        false
    }
}

/// One worker that asks.
struct Conversation;

impl Talk<TlsManager> for Conversation {
    fn message(
        &mut self,
        message: Attributes,
        manager: &mut TlsManager,
        line: &mut Line<'_, TlsManager>,
    ) -> Fate {
        if !ticket_keys::is_request(&message) {
            log::warn!("request that is not understood: {message:?}");
            return Fate::Close;
        }
        match manager.keys.at(sys::clock::now_us() / 1_000_000) {
            Ok(keys) => {
                line.send(&keys.to_attributes());
                Fate::Keep
            }
            Err(error) => {
                log::warn!("no random numbers for a ticket key: {error}");
                Fate::Close
            }
        }
    }

    /// A worker holds its connection for nothing but the next key: it asks the next tlsmgr then.
    fn stopping(&mut self, _manager: &mut TlsManager, _line: &mut Line<'_, TlsManager>) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, manager: &mut TlsManager, _events: &mut EventLoop<TlsManager>) {
        manager.clients.gone();
    }
}

fn main() -> ExitCode {
    worker::run::<TlsManager>()
}
