//! The half of a mailbox server that strangers speak to: it asks authd(8) who they are, and passes those on who have
//! logged in. POP3 and IMAP share all of it but the words.
//!
//! A daemon is a [`LoginProtocol`], and its `main` runs a [`LoginServer`] of it. Each of its sessions holds a
//! [`LoginClient`], which knows where the client comes from and how far its login is.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

use attributes::Attributes;
use dovecot_auth::{Mechanism, Request};
use parameters::{Config, Param};
use reactor::drive::{Connection, Driver, Session};
use reactor::{EventLoop, HandlerId, relay};
use services::login::{HasLogins, Logins, Verdict};
use services::residents::{Program, Residents, SessionRequest, refuse};
use services::spawn::SPAWN_SERVICE;
use sys::sockets::{Peer, Socket};

use crate::server_tls::{self, Demand, HasServerTls, ServerTls};
use crate::{Clients, Service, Setup, StartError};

/// Sessions of one worker where master.cf sets no limit.
const SESSION_LIMIT: usize = 20_000;

/// What tells one protocol from another.
pub trait LoginProtocol: Sized + 'static {
    /// The program, and that of its residents.
    const PROGRAM: Program;
    /// What authd(8) calls it: `pop3`.
    const SERVICE: &'static str;
    /// One client until it has logged in.
    type Session: Session<LoginServer<Self>> + 'static;

    /// The parameters `..._tls_security_level` and `..._tls_wrappermode`.
    fn tls_parameters() -> (&'static Param<String>, &'static Param<bool>);

    /// Reads the protocol's settings; `offers_tls`: certificates are there.
    fn open(config: &Config, level: TlsLevel, offers_tls: bool) -> Self;

    /// What goes with every client to its mailbox.
    fn words(config: &Config) -> Attributes;

    /// A client has come.
    fn session(&mut self, client: LoginClient) -> Self::Session;
}

/// What TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsLevel {
    /// There is none.
    None,
    /// A client may begin it.
    May,
    /// Nobody logs in without.
    Encrypt,
}

impl TlsLevel {
    /// Reads the two parameters. Where nobody has decided, a certificate decides: it does no harm to offer TLS.
    fn of(config: &Config, (level, wrapper): (&'static Param<String>, &'static Param<bool>)) -> Self {
        match config.get(level).to_ascii_lowercase().as_str() {
            _ if config.get(wrapper) => Self::Encrypt,
            "" if config.get(&parameters::SMTPD_USE_TLS) || has_certificate(config) => Self::May,
            "" | "none" => Self::None,
            "may" => Self::May,
            "encrypt" => Self::Encrypt,
            other => {
                log::warn!("{}: unsupported TLS level \"{other}\", using \"encrypt\"", level.name());
                Self::Encrypt
            }
        }
    }
}

fn has_certificate(config: &Config) -> bool {
    let files = [
        &parameters::SMTPD_TLS_CHAIN_FILES,
        &parameters::SMTPD_TLS_CERT_FILE,
        &parameters::SMTPD_TLS_ECCERT_FILE,
    ];
    files.iter().any(|file| !config.get(file).is_empty())
}

/// The login server of a protocol.
pub struct LoginServer<P> {
    /// What is the protocol's own.
    pub protocol: P,
    /// What goes with every client to its mailbox.
    words: Attributes,
    logins: Logins,
    residents: Residents,
    tls: Option<ServerTls>,
    handshake_limit: Duration,
    clients: Clients,
    /// Clients that have logged in and whose TLS is here.
    relays: usize,
    session_limit: usize,
}

impl<P: LoginProtocol> LoginServer<P> {
    /// As [`Session::begin_tls`] wants it.
    pub fn begin_tls(&self) -> Option<(tls::Server, Duration)> {
        Some((self.tls.as_ref()?.begin()?, self.handshake_limit))
    }

