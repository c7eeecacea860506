//! A connection that carries messages between two programs: attributes between our own, or lines of text.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use attributes::Attributes;
use machine::READ_LIMIT_BYTES;
use sys::descriptors::{self, DESCRIPTORS_PER_MESSAGE};
use sys::sockets::Socket;

use crate::event_loop::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};

/// How many bytes may wait for a peer that does not read; past that the connection is given up.
const OUTPUT_LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// How many open files that came along may wait for their messages.
const FILES_LIMIT: usize = 1024;

/// No line of text is longer, in bytes.
pub const LINE_LIMIT_BYTES: usize = 16 * 1024;

/// A kind of message that a channel can carry.
pub trait Wire: Sized {
    /// Why bytes are none.
    type Error: fmt::Display;

    /// The first whole message in `bytes` and its length; none when more has to arrive.
    ///
    /// # Errors
    /// When it can not become one: the connection ends.
    fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Self::Error>;

    /// Appends the message to `output`.
    fn encode(&self, output: &mut Vec<u8>);
}

impl Wire for Attributes {
    type Error = attributes::DecodeError;

    fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Self::Error> {
        Self::decode(bytes)
    }

    fn encode(&self, output: &mut Vec<u8>) {
        self.encode(output);
    }
}

/// A line of text, without its end; bytes that are no UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine(pub String);

/// A line of text that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line longer than {LINE_LIMIT_BYTES} bytes")]
pub struct LineTooLong;

impl Wire for TextLine {
    type Error = LineTooLong;

    fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, LineTooLong> {
        match bytes.iter().take(LINE_LIMIT_BYTES + 1).position(|byte| *byte == b'\n') {
            Some(end) => Ok(Some((Self(String::from_utf8_lossy(&bytes[..end]).into_owned()), end + 1))),
            None if bytes.len() > LINE_LIMIT_BYTES => Err(LineTooLong),
            None => Ok(None),
        }
    }

    fn encode(&self, output: &mut Vec<u8>) {
        output.extend_from_slice(self.0.as_bytes());
        output.push(b'\n');
    }
}

/// What to do with the messages of a channel. The `Handler` of the connection itself is [`Channel`].
pub trait Talk<D, M = Attributes>: Sized {
    /// Do open files come along with messages? Then [`Line::take_file`] has them, in the order of the messages.
    const TAKES_FILES: bool = false;

    /// A message has come in.
    fn message(&mut self, message: M, daemon: &mut D, line: &mut Line<'_, D>) -> Fate;

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
    output: &'a mut Output,
    files: &'a mut VecDeque<OwnedFd>,
}

impl<D> Line<'_, D> {
    /// Sends a message; it leaves when the handler returns.
    pub fn send(&mut self, message: &impl Wire) {
        message.encode(&mut self.output.bytes);
    }

    /// As [`Line::send`], with an open file.
    pub fn send_with(&mut self, message: &impl Wire, file: Arc<File>) {
        self.output.files.push_back((self.output.bytes.len(), file));
        self.send(message);
    }

    /// The file that came along with this message, if one did.
    pub fn take_file(&mut self) -> Option<OwnedFd> {
        self.files.pop_front()
    }

    /// Sends bytes that are messages already.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.output.bytes.extend_from_slice(bytes);
    }
}

/// A letter to a [`Channel`]: send this message. Any handler may post it.
#[derive(Debug)]
pub struct Send<M = Attributes>(pub M);

/// One connection with its talk.
pub struct Channel<T, M = Attributes> {
    socket: Socket,
    talk: T,
    input: Vec<u8>,
    files: VecDeque<OwnedFd>,
    output: Output,
    messages: PhantomData<fn() -> M>,
}

/// What waits to be sent.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Open files, each with the place in `bytes` of the message it goes with.
    files: VecDeque<(usize, Arc<File>)>,
}

impl Output {
    /// Sends a piece; how much went. Files go with the first byte of their piece, so none comes later than its message.
    fn send_piece(&mut self, socket: &Socket) -> io::Result<usize> {
        if self.files.is_empty() {
            return socket.write(&self.bytes[self.sent..]);
        }
        let count = self.files.len().min(DESCRIPTORS_PER_MESSAGE);
        let end = self.files.get(count).map_or(self.bytes.len(), |(place, _)| *place);
        let files: Vec<BorrowedFd<'_>> =
            self.files.iter().take(count).map(|(_, file)| file.as_fd()).collect();
        let sent = descriptors::send(socket, &self.bytes[self.sent..end], &files)?;
        self.files.drain(..count);
        Ok(sent)
    }

