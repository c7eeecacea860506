//! Where clients come: `-i`, `-p`, `--socketpath`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sys::sockets::Socket;

use crate::options::{Family, Options};

/// A socket on which clients come, and its name in the log.
pub(super) struct Listener {
    pub(super) socket: Socket,
    /// `UNIX domain socket /run/spamd.sock`, `IO::Socket::IP [127.0.0.1]:783`, `IO::Socket::SSL [127.0.0.1]:783`
    pub(super) name: String,
    /// What is removed in the end.
    pub(super) path: Option<PathBuf>,
    pub(super) port: u16,
    /// Clients begin with a TLS handshake.
    pub(super) secured: bool,
}

/// Opens all sockets that were asked for: by default those of this host itself.
pub(super) fn listen(options: &Options) -> Result<Vec<Listener>, String> {
    let mut places = options.listen.clone();
    places.extend(options.socket_path.as_ref().map(|path| path.display().to_string()));
    if places.is_empty() {
        places.push("localhost".to_owned());
    }
    let mut listeners = Vec::new();
    for place in &places {
        match place.strip_prefix('/') {
            Some(_) => listeners.push(unix(Path::new(place), options)?),
            None => inet(place, options, &mut listeners)?,
        }
    }
    Ok(listeners)
}

/// A unix socket, in the place of one that nobody serves any more.
fn unix(path: &Path, options: &Options) -> Result<Listener, String> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(facts) if !facts.file_type().is_socket() => {
            return Err(format!("file {shown} exists but is no socket, exiting"));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(format!("already running on {shown}, exiting"));
        }
        _ => {}
    }
    let told = |error: io::Error| format!("could not create UNIX socket on {shown}: {error}");
    let socket = sys::sockets::listen_unix(path).map_err(told)?;
    own(path, options)?;
    let name = format!("UNIX domain socket {shown}");
    Ok(Listener { socket, name, path: Some(path.to_owned()), port: 0, secured: false })
}

/// `--socketowner`, `--socketgroup`, `--socketmode`
fn own(path: &Path, options: &Options) -> Result<(), String> {
    let user = match &options.socket_owner {
        Some(name) => {
            let user = sys::users::user(name).map_err(|error| error.to_string())?;
            Some(user.ok_or_else(|| format!("{name} not in passwd database"))?.uid)
        }
        None => None,
    };
    let group = match &options.socket_group {
        Some(name) => {
            let group = sys::users::group(name).map_err(|error| error.to_string())?;
            Some(group.ok_or_else(|| format!("{name} not in group database"))?)
        }
        None => None,
    };
    let told = |error: io::Error| format!("{}: {error}", path.display());
    if user.is_some() || group.is_some() {
        chown(path, user, group).map_err(told)?;
    }
    let mode = options.socket_mode.unwrap_or(0o666);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(told)
}

fn inet(place: &str, options: &Options, listeners: &mut Vec<Listener>) -> Result<(), String> {
    let mut failed = None;
    let before = listeners.len();
    let (secured, place) = secured(place, options);
    let port = options.ssl_port.filter(|_| secured).unwrap_or(options.port);
    for address in addresses(place, port)? {
        let fits = match options.family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        };
        if !fits {
            continue;
        }
        match sys::sockets::listen_tcp(address) {
            Ok(socket) => {
                let port = socket.local_address().map_or(address.port(), |address| address.port());
                let kind = if secured { "SSL" } else { "IP" };
                let name = format!("IO::Socket::{kind} [{}]:{port}", address.ip());
                listeners.push(Listener { socket, name, path: None, port, secured });
            }
            Err(error) => {
                failed =
                    Some(format!("could not create socket on [{}]:{}: {error}", address.ip(), address.port()))
            }
        }
    }
    // One of several is enough: a host may have no IPv6.
    match failed {
        Some(text) if listeners.len() == before => Err(text),
        Some(text) => {
            log::warn!("spamd: {text}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Is a place reached by TLS, and what stands behind the `ssl:` that says so? With `--ssl` or `--ssl-port` all are.
fn secured<'a>(place: &'a str, options: &Options) -> (bool, &'a str) {
    match place.split_at_checked(4) {
        Some((scheme, "")) if scheme.eq_ignore_ascii_case("ssl:") => (true, "localhost"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ssl:") => (true, rest),
        _ => (options.secures_all(), place),
    }
}

/// `127.0.0.1`, `[::1]:783`, `*`, `:1783`, `localhost:1783`; an empty place is all addresses.
fn addresses(place: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = host_and_port(place, port)?;
    let both = |v6: Ipv6Addr, v4: Ipv4Addr| {
        vec![SocketAddr::new(IpAddr::V6(v6), port), SocketAddr::new(IpAddr::V4(v4), port)]
    };
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    match host {
        "*" => Ok(both(Ipv6Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED)),
        "localhost" => Ok(both(Ipv6Addr::LOCALHOST, Ipv4Addr::LOCALHOST)),
        _ => {
            (host, port).to_socket_addrs().map(Iterator::collect).map_err(|error| format!("{place}: {error}"))
        }
    }
}

fn host_and_port(place: &str, port: u16) -> Result<(&str, u16), String> {
    let bad = || format!("Invalid socket specification syntax: {place}");
    let number = |text: &str| if text.is_empty() { Ok(port) } else { text.parse().map_err(|_| bad()) };
    if place.is_empty() {
        return Ok(("*", port));
    }
    if let Some(rest) = place.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or_else(bad)?;
        return Ok((host, number(behind.strip_prefix(':').unwrap_or_default())?));
    }
    match place.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => {
            Ok((if host.is_empty() { "localhost" } else { host }, number(rest)?))
        }
        _ => Ok((place, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_understood() {
        let shown = |place: &str| {
            addresses(place, 783).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("127.0.0.1"), "127.0.0.1:783");
        assert_eq!(shown("127.0.0.1:1783"), "127.0.0.1:1783");
        assert_eq!(shown("[::1]:1783"), "[::1]:1783");
        assert_eq!(shown("::1"), "[::1]:783");
        assert_eq!(shown(":1783"), "[::1]:1783 127.0.0.1:1783");
        assert_eq!(shown("*"), "[::]:783 0.0.0.0:783");
        assert_eq!(shown(""), "[::]:783 0.0.0.0:783");
        assert!(addresses("127.0.0.1:x", 783).is_err());
    }

    #[test]
    fn places_behind_tls() {
        let none = Options::default();
        let all = Options { ssl_port: Some(7), ..Options::default() };
        assert_eq!(secured("ssl:127.0.0.1:78", &none), (true, "127.0.0.1:78"));
        assert_eq!(secured("SSL:*", &none), (true, "*"));
        assert_eq!(secured("ssl:", &none), (true, "localhost"));
        assert_eq!(secured("127.0.0.1", &none), (false, "127.0.0.1"));
        assert_eq!(secured("", &all), (true, ""));
    }
}
