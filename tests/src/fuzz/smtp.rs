//! Whole sessions of the SMTP server.
//!
//! The first bytes choose settings and how questions are answered. Of the rest, these are no bytes of the client:
//! 0xFF begins a new read, 0xFE lets the time pass, 0xFD stops the service, 0xFC is the client going away.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use machine::{Disconnect, Machine, Output, READ_LIMIT_BYTES, TlsFacts};
use smtp_protocol::{Admission, Answer, BareNewline, Named, Question, Reply, Server, Settings, TlsLevel};

const NEW_READ: u8 = 0xFF;
const TIME_PASSES: u8 = 0xFE;
const STOP: u8 = 0xFD;
const CLIENT_GOES: u8 = 0xFC;

/// Outputs that follow one input are not more than this and some for each byte.
const OUTPUTS_PER_INPUT: usize = 1000;

/// Every session ends, every reply is a reply, and the cut between reads changes no message.
pub(super) fn run(input: &[u8]) {
    let ([first, second, third, answers], wire) = super::head(input);
    let settings = Arc::new(settings(first, second, third));
    let session = Session::new(&settings, answers).play(wire);
    let has_events = wire.iter().any(|byte| *byte >= CLIENT_GOES && *byte != NEW_READ);
    let starts_tls = wire.to_ascii_uppercase().windows(8).any(|word| word == b"STARTTLS");
    if !has_events
        && !starts_tls
        && !settings.forbid_pipelining
        && !settings.tls_wrapper
        && !settings.proxy_protocol
    {
        let joined: Vec<u8> = wire.iter().copied().filter(|byte| *byte != NEW_READ).collect();
        let whole = Session::new(&settings, answers).play(&joined);
        assert_eq!(whole.queued, session.queued, "left: in one read, right: as cut");
    }
}

struct Session {
    server: Server,
    answers: u8,
    /// Bytes that the client has sent.
    received: usize,
    content: Vec<u8>,
    queued: Vec<Vec<u8>>,
    is_lost: bool,
}

impl Session {
    fn new(settings: &Arc<Settings>, answers: u8) -> Self {
        let server = Server::new(Arc::clone(settings));
        Self { server, answers, received: 0, content: Vec::new(), queued: Vec::new(), is_lost: false }
    }

    fn play(mut self, wire: &[u8]) -> Self {
        if self.settle(0) {
            return self;
        }
        let mut rest = wire;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte >= CLIENT_GOES).unwrap_or(rest.len());
            for piece in rest[..end].chunks(READ_LIMIT_BYTES) {
                self.received += piece.len();
                self.server.received(piece);
                if self.settle(piece.len()) {
                    return self;
                }
            }
            match rest.get(end) {
                Some(&TIME_PASSES) => self.server.elapsed(),
                Some(&STOP) => self.server.stopping(),
                Some(&CLIENT_GOES) => break,
                _ => {}
            }
            if self.settle(0) {
                return self;
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.is_lost = true;
        self.server.disconnected(Disconnect::Lost);
        assert!(self.settle(0), "a session without a client ends");
        self
    }

    /// Runs until the machine wants bytes or time; true when it has closed.
    fn settle(&mut self, new_bytes: usize) -> bool {
        for _ in 0..OUTPUTS_PER_INPUT + 8 * new_bytes {
            match self.server.poll() {
                Output::Write(bytes) => {
                    assert!(!self.is_lost, "nothing is said to a client that is gone");
                    check_replies(&bytes);
                }
                Output::Ask(question) => {
                    let answer = self.answer(question);
                    self.server.answered(answer);
                }
                Output::Wait(_) | Output::KeepWaiting { .. } => return false,
                Output::Pause(_) => self.server.elapsed(),
                Output::StartTls if self.answers & 0x80 == 0 => self.server.secured(TlsFacts::default()),
                Output::StartTls => {
                    self.is_lost = true;
                    self.server.disconnected(Disconnect::HandshakeFailed);
                }
                Output::HandOver => panic!("an SMTP server keeps its clients"),
                Output::Close => return true,
            }
        }
        panic!("the machine goes on and on");
    }

