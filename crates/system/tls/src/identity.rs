//! Certificates and keys from PEM files.

use std::fmt;
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
    /// A certificate stands before the first key.
    #[error("{}: a certificate before the first private key; each key has to stand before its certificates", path.display())]
    KeyNotFirst {
        /// The file.
        path: PathBuf,
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

impl IdentityError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. }
            | Self::Pem { path, .. }
            | Self::Missing { path, .. }
            | Self::KeyNotFirst { path }
            | Self::Unusable { path, .. } => path,
        }
    }
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
        let mut chains = Chains::default();
        for path in paths {
            for (kind, der) in items(path)? {
                chains.add(kind, der, path)?;
            }
        }
        chains.finish()
    }

    /// As [`Identity::load_chains`], from the content of such files; `origin` is what errors name as their file.
    ///
    /// # Errors
    /// [`IdentityError`], also when there is no identity in it.
    pub fn parse_chains(pem: &[u8], origin: &Path) -> Result<Vec<Self>, IdentityError> {
        let mut chains = Chains::default();
        for (kind, der) in sections(pem, origin)? {
            chains.add(kind, der, origin)?;
        }
        let identities = chains.finish()?;
        if identities.is_empty() {
            return Err(IdentityError::Missing { path: origin.to_owned(), what: "private key" });
        }
        Ok(identities)
    }

    /// What the library wants to have.
    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
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

/// Keys, each with the certificates behind it.
#[derive(Default)]
struct Chains {
    done: Vec<Identity>,
    open: Option<(PrivateKeyDer<'static>, PathBuf)>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Chains {
    fn add(&mut self, kind: SectionKind, der: Vec<u8>, path: &Path) -> Result<(), IdentityError> {
        if kind == SectionKind::Certificate {
            if self.open.is_none() {
                return Err(IdentityError::KeyNotFirst { path: path.to_owned() });
            }
            self.certificates.push(CertificateDer::from(der));
        } else if let Some(key) = private_key(kind, der) {
            self.close()?;
            self.open = Some((key, path.to_owned()));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), IdentityError> {
        if let Some((key, path)) = self.open.take() {
            self.done.push(Identity::new(std::mem::take(&mut self.certificates), &key, &path)?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Identity>, IdentityError> {
        self.close()?;
        Ok(self.done)
    }
}

/// What a file holds.
pub(crate) fn items(path: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, IdentityError> {
    let text = std::fs::read(path).map_err(|source| IdentityError::Read { path: path.to_owned(), source })?;
    sections(&text, path)
}

fn sections(text: &[u8], path: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, IdentityError> {
    let sections: Result<Vec<_>, _> = <(SectionKind, Vec<u8>)>::pem_slice_iter(text).collect();
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

/// What a server has for a name that clients ask for (RFC 6066 §3).
#[derive(Debug, Clone)]
pub enum Named {
    /// Keys and certificates of its own.
    Identities(Arc<[Identity]>),
    /// Nothing: the server's own are used.
    Unknown,
    /// What there is can not be used: the handshake fails.
    Broken,
}

/// Keys and certificates by the name that a client asks for. Is asked in the middle of a handshake, and must not wait.
pub trait Names: fmt::Debug + Send + Sync {
    /// What there is for `name`.
    fn find(&self, name: &str) -> Named;
}

/// Gives each client the first identity whose key it can verify, of those for the name that it asks for.
#[derive(Debug)]
pub(crate) struct Identities {
    pub(crate) own: Vec<Identity>,
    pub(crate) names: Option<Arc<dyn Names>>,
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let pick = |identities: &[Identity]| {
            let fits = |identity: &&Identity| identity.0.key.choose_scheme(schemes).is_some();
            identities.iter().find(fits).or_else(|| identities.first()).map(|one| Arc::clone(&one.0))
        };
        let named = self.names.as_ref().zip(hello.server_name()).map(|(names, name)| names.find(name));
        match named {
            Some(Named::Identities(identities)) => pick(&identities),
            Some(Named::Broken) => None,
            Some(Named::Unknown) | None => pick(&self.own),
        }
    }
}
