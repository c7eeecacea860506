//! What the client is told.

use std::time::Duration;

use crate::VERSION;
use crate::client::places;
use crate::request::{Command, Learn, Request};

/// Why there is no verdict; the numbers are those of sysexits.h.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request does not read.
    #[error("76 Bad header line: {0}")]
    BadHeaderLine(String),
    /// This is not on offer.
    #[error("69 Service Unavailable: {0}")]
    Unavailable(String),
    /// The client said nothing.
    #[error("79 Timeout: ({seconds} second socket timeout reading input from client)")]
    Silence {
        /// For so long.
        seconds: u64,
    },
    /// It took too long.
    #[error("79 Timeout: ({seconds} second timeout while trying to {command})")]
    Timeout {
        /// After so long.
        seconds: u64,
        /// What was to be done.
        command: String,
    },
}

impl Fault {
    pub(crate) fn mismatch(expected: usize, got: usize) -> Self {
        Self::BadHeaderLine(format!("(Content-Length mismatch: Expected {expected} bytes, got {got} bytes)"))
    }

    /// A compressed message that is not whole.
    pub(crate) fn broken_stream() -> Self {
        Self::Unavailable("zlib: failed to find end of zlib stream".to_owned())
    }

    pub(crate) fn timeout(time: Duration, command: &str) -> Self {
        Self::Timeout { seconds: time.as_secs(), command: command.to_owned() }
    }

    /// One line, whatever the client's words that stand in it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let text = self.to_string().replace(char::is_control, "?");
        format!("SPAMD/1.0 {text}\r\n").into_bytes()
    }

    /// What the server's log says of it, in the original's words.
    pub fn log_line(&self) -> String {
        match self {
            Self::BadHeaderLine(text) => format!("bad protocol: header error: {text}"),
            Self::Unavailable(text) => format!("service unavailable: {text}"),
            Self::Silence { .. } | Self::Timeout { .. } => {
                let text = self.to_string();
                format!("timeout: {}", text.strip_prefix("79 Timeout: ").unwrap_or(&text))
            }
        }
    }
}

/// What was found, in the words of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Is it spam?
    pub spam: bool,
    /// `1002.0`
    pub score: String,
    /// `5.0`
    pub required: String,
    /// Rules, report or message, as the command asks; for `HEADERS` the whole message.
    pub text: Vec<u8>,
}

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The verdict.
    Verdict(Verdict),
    /// What `TELL` did.
    Told(Learn),
    /// Nothing.
    Fault(Fault),
}

impl Reply {
    /// The bytes that go to the client.
    pub(crate) fn bytes(&self, request: &Request) -> Vec<u8> {
        match self {
            Self::Fault(fault) => fault.bytes(),
            Self::Told(learn) => told(learn),
            Self::Verdict(verdict) => verdict.bytes(request),
        }
    }
}

pub(crate) fn pong() -> Vec<u8> {
    format!("SPAMD/{VERSION} 0 PONG\r\n").into_bytes()
}

fn told(learn: &Learn) -> Vec<u8> {
    let mut text = "SPAMD/1.1 0 EX_OK\r\n".to_owned();
    let set = places(learn.set_local, learn.set_remote).map(|set| format!("DidSet: {set}\r\n"));
    let removed =
        places(learn.remove_local, learn.remove_remote).map(|removed| format!("DidRemove: {removed}\r\n"));
    text.extend(set.into_iter().chain(removed));
    text.push_str("\r\n\r\n");
    text.into_bytes()
}

impl Verdict {
    fn bytes(&self, request: &Request) -> Vec<u8> {
        let words = if request.command == Command::ReportIfSpam { ["No", "Yes"] } else { ["False", "True"] };
        let spam =
            format!("Spam: {} ; {} / {}\r\n", words[usize::from(self.spam)], self.score, self.required);
        let text = self.text(request);
        let length = format!("Content-length: {}\r\n", text.len());
        let marked = matches!(request.command, Command::Process | Command::Headers);
        let head = match (request.command, request.version) {
            (Command::Check, _) => return format!("SPAMD/1.1 0 EX_OK\r\n{spam}\r\n").into_bytes(),
            (_, 13..) => format!("SPAMD/1.1 0 EX_OK\r\n{length}{spam}\r\n"),
            (_, 12) if marked => format!("SPAMD/1.1 0 EX_OK\r\n{length}\r\n"),
            _ if marked => "SPAMD/1.0 0 EX_OK\r\n".to_owned(),
            _ => format!("SPAMD/1.1 0 EX_OK\r\n{spam}\r\n"),
        };
        [head.into_bytes(), text].concat()
    }

    fn text(&self, request: &Request) -> Vec<u8> {
        match request.command {
            Command::ReportIfSpam if !self.spam => Vec::new(),
            Command::Headers => header_of(&self.text).to_vec(),
            Command::Symbols if request.version < 13 => [self.text.as_slice(), b"\r\n"].concat(),
            _ => self.text.clone(),
        }
    }
}

/// Up to and with the first blank line.
fn header_of(message: &[u8]) -> &[u8] {
    let ends = [&b"\n\n"[..], b"\n\r\n"];
    let end = ends.iter().filter_map(|end| {
        message.windows(end.len()).position(|window| window == *end).map(|at| at + end.len())
    });
    &message[..end.min().unwrap_or(message.len())]
}
