//! Where a service listens, and the sockets for it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use parameters::Config;
use sys::error_text::reason;
use sys::sockets::{self, Socket};

/// Ports that need no /etc/services.
const WELL_KNOWN_PORTS: [(&str, u16); 13] = [
    ("smtp", 25),
    ("lmtp", 24),
    ("pop3", 110),
    ("imap", 143),
    ("smtps", 465),
    ("submissions", 465),
    ("urd", 465),
    ("submission", 587),
    ("qmqp", 628),
    ("spamd", 783),
    ("imaps", 993),
    ("pop3s", 995),
    ("sieve", 4190),
];

/// What kind of socket a service has, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// TCP.
    Inet(SocketAddr),
    /// A unix stream socket, from the queue directory; `fifo` and `pass` services have one too.
    Unix(PathBuf),
    /// A unix datagram socket, from the queue directory.
    Datagram(PathBuf),
}

/// Why a service can not listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// The name in master.cf is not `port`, `host:port` or `[address]:port`.
    #[error("bad inet service name {0:?}: use port, host:port or [address]:port")]
    Name(String),
    /// No such port name.
    #[error("unknown port {0:?}: use its number, or add it to /etc/services")]
    Port(String),
    /// No such host.
    #[error("host {0:?} has no address: {1}")]
    Host(String, io::Error),
    /// `inet_interfaces` and `inet_protocols` do not fit.
    #[error(transparent)]
    Interfaces(#[from] parameters::host::HostError),
    /// The socket can not be made.
    #[error("bind {0}: {reason}", reason = reason(.1))]
    Socket(Endpoint, io::Error),
}

/// The addresses of an inet service.
pub(crate) fn inet_endpoints(name: &str, config: &Config) -> Result<Vec<Endpoint>, ListenError> {
    let (host, port) = split_name(name).ok_or_else(|| ListenError::Name(name.to_owned()))?;
    let port = port_number(port)?;
    let addresses = match host {
        Some(host) => (host, port)
            .to_socket_addrs()
            .map_err(|error| ListenError::Host(host.to_owned(), error))?
            .map(|address| address.ip())
            .collect(),
        None => interface_addresses(config)?,
    };
    let endpoints: Vec<Endpoint> =
        addresses.into_iter().map(|address| Endpoint::Inet(SocketAddr::new(address, port))).collect();
    if endpoints.is_empty() { Err(ListenError::Name(name.to_owned())) } else { Ok(endpoints) }
}

/// `25`, `host:25`, `[::1]:25`.
fn split_name(name: &str) -> Option<(Option<&str>, &str)> {
    let Some((host, port)) = name.rsplit_once(':') else { return Some((None, name)) };
    let host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?,
        None => host,
    };
    Some(((!host.is_empty()).then_some(host), port))
}

fn port_number(port: &str) -> Result<u16, ListenError> {
    if let Ok(number) = port.parse() {
        return Ok(number);
    }
    let known = WELL_KNOWN_PORTS.iter().find(|(name, _)| *name == port).map(|(_, number)| *number);
    known.or_else(|| port_of_services_file(port)).ok_or_else(|| ListenError::Port(port.to_owned()))
}

fn port_of_services_file(port: &str) -> Option<u16> {
    let text = std::fs::read_to_string("/etc/services").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, number) = (words.next()?, words.next()?.strip_suffix("/tcp")?);
        (name == port || words.any(|alias| alias == port)).then(|| number.parse().ok())?
    })
}

/// `inet_interfaces = all` is every address, also ones that come later; else the addresses one by one.
fn interface_addresses(config: &Config) -> Result<Vec<IpAddr>, ListenError> {
    if config.get(&parameters::INET_INTERFACES).trim() != "all" {
        return Ok(config.own_interfaces()?.into_iter().map(|interface| interface.address).collect());
    }
    let protocols = config.get(&parameters::INET_PROTOCOLS);
    let has = |word: &str| protocols.split([',', ' ']).any(|part| part == word || part == "all");
    let every =
        [(has("ipv4"), IpAddr::V4(Ipv4Addr::UNSPECIFIED)), (has("ipv6"), IpAddr::V6(Ipv6Addr::UNSPECIFIED))];
    Ok(every.into_iter().filter(|(wanted, _)| *wanted).map(|(_, address)| address).collect())
}

/// Opens the socket. An IPv6 address on a host without IPv6 is passed over.
pub(crate) fn open(endpoint: &Endpoint, queue_directory: &Path) -> Result<Option<Socket>, ListenError> {
    let opened = match endpoint {
        Endpoint::Inet(address) => sockets::listen_tcp(*address),
        Endpoint::Unix(path) => sockets::listen_unix(&queue_directory.join(path)),
        Endpoint::Datagram(path) => sockets::datagram_unix(&queue_directory.join(path)),
    };
    match (opened, endpoint) {
        (Ok(socket), _) => Ok(Some(socket)),
        (Err(error), Endpoint::Inet(address)) if address.is_ipv6() && no_such_protocol(&error) => Ok(None),
        (Err(error), _) => Err(ListenError::Socket(endpoint.clone(), error)),
    }
}

fn no_such_protocol(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(sys::ADDRESS_FAMILY_NOT_SUPPORTED)
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "{} port {}", address.ip(), address.port()),
            Self::Unix(path) | Self::Datagram(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_names_split_into_host_and_port() {
        assert_eq!(split_name("smtp"), Some((None, "smtp")));
        assert_eq!(split_name("127.0.0.1:25"), Some((Some("127.0.0.1"), "25")));
        assert_eq!(split_name("[::1]:submission"), Some((Some("::1"), "submission")));
        assert_eq!(split_name(":25"), Some((None, "25")));
        assert_eq!(split_name("[::1:25"), None);
    }

    #[test]
    fn ports_have_numbers_with_and_without_the_services_file() {
        assert_eq!(port_number("submissions").unwrap(), 465);
        assert_eq!(port_number("2525").unwrap(), 2525);
        assert!(matches!(port_number("no-such-port"), Err(ListenError::Port(_))));
    }
}
