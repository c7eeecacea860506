//! Clients that read as fast as they can and look at nothing but the end of an answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Range;

use tests::suite::PATIENCE;

use super::server::PASSWORD;

const BLOCK_BYTES: usize = 1024 * 1024;
/// A status line is shorter.
const TAIL_BYTES: usize = 1024;

/// A connection, and the end of what it has brought.
struct Connection {
    stream: TcpStream,
    block: Vec<u8>,
    tail: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream, block: vec![0; BLOCK_BYTES], tail: Vec::new() })
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("send a command");
    }

    /// Reads until the end of what has come is as wanted; returns how many bytes came, none when the server hung up.
    fn read_until(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Option<usize> {
        self.tail.clear();
        let mut total = 0;
        while !wanted(&self.tail) {
            let count = self.stream.read(&mut self.block).ok().filter(|count| *count > 0)?;
            total += count;
            self.tail.extend_from_slice(&self.block[count.saturating_sub(TAIL_BYTES)..count]);
            self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        }
        Some(total)
    }
}

fn last_line(tail: &[u8]) -> &[u8] {
    let Some(line) = tail.strip_suffix(b"\r\n") else { return &[] };
    line.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// An IMAP client that has logged in.
pub(crate) struct Imap {
    connection: Connection,
    commands: usize,
}

impl Imap {
    pub(crate) fn login(port: u16, user: &str) -> Self {
        Self::try_login(port, user).expect("an IMAP login")
    }

    /// None where nobody listens yet.
    pub(crate) fn try_login(port: u16, user: &str) -> Option<Self> {
        let mut connection = Connection::open(port)?;
        connection.read_until(|tail| last_line(tail).starts_with(b"* OK"))?;
        let mut client = Self { connection, commands: 0 };
        client.try_run(&format!("LOGIN {user} {PASSWORD}"))?;
        Some(client)
    }

    /// Runs a command that succeeds; how many bytes the answer has.
    pub(crate) fn run(&mut self, command: &str) -> usize {
        self.try_run(command)
            .unwrap_or_else(|| panic!("{command}: {}", String::from_utf8_lossy(&self.connection.tail)))
    }

    fn try_run(&mut self, command: &str) -> Option<usize> {
        self.commands += 1;
        let tag = format!("x{} ", self.commands);
        self.connection.send(format!("{tag}{command}\r\n").as_bytes());
        let count = self.connection.read_until(|tail| last_line(tail).starts_with(tag.as_bytes()))?;
        last_line(&self.connection.tail)[tag.len()..].starts_with(b"OK").then_some(count)
    }

    /// Appends a message, its line ends LF, to a mailbox.
    pub(crate) fn append(&mut self, mailbox: &str, letter: &str) {
        let text = letter.replace('\n', "\r\n");
        self.run(&format!("APPEND {mailbox} {{{}+}}\r\n{text}", text.len()));
    }

    /// Begins to idle in INBOX.
    pub(crate) fn idle(&mut self) {
        self.run("SELECT INBOX");
        self.connection.send(b"i IDLE\r\n");
        self.connection.read_until(|tail| last_line(tail).starts_with(b"+ ")).expect("the begin of IDLE");
    }

    /// Waits until a client that idles hears of a message.
    pub(crate) fn hear(&mut self) {
        let heard = |tail: &[u8]| tail.windows(7).any(|word| word == b" EXISTS");
        self.connection.read_until(heard).expect("news of a message");
    }
}

/// A POP3 client that has logged in.
pub(crate) struct Pop3 {
    connection: Connection,
}

impl Pop3 {
    pub(crate) fn login(port: u16, user: &str) -> Self {
        let connection = Connection::open(port).expect("a POP3 server");
        let mut client = Self { connection };
        client.line();
        for command in [format!("USER {user}\r\n"), format!("PASS {PASSWORD}\r\n")] {
            client.connection.send(command.as_bytes());
            client.line();
        }
        client
    }

    fn line(&mut self) {
        self.connection.read_until(|tail| last_line(tail).starts_with(b"+OK")).expect("+OK");
    }

    /// Fetches a message.
    pub(crate) fn fetch(&mut self, number: usize) {
        self.connection.send(format!("RETR {number}\r\n").as_bytes());
        self.connection.read_until(|tail| tail.ends_with(b"\r\n.\r\n")).expect("a message");
    }

    /// Fetches messages that are asked for all at once.
    pub(crate) fn fetch_all(&mut self, numbers: Range<usize>) {
        const END: &[u8] = b"\r\n.\r\n";
        let commands: String = numbers.clone().map(|number| format!("RETR {number}\r\n")).collect();
        self.connection.send(commands.as_bytes());
        let (mut left, mut unread) = (numbers.len(), Vec::new());
        while left > 0 {
            let Connection { stream, block, .. } = &mut self.connection;
            let count = stream.read(block).expect("messages");
            assert!(count > 0, "the server hung up");
            unread.extend_from_slice(&block[..count]);
            left -= unread.windows(END.len()).filter(|bytes| *bytes == END).count();
            // An end may come in two pieces.
            unread.drain(..unread.len().saturating_sub(END.len() - 1));
        }
    }
}