    /// Sends what the socket takes; `Close` when the peer is gone or does not read.
    fn flush(&mut self, socket: &Socket) -> Fate {
        while self.sent < self.bytes.len() {
            match self.send_piece(socket) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waiting = self.bytes.len() - self.sent;
                    return if waiting > OUTPUT_LIMIT_BYTES { Fate::Close } else { Fate::Keep };
                }
                Err(_) => return Fate::Close,
            }
        }
        self.bytes.clear();
        self.sent = 0;
        Fate::Keep
    }
}

impl<T, M> Channel<T, M> {
    /// Takes a connection into the loop.
    ///
    /// # Errors
    /// When the kernel refuses to watch the socket.
    pub fn start<D>(socket: Socket, talk: T, events: &mut EventLoop<D>) -> io::Result<HandlerId>
    where
        T: Talk<D, M> + 'static,
        D: 'static,
        M: Wire + 'static,
    {
        let (input, files) = (Vec::new(), VecDeque::new());
        let output = Output::default();
        events.add(Box::new(Self { socket, talk, input, files, output, messages: PhantomData }))
    }

    /// Reads what has arrived; false at the end of the connection. A short read has emptied the socket, unless
    /// the peer has closed its side: then the end itself is still to be read.
    fn receive<D>(&mut self, to_the_end: bool, events: &mut EventLoop<D>) -> bool
    where
        T: Talk<D, M>,
    {
        let scratch = &mut events.scratch().block;
        loop {
            scratch.resize(READ_LIMIT_BYTES, 0);
            match self.read(scratch, T::TAKES_FILES) {
                Ok(0) => return false,
                Ok(count) => {
                    self.input.extend_from_slice(&scratch[..count]);
                    // A read ends before the next message with a file, whatever else is there.
                    if count < READ_LIMIT_BYTES && !to_the_end && !T::TAKES_FILES {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    fn read(&mut self, scratch: &mut [u8], with_files: bool) -> io::Result<usize> {
        if !with_files {
            return self.socket.read(scratch);
        }
        let received = descriptors::receive(&self.socket, scratch)?;
        self.files.extend(received.files);
        if received.truncated || self.files.len() > FILES_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(received.length)
    }

    /// The whole messages that have arrived. An error ends the connection.
    fn messages(&mut self) -> Result<VecDeque<M>, M::Error>
    where
        M: Wire,
    {
        let mut messages = VecDeque::new();
        let mut start = 0;
        while let Some((message, length)) = M::decode(&self.input[start..])? {
            messages.push_back(message);
            start += length;
        }
        self.input.drain(..start);
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        Ok(messages)
    }

    fn act<D>(
        &mut self,
        daemon: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
        action: impl FnOnce(&mut T, &mut D, &mut Line<'_, D>) -> Fate,
    ) -> Fate {
        let mut line = Line { events, me, output: &mut self.output, files: &mut self.files };
        match (action(&mut self.talk, daemon, &mut line), self.output.flush(&self.socket)) {
            (Fate::Keep, Fate::Keep) => Fate::Keep,
            _ => Fate::Close,
        }
    }
}

impl<D, M: Wire + 'static, T: Talk<D, M>> Handler<D> for Channel<T, M> {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn waits_to_write(&self) -> bool {
        !self.output.bytes.is_empty()
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
        let mut line = Line { events, me, output: &mut self.output, files: &mut self.files };
        for message in messages {
            if self.talk.message(message, daemon, &mut line) == Fate::Close {
                self.output.flush(&self.socket);
                return Fate::Close;
            }
        }
        if open { self.output.flush(&self.socket) } else { Fate::Close }
    }

    fn elapsed(&mut self, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.act(daemon, events, me, |talk, daemon, line| talk.elapsed(daemon, line))
    }

    fn letter(&mut self, letter: Letter, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.act(daemon, events, me, |talk, daemon, line| match letter.downcast::<Send<M>>() {
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
