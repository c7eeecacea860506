//! IP addresses as they stand in header fields and URIs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A pattern for an IPv4 or IPv6 address that stands on its own, with or without `IPv6:` before it.
pub(crate) const IP_ADDRESS: &str = concat!(
    r"(?i:\b(?<!:)(?:1\d\d|2[0-4]\d|25[0-5]|[1-9]\d|\d)(?:\.(?:1\d\d|2[0-4]\d|25[0-5]|[1-9]\d|\d)){3}\b",
    r"|(?:IPv6:|(?<![a-f0-9:]))(?:",
    r"(?:(?:[a-f0-9]{1,4}:){6}|::(?:[a-f0-9]{1,4}:){0,5}|(?:[a-f0-9]{1,4}:){1,5}:",
    r"|[a-f0-9]{1,4}::(?:[a-f0-9]{1,4}:){1,4}|(?:[a-f0-9]{1,4}:){2}:(?:[a-f0-9]{1,4}:){1,3}",
    r"|(?:[a-f0-9]{1,4}:){3}:(?:[a-f0-9]{1,4}:){1,2}|(?:[a-f0-9]{1,4}:){4}:[a-f0-9]{1,4}:)",
    r"(?:1\d\d|2[0-4]\d|25[0-5]|[1-9]\d|\d)(?:\.(?:1\d\d|2[0-4]\d|25[0-5]|[1-9]\d|\d)){3}",
    r"|(?:[a-f0-9]{1,4}:){7}[a-f0-9]{1,4}|:(?::[a-f0-9]{1,4}){1,7}|(?:[a-f0-9]{1,4}:){1,7}:",
    r"|[a-f0-9]{1,4}:(?::[a-f0-9]{1,4}){1,6}|(?:[a-f0-9]{1,4}:){2}(?::[a-f0-9]{1,4}){1,5}",
    r"|(?:[a-f0-9]{1,4}:){3}(?::[a-f0-9]{1,4}){1,4}|(?:[a-f0-9]{1,4}:){4}(?::[a-f0-9]{1,4}){1,3}",
    r"|(?:[a-f0-9]{1,4}:){5}(?::[a-f0-9]{1,4}){1,2}|(?:[a-f0-9]{1,4}:){6}:[a-f0-9]{1,4}|::)(?![a-f0-9:]))",
);

/// Reads an address, `IPv6:` before it or not.
pub(crate) fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("ipv6:") => &text[5..],
        _ => text,
    };
    bare.parse().ok()
}

/// Is the whole text a dotted quad without leading zeros?
pub(crate) fn is_v4(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok())
}

/// Is the whole text an address?
pub(crate) fn is_address(text: &[u8]) -> bool {
    parse(text).is_some()
}

/// Addresses that no host of the Internet has (RFC 1918, 3927, 5735, 6598, and their like of IPv6).
pub(crate) fn is_private(text: &[u8]) -> bool {
    match parse(text) {
        Some(IpAddr::V4(address)) => is_private_v4(address),
        Some(IpAddr::V6(address)) => is_private_v6(address),
        None => false,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || first == 127
        || (first, second) == (169, 254)
        || (first == 100 && (64..=127).contains(&second))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_private_v4(mapped);
    }
    let first = address.segments()[0];
    address.is_loopback() || (0xfe80..0xfec0).contains(&first)
}

/// The octets, or nibbles, in reverse with dots between: what DNS lists are asked with.
pub(crate) fn reversed(text: &[u8]) -> Option<String> {
    match parse(text)? {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            Some(format!("{d}.{c}.{b}.{a}"))
        }
        IpAddr::V6(address) => {
            let nibbles: String = address.octets().iter().map(|byte| format!("{byte:02x}")).collect();
            Some(nibbles.chars().rev().map(String::from).collect::<Vec<_>>().join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        for text in [
            "10.1.2.3",
            "127.0.0.1",
            "192.168.0.1",
            "172.20.0.1",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(text.as_bytes()), "{text}");
        }
        assert!(!is_private(b"8.8.8.8") && !is_private(b"172.32.0.1") && !is_private(b"x"));
        assert_eq!(reversed(b"1.2.3.4").as_deref(), Some("4.3.2.1"));
    }
}