    /// What authd(8) offers; nothing where it can not be reached. None when it has not said yet: then `me` gets
    /// [`services::login::OffersKnown`], and asks again.
    pub fn offers(&mut self, events: &mut EventLoop<Self>, me: HandlerId) -> Option<Offers> {
        self.logins.offers(me, events).map(|all| Offers(all.to_vec()))
    }
}

impl<P: LoginProtocol> Service for LoginServer<P> {
    const PROGRAM: &'static str = P::PROGRAM.name();
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let level = TlsLevel::of(config, P::tls_parameters());
        let tls = open_tls(setup, level, P::PROGRAM.name());
        if level == TlsLevel::Encrypt && tls.is_none() {
            return Err(StartError::Refused("TLS is required, and there is none".to_owned()));
        }
        let limit = setup.arguments.session_limit;
        Ok(Self {
            protocol: P::open(config, level, tls.is_some()),
            words: P::words(config),
            logins: Logins::new(setup.private_socket(&config.get(&parameters::AUTHD_SERVICE_NAME))),
            residents: Residents::new(setup.private_socket(SPAWN_SERVICE)),
            tls,
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
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
        let session = self.protocol.session(LoginClient::new(&peer, socket.local_address()));
        self.clients.welcome(Driver::start(socket, session, events));
    }

    fn tables(&self) -> impl Iterator<Item = &tables::Tables> {
        self.tls.iter().filter_map(ServerTls::tables)
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

/// Without certificates there is no TLS, and the log says why.
fn open_tls(setup: &Setup, level: TlsLevel, program: &str) -> Option<ServerTls> {
    let demand = match level {
        TlsLevel::None => return None,
        TlsLevel::May => Demand::May,
        TlsLevel::Encrypt => Demand::Must,
    };
    let manager = setup.private_socket(&setup.config.get(&parameters::TLSMGR_SERVICE_NAME));
    let service = format!("{program} {}", setup.service);
    let tls = ServerTls::open(&setup.config, demand, &service, manager);
    tls.inspect_err(|why| log::warn!("{why}: there will be no TLS")).ok()
}

impl<P: LoginProtocol> HasLogins for LoginServer<P> {
    fn logins(&mut self) -> &mut Logins {
        &mut self.logins
    }
}

impl<P: LoginProtocol> HasServerTls for LoginServer<P> {
    fn server_tls(&mut self) -> Option<&mut ServerTls> {
        self.tls.as_mut()
    }
}

/// The ways to log in that authd(8) knows.
#[derive(Debug, Clone)]
pub struct Offers(Vec<Mechanism>);

impl Offers {
    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is this one there, announced or not?
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|mechanism| mechanism.name == name)
    }

    /// The names of those that clients may be told of.
    pub fn names(&self, wanted: impl Fn(&Mechanism) -> bool) -> Vec<String> {
        let public = self.0.iter().filter(|mechanism| !mechanism.private);
        // There are no client certificates that say who somebody is.
        let usable = public.filter(|mechanism| mechanism.name != "EXTERNAL");
        usable.filter(|mechanism| wanted(mechanism)).map(|mechanism| mechanism.name.clone()).collect()
    }
}

/// Where a client comes from, and how far its login is.
#[derive(Debug)]
pub struct LoginClient {
    remote: Option<IpAddr>,
    local: Option<IpAddr>,
    /// The exchange with authd(8) that goes on.
    exchange: Option<u32>,
    /// Who has logged in, and the ticket to the mailbox.
    accepted: Option<(String, String)>,
}

/// With which words a client goes to its mailbox.
#[derive(Debug)]
pub struct Departure {
    /// For the resident, beside those that all clients have.
    pub words: Vec<(&'static str, String)>,
    /// What the client has said already beyond its login.
    pub early: Vec<u8>,
    /// What it is told when it can not get there.
    pub refusal: String,
}

impl LoginClient {
    fn new(peer: &Peer, local: Option<SocketAddr>) -> Self {
        let remote = match peer {
            Peer::Inet(address) => Some(address.ip().to_canonical()),
            Peer::Local => None,
        };
        let local = local.map(|address| address.ip().to_canonical());
        Self { remote, local, exchange: None, accepted: None }
    }

