//! TLS as main.cf wants it.

use std::path::PathBuf;
use std::time::Duration;

use parameters::Config;
use smtp_protocol::TlsLevel;
use worker::server_tls::{Demand, HasServerTls, ServerTls};

use crate::service::Smtpd;

/// What STARTTLS and the wrapper need.
pub(crate) struct Encryption {
    pub(crate) level: TlsLevel,
    server: Option<ServerTls>,
    pub(crate) handshake_limit: Duration,
    pub(crate) log_level: i64,
    pub(crate) received_header: bool,
}

impl Encryption {
    /// Reads certificates and keys, with the rights that are still there.
    pub(crate) fn new(config: &Config, service: &str, manager: PathBuf) -> Self {
        let (level, server) = match wanted(config) {
            TlsLevel::None => (TlsLevel::None, None),
            level => {
                let demand = if level == TlsLevel::Encrypt { Demand::Must } else { Demand::May };
                match ServerTls::open(config, demand, &format!("smtpd {service}"), manager) {
                    Ok(server) => (level, Some(server)),
                    Err(why) => {
                        log::warn!("{why}");
                        log::warn!("No server certs available. TLS won't be enabled");
                        (TlsLevel::Broken { required: level == TlsLevel::Encrypt }, None)
                    }
                }
            }
        };
        Self {
            level,
            server,
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
            log_level: config.get(&parameters::SMTPD_TLS_LOGLEVEL),
            received_header: config.get(&parameters::SMTPD_TLS_RECEIVED_HEADER),
        }
    }

    /// Is the name that a client asked for one of `tls_server_sni_maps`? `None` without such tables.
    pub(crate) fn knows(&self, name: &str) -> Option<bool> {
        self.server.as_ref()?.knows(name)
    }

    /// Tables that TLS reads.
    pub(crate) fn tables(&self) -> Option<&tables::Tables> {
        self.server.as_ref()?.tables()
    }

    /// One connection, as its server.
    pub(crate) fn begin(&self) -> Option<tls::Server> {
        self.server.as_ref()?.begin()
    }
}

impl HasServerTls for Smtpd {
    fn server_tls(&mut self) -> Option<&mut ServerTls> {
        self.encryption.server.as_mut()
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
