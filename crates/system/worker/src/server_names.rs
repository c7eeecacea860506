//! Keys and certificates by the name that a TLS client asks for (`tls_server_sni_maps`).

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lookup::{Lookup, Part};
use parameters::Config;
use tables::{Options, Tables};
use tls::{Identity, Named, Names};

/// So many different chains are kept ready; when there are more, all are read anew as they are asked for.
const READY_LIMIT: usize = 1000;

/// The tables, and what was read from them. A value is the content of PEM files, which `postmap -F` has stored.
pub(crate) struct ServerNames {
    maps: String,
    tables: Tables,
    /// By the content of the files: to check a key takes long.
    ready: Mutex<HashMap<String, Named>>,
}

impl ServerNames {
    /// Opens the tables, with the rights that are still there. `None` where there are none.
    pub(crate) fn open(config: &Config) -> Option<Self> {
        let maps = config.get(&parameters::TLS_SERVER_SNI_MAPS);
        if maps.trim().is_empty() {
            return None;
        }
        let tables = Tables::new(Options { values_are_files: true, ..Options::default() });
        tables.open_maps(&maps);
        Some(Self { maps, tables, ready: Mutex::default() })
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    fn identities(&self, name: &str, pem: String) -> Named {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ready.get(&pem) {
            return known.clone();
        }
        let named = match Identity::parse_chains(pem.as_bytes(), Path::new(&format!("SNI data for {name}"))) {
            Ok(identities) => Named::Identities(Arc::from(identities)),
            Err(error) => {
                log::warn!(
                    "error loading private keys and certificates from: {error}: aborting TLS handshake"
                );
                return Named::Broken;
            }
        };
        if ready.len() >= READY_LIMIT {
            ready.clear();
        }
        ready.insert(pem, named.clone());
        named
    }
}

impl std::fmt::Debug for ServerNames {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerNames").field("maps", &self.maps).finish_non_exhaustive()
    }
}

impl Names for ServerNames {
    fn find(&self, name: &str) -> Named {
        let name = name.to_ascii_lowercase();
        for key in keys(&name) {
            match self.tables.find(&self.maps, key, Part::Whole) {
                Ok(Some(found)) => return self.identities(&name, found.value),
                Ok(None) => {}
                // The table has said in the log what ails it.
                Err(_) => return Named::Broken,
            }
        }
        Named::Unknown
    }
}

/// `a.b.c`, then `.b.c` and `.c`.
fn keys(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(name.match_indices('.').map(|(dot, _)| &name[dot..]))
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn a_name_is_asked_for_before_its_parents() {
        assert_eq!(keys("a.b.example").collect::<Vec<_>>(), ["a.b.example", ".b.example", ".example"]);
        assert_eq!(keys("localhost").collect::<Vec<_>>(), ["localhost"]);
    }
}
