//! What one tells the queue manager: a new message, or the trigger letters that Postfix's programs send.
//!
//! On `public/qmgr` a connection may carry either. Our own programs keep one open and send an attribute message for
//! each new queue file, so that no folder has to be scanned. Triggers are single upper-case letters; the NUL that
//! Postfix puts at their end means nothing.
//!
//! # Direct delivery
//!
//! A message that can be delivered at once need not touch the spool's disk. smtpd sends it as an open file in memory
//! ([`Request::Direct`]) before it has promised anything to its client, and the queue manager answers:
//!
//! - [`Answer::Done`]: every recipient's copy is safe. The client gets its 250, and nothing is left to be done.
//! - [`Answer::Keep`]: this will take longer. smtpd puts the message into `incoming/` under its id, synced, gives the
//!   client its 250 and says [`Request::Settled`]; from then on it is a message like any other, and the deliveries
//!   that are over count.
//!
//! smtpd settles a message by itself when the answer is not there in time. An answer `Done` that crosses this on its
//! way means that the file is to be removed. When the connection ends, smtpd waits no longer than it would have, for
//! whoever delivers goes on; then it settles what is left ([`Request::Doubtful`]). The queue manager finishes what is
//! under way, remembers for a minute who has got it, and looks for files that smtpd did not live to tell of.

use std::io;
use std::path::PathBuf;

use attributes::Attributes;
use reactor::channel::Wire;
use sys::sockets::{Socket, connect_unix};

/// What may be asked of the queue manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// This file is complete in `incoming/`.
    Arrived(String),
    /// The message of this id is in the open file that comes along.
    Direct(String),
    /// The message that came with [`Request::Direct`] is complete in `incoming/`.
    Settled(String),
    /// The same, of a message that went to a queue manager that is gone: somebody may just be delivering it.
    Doubtful(String),
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
            let (name, id) = message.iter().next().ok_or(Unknown)?;
            let id = id.to_owned();
            let request = match name {
                "queue_id" => Request::Arrived(id),
                "direct" => Request::Direct(id),
                "settled" => Request::Settled(id),
                "doubtful" => Request::Doubtful(id),
                _ => return Err(Unknown),
            };
            Ok(Some((request, begin + length)))
        }
        Ok(None) if bytes.len() < LENGTH_LIMIT_BYTES => Ok(None),
        _ => Err(Unknown),
    }
}

impl Wire for Request {
    type Error = Unknown;

    fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Unknown> {
        decode(bytes)
    }

    fn encode(&self, output: &mut Vec<u8>) {
        match self {
            Self::Arrived(id) => Attributes::new().with("queue_id", id).encode(output),
            Self::Direct(id) => Attributes::new().with("direct", id).encode(output),
            Self::Settled(id) => Attributes::new().with("settled", id).encode(output),
            Self::Doubtful(id) => Attributes::new().with("doubtful", id).encode(output),
            Self::ScanIncoming => output.push(b'I'),
            Self::ScanDeferred => output.push(b'D'),
            Self::ScanAll => output.push(b'A'),
            Self::FlushDead => output.push(b'F'),
        }
    }
}

/// What the queue manager says of a message that was sent to it directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Every recipient's copy is safe.
    Done(String),
    /// It needs a queue file.
    Keep(String),
    /// So it does, and it will have to wait: more comes in than goes out.
    Crowded(String),
}

impl Answer {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        match self {
            Self::Done(id) => Attributes::new().with("done", id),
            Self::Keep(id) => Attributes::new().with("keep", id),
            Self::Crowded(id) => Attributes::new().with("crowded", id),
        }
    }

    /// Reads what [`Answer::to_attributes`] wrote; none when it is something else.
    pub fn from_attributes(message: &Attributes) -> Option<Self> {
        let (name, id) = message.iter().next()?;
        match name {
            "done" => Some(Self::Done(id.to_owned())),
            "keep" => Some(Self::Keep(id.to_owned())),
            "crowded" => Some(Self::Crowded(id.to_owned())),
            _ => None,
        }
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
        self.tell(&Request::Arrived(queue_id.to_owned()));
    }

    /// As [`Notifier::arrived`], of a message for which see [`Request::Doubtful`].
    pub fn doubtful(&mut self, queue_id: &str) {
        self.tell(&Request::Doubtful(queue_id.to_owned()));
    }

    fn tell(&mut self, request: &Request) {
        let mut bytes = if self.scan_owed { b"I".to_vec() } else { Vec::new() };
        request.encode(&mut bytes);
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
    fn requests_and_answers_are_read_as_they_were_written() {
        let requests = ["A1", "B2", "C3", "D3"].map(str::to_owned);
        let [arrived, direct, settled, doubtful] = requests;
        let requests = [
            Request::Arrived(arrived),
            Request::Direct(direct),
            Request::Settled(settled),
            Request::Doubtful(doubtful),
        ];
        let mut bytes = Vec::new();
        requests.iter().for_each(|request| request.encode(&mut bytes));
        assert_eq!(all(&bytes), requests);
        let answers = [Answer::Done("D4".into()), Answer::Keep("E5".into()), Answer::Crowded("F6".into())];
        for answer in answers {
            assert_eq!(Answer::from_attributes(&answer.to_attributes()), Some(answer));
        }
    }

    #[test]
    fn a_queue_manager_that_was_away_is_asked_to_look() {
        let folder = tempfile::tempdir().unwrap();
        let mut notifier = Notifier::new(folder.path().join("qmgr"));
        notifier.arrived("A1");
        let listener = sys::sockets::listen_unix(&folder.path().join("qmgr")).unwrap();
        notifier.arrived("A2");
        let (session, _) = listener.accept().unwrap();
        let mut buffer = [0; 100];
        let count = session.read(&mut buffer).unwrap();
        assert_eq!(all(&buffer[..count]), [Request::ScanIncoming, Request::Arrived("A2".into())]);
    }
}
