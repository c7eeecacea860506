//! TLS of spamd: `--ssl`, `--server-key`, `--server-cert`, `--ssl-ca-file`, `--ssl-ca-path`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tls::{
    Authorities, AuthoritiesError, Clients, Identity, IdentityError, ServerSettings, TicketKeys, Versions,
};

/// Where key and certificate are when nobody says.
const KEY: &str = "/etc/spamassassin/certs/server-key.pem";
const CERTIFICATE: &str = "/etc/spamassassin/certs/server-cert.pem";

/// Files of TLS.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Files {
    pub(crate) key: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    /// Clients have to show a certificate that leads to one in here, or in the next.
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) authority_folders: Option<PathBuf>,
    /// `--ssl-verify`
    pub(crate) verify: bool,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoEncryption {
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Authorities(#[from] AuthoritiesError),
    #[error("{option} {} does not exist", path.display())]
    Absent { option: &'static str, path: PathBuf },
    #[error("ssl-verify needs ssl-ca-file or ssl-ca-path: whose certificates count?")]
    NoAuthorities,
    #[error("TLS: {0}")]
    Settings(String),
}

impl Files {
    /// Are clients asked who they are?
    pub(crate) fn verifies(&self) -> bool {
        self.verify || self.authorities.is_some() || self.authority_folders.is_some()
    }

    fn clients(&self) -> Result<Clients, NoEncryption> {
        if !self.verifies() {
            return Ok(Clients::Unasked);
        }
        let (file, folders) = (self.authorities.as_deref(), self.authority_folders.as_deref());
        for (option, path) in [("ssl-ca-file", file), ("ssl-ca-path", folders)] {
            if let Some(path) = path.filter(|path| !path.exists()) {
                return Err(NoEncryption::Absent { option, path: path.to_owned() });
            }
        }
        if file.is_none() && folders.is_none() {
            return Err(NoEncryption::NoAuthorities);
        }
        Ok(Clients::Verified(Authorities::load(file, folders)?))
    }

    fn load(&self) -> Result<Arc<tls::ServerConfig>, NoEncryption> {
        let clients = self.clients()?;
        let key = self.key.clone().unwrap_or_else(|| KEY.into());
        let certificate = self.certificate.clone().unwrap_or_else(|| CERTIFICATE.into());
        let settings = ServerSettings {
            identities: vec![Identity::load(&certificate, &key)?],
            names: None,
            versions: Versions::ALL,
            clients,
            own_order: false,
            // A client says one thing and goes: it has no use for tickets.
            ticket_keys: TicketKeys::new(),
            service: "spamd".to_owned(),
            ticket_lifetime_seconds: 0,
        };
        tls::server_config(settings).map_err(|error| NoEncryption::Settings(error.to_string()))
    }
}

/// TLS, ready for clients.
pub(crate) struct Encryption {
    files: Files,
    config: Mutex<Arc<tls::ServerConfig>>,
}

impl Encryption {
    /// Reads key and certificates.
    ///
    /// # Errors
    /// [`NoEncryption`] names the file.
    pub(crate) fn open(files: Files) -> Result<Self, NoEncryption> {
        let config = Mutex::new(files.load()?);
        Ok(Self { files, config })
    }

    /// One connection, as its server.
    pub(crate) fn begin(&self) -> Option<tls::Server> {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        tls::Server::new(Arc::clone(&config)).ok()
    }

    /// Reads the files anew, with the rights that are left; the old ones stay where that can not be done.
    pub(crate) fn renew(&self) {
        match self.files.load() {
            Ok(config) => *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config,
            Err(error) => log::warn!("spamd: {error}: key and certificates stay as they are"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(files: Files) -> String {
        Encryption::open(files).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = Files::default();
        assert!(refused(none.clone()).starts_with("/etc/spamassassin/certs/server-cert.pem: "));
        assert!(refused(Files { verify: true, ..none.clone() }).starts_with("ssl-verify needs ssl-ca-file"));
        let absent = Files { authorities: Some("/no/ca.pem".into()), ..none.clone() };
        assert_eq!(refused(absent), "ssl-ca-file /no/ca.pem does not exist");
        let absent = Files { authority_folders: Some("/no/certs".into()), ..none };
        assert_eq!(refused(absent), "ssl-ca-path /no/certs does not exist");
    }
}
