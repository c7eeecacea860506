//! Carries the bytes of a connection secured by TLS to and from a local socket, so that whoever speaks there never
//! holds a key.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use machine::READ_LIMIT_BYTES;
use sys::sockets::Socket;

use crate::drive::Connection;
use crate::event_loop::{EventLoop, Fate, Handler, HandlerId, Readiness};
use crate::stream::{Arrival, Stream};

/// While so much waits for one side, nothing is read from the other.
const WAITING_LIMIT_BYTES: usize = 64 * 1024;
/// Rounds for one connection before the others have their turn.
const ROUNDS_PER_TURN: usize = 16;

/// What both ends know of each other.
struct Relay {
    client: Stream,
    inner: Socket,
    /// For the inner side.
    waiting: Vec<u8>,
    client_readable: bool,
    inner_readable: bool,
    client_ended: bool,
    inner_ended: bool,
    /// The end of the other side, in the loop.
    inner_handler: Option<HandlerId>,
}

/// Takes a connection and the local socket into the loop; both close when either ends. `on_end` is called then.
///
/// # Errors
/// When the kernel refuses to watch a socket.
pub fn start<D: 'static>(
    connection: Connection,
    inner: Socket,
    on_end: fn(&mut D),
    events: &mut EventLoop<D>,
) -> io::Result<HandlerId> {
    let watched = inner.as_raw_fd();
    let relay = Relay {
        client: Stream::of(connection),
        inner,
        waiting: Vec::new(),
        client_readable: true,
        inner_readable: true,
        client_ended: false,
        inner_ended: false,
        inner_handler: None,
    };
    let client = events.add(Box::new(ClientEnd { relay, on_end }))?;
    match events.add(Box::new(InnerEnd { descriptor: watched, client })) {
        Ok(inner) => {
            events.post_box().send(client, Box::new(inner));
            events.again(client);
            Ok(client)
        }
        Err(error) => {
            events.post_box().send(client, Box::new(Over));
            Err(error)
        }
    }
}

/// A letter: nothing more will come.
struct Over;

/// A letter: look at the inner socket.
struct InnerReady(Readiness);

/// Watches the client's socket and does all the work.
struct ClientEnd<D> {
    relay: Relay,
    on_end: fn(&mut D),
}

/// Watches the local socket and tells the other.
struct InnerEnd {
    descriptor: RawFd,
    client: HandlerId,
}

impl<D: 'static> Handler<D> for InnerEnd {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.descriptor)
    }

    fn ready(&mut self, how: Readiness, daemon: &mut D, events: &mut EventLoop<D>, _me: HandlerId) -> Fate {
        events.hand(self.client, Box::new(InnerReady(how)), daemon);
        Fate::Keep
    }
}

impl<D: 'static> Handler<D> for ClientEnd<D> {
    fn descriptor(&self) -> Option<RawFd> {
        self.relay.client.descriptor()
    }

    fn ready(&mut self, how: Readiness, _daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.relay.client_readable |= how.readable;
        self.relay.carry(events, me)
    }

    fn letter(
        &mut self,
        letter: crate::Letter,
        _daemon: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) -> Fate {
        match letter.downcast::<InnerReady>() {
            Ok(inner) => self.relay.inner_readable |= inner.0.readable,
            Err(letter) => match letter.downcast::<HandlerId>() {
                Ok(inner) => self.relay.inner_handler = Some(*inner),
                Err(_) => return Fate::Close,
            },
        }
        self.relay.carry(events, me)
    }

    fn ended(&mut self, daemon: &mut D, events: &mut EventLoop<D>) {
        if let Some(inner) = self.relay.inner_handler {
            events.remove(inner, daemon);
        }
        (self.on_end)(daemon);
    }
}

impl Relay {
    fn carry<D>(&mut self, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        for _ in 0..ROUNDS_PER_TURN {
            let moved = self.inward(events) | self.outward(events);
            self.client.flush();
            if self.is_over() {
                self.client.close();
                self.client.flush();
                return Fate::Close;
            }
            if !moved {
                return Fate::Keep;
            }
        }
        events.again(me);
        Fate::Keep
    }

    /// The inner side has said all, and the client has it; or the client is gone, and the inner side knows.
    fn is_over(&self) -> bool {
        (self.inner_ended && self.client.is_drained()) || (self.client_ended && self.waiting.is_empty())
    }

    fn inward<D>(&mut self, events: &mut EventLoop<D>) -> bool {
        let mut moved = false;
        if self.client_readable && !self.client_ended && self.waiting.len() < WAITING_LIMIT_BYTES {
            match self.client.read(events.scratch()) {
                Arrival::Bytes => {
                    self.waiting.extend_from_slice(&events.scratch().plain);
                    moved = true;
                }
                Arrival::Nothing | Arrival::Secured(_) => self.client_readable = !self.client.is_emptied(),
                Arrival::End => self.client_ended = true,
            }
        }
        while !self.waiting.is_empty() {
            match self.inner.write(&self.waiting) {
                Ok(count) => {
                    self.waiting.drain(..count);
                    moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.waiting = Vec::new();
                    self.inner_ended = true;
                }
            }
        }
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
        moved
    }

    fn outward<D>(&mut self, events: &mut EventLoop<D>) -> bool {
        if !self.inner_readable || self.inner_ended || self.client.is_congested() {
            return false;
        }
        let block = &mut events.scratch().block;
        block.resize(READ_LIMIT_BYTES, 0);
        match self.inner.read(block) {
            Ok(0) => self.inner_ended = true,
            Ok(count) => {
                self.client.write(block[..count].to_vec());
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.inner_readable = false,
            Err(_) => self.inner_ended = true,
        }
        false
    }
}
