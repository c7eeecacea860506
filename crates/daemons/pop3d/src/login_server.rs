//! The half that strangers speak to: what its sessions share.

use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use pop3_protocol::LoginSettings;
use reactor::EventLoop;
use reactor::drive::Driver;
use services::login::{HasLogins, Logins};
use services::residents::Residents;
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};
use worker::server_tls::{self, Demand, HasServerTls, ServerTls};
use worker::{Clients, Service, Setup, StartError};

use crate::login::LoginSession;
use crate::settings::{self, SessionSettings, TlsLevel};

/// Sessions of one worker where master.cf sets no limit.
const SESSION_LIMIT: usize = 20_000;

/// The login server.
pub(crate) struct LoginServer {
    pub(crate) dialogue: Arc<LoginSettings>,
    /// What goes with every client to its mailbox.
    pub(crate) words: Attributes,
    pub(crate) logins: Logins,
    pub(crate) residents: Residents,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) handshake_limit: Duration,
    pub(crate) host_name: String,
    /// Makes time stamps different.
    pub(crate) greeted: u64,
    pub(crate) clients: Clients,
    /// Clients that have logged in and whose TLS is here.
    pub(crate) relays: usize,
    session_limit: usize,
}

impl Service for LoginServer {
    const PROGRAM: &'static str = "pop3d";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let level = settings::tls_level(config);
        let manager = setup.private_socket(&config.get(&parameters::TLSMGR_SERVICE_NAME));
        let tls = open_tls(setup, level, manager);
        if level == TlsLevel::Encrypt && tls.is_none() {
            return Err(StartError::Refused("TLS is required, and there is none".to_owned()));
        }
        let limit = setup.arguments.session_limit;
        Ok(Self {
            dialogue: Arc::new(settings::login_settings(config, level, tls.is_some())),
            words: SessionSettings::new(config).to_words(),
            logins: Logins::new(setup.private_socket(&config.get(&parameters::AUTHD_SERVICE_NAME))),
            residents: Residents::new(setup.private_socket(SPAWN_SERVICE)),
            tls,
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
            host_name: config.get(&parameters::MYHOSTNAME),
            greeted: 0,
            clients: Clients::default(),
            relays: 0,
            session_limit: if limit == 0 { SESSION_LIMIT } else { limit },
        })
    }

    fn start(&mut self, _setup: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        server_tls::renew_keys(self, events);
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        socket.send_at_once();
        let session = LoginSession::new(self, &peer, socket.local_address());
        self.clients.welcome(Driver::start(socket, session, events));
    }

    fn sessions(&self) -> usize {
        self.clients.here() + self.relays
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    fn has_room(&self) -> bool {
        self.sessions() < self.session_limit
    }
}

fn open_tls(setup: &Setup, level: TlsLevel, manager: std::path::PathBuf) -> Option<ServerTls> {
    let demand = match level {
        TlsLevel::None => return None,
        TlsLevel::May => Demand::May,
        TlsLevel::Encrypt => Demand::Must,
    };
    let service = format!("pop3d {}", setup.service);
    match ServerTls::open(&setup.config, demand, &service, manager) {
        Ok(tls) => Some(tls),
        Err(why) => {
            log::warn!("{why}: there will be no TLS");
            None
        }
    }
}

impl HasLogins for LoginServer {
    fn logins(&mut self) -> &mut Logins {
        &mut self.logins
    }
}

impl HasServerTls for LoginServer {
    fn server_tls(&mut self) -> Option<&mut ServerTls> {
        self.tls.as_mut()
    }
}
