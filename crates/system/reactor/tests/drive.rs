//! A machine on a real socket: bytes, questions, letters, time and the end.
#![allow(clippy::unwrap_used)]
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};
use reactor::drive::{Driver, Session};
use reactor::{EventLoop, HandlerId, Letter};
use sys::sockets::Socket;

/// Answers each line in capitals; "slow" is asked outside; "bye" closes; silence is told.
#[derive(Default)]
struct Shouter {
    input: Vec<u8>,
    pending: Option<Output<String>>,
    gone: bool,
}

impl Machine for Shouter {
    type Question = String;
    type Answer = String;

    fn poll(&mut self) -> Output<String> {
        if let Some(output) = self.pending.take() {
            return output;
        }
        if self.gone {
            return Output::Close;
        }
        let Some(end) = self.input.iter().position(|byte| *byte == b'\n') else {
            return Output::Wait(Duration::from_millis(300));
        };
        let line = String::from_utf8(self.input.drain(..=end).collect()).unwrap();
        match line.trim() {
            "bye" => Output::Close,
            "slow" => Output::Ask(line),
            _ => Output::Write(line.to_uppercase().into_bytes()),
        }
    }
    fn received(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }
    fn answered(&mut self, answer: String) {
        self.pending = Some(Output::Write(answer.into_bytes()));
    }
    fn secured(&mut self, _: TlsFacts) {}
    fn elapsed(&mut self) {
        self.pending = Some(Output::Write(b"silence\n".to_vec()));
        self.gone = true;
    }
    fn disconnected(&mut self, _: Disconnect) {
        self.gone = true;
    }
}

#[derive(Default)]
struct Daemon {
    ended: usize,
}

struct Shout(Shouter);

impl Session<Daemon> for Shout {
    type Machine = Shouter;
    fn machine(&mut self) -> &mut Shouter {
        &mut self.0
    }
    fn answer(
        &mut self,
        _: String,
        _: &mut Daemon,
        events: &mut EventLoop<Daemon>,
        me: HandlerId,
    ) -> Option<String> {
        events.offload(me, || "from the pool\n".to_owned()).unwrap();
        None
    }
    fn letter(
        &mut self,
        letter: Letter,
        _: &mut Daemon,
        _: &mut EventLoop<Daemon>,
        _: HandlerId,
    ) -> Option<String> {
        letter.downcast().ok().map(|answer| *answer)
    }
    fn begin_tls(&mut self, _: &mut Daemon) -> Option<(tls::Server, Duration)> {
        None
    }
    fn ended(&mut self, daemon: &mut Daemon, _: &mut EventLoop<Daemon>) {
        daemon.ended += 1;
    }
}

/// Runs the loop until the session is over, while `client` talks to it.
fn converse(client: impl FnOnce(UnixStream) -> Vec<String> + Send + 'static) -> Vec<String> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let talk = std::thread::spawn(move || client(theirs));
    let mut events = EventLoop::new(2).unwrap();
    let mut daemon = Daemon::default();
    let socket = Socket::from_descriptor(OwnedFd::from(ours)).unwrap();
    Driver::start(socket, Shout(Shouter::default()), &mut events).unwrap();
    while daemon.ended == 0 {
        events.turn(&mut daemon, None).unwrap();
    }
    assert_eq!(events.population(), 0);
    drop(events);
    talk.join().unwrap()
}

fn lines(stream: &UnixStream) -> Vec<String> {
    BufReader::new(stream).lines().map(|line| line.unwrap()).collect()
}

#[test]
fn pipelined_lines_are_answered_in_order_and_a_question_by_letter() {
    let heard = converse(|mut stream| {
        stream.write_all(b"one\nslow\ntwo\nbye\n").unwrap();
        lines(&stream)
    });
    assert_eq!(heard, ["ONE", "from the pool", "TWO"]);
}

#[test]
fn silence_is_told_and_ends() {
    assert_eq!(converse(|stream| lines(&stream)), ["silence"]);
}

#[test]
fn a_peer_that_hangs_up_ends_the_session_after_its_last_line() {
    let heard = converse(|mut stream| {
        stream.write_all(b"last\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        lines(&stream)
    });
    assert_eq!(heard, ["LAST"]);
}
