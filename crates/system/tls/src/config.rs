//! What a TLS server offers.

use std::sync::Arc;

use ring::rand::SystemRandom;
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use crate::authorities::Authorities;
use crate::identity::{Identities, Identity, Names};
use crate::tickets::{TicketKeys, Tickets};
use crate::visitor::Visitor;

/// Settings of a server.
#[derive(Debug)]
pub struct ServerSettings {
    /// Chains and keys; a client gets the first whose kind it knows.
    pub identities: Vec<Identity>,
    /// Others, for clients that ask for a name.
    pub names: Option<Arc<dyn Names>>,
    /// Protocol versions.
    pub versions: Versions,
    /// Who may come.
    pub clients: Clients,
    /// The server's order of ciphers counts (`tls_preempt_cipherlist`).
    pub own_order: bool,
    /// Keys of session tickets.
    pub ticket_keys: TicketKeys,
    /// What tickets are bound to: the service's name.
    pub service: String,
    /// How long a ticket is good.
    pub ticket_lifetime_seconds: u32,
}

/// Whose connections a server takes.
#[derive(Debug, Clone)]
pub enum Clients {
    /// All, and no certificate is asked for.
    Unasked,
    /// All. A certificate is asked for; a client need not have one, and any will do.
    Asked,
    /// Those who show a certificate that leads to one of these authorities.
    Verified(Authorities),
}

/// The versions that are spoken; older ones than 1.2 never are (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    tls12: bool,
    tls13: bool,
}

/// A list of protocols that leaves none which can be spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" leaves neither TLSv1.2 nor TLSv1.3, and nothing older is spoken")]
pub struct NoVersion(String);

impl Versions {
    /// Reads `>=TLSv1.2`, `!SSLv3 !TLSv1`, `TLSv1.2, TLSv1.3`, `<=TLSv1.2` (postconf(5), `smtpd_tls_protocols`).
    ///
    /// # Errors
    /// [`NoVersion`] when nothing is left.
    pub fn parse(text: &str) -> Result<Self, NoVersion> {
        let (mut named, mut excluded) = (Vec::new(), Vec::new());
        let (mut low, mut high) = (0, u32::MAX);
        for word in text.split([',', ':', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            if let Some(name) = word.strip_prefix(">=") {
                low = version_number(name);
            } else if let Some(name) = word.strip_prefix("<=") {
                high = version_number(name);
            } else if let Some(name) = word.strip_prefix('!') {
                excluded.push(version_number(name));
            } else {
                named.push(version_number(word));
            }
        }
        let spoken = |version: u32| {
            (low..=high).contains(&version)
                && !excluded.contains(&version)
                && (named.is_empty() || named.contains(&version))
        };
        let versions = Self { tls12: spoken(12), tls13: spoken(13) };
        if versions.tls12 || versions.tls13 { Ok(versions) } else { Err(NoVersion(text.to_owned())) }
    }

    /// All that can be spoken.
    pub const ALL: Self = Self { tls12: true, tls13: true };

    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        let both: [(bool, &'static SupportedProtocolVersion); 2] =
            [(self.tls13, &TLS13), (self.tls12, &TLS12)];
        both.iter().filter(|(spoken, _)| *spoken).map(|(_, version)| *version).collect()
    }
}

/// Versions in order; unknown names and those before TLSv1.2 count as old.
fn version_number(name: &str) -> u32 {
    match name.trim().to_ascii_lowercase().as_str() {
        "sslv2" => 2,
        "sslv3" => 3,
        "tlsv1" | "0301" => 10,
        "tlsv1.1" | "0302" => 11,
        "tlsv1.2" | "0303" => 12,
        "tlsv1.3" | "0304" => 13,
        _ => 0,
    }
}

/// Makes the configuration of a server.
///
/// # Errors
/// When it can not work: no identity, or no cipher for the versions.
pub fn server_config(settings: ServerSettings) -> Result<Arc<ServerConfig>, rustls::Error> {
    if settings.identities.is_empty() {
        return Err(rustls::Error::General("no certificate".to_owned()));
    }
    let crypto: Arc<CryptoProvider> = Arc::new(provider::default_provider());
    let versions = settings.versions.list();
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&crypto)).with_protocol_versions(&versions)?;
    let builder = match settings.clients {
        Clients::Unasked => builder.with_no_client_auth(),
        Clients::Asked => builder.with_client_cert_verifier(Arc::new(Visitor::anybody(crypto))),
        Clients::Verified(authorities) => {
            builder.with_client_cert_verifier(Arc::new(Visitor::known(authorities, crypto)?))
        }
    };
    let mut config =
        builder.with_cert_resolver(Arc::new(Identities { own: settings.identities, names: settings.names }));
    config.ignore_client_order = settings.own_order;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 1;
    config.ticketer = Arc::new(Tickets {
        keys: settings.ticket_keys,
        service: settings.service,
        lifetime_seconds: settings.ticket_lifetime_seconds,
        random: SystemRandom::new(),
    });
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_lists_are_read_as_postfix_does() {
        let both = Versions::ALL;
        let only12 = Versions { tls12: true, tls13: false };
        let only13 = Versions { tls12: false, tls13: true };
        for (text, versions) in [
            ("", both),
            (">=TLSv1", both),
            ("!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", both),
            (">=TLSv1.3", only13),
            ("<=TLSv1.2", only12),
            ("TLSv1.2", only12),
            ("TLSv1,TLSv1.1:TLSv1.3", only13),
            ("!TLSv1.3", only12),
        ] {
            assert_eq!(Versions::parse(text), Ok(versions), "{text}");
        }
        for text in ["TLSv1", "<=TLSv1.1", "!TLSv1.2 !TLSv1.3"] {
            assert_eq!(Versions::parse(text), Err(NoVersion(text.to_owned())));
        }
    }
}
