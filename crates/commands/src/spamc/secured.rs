//! TLS to spamd (`-S`).

use std::io::{self, Read, Write};
use std::net::Shutdown;

use socket2::Socket;
use tls::{Authorities, Client, Identity, TlsError, client_config};

use super::connection::EX_IOERR;
use super::options::Secrets;
use crate::site::{EX_OSERR, EX_UNAVAILABLE};

/// Bytes that are encrypted at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// A connection on which TLS is spoken.
pub(super) struct Secured<'a> {
    socket: &'a Socket,
    client: Client,
    block: Vec<u8>,
}

/// Reads certificates and keys, and makes the handshake.
///
/// # Errors
/// The exit status; the log says why.
pub(super) fn secure<'a>(
    socket: &'a Socket,
    secrets: &Secrets,
    log: &dyn Fn(&str),
) -> Result<Secured<'a>, u8> {
    let refused = |text: String| {
        log(&text);
        EX_OSERR
    };
    let identity = identity(secrets).map_err(refused)?;
    let authorities = authorities(secrets).map_err(refused)?;
    let config = client_config(authorities, identity.as_ref())
        .and_then(|config| Client::new(&config))
        .map_err(|error| refused(format!("cannot create SSL context: {error}")))?;
    let mut secured = Secured { socket, client: config, block: vec![0; PIECE_BYTES] };
    secured.handshake().map_err(|why| {
        log(&format!("SSL_connect error: {why}"));
        EX_UNAVAILABLE
    })?;
    Ok(secured)
}

fn identity(secrets: &Secrets) -> Result<Option<Identity>, String> {
    let (Some(certificate), Some(key)) = (&secrets.certificate, &secrets.key) else { return Ok(None) };
    Identity::load(certificate, key).map(Some).map_err(|error| {
        let what = if error.path() == key { "key" } else { "certificate" };
        format!("unable to load {what} file {error}")
    })
}

fn authorities(secrets: &Secrets) -> Result<Option<Authorities>, String> {
    let (file, folders) = (&secrets.authorities, &secrets.authority_folders);
    if file.is_none() && folders.is_none() {
        return Ok(None);
    }
    Authorities::load(file.as_deref(), folders.as_deref()).map(Some).map_err(|error| {
        let shown = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map_or("(void)".into(), |path| path.display().to_string())
        };
        format!("error loading CA file {} or path {}: {error}", shown(file), shown(folders))
    })
}

fn broken(error: TlsError) -> io::Error {
    io::Error::other(error)
}

impl Secured<'_> {
    fn handshake(&mut self) -> io::Result<()> {
        let mut early = Vec::new();
        while self.client.is_handshaking() {
            self.flush()?;
            if self.client.is_handshaking() && !self.receive(&mut early)? {
                return Err(io::Error::other("the server has closed the connection"));
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        self.client.ciphertext(&mut out);
        self.socket.write_all(&out)
    }

    /// Appends what comes to `plain`; false when nothing will come any more.
    fn receive(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        let count = self.socket.read(&mut self.block)?;
        if count == 0 {
            return Ok(false);
        }
        let received = self.client.receive(&self.block[..count], plain);
        if received.is_err() {
            // The server hears why, if it can.
            let _ = self.flush();
        }
        received.map(|ended| !ended).map_err(broken)
    }

    /// Sends a request and reads the reply to its end, or as far as it comes.
    ///
    /// # Errors
    /// [`EX_IOERR`] when no reply comes.
    pub(super) fn talk(mut self, request: &[u8], limit_bytes: u64) -> Result<Vec<u8>, u8> {
        let sent = self.send(request);
        let mut reply = Vec::new();
        let read = loop {
            match self.receive(&mut reply) {
                Ok(true) if (reply.len() as u64) < limit_bytes => {}
                Ok(_) => break Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        match sent.and(read) {
            Err(_) if reply.is_empty() => Err(EX_IOERR),
            _ => Ok(reply),
        }
    }

    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        for piece in request.chunks(PIECE_BYTES) {
            self.client.send(piece).map_err(broken)?;
            self.flush()?;
        }
        self.client.close();
        self.flush()?;
        self.socket.shutdown(Shutdown::Write)
    }
}
