//! Certificates and keys from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A chain of certificates with the key of the first.
#[derive(Debug, Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// Why files give no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file that can not be read.
    #[error("{}: {source}: check that it is there, and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is no PEM.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// No certificate, or no key.
    #[error("{}: no {what} in PEM form in it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// "certificate", "private key"
        what: &'static str,
    },
    /// A key of an unknown kind, or of another certificate.
    #[error("{}: {source}", path.display())]
    Unusable {
        /// The key's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

impl Identity {
    /// Reads the chain from one file and the key from another, or the same.
    ///
    /// # Errors
    /// [`IdentityError`] names the file.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, IdentityError> {
        let certificates: Vec<_> = items(chain)?
            .into_iter()
            .filter(|(kind, _)| *kind == SectionKind::Certificate)
            .map(|(_, der)| CertificateDer::from(der))
            .collect();
        if certificates.is_empty() {
            return Err(IdentityError::Missing { path: chain.to_owned(), what: "certificate" });
        }
        let keys = items(key)?.into_iter().find_map(|(kind, der)| private_key(kind, der));
        let found =
            keys.ok_or_else(|| IdentityError::Missing { path: key.to_owned(), what: "private key" })?;
        Self::new(certificates, &found, key)
    }

    /// Reads files of the form of `smtpd_tls_chain_files`: each key stands before its certificates, several may
    /// follow each other.
    ///
    /// # Errors
    /// [`IdentityError`] names the file.
    pub fn load_chains(paths: &[PathBuf]) -> Result<Vec<Self>, IdentityError> {
        let mut identities = Vec::new();
        let mut open: Option<(PrivateKeyDer<'static>, &Path)> = None;
        let mut certificates = Vec::new();
        for path in paths {
            for (kind, der) in items(path)? {
                if kind == SectionKind::Certificate {
                    certificates.push(CertificateDer::from(der));
                } else if let Some(key) = private_key(kind, der) {
                    if let Some((before, its_path)) = open.replace((key, path)) {
                        identities.push(Self::new(std::mem::take(&mut certificates), &before, its_path)?);
                    }
                }
            }
        }
        if let Some((key, path)) = open {
            identities.push(Self::new(certificates, &key, path)?);
        }
        Ok(identities)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
        path: &Path,
    ) -> Result<Self, IdentityError> {
        if chain.is_empty() {
            return Err(IdentityError::Missing { path: path.to_owned(), what: "certificate" });
        }
        let unusable = |source| IdentityError::Unusable { path: path.to_owned(), source };
        let certified = CertifiedKey::new(chain, any_supported_type(key).map_err(unusable)?);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
                Ok(Self(Arc::new(certified)))
            }
            Err(source) => Err(unusable(source)),
        }
    }
}

fn items(path: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, IdentityError> {
    let text = std::fs::read(path).map_err(|source| IdentityError::Read { path: path.to_owned(), source })?;
    let sections: Result<Vec<_>, _> = <(SectionKind, Vec<u8>)>::pem_slice_iter(&text).collect();
    sections.map_err(|source| IdentityError::Pem { path: path.to_owned(), source })
}

fn private_key(kind: SectionKind, der: Vec<u8>) -> Option<PrivateKeyDer<'static>> {
    match kind {
        SectionKind::PrivateKey => Some(PrivateKeyDer::Pkcs8(der.into())),
        SectionKind::RsaPrivateKey => Some(PrivateKeyDer::Pkcs1(der.into())),
        SectionKind::EcPrivateKey => Some(PrivateKeyDer::Sec1(der.into())),
        _ => None,
    }
}

/// Gives each client the first identity whose key it can verify.
#[derive(Debug)]
pub(crate) struct Identities(pub(crate) Vec<Identity>);

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let fits = |identity: &&Identity| identity.0.key.choose_scheme(schemes).is_some();
        self.0.iter().find(fits).or_else(|| self.0.first()).map(|identity| Arc::clone(&identity.0))
    }
}
