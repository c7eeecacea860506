//! A whole dialogue of a protocol machine with a client that is made up.
//!
//! Of the client's bytes these are none: 0xFF begins a new read, 0xFE lets the time pass, 0xFD stops the service, 0xFC is
//! the client going away.

use std::hash::{DefaultHasher, Hash, Hasher};

use machine::{Disconnect, Machine, Output, READ_LIMIT_BYTES, TlsFacts};

pub(super) const NEW_READ: u8 = 0xFF;
pub(super) const TIME_PASSES: u8 = 0xFE;
pub(super) const STOP: u8 = 0xFD;
pub(super) const CLIENT_GOES: u8 = 0xFC;

/// Outputs that follow one input are not more than this and some for each byte.
const OUTPUTS_PER_INPUT: usize = 1000;

/// How a dialogue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The machine closed it.
    Closed,
    /// The machine gave the client into other hands.
    HandedOver,
}

/// A dialogue that is over.
pub(super) struct Played<M> {
    /// The machine.
    pub(super) machine: M,
    /// All that it said.
    pub(super) said: Vec<u8>,
    pub(super) end: End,
}

/// A dialogue under way. `answer` answers the machine's questions.
struct Dialogue<'a, M: Machine> {
    machine: M,
    answer: &'a mut dyn FnMut(M::Question) -> M::Answer,
    tls_fails: bool,
    said: Vec<u8>,
    end: Option<End>,
}

/// Plays `wire` to `machine`, and then the end of the client. The machine comes to an end, whatever it hears.
pub(super) fn play<M: Machine>(
    machine: M,
    wire: &[u8],
    tls_fails: bool,
    answer: &mut dyn FnMut(M::Question) -> M::Answer,
) -> Played<M> {
    let mut dialogue = Dialogue { machine, answer, tls_fails, said: Vec::new(), end: None };
    dialogue.settle(0);
    dialogue.talk(wire);
    if dialogue.end.is_none() {
        dialogue.machine.disconnected(Disconnect::Lost);
        dialogue.settle(0);
    }
    let end = dialogue.end.expect("a dialogue without a client ends");
    Played { machine: dialogue.machine, said: dialogue.said, end }
}

impl<M: Machine> Dialogue<'_, M> {
    fn talk(&mut self, mut wire: &[u8]) {
        while !wire.is_empty() && self.end.is_none() {
            let end = wire.iter().position(|byte| *byte >= CLIENT_GOES).unwrap_or(wire.len());
            for piece in wire[..end].chunks(READ_LIMIT_BYTES) {
                self.machine.received(piece);
                self.settle(piece.len());
                if self.end.is_some() {
                    return;
                }
            }
            match wire.get(end) {
                Some(&TIME_PASSES) => self.machine.elapsed(),
                Some(&STOP) => self.machine.stopping(),
                Some(&CLIENT_GOES) => return,
                _ => {}
            }
            self.settle(0);
            wire = wire.get(end + 1..).unwrap_or_default();
        }
    }

    /// Runs until the machine wants bytes or time, or is over.
    fn settle(&mut self, new_bytes: usize) {
        for _ in 0..OUTPUTS_PER_INPUT + 8 * new_bytes {
            match self.machine.poll() {
                Output::Write(bytes) => self.said.extend(bytes),
                Output::Ask(question) => {
                    let answer = (self.answer)(question);
                    self.machine.answered(answer);
                }
                Output::Wait(_) | Output::KeepWaiting { .. } => return,
                Output::Pause(_) => self.machine.elapsed(),
                Output::StartTls if self.tls_fails => self.machine.disconnected(Disconnect::HandshakeFailed),
                Output::StartTls => self.machine.secured(TlsFacts::default()),
                Output::Close => return self.end = Some(End::Closed),
                Output::HandOver => return self.end = Some(End::HandedOver),
            }
        }
        panic!("the machine goes on and on");
    }
}

/// Is there nothing on the wire but bytes, in whatever pieces they come?
pub(super) fn is_bytes_alone(wire: &[u8]) -> bool {
    wire.iter().all(|byte| *byte < CLIENT_GOES || *byte == NEW_READ)
}

/// What the client sends, in one piece.
pub(super) fn joined(wire: &[u8]) -> Vec<u8> {
    wire.iter().copied().filter(|byte| *byte < CLIENT_GOES).collect()
}

/// A number below `limit`, the same each time for the same `choice` and question.
pub(super) fn draw(choice: u8, question: &str, limit: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (choice, question).hash(&mut hasher);
    hasher.finish() % limit
}

/// Every line ends with CRLF, and no byte of the client's makes or breaks one. Returns the lines.
pub(super) fn lines(said: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(said).expect("what is said is text");
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
    let lines: Vec<_> = text.split_terminator("\r\n").collect();
    for line in &lines {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
    }
    lines
}

/// The client's side of a transcript: `C: ` a line, `C+ ` bytes, `W: ` and `LATE` time, `STOP`, `LOST`.
pub(super) fn wire(transcript: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in String::from_utf8_lossy(transcript).lines() {
        if let Some(text) = line.strip_prefix("C: ") {
            wire.extend([unescaped(text).as_bytes(), b"\r\n", &[NEW_READ]].concat());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            wire.extend([unescaped(text).as_bytes(), &[NEW_READ]].concat());
        } else if line.starts_with("W: ") || line == "LATE" {
            wire.push(TIME_PASSES);
        } else if line == "STOP" {
            wire.push(STOP);
        } else if line == "LOST" {
            wire.push(CLIENT_GOES);
        }
    }
    wire
}

fn unescaped(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0")
}
