//! A whole dialogue of a protocol machine with a client that is made up.

use machine::{Disconnect, Machine, Output, READ_LIMIT_BYTES, TlsFacts};

/// Outputs that follow one input are not more than this and some for each byte.
const OUTPUTS_PER_INPUT: usize = 1000;

/// What the client does, or the world around the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client sends these bytes.
    Sends(Vec<u8>),
    /// The time is over that the machine waits for.
    TimePasses,
    /// The service is about to end.
    Stops,
    /// The client goes; nothing more is heard of it.
    Leaves,
}

/// How a dialogue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The machine closed it.
    Closed,
    /// The machine gave the client into other hands.
    HandedOver,
}

/// A dialogue that is over.
pub struct Played<M> {
    /// The machine.
    pub machine: M,
    /// All that it said.
    pub said: Vec<u8>,
    /// Bytes of it that were said before the client was gone.
    pub heard_bytes: usize,
    /// How it ended.
    pub end: End,
}

/// A dialogue under way.
struct Dialogue<'a, M: Machine> {
    machine: M,
    answer: &'a mut dyn FnMut(M::Question) -> M::Answer,
    tls_fails: bool,
    said: Vec<u8>,
    heard_bytes: Option<usize>,
    end: Option<End>,
}

/// Plays `events` to `machine`, and then the end of the client; `answer` answers the machine's questions.
///
/// # Panics
/// When the machine does not come to an end.
pub fn play<M: Machine>(
    machine: M,
    events: &[Event],
    tls_fails: bool,
    answer: &mut dyn FnMut(M::Question) -> M::Answer,
) -> Played<M> {
    let mut dialogue =
        Dialogue { machine, answer, tls_fails, said: Vec::new(), heard_bytes: None, end: None };
    dialogue.settle(0);
    for event in events.iter().chain([&Event::Leaves]) {
        if dialogue.end.is_none() {
            dialogue.hear(event);
        }
    }
    let Some(end) = dialogue.end else { panic!("a dialogue without a client goes on") };
    let heard_bytes = dialogue.heard_bytes.unwrap_or(dialogue.said.len());
    Played { machine: dialogue.machine, said: dialogue.said, heard_bytes, end }
}

impl<M: Machine> Dialogue<'_, M> {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Sends(bytes) => return self.receive(bytes),
            Event::TimePasses => self.machine.elapsed(),
            Event::Stops => self.machine.stopping(),
            Event::Leaves => self.lose(Disconnect::Lost),
        }
        self.settle(0);
    }

    fn receive(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(READ_LIMIT_BYTES) {
            if self.end.is_none() {
                self.machine.received(piece);
                self.settle(piece.len());
            }
        }
    }

    fn lose(&mut self, why: Disconnect) {
        self.heard_bytes = Some(self.said.len());
        self.machine.disconnected(why);
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
                Output::StartTls if self.tls_fails => self.lose(Disconnect::HandshakeFailed),
                Output::StartTls => self.machine.secured(TlsFacts::default()),
                Output::Close => return self.end = Some(End::Closed),
                Output::HandOver => return self.end = Some(End::HandedOver),
            }
        }
        panic!("the machine goes on and on");
    }
}
