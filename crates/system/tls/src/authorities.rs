//! Whom to believe: certificates of authorities, from a file and from folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::SectionKind;
use rustls::{CertificateError, Error, RootCertStore};

use crate::identity::{IdentityError, items};

/// Authorities; what leads to one of them is believed.
#[derive(Debug, Clone)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    /// The same, as they stand in the files.
    certificates: Arc<Vec<CertificateDer<'static>>>,
}

/// Why there are no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// A file.
    #[error(transparent)]
    File(#[from] IdentityError),
    /// A certificate in it.
    #[error("{}: a certificate that can not be used: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Error,
    },
    /// A folder that can not be read.
    #[error("{}: {source}: check that it is there, and who may read it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Authorities {
    /// Reads the certificates of `file`, and those that `openssl rehash` has prepared in `folders` (several with colons
    /// between them): names of eight digits, a dot, and a number. A folder that is not there holds none.
    ///
    /// # Errors
    /// [`AuthoritiesError`] names the file; one without a certificate is an error.
    pub fn load(file: Option<&Path>, folders: Option<&Path>) -> Result<Self, AuthoritiesError> {
        let mut files: Vec<PathBuf> = file.into_iter().map(Path::to_owned).collect();
        let text = folders.map(|folders| folders.to_string_lossy().into_owned()).unwrap_or_default();
        for folder in text.split(':').filter(|folder| !folder.is_empty()) {
            files.extend(hashed(Path::new(folder))?);
        }
        let (mut roots, mut certificates) = (RootCertStore::empty(), Vec::new());
        for path in files {
            for certificate in certificates_of(&path)? {
                let added = roots.add(certificate.clone());
                added.map_err(|source| AuthoritiesError::Certificate { path: path.clone(), source })?;
                certificates.push(certificate);
            }
        }
        Ok(Self { roots: Arc::new(roots), certificates: Arc::new(certificates) })
    }

    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }

    /// The verdict on a peer's own certificate. One that stands in our files itself is believed although it is an
    /// authority's (`openssl req -x509` makes such), as OpenSSL believes it: the library looks at the dates first.
    pub(crate) fn verdict(&self, own: &CertificateDer<'_>, found: Result<(), Error>) -> Result<(), Error> {
        let dated = |error: &Error| {
            use CertificateError as Bad;
            matches!(
                error,
                Error::InvalidCertificate(
                    Bad::Expired
                        | Bad::ExpiredContext { .. }
                        | Bad::NotValidYet
                        | Bad::NotValidYetContext { .. }
                        | Bad::BadEncoding
                )
            )
        };
        match found {
            Err(error) if dated(&error) => Err(error),
            Err(_) if self.certificates.iter().any(|known| known.as_ref() == own.as_ref()) => Ok(()),
            found => found,
        }
    }
}

/// Files with names by hash, in order.
fn hashed(folder: &Path) -> Result<Vec<PathBuf>, AuthoritiesError> {
    let error = |source| AuthoritiesError::Folder { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(error(problem)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        if is_hashed(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_hashed(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits(number)
    })
}

fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Vec<_> = items(path)?
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der))
        .collect();
    if found.is_empty() {
        return Err(IdentityError::Missing { path: path.to_owned(), what: "certificate" });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_hash() {
        for (name, hashed) in [
            ("f88ed8fa.0", true),
            ("f88ed8fa.12", true),
            ("f88ed8fa.r0", false),
            ("ca.pem", false),
            ("f88ed8f.0", false),
        ] {
            assert_eq!(is_hashed(name), hashed, "{name}");
        }
    }
}
