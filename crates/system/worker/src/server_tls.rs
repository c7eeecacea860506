//! TLS of a server: certificates from the parameters of the SMTP server, and the ticket keys that all workers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use parameters::Config;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::ticket_keys;
use tables::Tables;
use tls::{Clients, Identity, IdentityError, Named, Names, ServerSettings, TicketKeys, Versions};

use crate::server_names::ServerNames;

/// Keys, certificates and tickets of one service.
pub struct ServerTls {
    config: Arc<tls::ServerConfig>,
    keys: TicketKeys,
    keys_good_until: u64,
    asking: bool,
    manager: PathBuf,
    names: Option<Arc<ServerNames>>,
}

/// A server that speaks TLS.
pub trait HasServerTls: Sized + 'static {
    /// Its TLS, if it has any.
    fn server_tls(&mut self) -> Option<&mut ServerTls>;
}

/// Which of the two lists of protocols counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A client may do without TLS (`smtpd_tls_protocols`).
    May,
    /// It may not (`smtpd_tls_mandatory_protocols`).
    Must,
}

impl ServerTls {
    /// Reads certificates and keys, with the rights that are still there. `service` is what tickets are bound to,
    /// `manager` the socket of tlsmgr(8).
    ///
    /// # Errors
    /// [`NoTls`] names the file or parameter.
    pub fn open(config: &Config, demand: Demand, service: &str, manager: PathBuf) -> Result<Self, NoTls> {
        let keys = TicketKeys::new();
        let names = ServerNames::open(config).map(Arc::new);
        let config = server(config, demand, service, &keys, names.clone())?;
        Ok(Self { config, keys, keys_good_until: 0, asking: false, manager, names })
    }

    /// One connection, as its server.
    pub fn begin(&self) -> Option<tls::Server> {
        tls::Server::new(Arc::clone(&self.config)).ok()
    }

    /// Has this server keys for the name that a client asked for? `None` where names are of no account.
    pub fn knows(&self, name: &str) -> Option<bool> {
        self.names.as_ref().map(|names| matches!(names.find(name), Named::Identities(_)))
    }

    /// The tables of `tls_server_sni_maps`.
    pub fn tables(&self) -> Option<&Tables> {
        self.names.as_deref().map(ServerNames::tables)
    }

    /// Do new tickets need a key that has not come yet?
    fn needs_keys(&self) -> bool {
        !self.asking && sys::clock::now_us() / 1_000_000 >= self.keys_good_until
    }

    fn take_keys(&mut self, keys: ticket_keys::TicketKeys) {
        self.keys_good_until = keys.keys.iter().map(|key| key.seals_until).max().unwrap_or(0);
        let ours = |key: ticket_keys::TicketKey| tls::TicketKey {
            name: key.name,
            secret: key.secret,
            seals_until: key.seals_until,
            opens_until: key.opens_until,
        };
        self.keys.replace(keys.keys.into_iter().map(ours).collect());
    }
}

/// Asks tlsmgr(8) for keys when those at hand are old. Until they come there are no tickets, and no harm.
pub fn renew_keys<D: HasServerTls>(daemon: &mut D, events: &mut EventLoop<D>) {
    let Some(tls) = daemon.server_tls().filter(|tls| tls.needs_keys()) else { return };
    let Ok(socket) = sys::sockets::connect_unix(&tls.manager) else { return };
    if socket.write(&ticket_keys::request().to_bytes()).is_ok() {
        tls.asking = Channel::start(socket, Asking, events).is_ok();
    }
}

struct Asking;

impl<D: HasServerTls> Talk<D> for Asking {
    fn message(&mut self, message: Attributes, daemon: &mut D, _line: &mut Line<'_, D>) -> Fate {
        match (ticket_keys::TicketKeys::from_attributes(&message), daemon.server_tls()) {
            (Ok(keys), Some(tls)) => tls.take_keys(keys),
            (Err(error), _) => log::warn!("answer of tlsmgr: {error}"),
            (_, None) => {}
        }
        Fate::Close
    }

    fn ended(&mut self, daemon: &mut D, _events: &mut EventLoop<D>) {
        if let Some(tls) = daemon.server_tls() {
            tls.asking = false;
        }
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum NoTls {
    /// A file.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No file is named.
    #[error("smtpd_tls_cert_file is not set: TLS needs a certificate")]
    NoIdentity,
    /// The library refuses the settings.
    #[error("TLS: {0}")]
    Config(String),
}

fn server(
    config: &Config,
    demand: Demand,
    service: &str,
    keys: &TicketKeys,
    names: Option<Arc<ServerNames>>,
) -> Result<Arc<tls::ServerConfig>, NoTls> {
    let identities = identities(config)?;
    if identities.is_empty() {
        return Err(NoTls::NoIdentity);
    }
    let protocols = match demand {
        Demand::Must => config.get(&parameters::SMTPD_TLS_MANDATORY_PROTOCOLS),
        Demand::May => config.get(&parameters::SMTPD_TLS_PROTOCOLS),
    };
    let versions = Versions::parse(&protocols).unwrap_or_else(|error| {
        log::warn!("smtpd_tls_protocols: {error}: speaking TLSv1.2 and TLSv1.3");
        Versions::ALL
    });
    let lifetime: Duration = config.get(&parameters::SMTPD_TLS_SESSION_CACHE_TIMEOUT);
    let asks = config.get(&parameters::SMTPD_TLS_ASK_CCERT) || config.get(&parameters::SMTPD_TLS_REQ_CCERT);
    let settings = ServerSettings {
        identities,
        names: names.map(|names| names as Arc<dyn Names>),
        versions,
        clients: match asks {
            true => Clients::Asked,
            false => Clients::Unasked,
        },
        own_order: config.get(&parameters::TLS_PREEMPT_CIPHERLIST),
        ticket_keys: keys.clone(),
        service: service.to_owned(),
        ticket_lifetime_seconds: u32::try_from(lifetime.as_secs()).unwrap_or(3600),
    };
    tls::server_config(settings).map_err(|error| NoTls::Config(error.to_string()))
}

fn identities(config: &Config) -> Result<Vec<Identity>, IdentityError> {
    let chains = config.get(&parameters::SMTPD_TLS_CHAIN_FILES);
    let chains: Vec<PathBuf> = words(&chains).map(PathBuf::from).collect();
    if !chains.is_empty() {
        return Identity::load_chains(&chains);
    }
    // Elliptic curves first: those who know them save time.
    let pairs = [
        (&parameters::SMTPD_TLS_ECCERT_FILE, &parameters::SMTPD_TLS_ECKEY_FILE),
        (&parameters::SMTPD_TLS_CERT_FILE, &parameters::SMTPD_TLS_KEY_FILE),
    ];
    let files = pairs.iter().map(|(chain, key)| (config.get(*chain), config.get(*key)));
    let set = files.filter(|(chain, _)| !chain.is_empty() && !chain.eq_ignore_ascii_case("none"));
    set.map(|(chain, key)| Identity::load(chain.as_ref(), key.as_ref())).collect()
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty())
}
