//! Sockets: listening, accepting, reading and writing without waiting.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, bind,
    connect, getpeername, getsockname, listen, recv, send, setsockopt, socket, socketpair, sockopt,
};

/// A connected socket, or a listening one, that never makes its user wait.
#[derive(Debug)]
pub struct Socket {
    descriptor: OwnedFd,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A client from the network.
    Inet(SocketAddr),
    /// A program of this host.
    Local,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "{address}"),
            Self::Local => f.write_str("local"),
        }
    }
}

/// How many connections may wait to be accepted; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

impl Socket {
    /// Takes a descriptor over, and makes it non-blocking.
    ///
    /// # Errors
    /// As fcntl(2).
    pub fn from_descriptor(descriptor: OwnedFd) -> io::Result<Self> {
        set_nonblocking(descriptor.as_fd())?;
        Ok(Self { descriptor })
    }

    /// The descriptor, for somebody else to own.
    pub fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }

    /// The next connection that waits at this listening socket, non-blocking.
    ///
    /// # Errors
    /// `WouldBlock` when none waits; else as accept(2).
    pub fn accept(&self) -> io::Result<(Self, Peer)> {
        let mut storage: libc::sockaddr_storage = zeroed_storage();
        let mut length = libc::socklen_t::try_from(size_of::<libc::sockaddr_storage>()).unwrap_or(0);
        // SAFETY: `storage` is large enough for every address family and `length` says how large it is.
        let number = unsafe {
            libc::accept4(
                self.descriptor.as_raw_fd(),
                (&raw mut storage).cast(),
                &raw mut length,
                libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            )
        };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: accept4 just made this descriptor and nobody else has it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        Ok((Self { descriptor }, peer_of(&storage, length)))
    }

    /// Reads what has arrived, at most `buffer.len()` bytes; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when nothing has arrived; else as recv(2).
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.descriptor.as_raw_fd(), buffer, MsgFlags::empty())?)
    }

    /// Writes as much of `bytes` as fits, without raising SIGPIPE.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits; else as send(2).
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self.descriptor.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)?)
    }

    /// The address at this end.
    pub fn local_address(&self) -> Option<SocketAddr> {
        getsockname::<SockaddrStorage>(self.descriptor.as_raw_fd()).ok().as_ref().and_then(inet_address)
    }

    /// The address at the other end.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        getpeername::<SockaddrStorage>(self.descriptor.as_raw_fd()).ok().as_ref().and_then(inet_address)
    }

    /// The error of a connection that was being made, if it failed (SO_ERROR).
    ///
    /// # Errors
    /// That error.
    pub fn connection_result(&self) -> io::Result<()> {
        match nix::sys::socket::getsockopt(&self.descriptor, sockopt::SocketError)? {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }

    /// Sends small writes at once (TCP_NODELAY); harmless on other sockets.
    pub fn send_at_once(&self) {
        let _ = setsockopt(&self.descriptor, sockopt::TcpNoDelay, &true);
    }

    /// Tells the peer that nothing more will come.
    pub fn finish_writing(&self) {
        let _ = nix::sys::socket::shutdown(self.descriptor.as_raw_fd(), nix::sys::socket::Shutdown::Write);
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn zeroed_storage() -> libc::sockaddr_storage {
    // SAFETY: all-zero bytes are a valid sockaddr_storage of the family "unspecified".
    unsafe { std::mem::zeroed() }
}

fn peer_of(storage: &libc::sockaddr_storage, length: libc::socklen_t) -> Peer {
    // SAFETY: the kernel filled `length` bytes of `storage`.
    let storage = unsafe { SockaddrStorage::from_raw(std::ptr::from_ref(storage).cast(), Some(length)) };
    storage.as_ref().and_then(inet_address).map_or(Peer::Local, Peer::Inet)
}

fn inet_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()));
    }
    let v6 = storage.as_sockaddr_in6()?;
    Some(match v6.ip().to_ipv4_mapped() {
        Some(v4) => SocketAddr::new(IpAddr::V4(v4), v6.port()),
        None => SocketAddr::new(IpAddr::V6(v6.ip()), v6.port()),
    })
}

fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
    fcntl(descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Listens on a TCP address; an IPv6 address takes IPv6 connections only.
///
/// # Errors
/// As socket(2), bind(2), listen(2).
pub fn listen_tcp(address: SocketAddr) -> io::Result<Socket> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let descriptor = socket(family, SockType::Stream, nonblocking(), None)?;
    setsockopt(&descriptor, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        setsockopt(&descriptor, sockopt::Ipv6V6Only, &true)?;
    }
    bind(descriptor.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&descriptor, Backlog::new(BACKLOG)?)?;
    Ok(Socket { descriptor })
}

/// Listens on a unix socket at `path`, which is made anew with mode 0666: the folder decides who gets there.
///
/// # Errors
/// As bind(2); a path longer than 107 bytes is refused.
pub fn listen_unix(path: &Path) -> io::Result<Socket> {
    let descriptor = bind_unix(path, SockType::Stream)?;
    listen(&descriptor, Backlog::new(BACKLOG)?)?;
    Ok(Socket { descriptor })
}

/// A unix datagram socket at `path`, made anew with mode 0666.
///
/// # Errors
/// As bind(2).
pub fn datagram_unix(path: &Path) -> io::Result<Socket> {
    Ok(Socket { descriptor: bind_unix(path, SockType::Datagram)? })
}

fn bind_unix(path: &Path, kind: SockType) -> io::Result<OwnedFd> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let descriptor = socket(AddressFamily::Unix, kind, nonblocking(), None)?;
    bind(descriptor.as_raw_fd(), &UnixAddr::new(path)?)?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(descriptor)
}

/// Connects to the unix socket at `path` without waiting: a full backlog is an error at once.
///
/// # Errors
/// As connect(2): `NotFound` or `ConnectionRefused` when nobody listens, `WouldBlock` when too many wait.
pub fn connect_unix(path: &Path) -> io::Result<Socket> {
    connect_unix_as(path, SockType::Stream)
}

/// A datagram socket connected to the one at `path`.
///
/// # Errors
/// As connect(2).
pub fn connect_unix_datagram(path: &Path) -> io::Result<Socket> {
    connect_unix_as(path, SockType::Datagram)
}

fn connect_unix_as(path: &Path, kind: SockType) -> io::Result<Socket> {
    let descriptor = socket(AddressFamily::Unix, kind, nonblocking(), None)?;
    connect(descriptor.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(Socket { descriptor })
}

/// Begins a connection to `address`; once the socket is writable, [`Socket::connection_result`] tells how it went.
///
/// # Errors
/// As socket(2) and connect(2), where that is known at once.
pub fn connect_tcp(address: SocketAddr) -> io::Result<Socket> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let descriptor = socket(family, SockType::Stream, nonblocking(), None)?;
    match connect(descriptor.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => Ok(Socket { descriptor }),
        Err(error) => Err(error.into()),
    }
}

/// Two sockets, each the other's peer; they keep the borders of messages if `keep_borders`.
///
/// # Errors
/// As socketpair(2).
pub fn pair(keep_borders: bool) -> io::Result<(Socket, Socket)> {
    let kind = if keep_borders { SockType::SeqPacket } else { SockType::Stream };
    let (one, other) = socketpair(AddressFamily::Unix, kind, None, nonblocking())?;
    Ok((Socket { descriptor: one }, Socket { descriptor: other }))
}

/// Has the peer closed its side, or the connection broken, with nothing left to read? Takes nothing, and does not wait.
pub fn has_ended(socket: BorrowedFd<'_>) -> bool {
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    !matches!(
        recv(socket.as_raw_fd(), &mut [0], flags),
        Ok(1..) | Err(nix::Error::EAGAIN | nix::Error::EINTR)
    )
}

/// Waits until `socket` can be read or `milliseconds` are over; true when it can. For commands, never in a loop.
pub fn wait_readable(socket: BorrowedFd<'_>, milliseconds: u16) -> bool {
    wait_for(socket, nix::poll::PollFlags::POLLIN, milliseconds)
}

/// Waits until `socket` can be written or `milliseconds` are over; true when it can. For commands, never in a loop.
pub fn wait_writable(socket: BorrowedFd<'_>, milliseconds: u16) -> bool {
    wait_for(socket, nix::poll::PollFlags::POLLOUT, milliseconds)
}

