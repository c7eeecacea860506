//! Takes new connections from a listening socket, as many as the daemon has room for.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use sys::sockets::{Peer, Socket};

use crate::event_loop::{EventLoop, Fate, Handler, HandlerId, Readiness};

/// How many connections one turn accepts, so that those already here get their share.
const ACCEPTS_PER_TURN: usize = 32;

/// A daemon that takes connections.
pub trait Accept: Sized {
    /// Is there room for one more? While there is not, clients wait in the kernel's queue; call
    /// [`EventLoop::again`] with the listener's id when a place becomes free.
    fn has_room(&self) -> bool;

    /// Here is a new client; `port_name` is the service name under which the listener runs.
    fn accepted(&mut self, socket: Socket, peer: Peer, listener: usize, events: &mut EventLoop<Self>);
}

/// One listening socket; `number` tells the daemon which.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    number: usize,
}

impl Listener {
    /// Listens on `socket`; `number` comes back with each client.
    pub fn new(socket: Socket, number: usize) -> Self {
        Self { socket, number }
    }
}

impl<D: Accept> Handler<D> for Listener {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, _how: Readiness, daemon: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        for _ in 0..ACCEPTS_PER_TURN {
            if !daemon.has_room() {
                return Fate::Keep;
            }
            match self.socket.accept() {
                Ok((socket, peer)) => daemon.accepted(socket, peer, self.number, events),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log::warn!("accept connection: {error}");
                    return Fate::Keep;
                }
            }
        }
        events.again(me);
        Fate::Keep
    }
}