    /// Nobody between the client and this host can listen.
    pub fn is_near(&self) -> bool {
        self.remote.is_none_or(|remote| remote.is_loopback() || Some(remote) == self.local)
    }

    /// The client's address; empty for one that has none.
    pub fn address(&self) -> String {
        self.remote.map_or_else(String::new, |address| address.to_string())
    }

    /// Begins an exchange with authd(8), whose [`Verdict`] comes as a letter to `me`; `response` is in Base64. False
    /// when authd can not be reached.
    pub fn begin<P: LoginProtocol>(
        &mut self,
        (mechanism, response, secured): (String, Option<String>, bool),
        server: &mut LoginServer<P>,
        events: &mut EventLoop<LoginServer<P>>,
        me: HandlerId,
    ) -> bool {
        let request = Request {
            mechanism,
            service: P::SERVICE.to_owned(),
            remote: self.address(),
            local: self.local.map_or_else(String::new, |address| address.to_string()),
            secured: secured || self.is_near(),
            wants_ticket: true,
            response,
            ..Request::default()
        };
        match server.logins.begin(request, me, events) {
            Ok(id) => self.exchange = Some(id),
            Err(error) => {
                log::warn!("connect to authd: {error}");
                return false;
            }
        }
        true
    }

    /// The client's answer to a challenge. False when there is no exchange any more.
    pub fn respond<P: LoginProtocol>(
        &self,
        words: &[u8],
        server: &mut LoginServer<P>,
        events: &mut EventLoop<LoginServer<P>>,
    ) -> bool {
        if let Some(id) = self.exchange {
            server.logins.respond(id, words, events);
        }
        self.exchange.is_some()
    }

    /// The client has given the exchange up.
    pub fn cancel<P: LoginProtocol>(
        &mut self,
        server: &mut LoginServer<P>,
        events: &mut EventLoop<LoginServer<P>>,
    ) {
        if let Some(id) = self.exchange.take() {
            server.logins.cancel(id, events);
        }
    }

    /// Takes note of what authd(8) has said; to be called for each verdict.
    pub fn heard(&mut self, verdict: &Verdict) {
        if !matches!(verdict, Verdict::Challenge(_)) {
            self.exchange = None;
        }
        if let Verdict::Accepted { user, ticket, .. } = verdict {
            self.accepted = Some((user.clone(), ticket.clone()));
        }
    }

    /// The client goes to its mailbox; what is secured by TLS stays here, and its bytes go there.
    pub fn hand_over<P: LoginProtocol>(
        &mut self,
        connection: Connection,
        departure: Departure,
        server: &mut LoginServer<P>,
        events: &mut EventLoop<LoginServer<P>>,
    ) {
        let Some((user, ticket)) = self.accepted.take() else { return };
        let Departure { words, early, refusal } = departure;
        let words = words.into_iter().fold(server.words.clone(), |all, (name, word)| all.with(name, word));
        let request = SessionRequest { program: P::PROGRAM, ticket, words, early, refusal };
        let sent = match connection.into_socket() {
            Ok(client) => {
                let sent = server.residents.hand_over(&request, client.as_fd());
                if sent.is_err() {
                    refuse(&client, &request.refusal);
                }
                sent
            }
            Err(secured) => server.residents.hand_over_pair(&request).and_then(|inner| {
                relay::start(secured, inner, |server: &mut LoginServer<P>| server.relays -= 1, events)?;
                server.relays += 1;
                Ok(())
            }),
        };
        if let Err(error) = sent {
            log::warn!("pass {user} on to spawnd: {error}");
        }
    }

    /// The connection is closed, or somebody else's: to be called from [`Session::ended`], once.
    pub fn ended<P: LoginProtocol>(
        &mut self,
        server: &mut LoginServer<P>,
        events: &mut EventLoop<LoginServer<P>>,
    ) {
        self.cancel(server, events);
        server.clients.gone();
    }
}
