//! Which TLS clients get, and whether they must.

use parameters::Config;
use worker::Setup;
use worker::server_tls::{Demand, ServerTls};

/// What TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// There is none.
    None,
    /// A client may begin it.
    May,
    /// Nobody logs in without.
    Encrypt,
}

/// `imapd_tls_security_level`; the SMTP server's is its default.
pub(crate) fn level(config: &Config) -> Level {
    let level = config.get(&parameters::IMAPD_TLS_SECURITY_LEVEL).to_ascii_lowercase();
    match level.as_str() {
        _ if config.get(&parameters::IMAPD_TLS_WRAPPERMODE) => Level::Encrypt,
        "" if config.get(&parameters::SMTPD_USE_TLS) => Level::May,
        "" | "none" => Level::None,
        "may" => Level::May,
        "encrypt" => Level::Encrypt,
        other => {
            log::warn!("imapd_tls_security_level: unsupported TLS level \"{other}\", using \"encrypt\"");
            Level::Encrypt
        }
    }
}

/// Reads certificates and keys; without them there is no TLS, and the log says why.
pub(crate) fn open(setup: &Setup, level: Level) -> Option<ServerTls> {
    let demand = match level {
        Level::None => return None,
        Level::May => Demand::May,
        Level::Encrypt => Demand::Must,
    };
    let manager = setup.private_socket(&setup.config.get(&parameters::TLSMGR_SERVICE_NAME));
    let service = format!("imapd {}", setup.service);
    let tls = ServerTls::open(&setup.config, demand, &service, manager);
    tls.inspect_err(|why| log::warn!("{why}: there will be no TLS")).ok()
}
