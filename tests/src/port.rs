//! Ports for suites that run side by side.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::ops::Range;

use crate::suite::PATIENCE;

/// Where ports are taken from: below the range from which the kernel gives ports to clients (32768 and up on Linux),
/// so that no connection of another test sits on one.
const PORTS: Range<u16> = 20_000..32_000;

/// A TCP port on 127.0.0.1 that belongs to one test as long as this value lives, also while nobody serves it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The same port of UDP, which nobody here serves: who holds it owns the port of TCP.
    _token: UdpSocket,
}

impl Port {
    /// A port that nobody serves and no other test has.
    pub fn reserve() -> Self {
        let start =
            u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).unwrap_or_default();
        PORTS.skip(start.into()).chain(PORTS).find_map(Self::try_reserve).expect("a free port")
    }

    /// Asks by knocking. Who asked by listening would have to close that socket again, and a process that is just
    /// being started keeps it open a little longer, until its exec(2).
    fn try_reserve(number: u16) -> Option<Self> {
        let _token = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        let knock = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, number)), PATIENCE);
        knock
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
            .then_some(Self { number, _token })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
