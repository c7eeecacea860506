//! The protocol of Redis, RESP2: commands out, replies in (<https://redis.io/docs/latest/develop/reference/protocol-spec>).
//!
//! By hand: it is less than the library for it, which comes with a licence that is not accepted here.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::address::Place;

/// Bytes of a line of the protocol.
const LINE_LIMIT_BYTES: u64 = 64 * 1024;
/// Bytes of a value: Redis itself takes no longer ones.
const VALUE_LIMIT_BYTES: usize = 512 << 20;
/// Lists within lists.
const DEPTH_LIMIT: u32 = 8;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The connection.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It did not come in time.
    #[error("it does not answer in time")]
    Late,
    /// The server says no: a code, and why.
    #[error("{code} {text}")]
    Refused { code: String, text: String },
    /// That is no answer.
    #[error("its answer is none of Redis")]
    Protocol,
}

/// What a server answers a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Bytes(Vec<u8>),
    Number(i64),
    List(Vec<Reply>),
}

impl Reply {
    /// A number; numbers that are kept come as text.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Nothing | Self::List(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    pub(super) fn list(self) -> Vec<Reply> {
        match self {
            Self::List(list) => list,
            _ => Vec::new(),
        }
    }

    pub(super) fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Commands that go out together.
#[derive(Default)]
pub(super) struct Commands {
    bytes: Vec<u8>,
    count: usize,
}

impl Commands {
    pub(super) fn one(words: &[&[u8]]) -> Self {
        let mut commands = Self::default();
        commands.add(words);
        commands
    }

    pub(super) fn add(&mut self, words: &[&[u8]]) {
        self.count += 1;
        self.bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            self.bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.bytes.extend_from_slice(word);
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }
}

/// A connection.
pub(super) struct Wire {
    reader: BufReader<Timed>,
}

impl Wire {
    /// Connects within `limit`; a name is looked up as the system does it.
    pub(super) fn open(place: &Place, limit: Duration) -> Result<Self, Fault> {
        let deadline = Instant::now() + limit;
        let socket = match place {
            Place::Socket(path) => Socket::Unix(UnixStream::connect(path)?),
            Place::Host(host, port) => Socket::Tcp(connect(host, *port, deadline)?),
        };
        Ok(Self { reader: BufReader::new(Timed { socket, deadline }) })
    }

    /// Sends commands, and takes an answer for each; all of it within `limit`.
    pub(super) fn ask(&mut self, commands: &Commands, limit: Duration) -> Result<Vec<Reply>, Fault> {
        let timed = self.reader.get_mut();
        timed.deadline = Instant::now() + limit;
        timed.write_all(&commands.bytes).map_err(fault)?;
        let mut refused = None;
        let mut replies = Vec::with_capacity(commands.count);
        for _ in 0..commands.count {
            match read(&mut self.reader, DEPTH_LIMIT) {
                Ok(reply) => replies.push(reply),
                // The answers behind it are still taken, so that the connection stays of use.
                Err(no @ Fault::Refused { .. }) => refused = refused.or(Some(no)),
                Err(other) => return Err(other),
            }
        }
        refused.map_or(Ok(replies), Err)
    }

    /// The answer to one command.
    pub(super) fn ask_one(&mut self, words: &[&[u8]], limit: Duration) -> Result<Reply, Fault> {
        self.ask(&Commands::one(words), limit)?.pop().ok_or(Fault::Protocol)
    }
}

fn connect(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Fault> {
    let mut last = Fault::Io(io::ErrorKind::NotFound.into());
    for address in (host, port).to_socket_addrs()? {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        match TcpStream::connect_timeout(&address, left.ok_or(Fault::Late)?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = fault(error),
        }
    }
    Err(last)
}

fn fault(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::Late,
        _ => Fault::Io(error),
    }
}

fn read(reader: &mut impl BufRead, depth: u32) -> Result<Reply, Fault> {
    let line = read_line(reader)?;
    let (kind, rest) = line.split_at_checked(1).ok_or(Fault::Protocol)?;
    let number = || rest.parse::<i64>().map_err(|_| Fault::Protocol);
    match kind {
        "+" => Ok(Reply::Bytes(rest.as_bytes().to_vec())),
        ":" => number().map(Reply::Number),
        "-" => {
            let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
            Err(Fault::Refused { code: code.to_owned(), text: text.to_owned() })
        }
        "$" => match number()? {
            ..0 => Ok(Reply::Nothing),
            length => read_value(reader, usize::try_from(length).map_err(|_| Fault::Protocol)?),
        },
        "*" if depth > 0 => match number()? {
            ..0 => Ok(Reply::Nothing),
            length => (0..length).map(|_| read(reader, depth - 1)).collect::<Result<_, _>>().map(Reply::List),
        },
        _ => Err(Fault::Protocol),
    }
}

fn read_line(reader: &mut impl BufRead) -> Result<String, Fault> {
    let mut line = Vec::new();
    reader.take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line).map_err(fault)?;
    if line.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let line = line.strip_suffix(b"\r\n").ok_or(Fault::Protocol)?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn read_value(reader: &mut impl BufRead, length: usize) -> Result<Reply, Fault> {
    if length > VALUE_LIMIT_BYTES {
        return Err(Fault::Protocol);
    }
    let mut bytes = Vec::new();
    reader.take(length as u64 + 2).read_to_end(&mut bytes).map_err(fault)?;
    match bytes.strip_suffix(b"\r\n") {
        Some(value) if value.len() == length => Ok(Reply::Bytes(value.to_vec())),
        _ => Err(Fault::Protocol),
    }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket that gives up when the time is over.
struct Timed {
    socket: Socket,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        left.map(Some).ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left()?;
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            Socket::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
        }
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let left = self.left()?;
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(buffer)),
            Socket::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(buffer)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> Result<Reply, Fault> {
        read(&mut BufReader::new(bytes), DEPTH_LIMIT)
    }

    #[test]
    fn replies_are_read() {
        let bytes = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
        assert_eq!(read_all(b"+OK\r\n").unwrap(), bytes("OK"));
        assert_eq!(read_all(b"$-1\r\n").unwrap(), Reply::Nothing);
        assert_eq!(read_all(b"$4\r\na\r\nb\r\n").unwrap(), bytes("a\r\nb"));
        let list = read_all(b"*3\r\n:7\r\n$1\r\n9\r\n*-1\r\n").unwrap().list();
        assert_eq!(list.iter().map(Reply::number).collect::<Vec<_>>(), [Some(7), Some(9), None]);
        assert!(matches!(read_all(b"-NOAUTH no\r\n"), Err(Fault::Refused { code, .. }) if code == "NOAUTH"));
        for broken in [&b""[..], b"$5\r\nab\r\n", b"+OK\n", b"?\r\n", b"\r\n", b"$99999999999\r\n"] {
            assert!(read_all(broken).is_err(), "{broken:?}");
        }
        assert!(read_all(&b"*1\r\n".repeat(50)).is_err());
    }

    #[test]
    fn commands_hold_any_bytes() {
        let mut commands = Commands::one(&[b"GET", b"w:\r\n"]);
        commands.add(&[b"PING"]);
        assert_eq!(commands.bytes, b"*2\r\n$3\r\nGET\r\n$4\r\nw:\r\n\r\n*1\r\n$4\r\nPING\r\n");
        assert_eq!(commands.len(), 2);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(bytes: Vec<u8>) {
            let _ = read_all(&bytes);
        }
    }
}
