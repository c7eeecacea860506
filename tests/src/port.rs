//! Ports for suites that run side by side.

use std::net::{TcpListener, UdpSocket};
use std::ops::Range;

/// Where ports are taken from: below the range from which the kernel gives ports to clients (32768 and up on Linux),
/// so that no connection of another test sits on one.
const PORTS: Range<u16> = 20_000..32_000;

/// A TCP port on 127.0.0.1 that belongs to one suite, also while the suite is down.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// The same port of UDP, which nobody here serves: who holds it owns the port of TCP.
    _token: UdpSocket,
}

impl Port {
    /// A port that nobody serves and no other suite has.
    pub(crate) fn reserve() -> Self {
        let start =
            u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).unwrap_or_default();
        PORTS.skip(start.into()).chain(PORTS).find_map(Self::try_reserve).expect("a free port")
    }

    fn try_reserve(number: u16) -> Option<Self> {
        let _token = UdpSocket::bind(("127.0.0.1", number)).ok()?;
        TcpListener::bind(("127.0.0.1", number)).ok()?;
        Some(Self { number, _token })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
