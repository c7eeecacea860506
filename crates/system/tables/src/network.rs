//! Networks: `192.0.2.0/24`, `2001:db8::/32`, with or without `[ ]`.

use std::net::IpAddr;

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// Why text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Nothing there.
    #[error("no pattern")]
    Empty,
    /// `[` without `]`.
    #[error("missing ']' character after \"[{0}\"")]
    Unclosed(String),
    /// More after `]`.
    #[error("garbage after \"[{0}]\"")]
    Garbage(String),
    /// No address.
    #[error("bad address pattern: \"{0}\"")]
    Address(String),
    /// No address before the `/`.
    #[error("bad network value in \"{0}\"")]
    Base(String),
    /// No number after the `/`.
    #[error("bad mask value in \"{0}\"")]
    Mask(String),
    /// More bits than an address has.
    #[error("bad mask length in \"{0}\"")]
    MaskLength(String),
    /// An address within the network, not the network itself.
    #[error("non-null host address bits in \"{given}\", perhaps you should use \"{network}\" instead")]
    HostBits {
        /// As given, without `[ ]`.
        given: String,
        /// What it could have meant.
        network: String,
    },
}

impl Network {
    /// Reads `text`: `address`, `address/bits`, `[address]`, `[address/bits]` or `[address]/bits`.
    ///
    /// # Errors
    /// [`NetworkError`], with the text as Postfix puts it.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let bare = without_brackets(text)?;
        match bare.split_once('/') {
            None => {
                let address = parse_address(&bare).ok_or_else(|| NetworkError::Address(bare.clone()))?;
                Ok(Self { address, prefix_bits: width(address) })
            }
            Some((base, mask)) => Self::with_mask(base, mask, &bare),
        }
    }

    fn with_mask(base: &str, mask: &str, given: &str) -> Result<Self, NetworkError> {
        if mask.is_empty() || !mask.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetworkError::Mask(given.to_owned()));
        }
        let most = if base.contains(':') { 128 } else { 32 };
        let prefix_bits = mask.parse().ok().filter(|bits: &u8| *bits <= most);
        let prefix_bits = prefix_bits.ok_or_else(|| NetworkError::MaskLength(given.to_owned()))?;
        let address = parse_address(base).ok_or_else(|| NetworkError::Base(given.to_owned()))?;
        let network = Self { address: first_address(address, prefix_bits), prefix_bits };
        if network.address == address {
            return Ok(network);
        }
        Err(NetworkError::HostBits { given: given.to_owned(), network: network.to_string() })
    }

    /// Are both IPv4, or both IPv6?
    pub fn is_same_family(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
    }

    /// Is `address` in it? An IPv4 address is in no IPv6 network, nor the other way round.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.is_same_family(address) && first_address(address, self.prefix_bits) == self.address
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

fn without_brackets(text: &str) -> Result<String, NetworkError> {
    if text.is_empty() {
        return Err(NetworkError::Empty);
    }
    let Some(inside) = text.strip_prefix('[') else { return Ok(text.to_owned()) };
    let (inside, after) = inside.split_once(']').ok_or_else(|| NetworkError::Unclosed(inside.to_owned()))?;
    if after.is_empty() || after.starts_with('/') {
        Ok(format!("{inside}{after}"))
    } else {
        Err(NetworkError::Garbage(inside.to_owned()))
    }
}

/// An address in the strict form of inet_pton(3).
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn first_address(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let prefix_bits = u32::from(prefix_bits);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - prefix_bits).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - prefix_bits).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn networks_contain_their_addresses_only() {
        assert!(contains("10.0.0.0/8", "10.1.2.3"));
        assert!(!contains("10.0.0.0/8", "11.1.2.3"));
        assert!(contains("0.0.0.0/0", "1.2.3.4"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("[2001:db8::]/32", "2001:DB8:0::5"));
        assert!(contains("[::1/128]", "0:0:0:0:0:0:0:1"));
        assert!(contains("1.2.3.4/032", "1.2.3.4"));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text: &str| Network::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("192.168.1.1/24"),
            "non-null host address bits in \"192.168.1.1/24\", perhaps you should use \"192.168.1.0/24\" instead"
        );
        assert_eq!(error("010.1.1.1"), "bad address pattern: \"010.1.1.1\"");
        assert_eq!(error("1.2.3.4/33"), "bad mask length in \"1.2.3.4/33\"");
        assert_eq!(error("1.2.3.0/24/2"), "bad mask value in \"1.2.3.0/24/2\"");
        assert_eq!(error("/8"), "bad network value in \"/8\"");
        assert_eq!(error("[::1"), "missing ']' character after \"[::1\"");
        assert_eq!(error("[::1]x"), "garbage after \"[::1]\"");
    }

    proptest! {
        #[test]
        fn a_prefix_holds_exactly_the_addresses_that_share_its_bits(base: u32, other: u32, bits in 0u8..=32) {
            let network = Network { address: first_address(IpAddr::V4(base.into()), bits), prefix_bits: bits };
            let shared = u8::try_from((base ^ other).leading_zeros()).unwrap() >= bits;
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), shared);
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }

        #[test]
        fn ipv6_prefixes_too(base: u128, other: u128, bits in 0u8..=128) {
            let network = Network { address: first_address(IpAddr::V6(base.into()), bits), prefix_bits: bits };
            let shared = u8::try_from((base ^ other).leading_zeros()).unwrap() >= bits;
            prop_assert_eq!(network.contains(IpAddr::V6(other.into())), shared);
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f:./\\[\\]!]{0,20}") {
            let _ = Network::parse(&text);
        }
    }
}
