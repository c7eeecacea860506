//! As much of an SMTP client (RFC 5321) as the demo needs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long one reply may take.
const REPLY_PATIENCE: Duration = Duration::from_secs(60);

/// One session.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects and takes the greeting.
    pub(crate) fn connect(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| format!("connect: {error}"))?;
        stream.set_read_timeout(Some(REPLY_PATIENCE)).map_err(|error| error.to_string())?;
        let mut client = Self { reader: BufReader::new(stream) };
        client.reply("the greeting", '2')?;
        Ok(client)
    }

    /// Sends a line, and wants a reply that begins with `wanted`.
    pub(crate) fn command(&mut self, line: &str, wanted: char) -> Result<String, String> {
        let sent = self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes());
        sent.map_err(|error| format!("{line}: {error}"))?;
        self.reply(line, wanted)
    }

    fn reply(&mut self, to: &str, wanted: char) -> Result<String, String> {
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) => return Err(format!("{to}: the server hung up")),
                Err(error) => return Err(format!("{to}: {error}")),
                Ok(_) if line.get(3..4) == Some("-") => {}
                Ok(_) if line.starts_with(wanted) => return Ok(line.trim_end().to_owned()),
                Ok(_) => return Err(format!("{to}: the server said {}", line.trim_end())),
            }
        }
    }
}
