//! The client side of one TLS connection.

use std::sync::Arc;

use rustls::ClientConnection;
use rustls::crypto::ring as provider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};

use crate::authorities::Authorities;
use crate::end::{End, TlsError};
use crate::host::KnownHost;
use crate::identity::Identity;

/// Settings of a client, ready for use.
#[derive(Debug, Clone)]
pub struct ClientConfig(Arc<rustls::ClientConfig>);

/// Makes the configuration of a client that shows `identity`, if the server asks. The server's certificate has to lead to
/// one of `authorities`, whatever name stands in it; without authorities any will do, and nobody knows who the server is.
///
/// # Errors
/// When it can not work.
pub fn client_config(
    authorities: Option<Authorities>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, TlsError> {
    let crypto = Arc::new(provider::default_provider());
    let host = Arc::new(KnownHost::new(authorities, Arc::clone(&crypto)));
    let builder = rustls::ClientConfig::builder_with_provider(crypto)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(host);
    let mut config = match identity {
        Some(identity) => {
            let own = SingleCertAndKey::from(identity.certified().as_ref().clone());
            builder.with_client_cert_resolver(Arc::new(own))
        }
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = false;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(ClientConfig(Arc::new(config)))
}

/// One TLS connection, as its client.
pub type Client = End<ClientConnection>;

impl Client {
    /// A connection whose first words wait in [`End::ciphertext`].
    ///
    /// # Errors
    /// When the configuration can not serve.
    pub fn new(config: &ClientConfig) -> Result<Self, TlsError> {
        // A name is not sent, and not asked for in the certificate.
        let nobody = ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into());
        Ok(Self { connection: ClientConnection::new(Arc::clone(&config.0), nobody)? })
    }
}
