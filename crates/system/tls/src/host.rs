//! Servers that show their certificate.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::authorities::Authorities;

/// Believes what leads to an authority, or everything where there are none.
#[derive(Debug)]
pub(crate) struct KnownHost {
    authorities: Option<Authorities>,
    crypto: Arc<CryptoProvider>,
}

impl KnownHost {
    pub(crate) fn new(authorities: Option<Authorities>, crypto: Arc<CryptoProvider>) -> Self {
        Self { authorities, crypto }
    }
}

impl ServerCertVerifier for KnownHost {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(authorities) = &self.authorities {
            let parsed = ParsedCertificate::try_from(own)?;
            let (roots, known) = (authorities.roots(), self.crypto.signature_verification_algorithms.all);
            let found = verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, known);
            authorities.verdict(own, found)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    /// Who believes everybody has nothing to verify: also certificates that the library can not read (version 1) will do.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.crypto.signature_verification_algorithms;
        match self.authorities {
            Some(_) => verify_tls12_signature(message, certificate, signature, known),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.crypto.signature_verification_algorithms;
        match self.authorities {
            Some(_) => verify_tls13_signature(message, certificate, signature, known),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
