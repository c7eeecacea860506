//! Under which key a sender is remembered: `joe@example.com|ip=192.0`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rules::Settings;

/// Bytes of the address in a key.
const ADDRESS_LIMIT_BYTES: usize = 39;

/// How many bits of an address of a host count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Of IPv4.
    pub(crate) ipv4: u8,
    /// Of IPv6.
    pub(crate) ipv6: u8,
}

impl Masks {
    /// Those of the plugin that is in use.
    pub(crate) fn of(settings: &Settings) -> Self {
        if settings.txrep.active {
            Self { ipv4: settings.txrep.ipv4_mask_len, ipv6: settings.txrep.ipv6_mask_len }
        } else {
            Self { ipv4: settings.awl.ipv4_mask_len, ipv6: settings.awl.ipv6_mask_len }
        }
    }
}

/// The sender in lower case, without what would not be part of a name.
pub(super) fn cleaned(sender: &[u8]) -> String {
    let clean = |char: char| if matches!(char, '\0' | ';' | '\'' | '"' | '!' | '|') { '_' } else { char };
    String::from_utf8_lossy(sender).to_ascii_lowercase().chars().map(clean).collect()
}

/// The key of a sender at a host; without a host, of the sender wherever it is.
pub(super) fn pack(sender: &[u8], host: Option<&[u8]>, masks: &Masks) -> String {
    let network = host.and_then(|host| network(host, masks)).unwrap_or_else(|| "none".to_owned());
    format!("{}|ip={network}", cleaned(sender))
}

fn network(host: &[u8], masks: &Masks) -> Option<String> {
    let mut text = match std::str::from_utf8(host).ok()?.parse().ok()? {
        IpAddr::V4(address) => ipv4(address, masks.ipv4),
        IpAddr::V6(address) => ipv6(address, masks.ipv6),
    };
    text.truncate(ADDRESS_LIMIT_BYTES);
    Some(text)
}

fn ipv4(address: Ipv4Addr, bits: u8) -> String {
    let [first, second, ..] = address.octets();
    if bits == 16 {
        return format!("{first}.{second}");
    }
    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
    let network = Ipv4Addr::from(u32::from(address) & mask).to_string();
    if bits == 32 {
        return network;
    }
    let mut text = network.as_str();
    while let Some(rest) = text.strip_suffix(".0") {
        text = rest;
    }
    text.to_owned()
}

fn ipv6(address: Ipv6Addr, bits: u8) -> String {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    let network = Ipv6Addr::from(u128::from(address) & mask);
    let groups: Vec<String> = network.segments().iter().map(|group| format!("{group:04X}")).collect();
    let kept = groups.iter().rposition(|group| group != "0000").map_or(1, |last| last + 1);
    let text = groups[..kept].join(":");
    if kept < groups.len() { format!("{text}::") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_original() {
        let masks = Masks { ipv4: 16, ipv6: 48 };
        let key = |host: &str| pack(b"Joe@Example.com", Some(host.as_bytes()), &masks);
        assert_eq!(key("192.0.2.7"), "joe@example.com|ip=192.0");
        assert_eq!(key("2001:db8:1::5"), "joe@example.com|ip=2001:0DB8:0001::");
        assert_eq!(key("nonsense"), "joe@example.com|ip=none");
        assert_eq!(pack(b"a'b|c", None, &masks), "a_b_c|ip=none");
        let fine = Masks { ipv4: 24, ipv6: 128 };
        assert_eq!(pack(b"a", Some(b"192.0.2.7"), &fine), "a|ip=192.0.2");
        assert_eq!(pack(b"a", Some(b"10.0.0.7"), &Masks { ipv4: 20, ipv6: 0 }), "a|ip=10");
        assert_eq!(pack(b"a", Some(b"10.0.0.7"), &Masks { ipv4: 32, ipv6: 0 }), "a|ip=10.0.0.7");
        assert_eq!(pack(b"a", Some(b"::1"), &fine), "a|ip=0000:0000:0000:0000:0000:0000:0000:0001");
        assert_eq!(pack(b"a", Some(b"::1"), &masks), "a|ip=0000::");
    }
}
