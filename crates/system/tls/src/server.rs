//! The server side of one TLS connection.

use std::sync::Arc;

use machine::TlsFacts;
use rustls::{ServerConfig, ServerConnection};

use crate::end::{End, TlsError};

/// One TLS connection, as its server.
pub type Server = End<ServerConnection>;

impl Server {
    /// A connection whose handshake has not begun.
    ///
    /// # Errors
    /// When the configuration can not serve (it names no certificate).
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, TlsError> {
        Ok(Self { connection: ServerConnection::new(config)? })
    }

    /// What the handshake established.
    pub fn facts(&self) -> TlsFacts {
        let suite = self.connection.negotiated_cipher_suite();
        TlsFacts {
            protocol: protocol_name(self.connection.protocol_version()),
            cipher: suite.map_or(String::new(), |suite| openssl_name(suite.suite())),
            cipher_bits: suite.map_or(0, |suite| cipher_bits(suite.suite())),
            key_exchange: self
                .connection
                .negotiated_key_exchange_group()
                .map(|group| openssl_group(group.name())),
            client_certificate: self
                .connection
                .peer_certificates()
                .and_then(<[_]>::first)
                .map(|it| fingerprint(it)),
            server_name: self.connection.server_name().map(str::to_owned),
            resumed: self.connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        }
    }
}

/// SHA-256 of a certificate, as `smtpd_tls_fingerprint_digest = sha256` shows it.
fn fingerprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn protocol_name(version: Option<rustls::ProtocolVersion>) -> String {
    match version {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

/// The name that OpenSSL, and so Postfix's log, has for a cipher suite.
fn openssl_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name
            .trim_start_matches("TLS_")
            .replace("_WITH_", "-")
            .replace("AES_", "AES")
            .replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305")
            .replace('_', "-"),
    }
}

/// The name that OpenSSL has for a key exchange group.
fn openssl_group(group: rustls::NamedGroup) -> String {
    match group {
        rustls::NamedGroup::secp256r1 => "ECDHE (P-256)".to_owned(),
        rustls::NamedGroup::secp384r1 => "ECDHE (P-384)".to_owned(),
        other => format!("{other:?}"),
    }
}

fn cipher_bits(suite: rustls::CipherSuite) -> u32 {
    if format!("{suite:?}").contains("AES_128") { 128 } else { 256 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cipher_suites_have_the_names_that_logs_show() {
        use rustls::CipherSuite as Suite;
        let cases = [
            (Suite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", 256),
            (Suite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", 256),
            (Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", 128),
            (Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", 256),
            (Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", 256),
        ];
        for (suite, name, bits) in cases {
            assert_eq!((openssl_name(suite).as_str(), cipher_bits(suite)), (name, bits));
        }
    }
}
