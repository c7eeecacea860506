//! Bytes through one end of a connection, whichever end it is.

use std::io::{self, Read, Write};

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

/// Takes ciphertext, and appends the plaintext in it to `plaintext`. True when the peer has closed its side in order.
pub(crate) fn receive<S: SideData>(
    connection: &mut ConnectionCommon<S>,
    mut ciphertext: &[u8],
    plaintext: &mut Vec<u8>,
) -> Result<bool, TlsError> {
    let mut closed = false;
    while !ciphertext.is_empty() && !closed {
        connection.read_tls(&mut ciphertext)?;
        let state = connection.process_new_packets()?;
        closed = state.peer_has_closed();
        drain(connection, state.plaintext_bytes_to_read(), plaintext)?;
    }
    Ok(closed)
}

fn drain<S: SideData>(
    connection: &mut ConnectionCommon<S>,
    bytes: usize,
    plaintext: &mut Vec<u8>,
) -> Result<(), TlsError> {
    let start = plaintext.len();
    plaintext.resize(start + bytes, 0);
    if bytes > 0 {
        connection.reader().read_exact(&mut plaintext[start..])?;
    }
    Ok(())
}

/// Encrypts `plaintext`; the result waits in [`ciphertext`].
pub(crate) fn send<S: SideData>(
    connection: &mut ConnectionCommon<S>,
    plaintext: &[u8],
) -> Result<(), TlsError> {
    Ok(connection.writer().write_all(plaintext)?)
}

/// Appends what has to go to the peer to `out`.
pub(crate) fn ciphertext<S: SideData>(connection: &mut ConnectionCommon<S>, out: &mut Vec<u8>) {
    while connection.wants_write() {
        if connection.write_tls(out).is_err() {
            break;
        }
    }
}

/// Ends our side in order. Where nothing has been agreed on yet there is nothing to end.
pub(crate) fn close<S: SideData>(connection: &mut ConnectionCommon<S>) {
    if !connection.is_handshaking() {
        connection.send_close_notify();
    }
}
