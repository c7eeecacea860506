//! Domain names and domain literals.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest domain name, in bytes (RFC 1035 §2.3.4).
const NAME_LIMIT_BYTES: usize = 255;
/// Longest label of one, in bytes.
const LABEL_LIMIT_BYTES: usize = 63;

/// What stands between the brackets of a domain literal (RFC 5321 §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal(pub IpAddr);

/// Reads a domain literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
pub fn literal(domain: &str) -> Option<Literal> {
    let inside = domain.strip_prefix('[')?.strip_suffix(']')?;
    let address = match strip_prefix_any_case(inside, "IPv6:") {
        Some(text) => IpAddr::V6(text.parse::<Ipv6Addr>().ok()?),
        None => IpAddr::V4(inside.parse::<Ipv4Addr>().ok()?),
    };
    Some(Literal(address))
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Is this a host name: labels of letters, digits, `-` and `_` between single dots, not only digits?
///
/// Letters above 127 count (RFC 6531).
pub fn is_hostname(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_LIMIT_BYTES
        && name.split('.').all(is_label)
        && !is_all_numeric(name)
}

fn is_label(label: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte > 127;
    !label.is_empty()
        && label.len() <= LABEL_LIMIT_BYTES
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(good)
}

fn is_all_numeric(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_have_good_labels() {
        for name in ["a", "mx.example.com", "a_b.c-d", "b\u{fc}cher.example", "1.example"] {
            assert!(is_hostname(name), "{name}");
        }
        for name in ["", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "1.2.3.4", "a b", "a/b", &"x".repeat(64)] {
            assert!(!is_hostname(name), "{name}");
        }
    }

    #[test]
    fn literals_name_an_address() {
        assert_eq!(literal("[127.0.0.1]"), Some(Literal("127.0.0.1".parse().unwrap())));
        assert_eq!(literal("[ipv6:::1]"), Some(Literal("::1".parse().unwrap())));
        for text in ["127.0.0.1", "[1.2.3]", "[::1]", "[IPv6:1.2.3.4]", "[]"] {
            assert_eq!(literal(text), None, "{text}");
        }
    }
}
