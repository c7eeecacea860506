//! spamd as a service of master, and what it has in common with spamd by hand.

use std::sync::Arc;
use std::time::Duration;

use reactor::EventLoop;
use rulefiles::{Places, Site};
use spamc_protocol::Settings;
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError};

use crate::session::{Office, Session, Shared};
use crate::users::{Rules, UserFiles};

/// Clients at a time.
pub(crate) const SESSION_LIMIT: usize = 200;
/// Bytes of a message.
const MESSAGE_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// Seconds that a client may say nothing.
const PATIENCE_SECONDS: u64 = 30;
/// Seconds that a check may take.
const CHECK_SECONDS: u64 = 300;

/// The service.
pub(crate) struct Spamd {
    shared: Arc<Shared>,
    clients: Clients,
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
    log::info!(
        "spamd: {} rules; Bayes, network tests and learning are not in this version",
        site.rules.len()
    );
    Ok(site)
}

/// How clients are treated.
pub(crate) fn settings(timeout_tcp: u64, timeout_child: u64, allow_tell: bool) -> Settings {
    Settings {
        patience: Duration::from_secs(timeout_tcp.max(1)),
        check_time: Duration::from_secs(if timeout_child == 0 { CHECK_SECONDS } else { timeout_child }),
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

    fn open(_: &Setup) -> Result<Self, StartError> {
        let places = Places { local_only: true, ..Places::default() };
        let site = load(&places).map_err(StartError::Refused)?;
        let rules = Arc::new(Rules::new(site, UserFiles::None));
        let settings = settings(PATIENCE_SECONDS, CHECK_SECONDS, false);
        let shared = Shared { rules, host: sys::process::host_name(), settings };
        Ok(Self { shared: Arc::new(shared), clients: Clients::default() })
    }

    fn accepted(&mut self, socket: Socket, peer: Peer, _: usize, events: &mut EventLoop<Self>) {
        let session = Session::new(socket, Arc::clone(&self.shared), client_text(&peer));
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
