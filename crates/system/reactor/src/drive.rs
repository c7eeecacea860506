//! Runs any protocol machine on a socket: the one session loop of the suite.

use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use machine::{Disconnect, Machine, Output, TlsFacts};
use sys::sockets::Socket;

use crate::event_loop::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use crate::stream::{Arrival, Stream};

/// How many outputs of one machine are carried out before the other connections have their turn.
const STEPS_PER_TURN: usize = 64;
/// How long a peer may take to read our last words.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A machine and what answers its questions; the one place of a daemon where control flow lives.
pub trait Session<D>: Sized {
    /// The dialogue.
    type Machine: Machine;

    /// The dialogue's state.
    fn machine(&mut self) -> &mut Self::Machine;

    /// Answers a question now, or starts what will bring a letter and returns `None`.
    fn answer(
        &mut self,
        question: <Self::Machine as Machine>::Question,
        daemon: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) -> Option<<Self::Machine as Machine>::Answer>;

    /// A letter has come: now the answer may be known.
    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) -> Option<<Self::Machine as Machine>::Answer>;

    /// After a letter that was no answer: has the machine something to say by itself, although it waits for bytes?
    fn wants_poll(&mut self) -> bool {
        false
    }

    /// How long an answer may take before the session has something to say meanwhile, again and again.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// What it says then.
    fn still_working(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// A TLS connection to begin, and how long its handshake may take; `None` when TLS is not to be had.
    fn begin_tls(&mut self, _daemon: &mut D) -> Option<(tls::Server, Duration)> {
        None
    }

    /// The handshake is done.
    fn secured(&mut self, _facts: &TlsFacts) {}

    /// The handshake has failed, and why.
    fn handshake_failed(&mut self, _why: &str) {}

    /// For a dialogue in which the peer may end its side and still waits for what we say: how long it may then take none
    /// of that. `None` when a peer that ended its side is gone.
    fn hears_on(&self) -> Option<Duration> {
        None
    }

    /// The machine has asked for [`Output::HandOver`]: the connection, with nothing pending, is the session's now.
    /// `ended` comes after this all the same.
    fn hand_over(&mut self, _connection: Connection, _daemon: &mut D, _events: &mut EventLoop<D>) {}

    /// The connection is closed: give back what it held.
    fn ended(&mut self, daemon: &mut D, events: &mut EventLoop<D>);
}

/// A connection without a dialogue.
pub struct Connection {
    pub(crate) socket: Socket,
    pub(crate) tls: Option<Box<tls::Server>>,
}

impl Connection {
    /// The socket, when the connection is in the clear; otherwise itself again, for [`crate::relay`].
    ///
    /// # Errors
    /// Itself, when it is secured by TLS.
    pub fn into_socket(self) -> Result<Socket, Self> {
        if self.tls.is_none() { Ok(self.socket) } else { Err(self) }
    }
}

/// What the driver waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// Nothing: ask the machine what to do.
    Ready,
    /// Bytes from the peer, or the deadline.
    Bytes,
    /// An answer by letter.
    Answer,
    /// The deadline alone.
    Time,
    /// The TLS handshake, or the deadline.
    Handshake,
    /// Room in the socket, after which the machine goes on.
    Room,
    /// The last bytes to leave, or the deadline.
    LastWords,
    /// The same, before the connection goes into other hands.
    HandOver,
}

/// One connection of a daemon `D`, run by session `S`.
pub struct Driver<S> {
    session: S,
    stream: Stream,
    waiting: Waiting,
    /// What the machine last said how long a peer may be silent.
    longest_wait: Option<Duration>,
    /// When the time that the machine gave is over, to the microsecond.
    runs_until: Option<Instant>,
    /// The socket may have something to read.
    readable: bool,
    /// The peer has said its last: read until the end.
    closed: bool,
    /// The peer is gone and the machine knows.
    disconnected: bool,
    /// How long the handshake may take.
    handshake_time: Duration,
}

