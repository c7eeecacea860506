//! The names that a system gives to addresses by itself (hosts(5)).

use std::net::IpAddr;
use std::path::Path;

/// The file's entries.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    entries: Vec<(IpAddr, Vec<String>)>,
}

/// Larger files are not read to the end: this is for a few names, not for a directory.
const ENTRY_LIMIT: usize = 10_000;

impl Hosts {
    /// Reads /etc/hosts; a file that is not there has no entries.
    pub fn of_system() -> Self {
        Self::read(Path::new("/etc/hosts"))
    }

    /// Reads such a file.
    pub fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let entry = |line: &str| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            Some((address, words.map(str::to_owned).collect::<Vec<_>>()))
        };
        let named = |(_, names): &(IpAddr, Vec<String>)| !names.is_empty();
        Self { entries: text.lines().filter_map(entry).filter(named).take(ENTRY_LIMIT).collect() }
    }

    /// The name of an address: the first of the first line that has it.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.entries.iter().find(|(known, _)| *known == address).map(|(_, names)| names[0].as_str())
    }

    /// The addresses of a name.
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let has = |names: &Vec<String>| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.entries.iter().filter(|(_, names)| has(names)).map(|(address, _)| *address).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_found_both_ways() {
        let hosts = Hosts::parse(
            "127.0.0.1 localhost lo # x\n::1 localhost\n\nnonsense a\n127.0.0.1 other\n10.0.0.1\n",
        );
        assert_eq!(hosts.name("127.0.0.1".parse().unwrap()), Some("localhost"));
        assert_eq!(hosts.name("10.0.0.1".parse().unwrap()), None);
        let both: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(hosts.addresses("LOCALHOST"), both);
        assert_eq!(hosts.addresses("lo"), both[..1]);
    }
}
