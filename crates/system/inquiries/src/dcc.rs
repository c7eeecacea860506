//! DCC's interface daemon, asked over a unix socket or TCP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use checksums::dcc::{ANSWER_LIMIT_BYTES, Metrics};
use spam::rules::DccPlace;
use sys::sockets::{Socket, connect_tcp, connect_unix};

use crate::addresses::addresses;
use crate::deadline::{readable, writable};

/// A question that is sent.
pub(crate) struct Asked {
    socket: Socket,
    deadline: Instant,
}

/// Sends a question with its message; `None` when nobody takes it in time.
pub(crate) fn ask(
    place: &DccPlace,
    resolver: &dns::Resolver,
    request: &[u8],
    deadline: Instant,
) -> Option<Asked> {
    let sent = connect(place, resolver, deadline).and_then(|socket| {
        send(&socket, request, deadline)?;
        socket.finish_writing();
        Ok(Asked { socket, deadline })
    });
    match sent {
        Ok(asked) => Some(asked),
        Err(error) => {
            log::info!("dcc: {}: {error}", shown(place));
            None
        }
    }
}

/// The place as the log shows it.
pub(crate) fn shown(place: &DccPlace) -> String {
    match place {
        DccPlace::Path(path) => path.display().to_string(),
        DccPlace::Host(host, port) => format!("[{host}]:{port}"),
    }
}

fn connect(place: &DccPlace, resolver: &dns::Resolver, deadline: Instant) -> io::Result<Socket> {
    let (host, port) = match place {
        DccPlace::Path(path) => return connect_unix(path),
        DccPlace::Host(host, port) => (host, *port),
    };
    let mut trouble = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses(resolver, host, deadline) {
        match connect_to(address, port, deadline) {
            Ok(socket) => return Ok(socket),
            Err(error) => trouble = error,
        }
    }
    Err(trouble)
}

fn connect_to(address: IpAddr, port: u16, deadline: Instant) -> io::Result<Socket> {
    let socket = connect_tcp(SocketAddr::new(address, port))?;
    if !writable(&socket, deadline) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    socket.connection_result()?;
    Ok(socket)
}

fn send(socket: &Socket, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        if !writable(socket, deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match socket.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Asked {
    /// What the daemon says; `None` when it says nothing in time.
    pub(crate) fn answer(self) -> Option<Metrics> {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while answer.len() < ANSWER_LIMIT_BYTES {
            if !readable(&self.socket, self.deadline) {
                log::info!("dcc: no answer in time");
                return None;
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    log::info!("dcc: {error}");
                    return None;
                }
            }
        }
        let metrics = Metrics::parse(&answer);
        if metrics.is_none() {
            log::info!("dcc: the daemon says nothing of the message");
        }
        metrics
    }
}
