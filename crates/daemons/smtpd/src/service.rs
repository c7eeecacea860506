//! What the sessions of one worker share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dns::Resolver;
use queue::Queue;
use reactor::EventLoop;
use reactor::drive::Driver;
use restrictions::{Instance, OPEN_RELAY, Restrictions};
use rewriting::Rewriting;
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::{Clients, Service, Setup, StartError};

use crate::direct::Direct;
use crate::encryption::Encryption;
use crate::notices::Notices;
use crate::policy::Policies;
use crate::rates::{self, Rates};
use crate::session::Session;
use crate::settings::{self, Settings};
use crate::temper::{self, Temper};

/// Sessions of one worker where master.cf sets no limit.
const SESSION_LIMIT: usize = 20_000;
/// How old the knowledge of free space may be.
const SPACE_GOOD_FOR: Duration = Duration::from_secs(1);

/// The server.
pub(crate) struct Smtpd {
    pub(crate) settings: Settings,
    pub(crate) dialogue: Arc<smtp_protocol::Settings>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) rewriting: Rewriting,
    pub(crate) restrictions: Restrictions,
    pub(crate) cleanup: Arc<cleanup::Settings>,
    pub(crate) resolver: Resolver,
    pub(crate) queue: Queue,
    pub(crate) notifier: Notifier,
    pub(crate) direct: Direct,
    pub(crate) encryption: Encryption,
    pub(crate) clients: Clients,
    session_limit: usize,
    transactions: u64,
    pub(crate) policies: Policies,
    pub(crate) rates: Rates,
    pub(crate) notices: Notices,
    pub(crate) stress: bool,
    pub(crate) other_temper: Temper,
    space: Option<(Instant, u64)>,
}

impl Service for Smtpd {
    const PROGRAM: &'static str = "smtpd";
    const NETWORK: bool = true;
    const POOL_THREADS: usize = 16;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let of_cleanup = setup.cleanup_config()?;
        let cleanup = cleanup::Settings::from(&of_cleanup);
        let restrictions = Restrictions::new(restrictions::Settings::from(config));
        restrictions.mistakes().iter().for_each(|mistake| log::warn!("{mistake}"));
        if restrictions.is_open_relay() {
            return Err(StartError::Refused(OPEN_RELAY.to_owned()));
        }
        let limit = setup.arguments.session_limit;
        let counter = setup.private_socket("anvil");
        let manager = setup.private_socket(&config.get(&parameters::TLSMGR_SERVICE_NAME));
        let tables = Tables::new(Options::default());
        if setup.arguments.chroot || sys::ids::is_root() {
            open_tables(&tables, config);
            open_tables(&tables, &temper::other(config));
            open_tables(&tables, &of_cleanup);
        }
        let encryption = Encryption::new(config, &setup.service, manager);
        let level = encryption.level;
        Ok(Self {
            settings: Settings::from(config),
            dialogue: Arc::new(settings::dialogue(config, encryption.level)),
            tables: Arc::new(tables),
            rewriting: Rewriting::new(rewriting::Settings::from(config)),
            restrictions,
            cleanup: Arc::new(cleanup),
            resolver: Resolver::of_system(),
            queue: setup.queue()?,
            notifier: Notifier::new(setup.public_socket("qmgr")),
            direct: Direct::new(
                setup.public_socket("qmgr"),
                direct_limit(config),
                config.get(&parameters::IN_FLOW_DELAY),
            ),
            encryption,
            clients: Clients::default(),
            session_limit: if limit == 0 { SESSION_LIMIT } else { limit },
            transactions: 0,
            policies: Policies::default(),
            rates: Rates::new(config, &setup.service, counter),
            notices: Notices::new(config, &of_cleanup),
            stress: temper::is_stressed(config),
            other_temper: Temper::other(config, level),
            space: None,
        })
    }

    fn start(&mut self, _setup: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        worker::server_tls::renew_keys(self, events);
        let opened = self.open_desk(events).and_then(|()| self.open_notices(events));
        opened.map_err(|error| StartError::Refused(error.to_string()))
    }

    fn accepted(&mut self, socket: Socket, peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        socket.send_at_once();
        let session = Session::new(Arc::clone(&self.dialogue), peer, socket.local_address());
        self.clients.welcome(Driver::start(socket, session, events));
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&*self.tables).chain(self.notices.tables()).chain(self.encryption.tables())
    }

    fn stressed(&mut self, stress: bool) {
        self.turn_temper(stress);
    }

    fn draining(&mut self, events: &mut EventLoop<Self>) {
        self.close_direct(events);
        rates::let_go(self, events);
    }

    fn sessions(&self) -> usize {
        self.clients.here() + self.notices.under_way()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    fn has_room(&self) -> bool {
        self.clients.here() < self.session_limit
    }
}

fn direct_limit(config: &parameters::Config) -> Duration {
    let milliseconds = config.get(&parameters::DIRECT_DELIVERY_MILLISECONDS);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

/// Opens every table and list file that main.cf names: after chroot they are out of sight, and after root's rights are
/// given up some must not be read.
fn open_tables(tables: &Tables, config: &parameters::Config) {
    let defaults = [parameters::LOCAL_RECIPIENT_MAPS.name(), parameters::ALIAS_MAPS.name()];
    // The values of that one are files, and TLS opens it.
    let ours = |name: &&str| *name != parameters::TLS_SERVER_SNI_MAPS.name();
    for name in config.names_set().chain(defaults).filter(ours) {
        let value = config.text(name).unwrap_or_default();
        for word in value.split([',', ' ', '\t', '{', '}']) {
            let word = word.trim_start_matches('!');
            if word.contains(":/") {
                tables.open_maps(word);
            } else if is_list(name) && word.starts_with('/') && std::path::Path::new(word).is_file() {
                tables.open_list(word);
            }
        }
    }
}

/// May the value name files that hold a list? Others name certificates and logs.
fn is_list(name: &str) -> bool {
    let endings =
        ["mynetworks", "mydestination", "_domains", "_clients", "_exceptions", "_hosts", "_list", "_names"];
    endings.iter().any(|ending| name.ends_with(ending))
}

impl Smtpd {
    /// Names a transaction that begins now.
    pub(crate) fn next_instance(&mut self) -> Instance {
        let number = self.transactions;
        self.transactions += 1;
        Instance { process: std::process::id(), began_us: sys::clock::now_us(), number }
    }

    /// Free space in the queue's file system.
    pub(crate) fn free_bytes(&mut self, now: Instant) -> u64 {
        if let Some((then, bytes)) = self.space
            && now.duration_since(then) < SPACE_GOOD_FOR
        {
            return bytes;
        }
        let bytes = sys::disk::free_bytes(self.queue.directory()).unwrap_or(u64::MAX);
        self.space = Some((now, bytes));
        bytes
    }
}
