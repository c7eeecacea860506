//! A small SMTP client that says exactly what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::suite::PATIENCE;

/// A reply: its code and all its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 250
    pub code: u16,
    /// The texts of all lines, joined by line ends, without codes.
    pub text: String,
}

/// One session.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    /// The greeting.
    pub banner: Reply,
}

impl Client {
    /// Connects to 127.0.0.1 and reads the greeting.
    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).expect("a session")
    }

    /// As [`Client::connect`], where failure is to be expected.
    ///
    /// # Errors
    /// No connection, or no greeting.
    pub fn try_connect(port: u16) -> std::io::Result<Self> {
        Self::begin(TcpStream::connect(("127.0.0.1", port))?)
    }

    /// As [`Client::connect`], with what a load balancer says first.
    pub fn connect_behind(port: u16, header: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.write_all(header).expect("write to the server");
        Self::begin(stream).expect("a session")
    }

    fn begin(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut client =
            Self { stream: BufReader::new(stream), banner: Reply { code: 0, text: String::new() } };
        client.banner = client.try_reply()?;
        Ok(client)
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("write to the server");
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> Reply {
        self.try_reply().expect("a reply")
    }

    /// As [`Client::reply`], where failure is to be expected.
    ///
    /// # Errors
    /// The connection ended, or what came is no reply.
    pub fn try_reply(&mut self) -> std::io::Result<Reply> {
        let mut texts = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let code =
                line.get(..3).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
            texts.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, text: texts.join("\n") });
            }
        }
    }

    /// Sends a line and reads the reply.
    pub fn say(&mut self, line: &str) -> Reply {
        self.write(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// As [`Client::say`], where failure is to be expected.
    ///
    /// # Errors
    /// As [`Client::try_reply`].
    pub fn try_say(&mut self, line: &str) -> std::io::Result<Reply> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.try_reply()
    }

    /// Sends a line that must get a reply of this code.
    pub fn expect(&mut self, line: &str, code: u16) -> Reply {
        let reply = self.say(line);
        assert_eq!(reply.code, code, "{line:?} was answered with {reply:?}");
        reply
    }

    /// EHLO.
    pub fn ehlo(&mut self) -> Reply {
        self.expect("EHLO client.test.example", 250)
    }

    /// Sends a message that must be accepted; returns its queue id.
    pub fn send(&mut self, sender: &str, recipients: &[&str], content: &str) -> String {
        self.expect(&format!("MAIL FROM:<{sender}>"), 250);
        for recipient in recipients {
            self.expect(&format!("RCPT TO:<{recipient}>"), 250);
        }
        queue_id(&self.data(content))
    }

    /// DATA with `content`, whose lines end in LF; dots are doubled. The reply to the end of the message.
    pub fn data(&mut self, content: &str) -> Reply {
        self.expect("DATA", 354);
        self.write(wire(content).as_bytes());
        self.reply()
    }

    /// As [`Client::send`], for tests that break the connection.
    ///
    /// # Errors
    /// The connection ended; whether the message was taken is not known then.
    pub fn try_send(&mut self, sender: &str, recipients: &[&str], content: &str) -> std::io::Result<Reply> {
        let recipients = recipients.iter().map(|recipient| format!("RCPT TO:<{recipient}>"));
        let lines = std::iter::once(format!("MAIL FROM:<{sender}>")).chain(recipients);
        for line in lines.chain(["DATA".to_owned()]) {
            let reply = self.try_say(&line)?;
            if reply.code >= 400 {
                return Ok(reply);
            }
        }
        self.stream.get_mut().write_all(wire(content).as_bytes())?;
        self.try_reply()
    }

    /// QUIT, and the end of the connection.
    pub fn quit(mut self) {
        self.expect("QUIT", 221);
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("end of connection");
        assert!(rest.is_empty(), "bytes after QUIT: {rest:?}");
    }
}

/// RFC 5321 §4.5.2: CRLF line ends, dots doubled, a dot at the end.
fn wire(content: &str) -> String {
    let lines = content
        .lines()
        .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") });
    lines.collect::<String>() + ".\r\n"
}

/// The id in "Ok: queued as ID".
pub fn queue_id(reply: &Reply) -> String {
    assert_eq!(reply.code, 250, "the message was answered with {reply:?}");
    let (_, id) = reply.text.rsplit_once("queued as ").unwrap_or_else(|| panic!("no queue id in {reply:?}"));
    id.trim().to_owned()
}
