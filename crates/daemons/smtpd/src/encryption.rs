//! TLS as main.cf wants it, and the ticket keys that all workers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use parameters::Config;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::ticket_keys;
use smtp_protocol::TlsLevel;
use tls::{Identity, IdentityError, ServerSettings, TicketKeys, Versions};

use crate::service::Smtpd;

/// What STARTTLS and the wrapper need.
pub(crate) struct Encryption {
    pub(crate) level: TlsLevel,
    config: Option<Arc<tls::ServerConfig>>,
    pub(crate) handshake_limit: Duration,
    pub(crate) log_level: i64,
    pub(crate) received_header: bool,
    keys: TicketKeys,
    keys_good_until: u64,
    asking: bool,
    manager: PathBuf,
}

impl Encryption {
    /// Reads certificates and keys, with the rights that are still there.
    pub(crate) fn new(config: &Config, service: &str, manager: PathBuf) -> Self {
        let keys = TicketKeys::new();
        let (level, server) = match wanted(config) {
            TlsLevel::None => (TlsLevel::None, None),
            level => match server(config, level, service, &keys) {
                Ok(server) => (level, Some(server)),
                Err(why) => {
                    log::warn!("{why}");
                    log::warn!("No server certs available. TLS won't be enabled");
                    (TlsLevel::Broken { required: level == TlsLevel::Encrypt }, None)
                }
            },
        };
        Self {
            level,
            config: server,
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
            log_level: config.get(&parameters::SMTPD_TLS_LOGLEVEL),
            received_header: config.get(&parameters::SMTPD_TLS_RECEIVED_HEADER),
            keys,
            keys_good_until: 0,
            asking: false,
            manager,
        }
    }

    /// One connection, as its server.
    pub(crate) fn begin(&self) -> Option<tls::Server> {
        tls::Server::new(Arc::clone(self.config.as_ref()?)).ok()
    }

    /// Do new tickets need a key that has not come yet?
    fn needs_keys(&self) -> bool {
        self.config.is_some() && !self.asking && sys::clock::now_us() / 1_000_000 >= self.keys_good_until
    }
}

/// Asks tlsmgr(8) for keys when those at hand are old. Until they come there are no tickets, and no harm.
pub(crate) fn renew_keys(daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    if !daemon.encryption.needs_keys() {
        return;
    }
    let Ok(socket) = sys::sockets::connect_unix(&daemon.encryption.manager) else { return };
    if socket.write(&ticket_keys::request().to_bytes()).is_ok() {
        daemon.encryption.asking = Channel::start(socket, Asking, events).is_ok();
    }
}

struct Asking;

impl Talk<Smtpd> for Asking {
    fn message(&mut self, message: Attributes, daemon: &mut Smtpd, _line: &mut Line<'_, Smtpd>) -> Fate {
        match ticket_keys::TicketKeys::from_attributes(&message) {
            Ok(keys) => daemon.encryption.take_keys(keys),
            Err(error) => log::warn!("answer of tlsmgr: {error}"),
        }
        Fate::Close
    }

    fn ended(&mut self, daemon: &mut Smtpd, _events: &mut EventLoop<Smtpd>) {
        daemon.encryption.asking = false;
    }
}

impl Encryption {
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

/// `smtpd_tls_security_level`, or what it was spelt before.
fn wanted(config: &Config) -> TlsLevel {
    let wrapper = config.get(&parameters::SMTPD_TLS_WRAPPERMODE);
    let level = config.get(&parameters::SMTPD_TLS_SECURITY_LEVEL);
    match level.to_ascii_lowercase().as_str() {
        "" if wrapper || config.get(&parameters::SMTPD_ENFORCE_TLS) => TlsLevel::Encrypt,
        "" if config.get(&parameters::SMTPD_USE_TLS) => TlsLevel::May,
        "none" | "" if !wrapper => TlsLevel::None,
        "may" if !wrapper => TlsLevel::May,
        "encrypt" | "may" | "none" | "" => TlsLevel::Encrypt,
        other => {
            log::warn!("smtpd_tls_security_level: unsupported TLS level \"{other}\", using \"encrypt\"");
            TlsLevel::Encrypt
        }
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
enum NoTls {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("smtpd_tls_cert_file is not set: TLS needs a certificate")]
    NoIdentity,
    #[error("TLS: {0}")]
    Config(String),
}

fn server(
    config: &Config,
    level: TlsLevel,
    service: &str,
    keys: &TicketKeys,
) -> Result<Arc<tls::ServerConfig>, NoTls> {
    let identities = identities(config)?;
    if identities.is_empty() {
        return Err(NoTls::NoIdentity);
    }
    let protocols = match level {
        TlsLevel::Encrypt => config.get(&parameters::SMTPD_TLS_MANDATORY_PROTOCOLS),
        _ => config.get(&parameters::SMTPD_TLS_PROTOCOLS),
    };
    let versions = Versions::parse(&protocols).unwrap_or_else(|error| {
        log::warn!("smtpd_tls_protocols: {error}: speaking TLSv1.2 and TLSv1.3");
        Versions::ALL
    });
    let lifetime: Duration = config.get(&parameters::SMTPD_TLS_SESSION_CACHE_TIMEOUT);
    let settings = ServerSettings {
        identities,
        versions,
        ask_certificate: config.get(&parameters::SMTPD_TLS_ASK_CCERT)
            || config.get(&parameters::SMTPD_TLS_REQ_CCERT),
        own_order: config.get(&parameters::TLS_PREEMPT_CIPHERLIST),
        ticket_keys: keys.clone(),
        service: format!("smtpd {service}"),
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
