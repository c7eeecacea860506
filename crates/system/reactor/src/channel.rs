//! A connection that carries attribute messages between two of our programs.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use attributes::Attributes;
use machine::READ_LIMIT_BYTES;
use sys::sockets::Socket;

use crate::event_loop::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};

/// How many bytes may wait for a peer that does not read; past that the connection is given up.
const OUTPUT_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// What to do with the messages of a channel. The `Handler` of the connection itself is [`Channel`].
pub trait Talk<D>: Sized {
    /// A message has come in.
    fn message(&mut self, message: Attributes, daemon: &mut D, line: &mut Line<'_, D>) -> Fate;

    /// A letter has come for this connection.
    fn letter(&mut self, _letter: Letter, _daemon: &mut D, _line: &mut Line<'_, D>) -> Fate {
        Fate::Keep
    }

    /// The service is about to end.
    fn stopping(&mut self, _daemon: &mut D, _line: &mut Line<'_, D>) -> Fate {
        Fate::Keep
    }

    /// The deadline set with `line.events.set_deadline(line.me, ..)` has come.
    fn elapsed(&mut self, _daemon: &mut D, _line: &mut Line<'_, D>) -> Fate {
        Fate::Keep
    }

    /// The connection is over, from either side.
    fn ended(&mut self, _daemon: &mut D, _events: &mut EventLoop<D>) {}
}

/// What a [`Talk`] may use while it acts: its own connection and the loop.
pub struct Line<'a, D> {
    /// The loop.
    pub events: &'a mut EventLoop<D>,
    /// This connection's name in the loop, for letters.
    pub me: HandlerId,
    output: &'a mut Vec<u8>,
}

impl<D> Line<'_, D> {
    /// Sends a message; it leaves when the handler returns.
    pub fn send(&mut self, message: &Attributes) {
        message.encode(self.output);
    }
}

/// A letter to a [`Channel`]: send this message. Any handler may post it.
#[derive(Debug)]
pub struct Send(pub Attributes);

/// One connection with its talk.
pub struct Channel<T> {
    socket: Socket,
    talk: T,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
}

impl<T> Channel<T> {
    /// Takes a connection into the loop.
    ///
    /// # Errors
    /// When the kernel refuses to watch the socket.
    pub fn start<D>(socket: Socket, talk: T, events: &mut EventLoop<D>) -> io::Result<HandlerId>
    where
        T: Talk<D> + 'static,
        D: 'static,
    {
        events.add(Box::new(Self { socket, talk, input: Vec::new(), output: Vec::new(), sent: 0 }))
    }

    /// Reads what has arrived; false at the end of the connection. A short read has emptied the socket, unless
    /// the peer has closed its side: then the end itself is still to be read.
    fn receive<D>(&mut self, to_the_end: bool, events: &mut EventLoop<D>) -> bool {
        let scratch = &mut events.scratch().plain;
        loop {
            scratch.resize(READ_LIMIT_BYTES, 0);
            match self.socket.read(scratch) {
                Ok(0) => return false,
                Ok(count) => {
                    self.input.extend_from_slice(&scratch[..count]);
                    if count < READ_LIMIT_BYTES && !to_the_end {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    /// The whole messages that have arrived. An error ends the connection.
    fn messages(&mut self) -> Result<VecDeque<Attributes>, attributes::DecodeError> {
        let mut messages = VecDeque::new();
        let mut start = 0;
        while let Some((message, length)) = Attributes::decode(&self.input[start..])? {
            messages.push_back(message);
            start += length;
        }
        self.input.drain(..start);
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        Ok(messages)
    }

    /// Sends what the socket takes; `Close` when the peer is gone or does not read.
    fn flush(&mut self) -> Fate {
        while self.sent < self.output.len() {
            match self.socket.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waiting = self.output.len() - self.sent;
                    return if waiting > OUTPUT_LIMIT_BYTES { Fate::Close } else { Fate::Keep };
                }
                Err(_) => return Fate::Close,
            }
        }
        self.output.clear();
        self.sent = 0;
        Fate::Keep
    }

    fn act<D>(
        &mut self,
        daemon: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
        action: impl FnOnce(&mut T, &mut D, &mut Line<'_, D>) -> Fate,
    ) -> Fate {
        let mut line = Line { events, me, output: &mut self.output };
        match (action(&mut self.talk, daemon, &mut line), self.flush()) {
            (Fate::Keep, Fate::Keep) => Fate::Keep,
            _ => Fate::Close,
        }
    }
}

impl<D, T: Talk<D>> Handler<D> for Channel<T> {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, how: Readiness, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        let open = !how.readable || self.receive(how.closed, events);
        let messages = match self.messages() {
            Ok(messages) => messages,
            Err(error) => {
                log::warn!("connection to another program of the suite: {error}");
                return Fate::Close;
            }
        };
        let mut line = Line { events, me, output: &mut self.output };
        for message in messages {
            if self.talk.message(message, daemon, &mut line) == Fate::Close {
                self.flush();
                return Fate::Close;
            }
        }
        if open { self.flush() } else { Fate::Close }
    }

    fn elapsed(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.act(daemon, events, me, |talk, daemon, line| talk.elapsed(daemon, line))
    }

    fn letter(&mut self, letter: Letter, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.act(daemon, events, me, |talk, daemon, line| match letter.downcast::<Send>() {
            Ok(message) => {
                line.send(&message.0);
                Fate::Keep
            }
            Err(letter) => talk.letter(letter, daemon, line),
        })
    }

    fn stopping(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.act(daemon, events, me, |talk, daemon, line| talk.stopping(daemon, line))
    }

    fn ended(&mut self, daemon: &mut D, events: &mut EventLoop<D>) {
        self.talk.ended(daemon, events);
    }
}
