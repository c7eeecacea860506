//! The connection to spamd: found among several hosts, and tried again.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use socket2::Socket;

use super::options::{Family, Options, Place};
use super::secured::secure;
use crate::site::{EX_NOPERM, EX_OSERR, EX_SOFTWARE, EX_UNAVAILABLE, reason};

/// sysexits(3): no such host.
const EX_NOHOST: u8 = 68;
/// sysexits(3): reading or writing failed.
pub(crate) const EX_IOERR: u8 = 74;
/// Hosts that are tried.
const HOSTS_LIMIT: usize = 255;
/// What a message may grow by at spamd: with more, the message goes on as it came.
pub(crate) const GROWTH_BYTES: usize = 16 * 1024;
/// Bytes of a reply beside the message: its header, and one byte by which it is too large.
const HEADER_ROOM_BYTES: u64 = 1024 * 1024;
/// Nobody waits longer than this, also without a limit.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// Where spamd is to be had: the addresses of each host, in the order in which they are tried; none for a socket.
pub(crate) type Route = Vec<Vec<SocketAddr>>;

/// Finds the hosts.
///
/// # Errors
/// The exit status.
pub(crate) fn route(options: &Options, log: &dyn Fn(&str)) -> Result<Route, u8> {
    match &options.place {
        Place::Socket(_) => Ok(Vec::new()),
        Place::Hosts(hosts) => resolve(options, hosts, log),
    }
}

/// Sends a request and reads the reply to its end.
///
/// # Errors
/// The exit status.
pub(crate) fn exchange(
    options: &Options,
    route: &Route,
    request: &[u8],
    log: &dyn Fn(&str),
) -> Result<Vec<u8>, u8> {
    let limit = (options.size_limit_bytes + GROWTH_BYTES) as u64 + HEADER_ROOM_BYTES;
    let socket: Socket = match &options.place {
        Place::Socket(path) => connect_unix(path, log)?.into(),
        Place::Hosts(_) => connect(options, route, log)?.into(),
    };
    let time = seconds(options.timeout_seconds);
    let timed = socket.set_read_timeout(Some(time)).and_then(|()| socket.set_write_timeout(Some(time)));
    timed.map_err(|_| EX_IOERR)?;
    match &options.secrets {
        Some(secrets) => secure(&socket, secrets, log)?.talk(request, limit),
        None => talk(&socket, request, limit).map_err(|_| EX_IOERR),
    }
}

fn seconds(number: u64) -> Duration {
    if number == 0 { FOREVER } else { Duration::from_secs(number).min(FOREVER) }
}

/// Every error on the way is one of input and output.
fn talk(mut socket: &Socket, request: &[u8], limit_bytes: u64) -> io::Result<Vec<u8>> {
    // A spamd that has refused already does not read on: what it said is worth more than the error of writing.
    let written = socket.write_all(request).and_then(|()| socket.shutdown(Shutdown::Write));
    let mut reply = Vec::new();
    let read = socket.take(limit_bytes).read_to_end(&mut reply);
    match (written, read) {
        (_, Ok(_)) => Ok(reply),
        (_, Err(_)) if !reply.is_empty() => Ok(reply),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn connect_unix(path: &Path, log: &dyn Fn(&str)) -> Result<UnixStream, u8> {
    UnixStream::connect(path).map_err(|error| {
        let (shown, why) = (path.display(), reason(&error));
        log(&format!("connect(AF_UNIX) to spamd using --socket='{shown}' failed: {why}"));
        match error.kind() {
            io::ErrorKind::ConnectionRefused => EX_UNAVAILABLE,
            io::ErrorKind::PermissionDenied => EX_NOPERM,
            _ => EX_SOFTWARE,
        }
    })
}

/// The addresses of a host. This host's own are not asked for (RFC 6761 §6.3): some resolvers know but one of them.
fn addresses_of(host: &str, port: u16) -> Vec<SocketAddr> {
    if host == "localhost" {
        let own: [IpAddr; 2] = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        return own.map(|ip| SocketAddr::new(ip, port)).to_vec();
    }
    (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default()
}

fn resolve(options: &Options, hosts: &[String], log: &dyn Fn(&str)) -> Result<Route, u8> {
    let mut found = Vec::new();
    // Who wants an error instead of a message unchecked wants no other host either.
    let limit = if options.first_host { 1 } else { HOSTS_LIMIT };
    let counts = |address: &SocketAddr| match options.family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    for host in hosts.iter().take(limit) {
        if host.parse().is_ok_and(|ip: IpAddr| !counts(&SocketAddr::new(ip, options.port))) {
            log(&format!("getaddrinfo({host}) failed: Address family for hostname not supported"));
            return Err(EX_OSERR);
        }
        let addresses: Vec<SocketAddr> =
            addresses_of(host, options.port).into_iter().filter(counts).collect();
        if addresses.is_empty() {
            log(&format!("getaddrinfo({host}) failed: Name or service not known"));
            continue;
        }
        match options.randomize {
            true => found.extend(addresses.into_iter().map(|address| vec![address])),
            false => found.push(addresses),
        }
    }
    if found.is_empty() {
        log(&format!("could not resolve any hosts ({}): no such host", hosts.join(", ")));
        return Err(EX_NOHOST);
    }
    if options.randomize {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let first = (nanos.subsec_nanos() as usize ^ std::process::id() as usize) % found.len();
        found.rotate_left(first);
    }
    Ok(found)
}

fn connect(options: &Options, hosts: &Route, log: &dyn Fn(&str)) -> Result<TcpStream, u8> {
    let attempts = options.connect_attempts;
    for attempt in 0..attempts {
        if attempt > 0 {
            sleep(Duration::from_secs(options.connect_pause_seconds));
        }
        for address in &hosts[attempt as usize % hosts.len()] {
            match TcpStream::connect_timeout(address, seconds(options.connect_timeout_seconds)) {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    let (ip, number, why) = (address.ip(), attempt + 1, reason(&error));
                    log(&format!(
                        "connect to spamd on {ip} failed, retrying (#{number} of {attempts}): {why}"
                    ));
                }
            }
        }
    }
    log(&format!("connection attempt to spamd aborted after {attempts} retries"));
    Err(EX_UNAVAILABLE)
}
