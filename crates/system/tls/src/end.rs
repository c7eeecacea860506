//! Bytes through one end of a connection, whichever end it is.

use std::io::{self, Read, Write};
use std::ops::DerefMut;

use rustls::{ConnectionCommon, SideData};

/// Why a TLS connection can not go on.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The peer broke the protocol, or offers nothing that we accept.
    #[error("{0}")]
    Protocol(#[from] rustls::Error),
    /// More arrived than the record layer takes at once.
    #[error("TLS record buffer: {0}")]
    Buffer(#[from] io::Error),
}

/// One end of a TLS connection: [`crate::Server`], [`crate::Client`].
pub struct End<C> {
    pub(crate) connection: C,
}

impl<C, S> End<C>
where
    C: DerefMut<Target = ConnectionCommon<S>>,
    S: SideData,
{
    /// Takes ciphertext that has arrived, and appends the plaintext in it to `plaintext`. True when the peer has
    /// closed its side in order (close_notify).
    ///
    /// # Errors
    /// [`TlsError`]; what [`End::ciphertext`] then gives is the alert for the peer.
    pub fn receive(&mut self, mut ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Result<bool, TlsError> {
        let mut closed = false;
        while !ciphertext.is_empty() && !closed {
            self.connection.read_tls(&mut ciphertext)?;
            let state = self.connection.process_new_packets()?;
            closed = state.peer_has_closed();
            self.drain(state.plaintext_bytes_to_read(), plaintext)?;
        }
        Ok(closed)
    }

    fn drain(&mut self, bytes: usize, plaintext: &mut Vec<u8>) -> Result<(), TlsError> {
        let start = plaintext.len();
        plaintext.resize(start + bytes, 0);
        if bytes > 0 {
            self.connection.reader().read_exact(&mut plaintext[start..])?;
        }
        Ok(())
    }

    /// Encrypts `plaintext`; the result waits in [`End::ciphertext`], at most 64 KB of it.
    ///
    /// # Errors
    /// When the connection takes no more.
    pub fn send(&mut self, plaintext: &[u8]) -> Result<(), TlsError> {
        Ok(self.connection.writer().write_all(plaintext)?)
    }

    /// Appends what has to go to the peer to `out`.
    pub fn ciphertext(&mut self, out: &mut Vec<u8>) {
        while self.connection.wants_write() {
            if self.connection.write_tls(out).is_err() {
                break;
            }
        }
    }

    /// Is the handshake still going on?
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Ends our side in order; the alert waits in [`End::ciphertext`]. Where nothing has been agreed on yet there is
    /// nothing to end.
    pub fn close(&mut self) {
        if !self.connection.is_handshaking() {
            self.connection.send_close_notify();
        }
    }
}
