//! The bytes of one connection, in the clear or in TLS, and what still has to go out.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use machine::{READ_LIMIT_BYTES, TlsFacts};
use sys::sockets::Socket;

use crate::drive::Connection;
use crate::event_loop::Scratch;

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Plain bytes are in the buffer.
    Bytes,
    /// Nothing now.
    Nothing,
    /// The handshake is done.
    Secured(TlsFacts),
    /// Nothing will come any more.
    End,
}

/// How much of what the peer does not read is kept; a peer that lets more pile up is cut off.
pub(crate) const OUTPUT_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// Above this, write before producing more.
const OUTPUT_HIGH_BYTES: usize = 64 * 1024;
/// How many reads' worth of input is dropped before a connection is closed.
const DROPS_LIMIT: usize = 64;

pub(crate) struct Stream {
    /// Gone once the connection has gone into other hands.
    socket: Option<Socket>,
    tls: Option<Box<tls::Server>>,
    handshaking: bool,
    output: Vec<u8>,
    sent: usize,
    broken: bool,
    emptied: bool,
    /// The peer has closed its side of TLS in order.
    ended: bool,
    /// Why TLS could not go on.
    trouble: Option<tls::TlsError>,
}

impl Stream {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket: Some(socket),
            tls: None,
            handshaking: false,
            output: Vec::new(),
            sent: 0,
            broken: false,
            emptied: true,
            ended: false,
            trouble: None,
        }
    }

    /// A connection that has been somebody else's.
    pub(crate) fn of(connection: Connection) -> Self {
        Self { tls: connection.tls, ..Self::new(connection.socket) }
    }

    /// The connection, for other hands; nothing can be read or sent here any more.
    pub(crate) fn take(&mut self) -> Option<Connection> {
        let socket = self.socket.take()?;
        self.broken = true;
        Some(Connection { socket, tls: self.tls.take() })
    }

    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.socket.as_ref().map(Socket::as_raw_fd)
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// From now on the peer speaks TLS.
    pub(crate) fn secure(&mut self, server: tls::Server) {
        self.tls = Some(Box::new(server));
        self.handshaking = true;
    }

    /// Takes bytes to send; they leave with [`Stream::flush`].
    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        match &mut self.tls {
            None if self.output.is_empty() => self.output = bytes,
            None => self.output.extend_from_slice(&bytes),
            Some(tls) => {
                self.broken |= tls.send(&bytes).is_err();
                tls.ciphertext(&mut self.output);
            }
        }
    }

    /// Is so much waiting to be sent that no more should be produced?
    pub(crate) fn is_congested(&self) -> bool {
        self.output.len() - self.sent > OUTPUT_HIGH_BYTES
    }

    /// Is anything waiting to be sent?
    pub(crate) fn is_drained(&self) -> bool {
        self.output.is_empty() || self.broken
    }

    /// Sends what the socket takes; an idle stream keeps no buffer.
    pub(crate) fn flush(&mut self) {
        while self.sent < self.output.len() && !self.broken {
            let Some(socket) = &self.socket else { break };
            match socket.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.broken = true,
            }
        }
        if self.sent == self.output.len() || self.broken {
            self.output = Vec::new();
            self.sent = 0;
        }
        self.broken |= self.output.len() - self.sent > OUTPUT_LIMIT_BYTES;
    }

    /// Reads once; what came is in `scratch.plain`.
    pub(crate) fn read(&mut self, scratch: &mut Scratch) -> Arrival {
        if self.broken || self.ended {
            return Arrival::End;
        }
        match self.tls.take() {
            None => self.receive(&mut scratch.block, &mut scratch.plain),
            Some(tls) => {
                let arrival = self.receive(&mut scratch.block, &mut scratch.ciphertext);
                if arrival != Arrival::Bytes {
                    self.tls = Some(tls);
                    return arrival;
                }
                scratch.plain.clear();
                self.decrypt(tls, &scratch.ciphertext, &mut scratch.plain)
            }
        }
    }

    /// Puts into `buffer` what has arrived. A read that does not fill the block has emptied the socket.
    fn receive(&mut self, block: &mut Vec<u8>, buffer: &mut Vec<u8>) -> Arrival {
        let Some(socket) = &self.socket else { return Arrival::End };
        block.resize(READ_LIMIT_BYTES, 0);
        let received = socket.read(block);
        self.emptied = !matches!(received, Ok(READ_LIMIT_BYTES));
        buffer.clear();
        buffer.extend_from_slice(&block[..*received.as_ref().unwrap_or(&0)]);
        match received {
            Ok(0) => Arrival::End,
            Ok(_) => Arrival::Bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Arrival::Nothing
            }
            Err(_) => Arrival::End,
        }
    }

    /// Did the last read take all that was there?
    pub(crate) fn is_emptied(&self) -> bool {
        self.emptied && !self.ended
    }

    /// Why TLS could not go on, if that is why nothing comes any more.
    pub(crate) fn trouble(&self) -> Option<&tls::TlsError> {
        self.trouble.as_ref()
    }

    /// Takes what has come and drops it: a socket that is closed with bytes unread takes back what it was to send.
    pub(crate) fn drop_input(&mut self, scratch: &mut Scratch) {
        for _ in 0..DROPS_LIMIT {
            if self.receive(&mut scratch.block, &mut scratch.ciphertext) != Arrival::Bytes {
                break;
            }
        }
    }

    fn decrypt(&mut self, mut tls: Box<tls::Server>, ciphertext: &[u8], plain: &mut Vec<u8>) -> Arrival {
        let received = tls.receive(ciphertext, plain);
        tls.ciphertext(&mut self.output);
        let finished_handshake = self.handshaking && !tls.is_handshaking();
        let facts = finished_handshake.then(|| tls.facts());
        self.tls = Some(tls);
        self.flush();
        match (received, facts) {
            (Err(error), _) => {
                log::debug!("TLS: {error}");
                self.trouble = Some(error);
                self.broken = true;
                Arrival::End
            }
            (Ok(ended), Some(facts)) => {
                // Words and farewell may come with the last bytes of the handshake.
                self.handshaking = false;
                self.ended = ended;
                Arrival::Secured(facts)
            }
            (Ok(ended), None) if !plain.is_empty() => {
                self.ended = ended;
                Arrival::Bytes
            }
            (Ok(true), None) => Arrival::End,
            (Ok(false), None) => Arrival::Nothing,
        }
    }

    /// Says goodbye at the TLS level; the caller flushes.
    pub(crate) fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.close();
            tls.ciphertext(&mut self.output);
        }
    }
}
