//! spamd's side of a connection.

use std::mem::take;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::reply::{Fault, Reply, pong};
use crate::request::{Command, HEAD_LIMIT_BYTES, Request};

/// Bytes of a reply that are said at a time.
const PIECE_BYTES: usize = 32 * 1024;

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

#[derive(Debug, Clone, PartialEq, Default)]
enum State {
    /// TLS is to be begun.
    Clear,
    /// The handshake goes on.
    Handshake,
    /// The request line is awaited.
    Start,
    /// Header lines are read.
    Header { request: Request, lines: usize },
    /// The message is read.
    Body { request: Request },
    /// The message is ready to be judged.
    Ready { request: Request, message: Vec<u8> },
    /// The verdict is awaited.
    Asked { request: Request },
    /// The reply is ready, from a place on.
    Replying(Vec<u8>, usize),
    #[default]
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
    /// The time of the present wait runs already.
    timed: bool,
    /// What the client was told last, until somebody asks.
    fault: Option<Fault>,
}

impl Server {
    /// A client has come.
    pub fn new(settings: Settings) -> Self {
        Self { state: State::Start, ..Self::behind_tls(settings) }
    }

    /// A client has come that is to begin with a TLS handshake.
    pub fn behind_tls(settings: Settings) -> Self {
        Self { settings, state: State::Clear, buffer: Vec::new(), ended: false, timed: false, fault: None }
    }

    /// What the client was told instead of a verdict, for the log; once.
    pub fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
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
        self.state = State::Replying(fault.bytes(), 0);
        self.fault = Some(fault.clone());
        false
    }

    fn wait_for_more(&mut self, state: State) -> bool {
        if self.ended {
            let where_to =
                if state == State::Start { "(closed before headers)" } else { "(EOF during headers)" };
            return self.fail(&Fault::BadHeaderLine(where_to.to_owned()));
        } else if self.buffer.len() > HEAD_LIMIT_BYTES {
            return self.fail(&Fault::BadHeaderLine("(too many headers)".to_owned()));
        } else {
            self.state = state;
        }
        false
    }

    fn start(&mut self) -> bool {
        let Some(line) = self.line() else { return self.wait_for_more(State::Start) };
        let request = match Request::begin(&line) {
            Ok(request) => request,
            Err(fault) => return self.fail(&fault),
        };
        self.timed = false;
        if request.has_header() {
            self.state = State::Header { request, lines: 0 };
            return true;
        }
        self.headed(request)
    }

    /// The header is over.
    fn headed(&mut self, request: Request) -> bool {
        self.state = match request.command {
            Command::Ping => State::Replying(pong(), 0),
            Command::Skip => State::Closed,
            _ => match self.refusal(&request) {
                Some(fault) => return self.fail(&fault),
                None => State::Body { request },
            },
        };
        matches!(self.state, State::Body { .. })
    }

    fn header(&mut self, mut request: Request, lines: usize) -> bool {
        let Some(line) = self.line() else { return self.wait_for_more(State::Header { request, lines }) };
        if line.is_empty() {
            return self.headed(request);
        }
        if let Err(fault) = request.header(&line, lines + 1) {
            return self.fail(&fault);
        }
        self.state = State::Header { request, lines: lines + 1 };
        true
    }

    /// What is not on offer is said before the message is read.
    fn refusal(&self, request: &Request) -> Option<Fault> {
        if request.command == Command::Tell && !self.settings.allow_tell {
            let text = "TELL commands are not enabled, set the --allow-tell switch.";
            return Some(Fault::Unavailable(text.to_owned()));
        }
        if let Some(fault) = request.contradiction() {
            return Some(fault);
        }
        let blind = request.compressed && request.content_length.is_none();
        blind.then(|| Fault::Unavailable("Compress requires Content-length header".to_owned()))
    }

    /// The message ends where the client's bytes end, or with the line in which its announced length is reached; that
    /// length must be just its own. What is behind a compressed one is dropped.
    fn body(&mut self, request: Request) -> bool {
        let here = self.buffer.len();
        let announced = request.content_length;
        let line_end = announced.filter(|_| !request.compressed).and_then(|expected| {
            let from = expected.saturating_sub(1);
            let rest = self.buffer.get(from..)?;
            rest.iter().position(|byte| *byte == b'\n').map(|at| from + at + 1)
        });
        let end = line_end.or(self.ended.then_some(here));
        if end.unwrap_or(here) > self.settings.message_limit_bytes {
            let text = format!("the message is larger than {} bytes", self.settings.message_limit_bytes);
            return self.fail(&Fault::Unavailable(text));
        }
        let Some(got) = end else {
            self.state = State::Body { request };
            return false;
        };
        match announced {
            Some(expected) if request.compressed && expected > got => {
                return self.fail(&Fault::broken_stream());
            }
            Some(expected) if !request.compressed && expected != got => {
                return self.fail(&Fault::mismatch(expected, got));
            }
            _ => {}
        }
        let mut message = take(&mut self.buffer);
        message.truncate(if request.compressed { announced.unwrap_or(got) } else { got });
        self.state = State::Ready { request, message };
        false
    }

    /// The next piece of the reply: what the client does not read piles up nowhere.
    fn reply(&mut self, bytes: Vec<u8>, from: usize) -> Output<(Request, Vec<u8>)> {
        if from == 0 && bytes.len() <= PIECE_BYTES {
            return Output::Write(bytes);
        }
        let to = bytes.len().min(from + PIECE_BYTES);
        let piece = bytes[from..to].to_vec();
        if to < bytes.len() {
            self.state = State::Replying(bytes, to);
        }
        Output::Write(piece)
    }

    /// The time runs from the first wait of a phase on, however much arrives in between.
    fn wait(&mut self) -> Output<(Request, Vec<u8>)> {
        if std::mem::replace(&mut self.timed, true) {
            return Output::KeepWaiting { extension: Duration::ZERO };
        }
        let first = self.state == State::Start;
        Output::Wait(if first { self.settings.patience } else { self.settings.check_time })
    }
}

