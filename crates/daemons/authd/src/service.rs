//! What the connections share.

use std::sync::Arc;

use accounts::Accounts;
use reactor::EventLoop;
use reactor::channel::Channel;
use rewriting::Rewriting;
use ring::rand::{SecureRandom, SystemRandom};
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::attempt::Knowledge;
use crate::connection::Connection;
use crate::penalties::Penalties;
use crate::settings::Settings;
use crate::tickets::Tickets;

/// A service whose name ends so greets as Dovecot's user database.
const USER_DATABASE: &str = "userdb";

/// The server.
pub(crate) struct Authd {
    pub(crate) settings: Settings,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) penalties: Penalties,
    pub(crate) tickets: Tickets,
    pub(crate) clients: Clients,
    pub(crate) random: SystemRandom,
    pub(crate) is_user_database: bool,
    /// Connections are closed as soon as nothing goes on in them.
    pub(crate) is_leaving: bool,
}

impl Service for Authd {
    const PROGRAM: &'static str = "authd";
    const POOL_THREADS: usize = 4;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let rewriting = Rewriting::new(rewriting::Settings::from(config));
        let accounts = Accounts::open(accounts::Settings::from(config), rewriting);
        let settings = Settings::new(config, &accounts);
        let random = SystemRandom::new();
        let remembered = usize::try_from(config.get(&parameters::LOGIN_CACHE_SIZE)).unwrap_or(0);
        let knowledge = Knowledge::new(accounts, remembered, secret(&random)?, secret(&random)?);
        Ok(Self {
            penalties: Penalties::new(settings.penalty_limit),
            tickets: Tickets::default(),
            clients: Clients::default(),
            knowledge: Arc::new(knowledge),
            is_user_database: setup.service.ends_with(USER_DATABASE),
            is_leaving: false,
            random,
            settings,
        })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        let greeting = Connection::greeting(self);
        let connection = Connection::default();
        if let Some(id) = self.clients.welcome(Channel::start(socket, connection, events)) {
            events.hand(id, Box::new(greeting), self);
        }
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(self.knowledge.accounts.tables())
    }

    /// Whoever holds a connection asks the next process from now on.
    fn draining(&mut self, events: &mut EventLoop<Self>) {
        self.is_leaving = true;
        events.stop_all(self);
    }

    /// A file that only root can read has changed: whoever asks next asks a fresh process.
    fn turn_ends(&mut self, _events: &mut EventLoop<Self>) {
        if self.knowledge.accounts.are_out_of_date() {
            log::info!(
                "a source of users has changed that this process may not read: making way for another"
            );
            maillog::flush();
            std::process::exit(0);
        }
    }
}

impl Authd {
    /// Random hexadecimal digits, two for each byte; none when the system gives none.
    pub(crate) fn random_hex(&self, bytes: usize) -> Option<String> {
        let mut random = vec![0; bytes];
        self.random.fill(&mut random).ok()?;
        Some(hexadecimal::encode(&random))
    }
}

fn secret(random: &SystemRandom) -> Result<[u8; 32], StartError> {
    let mut bytes = [0; 32];
    random
        .fill(&mut bytes)
        .map_err(|_| StartError::Refused("the system gives no random bytes".to_owned()))?;
    Ok(bytes)
}
