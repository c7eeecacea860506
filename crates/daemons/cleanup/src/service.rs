//! The service: what its sessions share.

use std::sync::Arc;

use cleanup::Settings;
use queue::Queue;
use reactor::EventLoop;
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Service, Setup, StartError};

use crate::session::Session;

/// The program.
pub(crate) struct CleanupService {
    pub(crate) settings: Arc<Settings>,
    pub(crate) tables: Tables,
    pub(crate) queue: Queue,
    pub(crate) manager: Notifier,
    pub(crate) sessions: usize,
    served: u64,
}

impl Service for CleanupService {
    const PROGRAM: &'static str = "cleanup";

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let settings = Settings::from(config);
        let tables = Tables::default();
        open_tables(&tables, &settings);
        let layout = queue::Settings::new(
            &config.get(&parameters::HASH_QUEUE_NAMES),
            config.get(&parameters::HASH_QUEUE_DEPTH),
            config.get(&parameters::ENABLE_LONG_QUEUE_IDS),
        );
        let queue = Queue::open(".", layout).map_err(|error| StartError::Refused(error.to_string()))?;
        let manager = setup.public_socket(&config.get(&parameters::QUEUE_SERVICE_NAME));
        Ok(Self {
            settings: Arc::new(settings),
            tables,
            queue,
            manager: Notifier::new(manager),
            sessions: 0,
            served: 0,
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        match Session::start(socket, &self.queue, events) {
            Ok(()) => {
                self.sessions += 1;
                self.served += 1;
            }
            Err(error) => log::warn!("take a connection: {error}"),
        }
    }

    fn sessions(&self) -> usize {
        self.sessions
    }

    fn served(&self) -> u64 {
        self.served
    }
}

/// Opens what will be asked while the rights for it are there.
fn open_tables(tables: &Tables, settings: &Settings) {
    let addresses = settings.rewriting.settings();
    for maps in [
        &addresses.canonical_maps,
        &addresses.sender_canonical_maps,
        &addresses.recipient_canonical_maps,
        &addresses.virtual_alias_maps,
        &settings.sender_bcc_maps,
        &settings.recipient_bcc_maps,
        &settings.header_checks,
        &settings.mime_header_checks,
        &settings.nested_header_checks,
        &settings.body_checks,
    ] {
        tables.open_maps(maps);
    }
    tables.open_list(&addresses.mydestination);
    tables.open_list(&addresses.masquerade_exceptions);
}