/// What is left of a deadline, rounded up: one that grows with what arrives is looked at when something did, or a second
/// has passed, as Postfix does. So a peer is not cut off in the middle of a second that it would have made use of.
fn whole_seconds(left: Duration) -> Duration {
    Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

impl<S> Driver<S> {
    /// A connection that has just been accepted.
    pub fn new(socket: Socket, session: S) -> Self {
        Self {
            session,
            stream: Stream::new(socket),
            waiting: Waiting::Ready,
            longest_wait: None,
            runs_until: None,
            readable: false,
            closed: false,
            disconnected: false,
            handshake_time: Duration::ZERO,
        }
    }

    /// Takes a connection into the loop and lets its machine say the first word.
    ///
    /// # Errors
    /// When the kernel refuses to watch the socket.
    pub fn start<D>(socket: Socket, session: S, events: &mut EventLoop<D>) -> std::io::Result<HandlerId>
    where
        S: Session<D> + 'static,
        D: 'static,
    {
        let id = events.add(Box::new(Self::new(socket, session)))?;
        events.again(id);
        Ok(id)
    }

    /// Lets the machine go on until it waits.
    fn go_on<D>(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate
    where
        S: Session<D>,
    {
        for _ in 0..STEPS_PER_TURN {
            if self.waiting != Waiting::Ready {
                return Fate::Keep;
            }
            match self.session.machine().poll() {
                Output::Write(bytes) => self.write(bytes, events, me),
                Output::Ask(question) => {
                    self.waiting = Waiting::Answer;
                    let answer = self.session.answer(question, daemon, events, me);
                    self.take_answer(answer, events, me);
                }
                Output::Wait(time) => {
                    self.longest_wait = Some(time);
                    self.wait(Waiting::Bytes, time, events, me);
                }
                Output::KeepWaiting { extension } => self.keep_waiting(extension, events, me),
                Output::Pause(time) => self.wait(Waiting::Time, time, events, me),
                Output::StartTls => self.start_tls(daemon, events, me),
                Output::Close => return self.last_words(events, me),
                Output::HandOver => return self.hand_over(daemon, events, me),
            }
            if self.waiting == Waiting::Bytes {
                self.read(events, me);
            }
            if self.waiting == Waiting::Bytes && self.disconnected {
                return self.last_words(events, me);
            }
        }
        events.again(me);
        Fate::Keep
    }

    fn write<D>(&mut self, bytes: Vec<u8>, events: &mut EventLoop<D>, me: HandlerId)
    where
        S: Session<D>,
    {
        self.stream.write(bytes);
        if self.stream.is_congested() {
            self.stream.flush();
            if self.stream.is_congested() {
                self.waiting = Waiting::Room;
                if let Some(time) = self.session.hears_on() {
                    events.set_deadline(me, Some(events.now() + time));
                }
            }
        }
    }

    fn take_answer<D>(
        &mut self,
        answer: Option<<S::Machine as Machine>::Answer>,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) where
        S: Session<D>,
    {
        match answer {
            Some(answer) => {
                self.waiting = Waiting::Ready;
                self.session.machine().answered(answer);
            }
            None => {
                self.stream.flush();
                events.set_deadline(me, self.session.patience().map(|time| events.now() + time));
            }
        }
    }

    /// The answer takes long. To a peer that does not read nothing is added.
    fn say_meanwhile<D>(&mut self, events: &mut EventLoop<D>, me: HandlerId)
    where
        S: Session<D>,
    {
        if self.stream.is_drained() && !self.disconnected {
            let bytes = self.session.still_working();
            self.stream.write(bytes);
            self.stream.flush();
        }
        events.set_deadline(me, self.session.patience().map(|time| events.now() + time));
    }

    fn wait<D>(&mut self, what: Waiting, time: Duration, events: &mut EventLoop<D>, me: HandlerId) {
        self.stream.flush();
        self.waiting = what;
        self.runs_until = Some(events.now() + time);
        events.set_deadline(me, self.runs_until);
    }

    fn keep_waiting<D>(&mut self, extension: Duration, events: &mut EventLoop<D>, me: HandlerId) {
        self.stream.flush();
        self.waiting = Waiting::Bytes;
        let running = self.runs_until.unwrap_or_else(|| events.now());
        let longest = self.longest_wait.map(|time| events.now() + time);
        let extended = running + extension;
        let until = longest.map_or(extended, |longest| extended.min(longest));
        self.runs_until = Some(until);
        events.set_deadline(
            me,
            Some(events.now() + whole_seconds(until.saturating_duration_since(events.now()))),
        );
    }

    fn start_tls<D>(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId)
    where
        S: Session<D>,
    {
        self.stream.flush();
        match self.session.begin_tls(daemon) {
            Some((server, time)) if !self.stream.is_secure() => {
                self.handshake_time = time;
                self.stream.secure(server);
                self.wait(Waiting::Handshake, time, events, me);
                self.read(events, me);
            }
            _ => self.lose(Disconnect::HandshakeFailed),
        }
    }

    /// Reads, if there is anything to read, and hands what came to the machine.
    fn read<D>(&mut self, events: &mut EventLoop<D>, me: HandlerId)
    where
        S: Session<D>,
    {
        while self.readable {
            let arrival = self.stream.read(events.scratch());
            self.readable = self.closed || !self.stream.is_emptied();
            match arrival {
                Arrival::Nothing => self.readable = false,
                Arrival::Bytes if self.waiting == Waiting::Bytes => {
                    self.waiting = Waiting::Ready;
                    self.session.machine().received(&events.scratch().plain);
                    return;
                }
                Arrival::Bytes => {}
                Arrival::Secured(facts) => {
                    self.waiting = Waiting::Ready;
                    self.session.secured(&facts);
                    self.session.machine().secured(facts);
                    let early = &events.scratch().plain;
                    if !early.is_empty() {
                        self.session.machine().received(early);
                    }
                    return events.set_deadline(me, None);
                }
                Arrival::End if self.waiting == Waiting::Handshake => {
                    return self.lose(Disconnect::HandshakeFailed);
                }
                Arrival::End => return self.lose(Disconnect::Lost),
            }
        }
    }

    fn lose<D>(&mut self, why: Disconnect)
    where
        S: Session<D>,
    {
        if !self.disconnected {
            self.disconnected = true;
            match (why, self.stream.trouble()) {
                (Disconnect::Lost, _) => {}
                (Disconnect::HandshakeTimeout, _) => {
                    let seconds = self.handshake_time.as_secs();
                    self.session.handshake_failed(&format!("no end of the handshake in {seconds} seconds"));
                }
                (Disconnect::HandshakeFailed, Some(error)) => {
                    self.session.handshake_failed(&error.to_string())
                }
                (Disconnect::HandshakeFailed, None) => self.session.handshake_failed("lost connection"),
            }
            self.waiting = Waiting::Ready;
            self.session.machine().disconnected(why);
        }
    }

    fn hand_over<D>(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate
    where
        S: Session<D>,
    {
        if self.waiting != Waiting::HandOver {
            self.waiting = Waiting::HandOver;
            events.set_deadline(me, Some(events.now() + LAST_WORDS));
        }
        self.stream.flush();
        if !self.stream.is_drained() {
            return Fate::Keep;
        }
        if let Some(connection) = self.stream.take() {
            events.forget(connection.socket.as_raw_fd());
            self.session.hand_over(connection, daemon, events);
        }
        Fate::Close
    }

    fn last_words<D>(&mut self, events: &mut EventLoop<D>, me: HandlerId) -> Fate
    where
        S: Session<D>,
    {
        let hears_on = self.session.hears_on();
        if self.waiting != Waiting::LastWords {
            self.stream.close();
            self.waiting = Waiting::LastWords;
            events.set_deadline(me, Some(events.now() + hears_on.unwrap_or(LAST_WORDS)));
        }
        self.stream.flush();
        if !self.stream.is_drained() && (hears_on.is_some() || !self.disconnected) {
            return Fate::Keep;
        }
        if hears_on.is_some() {
            self.stream.drop_input(events.scratch());
        }
        Fate::Close
    }
}

impl<D, S: Session<D>> Handler<D> for Driver<S> {
    fn descriptor(&self) -> Option<RawFd> {
        self.stream.descriptor()
    }

    fn waits_to_write(&self) -> bool {
        !self.stream.is_drained()
    }

    fn ready(&mut self, how: Readiness, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.readable |= how.readable;
        self.closed |= how.closed;
        self.stream.flush();
        match self.waiting {
            Waiting::Bytes | Waiting::Handshake => self.read(events, me),
            Waiting::Room if !self.stream.is_congested() => self.waiting = Waiting::Ready,
            Waiting::LastWords => return self.last_words(events, me),
            Waiting::HandOver => return self.hand_over(daemon, events, me),
            _ => {}
        }
        self.go_on(daemon, events, me)
    }

    fn elapsed(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        match self.waiting {
            Waiting::Bytes | Waiting::Time => {
                self.waiting = Waiting::Ready;
                self.session.machine().elapsed();
            }
            Waiting::Handshake => self.lose(Disconnect::HandshakeTimeout),
            Waiting::LastWords | Waiting::HandOver => return Fate::Close,
            Waiting::Answer => self.say_meanwhile(events, me),
            Waiting::Room if self.session.hears_on().is_some() => return Fate::Close,
            Waiting::Ready | Waiting::Room => {}
        }
        self.go_on(daemon, events, me)
    }

    fn letter(&mut self, letter: Letter, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        let answer = self.session.letter(letter, daemon, events, me);
        if self.waiting == Waiting::Answer {
            self.take_answer(answer, events, me);
        } else if self.waiting == Waiting::Bytes && self.session.wants_poll() {
            self.waiting = Waiting::Ready;
        }
        self.go_on(daemon, events, me)
    }

    fn stopping(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.session.machine().stopping();
        if self.waiting == Waiting::Bytes {
            self.waiting = Waiting::Ready;
        }
        self.go_on(daemon, events, me)
    }

    fn ended(&mut self, daemon: &mut D, events: &mut EventLoop<D>) {
        self.session.ended(daemon, events);
    }
}
