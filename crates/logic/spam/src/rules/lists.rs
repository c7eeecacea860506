//! Lists of addresses with `*` and `?` in them.

use std::collections::{BTreeMap, HashSet};

/// Addresses, some with wildcards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressList {
    exact: HashSet<Vec<u8>>,
    globs: Vec<Vec<u8>>,
}

impl AddressList {
    /// Adds an address.
    pub fn add(&mut self, address: &str) {
        let address = address.to_ascii_lowercase().into_bytes();
        if address.iter().any(|byte| matches!(byte, b'*' | b'?')) {
            if !self.globs.contains(&address) {
                self.globs.push(address);
            }
        } else {
            self.exact.insert(address);
        }
    }

    /// Takes an address out again; it must be written as it was.
    pub fn remove(&mut self, address: &str) {
        let address = address.to_ascii_lowercase().into_bytes();
        self.exact.remove(&address);
        self.globs.retain(|glob| *glob != address);
    }

    /// Is the address in it? Case does not count.
    pub fn contains(&self, address: &[u8]) -> bool {
        let address = address.to_ascii_lowercase();
        self.exact.contains(&address) || self.globs.iter().any(|glob| matches_glob(glob, &address))
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }
}

/// Does the text match the pattern, `*` for any text and `?` for any character?
pub(crate) fn matches_glob(glob: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match glob.get(pattern) {
            Some(b'*') => {
                star = Some((pattern, at));
                pattern += 1;
            }
            Some(wanted) if *wanted == text[at] || *wanted == b'?' => {
                pattern += 1;
                at += 1;
            }
            _ => match &mut star {
                Some((begin, from)) => {
                    *from += 1;
                    pattern = *begin + 1;
                    at = *from;
                }
                None => return false,
            },
        }
    }
    glob[pattern..].iter().all(|byte| *byte == b'*')
}

/// Addresses that count only when the mail came by one of certain relays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayList {
    entries: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl RelayList {
    /// Adds an address and the relay's domain.
    pub fn add(&mut self, address: &str, domain: &str) {
        let domains = self.entries.entry(address.to_ascii_lowercase().into_bytes()).or_default();
        domains.push(domain.to_ascii_lowercase().into_bytes());
    }

    /// Takes an address out again.
    pub fn remove(&mut self, address: &str) {
        self.entries.remove(address.to_ascii_lowercase().as_bytes());
    }

    /// The domains of the entries that hold this address.
    pub fn domains_for(&self, address: &[u8]) -> Vec<&[u8]> {
        let address = address.to_ascii_lowercase();
        let matching = self.entries.iter().filter(|(glob, _)| matches_glob(glob, &address));
        matching.flat_map(|(_, domains)| domains.iter().map(Vec::as_slice)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        let mut list = AddressList::default();
        list.add("*@Spam-site-i-like.com");
        list.add("joe?@example.com");
        list.add("ann@example.com");
        assert!(list.contains(b"x@spam-site-i-LIKE.com") && list.contains(b"joe1@example.com"));
        assert!(!list.contains(b"joe@example.com") && list.contains(b"ANN@example.com"));
        list.remove("ann@example.com");
        assert!(!list.contains(b"ann@example.com"));
        assert!(matches_glob(b"a*b*c", b"aXbYbZc") && !matches_glob(b"a*b", b"aXc"));
    }
}
