//! spamd's side of a connection.

use std::mem::take;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::reply::{Fault, Reply, pong};
use crate::request::{Command, HEAD_LIMIT_BYTES, Request};

/// What the server allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a client may say nothing (`--timeout-tcp`).
    pub patience: Duration,
    /// How long a check may take (`--timeout-child`).
    pub check_time: Duration,
    /// Bytes of a message.
    pub message_limit_bytes: usize,
    /// May clients teach (`--allow-tell`)?
    pub allow_tell: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    /// The request line is awaited.
    Start,
    /// Header lines are read.
    Header {
        request: Request,
        lines: usize,
    },
    /// The message is read.
    Body {
        request: Request,
    },
    /// The message is ready to be judged.
    Ready {
        request: Request,
    },
    /// The verdict is awaited.
    Asked {
        request: Request,
    },
    /// The reply is ready.
    Replying(Vec<u8>),
    Closed,
}

/// A connection: bytes come in, one question goes out, then the reply.
///
/// The end of the client's bytes ([`Machine::disconnected`]) is the end of its message, not of the connection: the
/// reply still goes out.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    state: State,
    buffer: Vec<u8>,
    ended: bool,
}

impl Server {
    /// A client has come.
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: State::Start, buffer: Vec::new(), ended: false }
    }

    /// A whole line without its end; a line that the client's end cuts counts as whole.
    fn line(&mut self) -> Option<String> {
        let end = match self.buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.ended && !self.buffer.is_empty() => self.buffer.len(),
            None => return None,
        };
        let line: Vec<u8> = self.buffer.drain(..end).collect();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Goes as far as the bytes that are here allow.
    fn advance(&mut self) {
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        match take(&mut self.state) {
            State::Start => self.start(),
            State::Header { request, lines } => self.header(request, lines),
            State::Body { request } => self.body(request),
            other => {
                self.state = other;
                false
            }
        }
    }

    fn fail(&mut self, fault: &Fault) -> bool {
        self.state = State::Replying(fault.bytes());
        false
    }

    fn wait_for_more(&mut self, state: State) -> bool {
        if self.ended {
            self.state = State::Closed;
        } else if self.buffer.len() > HEAD_LIMIT_BYTES {
            return self.fail(&Fault::BadHeaderLine("(too many headers)".to_owned()));
        } else {
            self.state = state;
        }
        false
    }

    fn start(&mut self) -> bool {
        let Some(line) = self.line() else { return self.wait_for_more(State::Start) };
        match Request::begin(&line) {
            Ok(request) => match request.command {
                Command::Ping => self.state = State::Replying(pong()),
                Command::Skip => self.state = State::Closed,
                _ if request.has_header() => self.state = State::Header { request, lines: 0 },
                _ => self.state = State::Body { request },
            },
            Err(fault) => return self.fail(&fault),
        }
        matches!(self.state, State::Header { .. } | State::Body { .. })
    }

    fn header(&mut self, mut request: Request, lines: usize) -> bool {
        let Some(line) = self.line() else { return self.wait_for_more(State::Header { request, lines }) };
        if line.is_empty() {
            if let Some(fault) = self.refusal(&request) {
                return self.fail(&fault);
            }
            self.state = State::Body { request };
            return true;
        }
        if let Err(fault) = request.header(&line, lines + 1) {
            return self.fail(&fault);
        }
        self.state = State::Header { request, lines: lines + 1 };
        true
    }

    /// What is not on offer is said before the message is read.
    fn refusal(&self, request: &Request) -> Option<Fault> {
        if request.compressed && request.content_length.is_none() {
            return Some(Fault::Unavailable("Compress requires Content-length header".to_owned()));
        }
        if request.command == Command::Tell && !self.settings.allow_tell {
            let text = "TELL commands are not enabled, set the --allow-tell switch.";
            return Some(Fault::Unavailable(text.to_owned()));
        }
        None
    }

    /// The message ends where the client's bytes end; its announced length must be just that.
    fn body(&mut self, request: Request) -> bool {
        let got = self.buffer.len();
        if got > self.settings.message_limit_bytes {
            let text = format!("the message is larger than {} bytes", self.settings.message_limit_bytes);
            return self.fail(&Fault::Unavailable(text));
        }
        if !self.ended {
            self.state = State::Body { request };
            return false;
        }
        match request.content_length {
            Some(expected) if expected != got => return self.fail(&Fault::mismatch(expected, got)),
            _ => self.state = State::Ready { request },
        }
        false
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Closed
    }
}

impl Machine for Server {
    /// Judge, or learn from, this message.
    type Question = (Request, Vec<u8>);
    type Answer = Reply;

