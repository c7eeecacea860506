//! Clients that show a certificate.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::authorities::Authorities;

/// Who may come in. In any case the client must hold the key of what it shows.
#[derive(Debug)]
pub(crate) struct Visitor {
    crypto: Arc<CryptoProvider>,
    known: Option<Known>,
}

/// Those who lead to an authority, by the library's judgement and then by ours.
#[derive(Debug)]
struct Known {
    authorities: Authorities,
    library: Arc<dyn ClientCertVerifier>,
}

impl Visitor {
    /// Lets everybody in, with a certificate or without: a mail server trusts fingerprints, not authorities.
    pub(crate) fn anybody(crypto: Arc<CryptoProvider>) -> Self {
        Self { crypto, known: None }
    }

    /// Lets in who shows a certificate that leads to an authority.
    ///
    /// # Errors
    /// When there is no authority.
    pub(crate) fn known(authorities: Authorities, crypto: Arc<CryptoProvider>) -> Result<Self, Error> {
        let builder = WebPkiClientVerifier::builder_with_provider(authorities.roots(), Arc::clone(&crypto));
        let library = builder.build().map_err(|error| Error::General(format!("verify clients: {error}")))?;
        Ok(Self { crypto, known: Some(Known { authorities, library }) })
    }
}

impl ClientCertVerifier for Visitor {
    fn client_auth_mandatory(&self) -> bool {
        self.known.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.known.as_ref().map_or(&[], |known| known.library.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(Known { authorities, library }) = &self.known {
            let found = library.verify_client_cert(own, intermediates, now).map(drop);
            authorities.verdict(own, found)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.crypto.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.crypto.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
