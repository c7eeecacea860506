//! The service: what its sessions share.

use attributes::Attributes;
use reactor::EventLoop;
use reactor::channel::{Channel, Send};
use rewriting::{Rewriting, Settings};
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::session::Session;

/// The program.
pub(crate) struct TrivialRewrite {
    pub(crate) tables: Tables,
    pub(crate) rewriting: Rewriting,
    /// For probes of addresses.
    pub(crate) verification: Rewriting,
    pub(crate) helpful_warnings: bool,
    pub(crate) clients: Clients,
}

impl Service for TrivialRewrite {
    const PROGRAM: &'static str = "trivial-rewrite";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let tables = Tables::default();
        let rewriting = Rewriting::new(Settings::from(config));
        let verification = Rewriting::new(Settings::for_verification(config));
        for maker in [&rewriting, &verification] {
            open_tables(&tables, maker.settings());
        }
        let helpful_warnings = config.get(&parameters::HELPFUL_WARNINGS);
        Ok(Self { tables, rewriting, verification, helpful_warnings, clients: Clients::default() })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        if let Some(id) = self.clients.welcome(Channel::start(socket, Session, events)) {
            let greeting = Attributes::new().with("protocol", "trivial_rewrite_protocol");
            events.hand(id, Box::new(Send(greeting)), self);
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.tables)
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }
}

/// Opens what will be asked while the rights for it are there.
fn open_tables(tables: &Tables, settings: &Settings) {
    for list in [
        &settings.mydestination,
        &settings.virtual_alias_domains,
        &settings.virtual_mailbox_domains,
        &settings.relay_domains,
    ] {
        tables.open_list(list);
    }
    for maps in [
        &settings.transport_maps,
        &settings.relocated_maps,
        &settings.sender_dependent_relayhost_maps,
        &settings.sender_dependent_default_transport_maps,
    ] {
        tables.open_maps(maps);
    }
}
