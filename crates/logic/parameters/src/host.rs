//! Parameters that Postfix computes from the machine: `myhostname`, `mydomain`, `mynetworks`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::expand::ExpandError;
use crate::text::is_list_separator;

/// What a process knows about its machine and itself when it starts.
#[derive(Debug, Clone)]
pub struct HostFacts {
    /// What gethostname(2) says.
    pub host_name: String,
    /// The addresses of the interfaces that are up, in the system's order.
    pub interfaces: Vec<Interface>,
    /// Finds the addresses of a host that `inet_interfaces` names; empty when there is none.
    pub resolve: fn(&str) -> Vec<IpAddr>,
    /// The directory of main.cf.
    pub config_directory: String,
    /// `smtpd`, `postconf`: what `$process_name` says.
    pub process_name: String,
    /// What `$process_id` says.
    pub process_id: u32,
    /// The first field of the entry in master.cf; empty for a command.
    pub service_name: String,
}

impl Default for HostFacts {
    /// A machine of its own, with the loopback interface only; for tests.
    fn default() -> Self {
        Self {
            host_name: "localhost".to_owned(),
            interfaces: vec![
                Interface { address: Ipv4Addr::LOCALHOST.into(), prefix_length: 8 },
                Interface { address: Ipv6Addr::LOCALHOST.into(), prefix_length: 128 },
            ],
            resolve: |_| Vec::new(),
            config_directory: "/etc/postfix".to_owned(),
            process_name: String::new(),
            process_id: 0,
            service_name: String::new(),
        }
    }
}

/// An address of an interface and the size of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// The address.
    pub address: IpAddr,
    /// Leading bits that all hosts of its network share.
    pub prefix_length: u8,
}

/// Why the interfaces do not fit the settings; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Not one of ipv4, ipv6, all.
    #[error("unknown inet_protocols value \"{word}\" in \"{value}\"")]
    Protocol {
        /// The word.
        word: String,
        /// The whole setting.
        value: String,
    },
    /// Not one of class, subnet, host.
    #[error("unknown mynetworks mask style value \"{word}\" in \"{value}\"")]
    Style {
        /// The word.
        word: String,
        /// The whole setting.
        value: String,
    },
    /// No style, or more than one.
    #[error("bad mynetworks_style value: {0}; specify exactly one value")]
    OneStyle(String),
    /// A name in `inet_interfaces` without an address of a protocol in use.
    #[error("config variable inet_interfaces: host not found: {0}")]
    NotFound(String),
    /// An address in `inet_interfaces` that this machine does not have.
    #[error("parameter inet_interfaces: no local interface found for {0}")]
    NoInterface(IpAddr),
    /// A setting that these are computed from does not expand.
    #[error(transparent)]
    Setting(#[from] ExpandError),
    /// `mynetworks_style = class` and an address that has none.
    #[error("mynetworks_core: unknown address class: {0}")]
    Class(Ipv4Addr),
}

/// The value of `inet_protocols`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// IP version 4 is in use.
    pub ipv4: bool,
    /// IP version 6 is in use.
    pub ipv6: bool,
}

impl Protocols {
    /// Reads a list of `ipv4`, `ipv6`, `all`.
    ///
    /// # Errors
    /// [`HostError::Protocol`] for any other word.
    pub fn parse(value: &str) -> Result<Self, HostError> {
        let mut protocols = Self { ipv4: false, ipv6: false };
        for word in words(value) {
            match word {
                "ipv4" => protocols.ipv4 = true,
                "ipv6" => protocols.ipv6 = true,
                "all" => protocols = Self { ipv4: true, ipv6: true },
                _ => return Err(HostError::Protocol { word: word.to_owned(), value: value.to_owned() }),
            }
        }
        Ok(protocols)
    }

    /// Are addresses of this kind in use?
    pub fn include(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.ipv4,
            IpAddr::V6(_) => self.ipv6,
        }
    }
}

/// The interfaces that `inet_interfaces` and `inet_protocols` choose: where Postfix receives mail.
///
/// # Errors
/// [`HostError`] for names without an address and addresses that no interface has.
pub fn own_interfaces(
    facts: &HostFacts,
    chosen: &str,
    protocols: Protocols,
) -> Result<Vec<Interface>, HostError> {
    if !protocols.ipv4 && !protocols.ipv6 {
        return Ok(Vec::new());
    }
    let available = || facts.interfaces.iter().copied().filter(|one| protocols.include(one.address));
    match chosen {
        "all" => Ok(available().collect()),
        "loopback-only" => Ok(available().filter(|one| one.address.is_loopback()).collect()),
        _ => addresses_of(facts, chosen, protocols)?
            .into_iter()
            .map(|address| {
                available().find(|one| one.address == address).ok_or(HostError::NoInterface(address))
            })
            .collect(),
    }
}

/// The addresses of the hosts in a list, once each, in Postfix's order.
fn addresses_of(facts: &HostFacts, hosts: &str, protocols: Protocols) -> Result<Vec<IpAddr>, HostError> {
    let mut addresses = BTreeSet::new();
    for host in words(hosts) {
        let found = host.parse().map_or_else(|_| (facts.resolve)(host), |address| vec![address]);
        let mut usable = found.into_iter().filter(|address| protocols.include(*address)).peekable();
        if usable.peek().is_none() {
            return Err(HostError::NotFound(host.to_owned()));
        }
        addresses.extend(usable.map(sorted_as_postfix_does));
    }
    Ok(addresses.into_iter().map(|(_, _, address)| address).collect())
}

/// IPv4 before IPv6; IPv4 by the number that its bytes make in the memory of a little-endian machine.
fn sorted_as_postfix_does(address: IpAddr) -> (u8, u32, IpAddr) {
    match address {
        IpAddr::V4(v4) => (4, u32::from_le_bytes(v4.octets()), address),
        IpAddr::V6(_) => (6, 0, address),
    }
}

