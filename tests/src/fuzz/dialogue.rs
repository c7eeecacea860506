//! A whole dialogue of a protocol machine with a client that is made up.
//!
//! Of the client's bytes these are none: 0xFF begins a new read, 0xFE lets the time pass, 0xFD stops the service, 0xFC is
//! the client going away.

use std::hash::{DefaultHasher, Hash, Hasher};

use machine::Machine;
use testkit::dialogue::{Event, Played};
use testkit::transcript::unescaped;

pub(super) const NEW_READ: u8 = 0xFF;
pub(super) const TIME_PASSES: u8 = 0xFE;
pub(super) const STOP: u8 = 0xFD;
pub(super) const CLIENT_GOES: u8 = 0xFC;

/// Plays what is on the wire to `machine`; see [`testkit::dialogue`].
pub(super) fn play<M: Machine>(
    machine: M,
    wire: &[u8],
    tls_fails: bool,
    answer: &mut dyn FnMut(M::Question) -> M::Answer,
) -> Played<M> {
    testkit::dialogue::play(machine, &events(wire), tls_fails, answer)
}

fn events(wire: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte >= CLIENT_GOES).unwrap_or(rest.len());
        events.extend((end > 0).then(|| Event::Sends(rest[..end].to_vec())));
        match rest.get(end) {
            Some(&TIME_PASSES) => events.push(Event::TimePasses),
            Some(&STOP) => events.push(Event::Stops),
            Some(&CLIENT_GOES) => events.push(Event::Leaves),
            _ => {}
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    events
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

/// The client's side of a transcript, as [`testkit::transcript`] has it.
pub(super) fn wire(transcript: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in String::from_utf8_lossy(transcript).lines() {
        if let Some(text) = line.strip_prefix("C: ") {
            wire.extend([text.as_bytes(), b"\r\n", &[NEW_READ]].concat());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            wire.extend([&unescaped(text)[..], &[NEW_READ]].concat());
        } else if line == "LATE" {
            wire.push(TIME_PASSES);
        } else if line == "STOP" {
            wire.push(STOP);
        } else if line == "LOST" {
            wire.push(CLIENT_GOES);
        }
    }
    wire
}