impl Machine for Server {
    /// Judge, or learn from, this message.
    type Question = (Request, Vec<u8>);
    type Answer = Reply;

    fn poll(&mut self) -> Output<Self::Question> {
        match take(&mut self.state) {
            State::Ready { request, message } => {
                self.state = State::Asked { request: request.clone() };
                Output::Ask((request, message))
            }
            State::Replying(bytes, from) => self.reply(bytes, from),
            State::Clear => {
                self.state = State::Handshake;
                Output::StartTls
            }
            State::Closed => Output::Close,
            waiting => {
                self.state = waiting;
                self.wait()
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        // What comes behind the message is not read by anybody.
        if matches!(self.state, State::Start | State::Header { .. } | State::Body { .. }) {
            self.buffer.extend_from_slice(bytes);
            self.advance();
        }
    }

    fn answered(&mut self, answer: Reply) {
        if let State::Asked { request } = take(&mut self.state) {
            if let Reply::Fault(fault) = &answer {
                self.fault = Some(fault.clone());
            }
            self.state = State::Replying(answer.bytes(&request), 0);
        }
    }

    fn secured(&mut self, _: TlsFacts) {
        if self.state == State::Handshake {
            self.state = State::Start;
        }
    }

    fn elapsed(&mut self) {
        let fault = match take(&mut self.state) {
            State::Start => Fault::Silence { seconds: self.settings.patience.as_secs() },
            State::Header { request, .. } | State::Body { request } | State::Asked { request } => {
                Fault::timeout(self.settings.check_time, request.command.name())
            }
            _ => return,
        };
        self.fail(&fault);
    }

    fn disconnected(&mut self, _: Disconnect) {
        self.ended = true;
        if matches!(self.state, State::Clear | State::Handshake) {
            self.state = State::Closed;
        }
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
        check("PING SPAMC/1.5\r\n", "", "SPAMD/1.0 76 Bad header line: (EOF during headers)\r\n");
        check("", "", "SPAMD/1.0 76 Bad header line: (closed before headers)\r\n");
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
        check("GET\rx\r\n\r\n", "", "SPAMD/1.0 76 Bad header line: GET?x\r\n");
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
        let both =
            "SPAMD/1.0 76 Bad header line: Unable to set local and remove local in the same operation.\r\n";
        check("TELL SPAMC/1.5\r\nSet: local\r\nRemove: local\r\n\r\nx", "", both);
        let control = "SPAMD/1.0 76 Bad header line: (User header contains control chars)\r\n";
        check("CHECK SPAMC/1.5\r\nUser: a\u{1}b\r\n\r\nx", "", control);
    }

    /// A client that keeps its side open is answered as well, once the line is whole in which the length is reached.
    #[test]
    fn the_length_ends_the_message() {
        let mut server = Server::new(settings());
        server.received(b"CHECK SPAMC/1.5\r\nContent-length: 4\r\n\r\na\nb");
        assert_eq!(server.poll(), Output::Wait(settings().check_time));
        server.received(b"\nmore");
        let Output::Ask((_, message)) = server.poll() else { panic!("not whole") };
        assert_eq!(message, b"a\nb\n");
        let mut long = Server::new(settings());
        long.received(b"CHECK SPAMC/1.5\r\nContent-length: 3\r\n\r\na\nbc\nd");
        let mismatch =
            "SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 3 bytes, got 5 bytes)\r\n";
        assert_eq!(long.poll(), Output::Write(mismatch.into()));
    }

    #[test]
    fn a_slow_client_is_told_so() {
        let mut server = Server::new(settings());
        assert_eq!(server.poll(), Output::Wait(settings().patience));
        server.received(b"CHE");
        assert_eq!(server.poll(), Output::KeepWaiting { extension: Duration::ZERO });
        server.elapsed();
        let silence = "SPAMD/1.0 79 Timeout: (30 second socket timeout reading input from client)\r\n";
        assert_eq!(server.poll(), Output::Write(silence.into()));
        let mut slow = Server::new(settings());
        slow.received(b"PROCESS SPAMC/1.5\r\n");
        assert_eq!(slow.poll(), Output::Wait(settings().check_time));
        slow.elapsed();
        let text = "SPAMD/1.0 79 Timeout: (300 second timeout while trying to PROCESS)\r\n";
        assert_eq!(slow.poll(), Output::Write(text.into()));
    }

    #[test]
    fn a_long_reply_comes_in_pieces() {
        let text = "x".repeat(3 * PIECE_BYTES + 7);
        let replied = reply_of(settings(), b"PROCESS SPAMC/1.2\r\n\r\nx", &spam(&text));
        assert!(replied.ends_with(text.as_bytes()) && replied.len() < text.len() + 100);
    }

    #[test]
    fn tls_comes_first() {
        let mut server = Server::behind_tls(settings());
        assert_eq!(server.poll(), Output::StartTls);
        server.secured(TlsFacts::default());
        server.received(b"PING SPAMC/1.5\r\n\r\n");
        assert_eq!(server.poll(), Output::Write(pong()));
        for why in [Disconnect::HandshakeFailed, Disconnect::HandshakeTimeout, Disconnect::Lost] {
            let mut server = Server::behind_tls(settings());
            assert_eq!(server.poll(), Output::StartTls);
            server.disconnected(why);
            assert_eq!(server.poll(), Output::Close, "nothing is said in the clear");
        }
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