/// The default of `mynetworks`: the networks of `interfaces`, as wide as `style` says.
///
/// A blank follows each network, the last one too: `postconf -x` shows it where `$mynetworks` is used.
///
/// # Errors
/// [`HostError`] for an unknown style or an address without a class.
pub fn own_networks(interfaces: &[Interface], style: &str) -> Result<String, HostError> {
    let style = Style::parse(style)?;
    let mut networks: Vec<String> = Vec::new();
    for interface in interfaces {
        let network = network_of(*interface, style.prefix_length(*interface)?) + " ";
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks.concat())
}

/// `192.0.2.0/24` or `[2001:db8::]/32`: the network of the first `prefix_length` bits.
fn network_of(interface: Interface, prefix_length: u8) -> String {
    match interface.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix_length)).unwrap_or(0);
            format!("{}/{prefix_length}", Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix_length)).unwrap_or(0);
            format!("[{}]/{prefix_length}", Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

/// The value of `mynetworks_style`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Class,
    Subnet,
    Host,
}

impl Style {
    fn parse(value: &str) -> Result<Self, HostError> {
        let mut found = None;
        for word in words(value) {
            let style = match word {
                "class" => Self::Class,
                "subnet" => Self::Subnet,
                "host" => Self::Host,
                _ => return Err(HostError::Style { word: word.to_owned(), value: value.to_owned() }),
            };
            if found.is_some_and(|before| before != style) {
                return Err(HostError::OneStyle(value.to_owned()));
            }
            found = Some(style);
        }
        found.ok_or_else(|| HostError::OneStyle(value.to_owned()))
    }

    fn prefix_length(self, interface: Interface) -> Result<u8, HostError> {
        match (self, interface.address) {
            (Self::Host, IpAddr::V4(_)) => Ok(32),
            (Self::Host, IpAddr::V6(_)) => Ok(128),
            (Self::Class, IpAddr::V4(address)) => class_prefix_length(address),
            (Self::Class, IpAddr::V6(_)) | (Self::Subnet, _) => Ok(interface.prefix_length),
        }
    }
}

/// The networks of RFC 791 §2.3, and multicast.
fn class_prefix_length(address: Ipv4Addr) -> Result<u8, HostError> {
    match address.octets()[0] {
        0..128 => Ok(8),
        128..192 => Ok(16),
        192..224 => Ok(24),
        224..240 => Ok(4),
        240.. => Err(HostError::Class(address)),
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(is_list_separator).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> HostFacts {
        let interface =
            |address: &str, prefix_length| Interface { address: address.parse().unwrap(), prefix_length };
        HostFacts {
            interfaces: vec![
                interface("127.0.0.1", 8),
                interface("10.1.2.3", 24),
                interface("192.168.7.1", 16),
                interface("10.1.2.4", 24),
                interface("2001:db8::2", 64),
                interface("::1", 128),
            ],
            resolve: |name| if name == "localhost" { vec![Ipv4Addr::LOCALHOST.into()] } else { Vec::new() },
            ..HostFacts::default()
        }
    }

    /// What Postfix prints for `mynetworks` on a machine with these interfaces.
    fn networks(interfaces: &str, protocols: &str, style: &str) -> Result<String, HostError> {
        own_networks(&own_interfaces(&facts(), interfaces, Protocols::parse(protocols)?)?, style)
    }

    #[test]
    fn styles() {
        for (style, wanted) in [
            ("host", "127.0.0.1/32 10.1.2.3/32 192.168.7.1/32 10.1.2.4/32 [2001:db8::2]/128 [::1]/128 "),
            ("subnet", "127.0.0.0/8 10.1.2.0/24 192.168.0.0/16 [2001:db8::]/64 [::1]/128 "),
            ("class", "127.0.0.0/8 10.0.0.0/8 192.168.7.0/24 [2001:db8::]/64 [::1]/128 "),
        ] {
            assert_eq!(networks("all", "all", style), Ok(wanted.to_owned()));
        }
    }

    #[test]
    fn chosen_interfaces_are_sorted_and_unique() {
        let wanted = "127.0.0.1/32 10.1.2.3/32 10.1.2.4/32 [2001:db8::2]/128 ";
        let chosen = "10.1.2.4 10.1.2.3, 2001:db8::2 localhost 10.1.2.4";
        assert_eq!(networks(chosen, "all", "host"), Ok(wanted.to_owned()));
        assert_eq!(networks("loopback-only", "ipv6", "host"), Ok("[::1]/128 ".to_owned()));
        assert_eq!(networks("", "all", "host"), Ok(String::new()));
    }

    #[test]
    fn errors_are_postfixs() {
        for (interfaces, protocols, style, wanted) in [
            ("all", "ipv6,foo", "host", "unknown inet_protocols value \"foo\" in \"ipv6,foo\""),
            ("all", "all", "x", "unknown mynetworks mask style value \"x\" in \"x\""),
            (
                "all",
                "all",
                "host subnet",
                "bad mynetworks_style value: host subnet; specify exactly one value",
            ),
            ("all", "all", "", "bad mynetworks_style value: ; specify exactly one value"),
            ("nohost", "all", "host", "config variable inet_interfaces: host not found: nohost"),
            ("2001:db8::2", "ipv4", "host", "config variable inet_interfaces: host not found: 2001:db8::2"),
            ("127.0.0.3", "all", "host", "parameter inet_interfaces: no local interface found for 127.0.0.3"),
        ] {
            assert_eq!(networks(interfaces, protocols, style).unwrap_err().to_string(), wanted);
        }
    }
}
