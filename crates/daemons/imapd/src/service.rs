//! The login server: what its sessions share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use imap_protocol::session::LoginSettings;
use parameters::Config;
use reactor::EventLoop;
use reactor::drive::Driver;
use services::login::{HasLogins, Logins};
use services::residents::Residents;
use sys::sockets::{Peer, Socket};
use worker::server_tls::{self, HasServerTls, ServerTls};
use worker::{Clients, Service, Setup, StartError};

use crate::capabilities;
use crate::encryption::{self, Level};
use crate::login::Session;

/// Sessions of one worker where master.cf sets no limit.
const SESSION_LIMIT: usize = 20_000;
/// Bytes of a command before the log-in, with its literals.
const LOGIN_COMMAND_LIMIT_BYTES: usize = 8 * 1024;
/// So many commands before the log-in may be wrong.
const BAD_LOGIN_COMMANDS: u32 = 3;

/// The login server.
pub(crate) struct Imapd {
    /// For clients whose passwords are not overheard: of this host, or where it does not matter.
    trusted: Arc<LoginSettings>,
    /// For all others.
    strangers: Arc<LoginSettings>,
    pub(crate) logins: Logins,
    pub(crate) residents: Residents,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) handshake_limit: Duration,
    pub(crate) clients: Clients,
    /// Clients that have logged in and whose TLS is here.
    pub(crate) relays: usize,
    /// What residents have to know of the settings.
    pub(crate) words: Attributes,
    session_limit: usize,
}

impl Service for Imapd {
    const PROGRAM: &'static str = "imapd";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let limit = setup.arguments.session_limit;
        let authd = setup.private_socket(&config.get(&parameters::AUTHD_SERVICE_NAME));
        let plaintext_anywhere = !config.get(&parameters::IMAPD_TLS_AUTH_ONLY);
        let level = encryption::level(config);
        let tls = encryption::open(setup, level);
        if level == Level::Encrypt && tls.is_none() {
            return Err(StartError::Refused("TLS is required, and there is none".to_owned()));
        }
        let dialogue = |plaintext| Arc::new(dialogue(config, plaintext, level, tls.is_some()));
        Ok(Self {
            trusted: dialogue(true),
            strangers: dialogue(plaintext_anywhere),
            logins: Logins::new(authd),
            residents: Residents::new(setup.private_socket(services::spawn::SPAWN_SERVICE)),
            tls,
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
            clients: Clients::default(),
            relays: 0,
            words: words(config),
            session_limit: if limit == 0 { SESSION_LIMIT } else { limit },
        })
    }

    fn start(&mut self, _setup: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        server_tls::renew_keys(self, events);
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        socket.send_at_once();
        let remote = match peer {
            Peer::Inet(address) => Some(address),
            Peer::Local => None,
        };
        let local = socket.local_address();
        let settings = if is_near(remote, local) { &self.trusted } else { &self.strangers };
        let session = Session::new(Arc::clone(settings), remote, local);
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

impl HasServerTls for Imapd {
    fn server_tls(&mut self) -> Option<&mut ServerTls> {
        self.tls.as_mut()
    }
}

impl HasLogins for Imapd {
    fn logins(&mut self) -> &mut Logins {
        &mut self.logins
    }
}

/// Nobody between the client and us can listen.
fn is_near(remote: Option<SocketAddr>, local: Option<SocketAddr>) -> bool {
    match (remote, local) {
        (None, _) => true,
        (Some(remote), local) => {
            remote.ip().is_loopback() || local.is_some_and(|local| local.ip() == remote.ip())
        }
    }
}

fn dialogue(config: &Config, plaintext: bool, level: Level, offers_tls: bool) -> LoginSettings {
    LoginSettings {
        greeting: config.get(&parameters::IMAPD_GREETING),
        capabilities: capabilities::login(),
        mechanisms: Vec::new(),
        plaintext_mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
        starttls: offers_tls,
        wrapper: config.get(&parameters::IMAPD_TLS_WRAPPERMODE),
        requires_tls: level == Level::Encrypt,
        plaintext,
        timeout: config.get(&parameters::IMAPD_LOGIN_TIMEOUT),
        command_limit_bytes: LOGIN_COMMAND_LIMIT_BYTES,
        bad_command_limit: BAD_LOGIN_COMMANDS,
        id: vec![("name".to_owned(), "Pillarbox".to_owned())],
    }
}

/// What goes to residents with each client; they read no main.cf.
fn words(config: &Config) -> Attributes {
    let seconds = |time: Duration| time.as_secs();
    Attributes::new()
        .with("timeout", seconds(config.get(&parameters::IMAPD_TIMEOUT)))
        .with("idle_notice", seconds(config.get(&parameters::IMAPD_IDLE_NOTIFY_INTERVAL)))
        .with("command_limit", config.get(&parameters::IMAPD_COMMAND_SIZE_LIMIT))
        .with("special_use", config.get(&parameters::IMAPD_SPECIAL_USE))
}
