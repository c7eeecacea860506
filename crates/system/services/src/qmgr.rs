//! What one tells the queue manager: a new message, or the trigger letters that Postfix's programs send.
//!
//! On `public/qmgr` a connection may carry either. Our own programs keep one open and send an attribute message for
//! each new queue file, so that no folder has to be scanned. Triggers are single upper-case letters; the NUL that
//! Postfix puts at their end means nothing.

use std::io;
use std::path::PathBuf;

use attributes::Attributes;
use sys::sockets::{Socket, connect_unix};

/// What may be asked of the queue manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// This file is complete in `incoming/`.
    Arrived(String),
    /// `W`, `I`: look through `incoming/`.
    ScanIncoming,
    /// `D`: look through `deferred/`.
    ScanDeferred,
    /// `A`: with the next scan, take every message, whatever the time of its next attempt.
    ScanAll,
    /// `F`: try destinations again that were found dead.
    FlushDead,
}

/// The trigger letters of `postqueue -f`.
pub const FLUSH_ALL: &[u8] = b"FADI\0";

/// The first whole request in `bytes` and its length, `None` while its end has not arrived. Unknown letters are passed over.
///
/// # Errors
/// When the bytes are neither letters nor a message that is known: the connection can not be used any more.
pub fn decode(bytes: &[u8]) -> Result<Option<(Request, usize)>, Unknown> {
    for (at, byte) in bytes.iter().enumerate() {
        let request = match byte {
            b'W' | b'I' => Request::ScanIncoming,
            b'D' => Request::ScanDeferred,
            b'A' => Request::ScanAll,
            b'F' => Request::FlushDead,
            byte if byte.is_ascii_lowercase() => return decode_arrival(bytes, at),
            _ => continue,
        };
        return Ok(Some((request, at + 1)));
    }
    Ok(None)
}

/// A message on the queue manager's socket that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown request to the queue manager")]
pub struct Unknown;

fn decode_arrival(bytes: &[u8], begin: usize) -> Result<Option<(Request, usize)>, Unknown> {
    match Attributes::decode(&bytes[begin..]) {
        Ok(Some((message, length))) => {
            let id = message.get("queue_id").ok_or(Unknown)?.to_owned();
            Ok(Some((Request::Arrived(id), begin + length)))
        }
        Ok(None) if bytes.len() < LENGTH_LIMIT_BYTES => Ok(None),
        _ => Err(Unknown),
    }
}

/// No request is longer than this.
const LENGTH_LIMIT_BYTES: usize = 1024;

/// Tells the queue manager of new messages. Never waits, and never fails: what is not heard is found by the next scan, which is asked for as
/// soon as the queue manager listens again.
#[derive(Debug)]
pub struct Notifier {
    path: PathBuf,
    socket: Option<Socket>,
    scan_owed: bool,
}

impl Notifier {
    /// For the socket at `path`, `public/qmgr` below the queue directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), socket: None, scan_owed: false }
    }

    /// A queue file of this name is complete in `incoming/`.
    pub fn arrived(&mut self, queue_id: &str) {
        let mut bytes = if self.scan_owed { b"I".to_vec() } else { Vec::new() };
        Attributes::new().with("queue_id", queue_id).encode(&mut bytes);
        self.scan_owed =
            self.send(&bytes).or_else(|_| self.reconnect().and_then(|()| self.send(&bytes))).is_err();
    }

    /// All or nothing: a request that fits only in part ends the connection.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match socket.write(bytes) {
            Ok(count) if count == bytes.len() => Ok(()),
            Ok(_) => self.give_up(io::ErrorKind::WriteZero.into()),
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&mut self, error: io::Error) -> io::Result<()> {
        self.socket = None;
        Err(error)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        self.socket = Some(connect_unix(&self.path)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> Vec<Request> {
        let mut found = Vec::new();
        while let Some((request, length)) = decode(bytes).unwrap() {
            found.push(request);
            bytes = &bytes[length..];
        }
        found
    }

    #[test]
    fn the_letters_of_postqueue_are_understood() {
        let expected = [Request::FlushDead, Request::ScanAll, Request::ScanDeferred, Request::ScanIncoming];
        assert_eq!(all(FLUSH_ALL), expected);
        assert_eq!(all(b"W\0"), [Request::ScanIncoming]);
    }

    #[test]
    fn letters_and_messages_may_follow_each_other() {
        let mut bytes = b"I".to_vec();
        Attributes::new().with("queue_id", "7D774992033").encode(&mut bytes);
        Attributes::new().with("queue_id", "7D774992034").encode(&mut bytes);
        let arrived = |id: &str| Request::Arrived(id.to_owned());
        assert_eq!(all(&bytes), [Request::ScanIncoming, arrived("7D774992033"), arrived("7D774992034")]);
        assert_eq!(decode(&bytes[1..5]), Ok(None));
        assert_eq!(decode(b"nonsense\0\0\0"), Err(Unknown));
    }

    #[test]
    fn a_queue_manager_that_was_away_is_asked_to_look() {
        let folder = std::env::temp_dir().join(format!("notifier.{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut notifier = Notifier::new(folder.join("qmgr"));
        notifier.arrived("A1");
        let listener = sys::sockets::listen_unix(&folder.join("qmgr")).unwrap();
        notifier.arrived("A2");
        let (session, _) = listener.accept().unwrap();
        let mut buffer = [0; 100];
        let count = session.read(&mut buffer).unwrap();
        assert_eq!(all(&buffer[..count]), [Request::ScanIncoming, Request::Arrived("A2".into())]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
