//! As much of a POP3 client (RFC 1939) as the demo needs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long one reply may take.
const REPLY_PATIENCE: Duration = Duration::from_secs(60);

/// Is there a message with `token` in it in the mailbox of `user`?
pub(crate) fn has_message(port: u16, user: &str, password: &str, token: &str) -> Result<bool, String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| format!("connect: {error}"))?;
    stream.set_read_timeout(Some(REPLY_PATIENCE)).map_err(|error| error.to_string())?;
    let mut session = Session(BufReader::new(stream));
    session.reply("the greeting")?;
    session.command(&format!("USER {user}"))?;
    session.command(&format!("PASS {password}"))?;
    let stat = session.command("STAT")?;
    let count: usize = stat.split(' ').nth(1).and_then(|count| count.parse().ok()).unwrap_or(0);
    let mut found = false;
    for number in (1..=count).rev() {
        session.command(&format!("RETR {number}"))?;
        found |= session.text()?.contains(token);
    }
    session.command("QUIT")?;
    Ok(found)
}

struct Session(BufReader<TcpStream>);

impl Session {
    fn command(&mut self, line: &str) -> Result<String, String> {
        let sent = self.0.get_mut().write_all(format!("{line}\r\n").as_bytes());
        sent.map_err(|error| format!("{line}: {error}"))?;
        self.reply(line)
    }

    fn reply(&mut self, to: &str) -> Result<String, String> {
        let line = self.line()?;
        if line.starts_with("+OK") { Ok(line) } else { Err(format!("{to}: the server said {line}")) }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut bytes = Vec::new();
        match self.0.read_until(b'\n', &mut bytes) {
            Ok(0) => Err("the server hung up".to_owned()),
            Ok(_) => Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Up to the lone dot.
    fn text(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(text);
            }
            text.push_str(&line);
            text.push('\n');
        }
    }
}
