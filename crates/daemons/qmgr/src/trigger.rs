//! A connection on the public socket: names of new messages, or trigger letters.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::qmgr;
use sys::sockets::Socket;

use crate::service::Manager;

/// How much is read at a time, in bytes.
const BLOCK_BYTES: usize = 4096;

/// One client of `public/qmgr`.
pub(crate) struct TriggerClient {
    socket: Socket,
    input: Vec<u8>,
}

impl TriggerClient {
    pub(crate) fn new(socket: Socket) -> Self {
        Self { socket, input: Vec::new() }
    }

    /// Hands on what is whole; false when the client speaks something else.
    fn hand_on(&mut self, manager: &mut Manager) -> bool {
        let mut start = 0;
        let understood = loop {
            match qmgr::decode(&self.input[start..]) {
                Ok(Some((request, length))) => {
                    start += length;
                    manager.asked(request);
                }
                Ok(None) => break true,
                Err(error) => {
                    log::warn!("{error}");
                    break false;
                }
            }
        };
        self.input.drain(..start);
        understood
    }
}

impl Handler<Manager> for TriggerClient {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        how: Readiness,
        manager: &mut Manager,
        _: &mut EventLoop<Manager>,
        _: HandlerId,
    ) -> Fate {
        let mut block = [0; BLOCK_BYTES];
        loop {
            match self.socket.read(&mut block) {
                Ok(0) => return Fate::Close,
                Ok(count) => {
                    self.input.extend_from_slice(&block[..count]);
                    if !self.hand_on(manager) {
                        return Fate::Close;
                    }
                    // A short read has emptied the socket, unless its end is still to be read.
                    if count < BLOCK_BYTES && !how.closed {
                        return Fate::Keep;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => return Fate::Close,
            }
        }
    }

    fn ended(&mut self, manager: &mut Manager, _: &mut EventLoop<Manager>) {
        manager.trigger_clients.gone();
    }
}
