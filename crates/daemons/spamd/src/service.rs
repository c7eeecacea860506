//! spamd as a service of master, and what it has in common with spamd by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reactor::EventLoop;
use rulefiles::{Places, Site};
use spamc_protocol::Settings;
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError};

use crate::calling::Calling;
use crate::encryption::Encryption;
use crate::filtering::Policy;
use crate::notes::Notes;
use crate::preferences::Kind;
use crate::service_arguments::ServiceArguments;
use crate::session::{Entrance, Office, Shared};
use crate::users::{Rules, UserFiles, UserPlaces};

/// Clients at a time.
pub(crate) const SESSION_LIMIT: usize = 200;
/// Messages that may wait for DNS or databases at a time.
pub(crate) const NETWORK_THREADS: usize = 32;
/// Bytes of a message.
const MESSAGE_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a message that a mail server submits; larger ones pass unchecked.
pub(crate) const MILTER_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// Seconds that a client may say nothing.
const PATIENCE_SECONDS: u64 = 30;
/// Seconds that a check may take.
const CHECK_SECONDS: u64 = 300;

/// What counts as no limit.
const FOREVER_SECONDS: u64 = 365 * 86_400;

/// The service.
pub(crate) struct Spamd {
    shared: Arc<Shared>,
    calling: Calling,
    encryption: Option<Arc<Encryption>>,
    clients: Clients,
    /// No new clients come.
    ending: bool,
}

/// The rules that were asked for, or a word of why they can not be had; the log says what is wrong with them, and what is
/// not in this version.
pub(crate) fn load(places: &Places) -> Result<Site, String> {
    let site = Site::load(places).map_err(|error| error.to_string())?;
    site.problems.iter().for_each(|problem| log::warn!("{problem}"));
    if site.built_in {
        log::warn!(
            "spamd: no rules are installed: a few built-in ones are in use; name the rules' folder with -C"
        );
    }
    let inert: Vec<&str> = site.rules.settings.inert.keys().map(String::as_str).collect();
    if !inert.is_empty() {
        log::info!("spamd: these settings do nothing in this version: {}", inert.join(" "));
    }
    log::info!("spamd: {} rules; {}", site.rules.len(), inquiries::outlook(&site.rules));
    Ok(site)
}

/// Seconds; 0 is no limit.
fn time(seconds: u64) -> Duration {
    Duration::from_secs(if seconds == 0 { FOREVER_SECONDS } else { seconds.min(FOREVER_SECONDS) })
}

/// How clients are treated.
pub(crate) fn settings(timeout_tcp: u64, timeout_child: u64, allow_tell: bool) -> Settings {
    Settings {
        patience: time(timeout_tcp),
        check_time: time(timeout_child),
        message_limit_bytes: MESSAGE_LIMIT_BYTES,
        allow_tell,
    }
}

/// The client as the log shows it.
pub(crate) fn client_text(peer: &Peer) -> String {
    match peer {
        Peer::Inet(address) => {
            let ip = address.ip();
            let name = if ip.is_loopback() { "localhost".to_owned() } else { ip.to_string() };
            format!("rhost={name},raddr={ip},rport={}", address.port())
        }
        Peer::Local => "rhost=localhost,raddr=127.0.0.1,rport=0".to_owned(),
    }
}

impl Service for Spamd {
    const PROGRAM: &'static str = "spamd";
    const POOL_THREADS: usize = 2;

    /// Users' files lie anywhere.
    const READS_EVERYTHING: bool = true;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let arguments = ServiceArguments::parse(&setup.arguments.operands).map_err(StartError::Refused)?;
        let encryption = match arguments.encryption().map(Encryption::open).transpose() {
            Ok(encryption) => encryption.map(Arc::new),
            Err(error) => return Err(StartError::Refused(error.to_string())),
        };
        let ServiceArguments { rules, site, lines, .. } = arguments.clone();
        let places = Places { rules, site, lines, local_only: !arguments.network, ..Places::default() };
        let site = load(&places).map_err(StartError::Refused)?;
        let files = match arguments.virtual_config.clone() {
            Some(pattern) => UserFiles::Pattern(pattern),
            None if arguments.user_config => UserFiles::Home,
            None => UserFiles::None,
        };
        let remote = match (arguments.sql, arguments.ldap) {
            (true, _) => Some(Kind::Sql),
            (false, ldap) => ldap.then_some(Kind::Ldap),
        };
        let users = UserPlaces { files, remote, accounts: false };
        let state = PathBuf::from(setup.config.get(&parameters::DATA_DIRECTORY)).join("spamassassin");
        let rules = Arc::new(Rules::new(site, users, state.clone()).map_err(StartError::Refused)?);
        let notes = Notes::new(state);
        let settings = settings(PATIENCE_SECONDS, CHECK_SECONDS, arguments.allow_tell);
        let shared = Arc::new(Shared { rules, notes, host: sys::process::host_name(), settings });
        let policy = Policy {
            reject_score: arguments.reject_score,
            default_user: arguments.default_user,
            whole_address: arguments.whole_address || arguments.virtual_config.is_some(),
            size_limit_bytes: MILTER_LIMIT_BYTES,
        };
        let calling = if arguments.milter { Calling::Milter(Arc::new(policy)) } else { Calling::Spamc };
        Ok(Self { shared, calling, encryption, clients: Clients::default(), ending: false })
    }

    /// Databases may be on other hosts.
    fn network(&self) -> bool {
        self.shared.rules.has_remote()
    }

    fn accepted(&mut self, socket: Socket, peer: Peer, _: usize, events: &mut EventLoop<Self>) {
        if self.shared.rules.asks() {
            events.allow_threads(NETWORK_THREADS);
        }
        let entrance = Entrance { encryption: self.encryption.clone(), told: None };
        let taken = self.calling.welcome(socket, &peer, &self.shared, entrance, events);
        self.clients.welcome(taken);
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

    fn turn_ends(&mut self, _: &mut EventLoop<Self>) {
        // The last one has gone: from here on the process may end at any time.
        if self.ending && self.clients.here() == 0 {
            self.shared.notes.flush();
        }
    }

    fn draining(&mut self, _: &mut EventLoop<Self>) {
        self.ending = true;
    }

    fn stopping(&mut self, _: &mut EventLoop<Self>) {
        self.ending = true;
        self.shared.notes.flush();
    }

    /// Reading the rules again takes longer than a client likes to wait.
    fn may_retire(&self) -> bool {
        false
    }
}

impl Office for Spamd {
    fn session_ended(&mut self) {
        self.clients.gone();
    }
}
