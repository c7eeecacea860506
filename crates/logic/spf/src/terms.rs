//! The terms of a record (RFC 7208 §4.6.1, §5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::record::Unreadable;
use crate::specification::Specification;

/// What a term that matches says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// A mechanism and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) qualifier: Qualifier,
    pub(crate) mechanism: Mechanism,
}

/// RFC 7208 §5
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mechanism {
    All,
    Ip(Network),
    A(Hosts),
    Mx(Hosts),
    Ptr(Option<Specification>),
    Exists(Specification),
    Include(Specification),
}

/// The hosts of a domain, or their networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts {
    /// The domain whose record it is where there is none.
    pub(crate) domain: Option<Specification>,
    /// Bits that count in an IPv4 address.
    pub(crate) bits_v4: u8,
    pub(crate) bits_v6: u8,
}

/// Addresses that begin with the same bits; IPv4 is mapped into IPv6 (RFC 4291 §2.5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    base: u128,
    bits: u8,
}

impl Network {
    pub(crate) fn new(address: IpAddr, bits: u8) -> Self {
        Self { base: mapped(address), bits: if address.is_ipv4() { bits + 96 } else { bits } }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let shift = 128 - u32::from(self.bits);
        (mapped(address) ^ self.base).checked_shr(shift).unwrap_or(0) == 0
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The mechanism of a name, and what stands behind the name.
pub(crate) fn mechanism(name: &str, rest: &str) -> Result<Mechanism, Unreadable> {
    // A colon with nothing behind it is not taken, and so is too much.
    let rest = rest.strip_prefix(':').filter(|rest| !rest.is_empty()).unwrap_or(rest);
    let (mechanism, rest) = match name.to_ascii_lowercase().as_str() {
        "all" => (Mechanism::All, rest),
        "ip4" => network(rest, 32, |text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4))?,
        "ip6" => network(rest, 128, |text| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?,
        "a" => hosts(rest).map(|(hosts, rest)| (Mechanism::A(hosts), rest))?,
        "mx" => hosts(rest).map(|(hosts, rest)| (Mechanism::Mx(hosts), rest))?,
        "ptr" => {
            let (domain, rest) = optional(rest);
            (Mechanism::Ptr(domain), rest)
        }
        "exists" => required(rest).map(|(domain, rest)| (Mechanism::Exists(domain), rest))?,
        "include" => required(rest).map(|(domain, rest)| (Mechanism::Include(domain), rest))?,
        _ => return Err(Unreadable::Mechanism(name.to_owned())),
    };
    if rest.is_empty() { Ok(mechanism) } else { Err(Unreadable::Junk(rest.to_owned())) }
}

/// A domain that must be there.
pub(crate) fn required(text: &str) -> Result<(Specification, &str), Unreadable> {
    Specification::read(text).ok_or_else(|| Unreadable::Domain(text.to_owned()))
}

fn optional(text: &str) -> (Option<Specification>, &str) {
    Specification::read(text).map_or((None, text), |(domain, rest)| (Some(domain), rest))
}

fn hosts(text: &str) -> Result<(Hosts, &str), Unreadable> {
    let (domain, rest) = optional(text);
    let (bits_v4, rest) = prefix_length(rest, 32)?.unwrap_or((32, rest));
    let (bits_v6, rest) = match rest.strip_prefix('/') {
        Some(rest) => prefix_length(rest, 128)?.ok_or_else(|| Unreadable::PrefixLength(rest.to_owned()))?,
        None => (128, rest),
    };
    Ok((Hosts { domain, bits_v4, bits_v6 }, rest))
}

/// `/24`, without needless zeros; `None` when there is none.
fn prefix_length(text: &str, limit: u8) -> Result<Option<(u8, &str)>, Unreadable> {
    let Some(rest) = text.strip_prefix('/') else { return Ok(None) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok(None);
    }
    let (number, rest) = rest.split_at(digits);
    let canonical = digits == 1 || !number.starts_with('0');
    let bits = number.parse::<u8>().ok().filter(|bits| *bits <= limit && canonical);
    bits.map(|bits| Some((bits, rest))).ok_or_else(|| Unreadable::PrefixLength(text.to_owned()))
}

fn network(
    text: &str,
    limit: u8,
    parse: impl Fn(&str) -> Option<IpAddr>,
) -> Result<(Mechanism, &str), Unreadable> {
    let (address, rest) = text.split_at(text.find('/').unwrap_or(text.len()));
    let address = parse(address).ok_or_else(|| Unreadable::Address(address.to_owned()))?;
    let (bits, rest) = prefix_length(rest, limit)?.unwrap_or((limit, rest));
    Ok((Mechanism::Ip(Network::new(address, bits)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, rest: &str) -> Result<Mechanism, Unreadable> {
        mechanism(name, rest)
    }

    #[test]
    fn networks() {
        let holds = |name: &str, rest: &str, ip: &str| match read(name, rest) {
            Ok(Mechanism::Ip(network)) => network.contains(ip.parse().unwrap()),
            other => panic!("{other:?}"),
        };
        assert!(holds("ip4", ":192.0.2.0/24", "192.0.2.77") && !holds("ip4", ":192.0.2.0/24", "192.0.3.1"));
        assert!(holds("ip4", ":0.0.0.0/0", "9.9.9.9") && !holds("ip4", ":0.0.0.0/0", "2001:db8::1"));
        assert!(holds("IP6", ":2001:db8::/32", "2001:db8::1") && holds("ip6", ":::/0", "192.0.2.1"));
        for bad in
            [":192.0.2", ":192.0.2.1/33", ":192.0.2.1/032", ":192.0.2.1/", ":01.2.3.4", "", ":1.2.3.4x"]
        {
            assert!(read("ip4", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_and_prefixes() {
        let hosts = |rest: &str| match read("a", rest) {
            Ok(Mechanism::A(hosts)) => {
                Some((hosts.domain.map(|domain| domain.0), hosts.bits_v4, hosts.bits_v6))
            }
            _ => None,
        };
        assert_eq!(hosts(""), Some((None, 32, 128)));
        assert_eq!(hosts("/24"), Some((None, 24, 128)));
        assert_eq!(hosts("//64"), Some((None, 32, 64)));
        assert_eq!(hosts(":x.example/0//64"), Some((Some("x.example".into()), 0, 64)));
        for bad in [":", "/24/64", "/", "//", ":localhost", ":x.example/33", "/024"] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_that_are_missing_or_unknown() {
        assert!(read("include", "").is_err() && read("exists", ":").is_err() && read("ptr", "").is_ok());
        assert!(read("all", "/8").is_err() && read("all", ":").is_err() && read("ALL", "").is_ok());
        assert_eq!(read("alls", ""), Err(Unreadable::Mechanism("alls".into())));
    }
}