    fn answer(&mut self, question: Question) -> Answer {
        let draw = draw(self.answers, &question);
        match question {
            Question::Content(bytes) => {
                self.content.extend(bytes);
                assert!(self.content.len() <= self.received + 1, "more content than was sent");
                Answer::Proceed
            }
            Question::EndOfData { .. } => {
                self.queued.push(std::mem::take(&mut self.content));
                Answer::Queued("QID".to_owned())
            }
            Question::Reset => {
                self.content.clear();
                Answer::Proceed
            }
            Question::Connect(_) | Question::Xclient(_) => Answer::Admit(Box::new(admission(self.answers))),
            Question::Expn(_) => Answer::Members(vec!["a@b".to_owned(), "c@d".to_owned()]),
            Question::Footer(reply) => Answer::Refuse(reply.with_footer("call \\c for help")),
            Question::Verb(_) if draw == 0 => Answer::Verb(Named::Ignored),
            Question::Verb(_) => Answer::Verb(Named::Ordinary),
            Question::Filter(line) => Answer::Line(line),
            _ if draw == 0 => Answer::Refuse(Reply::new("450 4.7.1 not now")),
            _ => Answer::Proceed,
        }
    }
}

/// 0 for one question of eight; the same for the same question. With `answers` 0 never.
fn draw(answers: u8, question: &Question) -> u64 {
    if answers & 0x0F == 0 {
        return 1;
    }
    let mut hasher = DefaultHasher::new();
    (answers, format!("{question:?}")).hash(&mut hasher);
    hasher.finish() % 8
}

fn admission(answers: u8) -> Admission {
    let all = answers & 0x40 != 0;
    Admission {
        client: "client[192.0.2.1]".to_owned(),
        xclient: all,
        xforward: all,
        verp: all,
        rates: all,
        ..Admission::default()
    }
}

/// RFC 5321 §4.2: three digits, a hyphen or a space, text, CRLF; and nothing of the client's ends a line.
fn check_replies(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("replies are text");
    assert!(text.ends_with("\r\n"), "{text:?}");
    for line in text.split_terminator("\r\n") {
        let (code, rest) = line.split_at_checked(3).expect("a reply has a code");
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{line:?}");
        assert!(rest.is_empty() || rest.starts_with(['-', ' ']), "{line:?}");
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
    }
}

fn settings(first: u8, second: u8, third: u8) -> Settings {
    let is = |bits: u8, bit: u8| bits & (1 << bit) != 0;
    Settings {
        message_limit_bytes: 500,
        recipient_limit: 3,
        recipient_overshoot_limit: 2,
        junk_limit: 10,
        helo_required: is(first, 0),
        strict_envelopes: is(first, 1),
        vrfy_disabled: is(first, 2),
        expn: is(first, 3),
        forbid_pipelining: is(first, 4),
        request_deadline: is(first, 5),
        strict_smtputf8: is(first, 6),
        smtputf8: !is(first, 7),
        proxy_protocol: is(second, 0),
        noop_commands: is(second, 1),
        command_filter: is(second, 2),
        soft_bounce: is(second, 3),
        tls_wrapper: is(second, 4),
        reject_footer: is(second, 5),
        line_limit_bytes: if is(second, 6) { 20 } else { 2048 },
        bare_newline: match third & 3 {
            0 => BareNewline::Normalize,
            1 => BareNewline::Accept,
            2 => BareNewline::Note,
            _ => BareNewline::Reject,
        },
        tls: match third >> 2 & 3 {
            0 | 1 => TlsLevel::None,
            2 => TlsLevel::May,
            _ => TlsLevel::Encrypt,
        },
        ..Settings::default()
    }
}

/// The client's side of every transcript, with different settings.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let transcripts = super::files_in("crates/logic/smtp-protocol/tests/transcripts");
    let choices = [[0, 0, 0, 0], [0x10, 0, 0x08, 0x40], [0x28, 0x06, 0x09, 0x41], [0x02, 0x29, 0x03, 0x43]];
    let wires = transcripts.iter().map(|text| wire(&String::from_utf8_lossy(text)));
    wires.flat_map(|wire| choices.map(|head| [&head[..], &wire].concat())).collect()
}

fn wire(transcript: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in transcript.lines() {
        if let Some(text) = line.strip_prefix("C: ") {
            wire.extend([text.as_bytes(), b"\r\n", &[NEW_READ]].concat());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            let plain = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
            wire.extend([plain.as_bytes(), &[NEW_READ]].concat());
        } else if line.starts_with("W: ") {
            wire.push(TIME_PASSES);
        } else if line == "STOP" {
            wire.push(STOP);
        } else if line == "LOST" {
            wire.push(CLIENT_GOES);
        }
    }
    wire
}
