//! Sets of IP networks: `trusted_networks 192.0.2/24 !192.0.2.1`.

use std::net::{IpAddr, Ipv6Addr};

/// Networks in the order in which they were named; the first that holds an address decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks {
    list: Vec<Network>,
    /// Did the administrator name any?
    pub configured: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    exclude: bool,
    address: u128,
    bits: u32,
}

impl Networks {
    /// Nothing but this host itself.
    pub fn loopback() -> Self {
        let mut networks = Self::default();
        networks.add("127.0.0.0/8");
        networks.add("::1");
        networks
    }

    /// Adds a network, or excludes one with `!` before it; false when it does not read.
    pub fn add(&mut self, text: &str) -> bool {
        let (exclude, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim_start()));
        let network = parse(text);
        self.list.extend(network.map(|(address, bits)| Network { exclude, address, bits }));
        network.is_some()
    }

    /// Is the address in one of them?
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = u128::from(mapped(address));
        let holds = |network: &&Network| {
            let shift = 128 - network.bits;
            shift == 128 || address >> shift == network.address >> shift
        };
        self.list.iter().find(holds).is_some_and(|network| !network.exclude)
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn parse(text: &str) -> Option<(u128, u32)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let bits: Option<u32> = bits.map(str::parse).transpose().ok()?;
    if address.contains(':') {
        let address: Ipv6Addr = address.parse().ok()?;
        return Some((u128::from(address), bits.unwrap_or(128).min(128)));
    }
    let given: Vec<u8> =
        address.trim_end_matches('.').split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let mut octets = [0; 4];
    octets.get_mut(..given.len())?.copy_from_slice(&given);
    let bits = bits.unwrap_or(u32::try_from(given.len()).ok()? * 8).min(32);
    Some((u128::from(mapped(IpAddr::from(octets))), bits + 96))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_and_exclusions() {
        let mut networks = Networks::loopback();
        assert!(
            networks.add("!192.0.2.1")
                && networks.add("192.0.2/24")
                && networks.add("10.")
                && networks.add("2001:db8::/32")
        );
        let holds = |text: &str| networks.contains(text.parse().unwrap());
        assert!(holds("192.0.2.9") && !holds("192.0.2.1") && holds("10.9.9.9") && holds("2001:db8::5"));
        assert!(holds("127.0.0.1") && holds("::1") && !holds("8.8.8.8"));
        assert!(!Networks::default().add("x"));
    }
}
