//! Takes new connections from a listening socket, as many as the daemon has room for.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::sockets::Socket;

use crate::{Service, is_behind};

/// How many connections one turn accepts, so that those already here get their share.
const ACCEPTS_PER_TURN: usize = 32;

/// How long after a failure of accept(2) it is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// One listening socket.
pub(crate) struct Listener {
    socket: Socket,
    number: usize,
}

impl Listener {
    /// Listens on `socket`; `number` counts a service's sockets from 0.
    pub(crate) fn new(socket: Socket, number: usize) -> Self {
        Self { socket, number }
    }
}

impl<S: Service> Handler<S> for Listener {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    /// A client that this worker would serve from an old table is left to the fresh one that comes.
    fn ready(&mut self, _how: Readiness, service: &mut S, events: &mut EventLoop<S>, me: HandlerId) -> Fate {
        if service.takes_datagrams() {
            if service.datagrams(&self.socket, events) {
                events.again(me);
            }
            return Fate::Keep;
        }
        for _ in 0..ACCEPTS_PER_TURN {
            if !service.has_room() || is_behind(service) {
                return Fate::Keep;
            }
            match self.socket.accept() {
                Ok((socket, peer)) => service.accepted(socket, peer, self.number, events),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log::warn!("accept connection: {error}");
                    // Who knocked before is not announced again.
                    events.set_deadline(me, Some(events.now() + RETRY_DELAY));
                    return Fate::Keep;
                }
            }
        }
        events.again(me);
        Fate::Keep
    }

    /// Clients that could not be accepted for want of descriptors or memory are still there.
    fn elapsed(&mut self, _service: &mut S, events: &mut EventLoop<S>, me: HandlerId) -> Fate {
        events.again(me);
        Fate::Keep
    }
}
