//! A connection on the public socket: any letter means that there is something to look for.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::sockets::Socket;

use crate::service::Pickup;

/// One client of `public/pickup`.
pub(crate) struct TriggerClient {
    socket: Socket,
}

impl TriggerClient {
    pub(crate) fn new(socket: Socket) -> Self {
        Self { socket }
    }
}

impl Handler<Pickup> for TriggerClient {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, _: Readiness, pickup: &mut Pickup, _: &mut EventLoop<Pickup>, _: HandlerId) -> Fate {
        let mut block = [0; 256];
        loop {
            match self.socket.read(&mut block) {
                Ok(0) => return Fate::Close,
                Ok(_) => pickup.look(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => return Fate::Close,
            }
        }
    }

    fn ended(&mut self, pickup: &mut Pickup, _: &mut EventLoop<Pickup>) {
        pickup.clients.gone();
    }
}