    fn poll(&mut self) -> Output<Self::Question> {
        match take(&mut self.state) {
            State::Ready { request } => {
                let message = take(&mut self.buffer);
                self.state = State::Asked { request: request.clone() };
                Output::Ask((request, message))
            }
            State::Replying(bytes) => Output::Write(bytes),
            State::Closed => Output::Close,
            waiting @ State::Asked { .. } => {
                self.state = waiting;
                Output::Wait(self.settings.check_time)
            }
            waiting => {
                self.state = waiting;
                Output::Wait(self.settings.patience)
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.advance();
    }

    fn answered(&mut self, answer: Reply) {
        if let State::Asked { request } = take(&mut self.state) {
            self.state = State::Replying(answer.bytes(&request));
        }
    }

    fn secured(&mut self, _: TlsFacts) {}

    fn elapsed(&mut self) {
        self.state = match take(&mut self.state) {
            State::Asked { request } => {
                State::Replying(Fault::timeout(self.settings.check_time, request.command.name()).bytes())
            }
            _ => State::Closed,
        };
    }

    fn disconnected(&mut self, _: Disconnect) {
        self.ended = true;
        self.advance();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Learn, Verdict};
    use proptest::prelude::*;

    fn settings() -> Settings {
        Settings {
            patience: Duration::from_secs(30),
            check_time: Duration::from_secs(300),
            message_limit_bytes: 1 << 20,
            allow_tell: true,
        }
    }

    /// The reply to bytes that a client sends before it closes its side.
    fn reply_of(settings: Settings, sent: &[u8], answer: &Reply) -> Vec<u8> {
        let mut server = Server::new(settings);
        for piece in sent.chunks(7) {
            server.received(piece);
        }
        server.disconnected(Disconnect::Lost);
        let mut replied = Vec::new();
        for _ in 0..10 {
            match server.poll() {
                Output::Write(bytes) => replied.extend(bytes),
                Output::Ask(_) => server.answered(answer.clone()),
                Output::Close => return replied,
                _ => break,
            }
        }
        panic!("the machine does not end");
    }

    fn spam(text: &str) -> Reply {
        Reply::Verdict(Verdict {
            spam: true,
            score: "1002.0".into(),
            required: "5.0".into(),
            text: text.into(),
        })
    }

    fn check(sent: &str, text: &str, expected: &str) {
        let replied = String::from_utf8(reply_of(settings(), sent.as_bytes(), &spam(text))).unwrap();
        assert_eq!(replied, expected, "{sent}");
    }

    /// What real spamd 4.0.1 replies.
    #[test]
    fn replies_are_those_of_the_original() {
        check("PING SPAMC/1.5\r\n\r\n", "", "SPAMD/1.5 0 PONG\r\n");
        check("PING SPAMC/1.2\r\n", "", "SPAMD/1.5 0 PONG\r\n");
        check("SKIP SPAMC/1.5\r\n\r\n", "", "");
        let verdict = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1002.0 / 5.0\r\n\r\n";
        check("CHECK SPAMC/1.5\r\nContent-length: 2\r\n\r\nx\n", "", verdict);
        check("CHECK SPAMC/9.9\r\n\r\nx\n", "", verdict);
        let symbols = "SPAMD/1.1 0 EX_OK\r\nContent-length: 3\r\nSpam: True ; 1002.0 / 5.0\r\n\r\nA,B";
        check("SYMBOLS SPAMC/1.5\r\nContent-length: 2\r\nUser: joe\r\n\r\nx\n", "A,B", symbols);
        let old = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1002.0 / 5.0\r\n\r\nA,B\r\n";
        check("SYMBOLS SPAMC/1.2\r\nContent-length: 2\r\n\r\nx\n", "A,B", old);
        let headers = "SPAMD/1.1 0 EX_OK\r\nContent-length: 6\r\nSpam: True ; 1002.0 / 5.0\r\n\r\nA: b\n\n";
        check("HEADERS SPAMC/1.5\r\n\r\nx\n", "A: b\n\nbody\n\nmore", headers);
        check("PROCESS SPAMC/1.2\r\n\r\nx", "ab", "SPAMD/1.1 0 EX_OK\r\nContent-length: 2\r\n\r\nab");
        let yes = "SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: Yes ; 1002.0 / 5.0\r\n\r\nr";
        check("REPORT_IFSPAM SPAMC/1.5\r\n\r\nx", "r", yes);
    }

    #[test]
    fn faults_are_those_of_the_original() {
        check("GET / HTTP/1.0\r\n\r\n", "", "SPAMD/1.0 76 Bad header line: GET / HTTP/1.0\r\n");
        check("check SPAMC/1.5\r\n\r\n", "", "SPAMD/1.0 76 Bad header line: check SPAMC/1.5\r\n");
        let mismatch =
            "SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 898 bytes, got 1 bytes)\r\n";
        check("CHECK SPAMC/1.5\r\nContent-length: 898\r\n\r\nx", "", mismatch);
        let number = "SPAMD/1.0 76 Bad header line: (Content-Length contains non-numeric bytes)\r\n";
        check("CHECK SPAMC/1.5\r\nContent-length: x\r\n\r\nx", "", number);
        let form = "SPAMD/1.0 76 Bad header line: (header not in 'Name: value' format)\r\n";
        check("CHECK SPAMC/1.5\r\nnonsense\r\n\r\nx", "", form);
        let length = "SPAMD/1.0 69 Service Unavailable: Compress requires Content-length header\r\n";
        check("CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\nx", "", length);
        let kind = "SPAMD/1.0 76 Bad header line: (compression type not supported: gzip)\r\n";
        check("CHECK SPAMC/1.5\r\nCompress: gzip\r\n\r\nx", "", kind);
        let refused = Settings { allow_tell: false, ..settings() };
        let replied = reply_of(refused, b"TELL SPAMC/1.5\r\n\r\nx", &spam(""));
        assert!(replied.starts_with(b"SPAMD/1.0 69 Service Unavailable: TELL commands are not enabled"));
    }

    #[test]
    fn telling() {
        let tell =
            |learn| reply_of(settings(), b"TELL SPAMC/1.5\r\nSet: local\r\n\r\nx", &Reply::Told(learn));
        let did = Learn { set_local: true, ..Learn::default() };
        assert_eq!(tell(did), b"SPAMD/1.1 0 EX_OK\r\nDidSet: local\r\n\r\n\r\n");
        assert_eq!(tell(Learn::default()), b"SPAMD/1.1 0 EX_OK\r\n\r\n\r\n");
    }

    proptest! {
        #[test]
        fn anything_is_answered(sent in prop::collection::vec(any::<u8>(), 0..200)) {
            reply_of(settings(), &sent, &spam(""));
            reply_of(settings(), &[b"CHECK SPAMC/1.5\r\n", sent.as_slice()].concat(), &spam(""));
        }
    }
}