fn wait_for(socket: BorrowedFd<'_>, what: nix::poll::PollFlags, milliseconds: u16) -> bool {
    let mut polled = [nix::poll::PollFd::new(socket, what)];
    matches!(nix::poll::poll(&mut polled, nix::poll::PollTimeout::from(milliseconds)), Ok(count) if count > 0)
}

fn nonblocking() -> SockFlag {
    SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK
}

/// The addresses of this host's interfaces, each with its network's prefix length.
pub fn interface_addresses() -> Vec<(IpAddr, u8)> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    interfaces
        .filter(|interface| interface.flags.contains(nix::net::if_::InterfaceFlags::IFF_UP))
        .filter_map(|interface| {
            let address = inet_address(interface.address.as_ref()?)?.ip();
            let mask = interface.netmask.as_ref().and_then(mask_address);
            Some((address, mask.map_or(full_prefix(address), prefix_length)))
        })
        .collect()
}

/// Not through `inet_address`: a mask such as ffff:ffff:: may look like a mapped IPv4 address.
fn mask_address(storage: &SockaddrStorage) -> Option<IpAddr> {
    storage
        .as_sockaddr_in()
        .map(|v4| IpAddr::V4(v4.ip()))
        .or_else(|| storage.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

fn full_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn prefix_length(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(v4) => Ipv4Addr::to_bits(v4).leading_ones(),
        IpAddr::V6(v6) => Ipv6Addr::to_bits(v6).leading_ones(),
    };
    u8::try_from(ones).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a slow machine may take.
    const PATIENCE_MS: u16 = 60_000;

    #[test]
    fn a_peer_that_has_gone_may_have_left_words() {
        let (here, there) = pair(false).unwrap();
        assert!(!has_ended(here.as_fd()));
        there.write(b"x").unwrap();
        drop(there);
        assert!(!has_ended(here.as_fd()));
        assert_eq!(here.read(&mut [0; 2]).unwrap(), 1);
        assert!(has_ended(here.as_fd()));
    }

    #[test]
    fn loopback_is_an_interface() {
        assert!(interface_addresses().contains(&(IpAddr::V4(Ipv4Addr::LOCALHOST), 8)));
    }

    #[test]
    fn a_client_of_a_listener_is_accepted_with_its_address() {
        let listener = listen_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let client = std::net::TcpStream::connect(listener.local_address().unwrap()).unwrap();
        assert!(wait_readable(listener.as_fd(), PATIENCE_MS));
        let (session, peer) = listener.accept().unwrap();
        assert_eq!(peer, Peer::Inet(client.local_addr().unwrap()));
        assert_eq!(session.write(b"220 hello\r\n").unwrap(), 11);
        drop(session);
        let mut text = String::new();
        io::Read::read_to_string(&mut &client, &mut text).unwrap();
        assert_eq!(text, "220 hello\r\n");
    }

    /// A socket that has a port and does not listen.
    fn deaf() -> Socket {
        let flags = SockFlag::SOCK_CLOEXEC;
        let descriptor = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
        let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
        bind(descriptor.as_raw_fd(), &SockaddrStorage::from(any_port)).unwrap();
        Socket::from_descriptor(descriptor).unwrap()
    }

    #[test]
    fn a_connection_that_was_begun_tells_how_it_went() {
        let listener = listen_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_address().unwrap();
        let socket = connect_tcp(address).unwrap();
        assert!(wait_writable(socket.as_fd(), PATIENCE_MS));
        assert!(socket.connection_result().is_ok());
        // A port that is ours, so that nobody else comes to listen on it.
        let deaf = deaf();
        let refused = connect_tcp(deaf.local_address().unwrap()).and_then(|socket| {
            assert!(wait_writable(socket.as_fd(), PATIENCE_MS));
            socket.connection_result()
        });
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn messages_of_a_pair_keep_their_borders() {
        let (one, other) = pair(true).unwrap();
        one.write(b"a").unwrap();
        one.write(b"bc").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(other.read(&mut buffer).unwrap(), 1);
        assert_eq!(other.read(&mut buffer).unwrap(), 2);
        drop(one);
        assert_eq!(other.read(&mut buffer).unwrap(), 0);
    }
}
