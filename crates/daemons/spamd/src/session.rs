//! One client: its request is read, judged by the pool, and answered.
//!
//! The end of what the client sends is the end of its message; the reply goes out behind it.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use machine::{Disconnect, Machine, Output, READ_LIMIT_BYTES};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use spamc_protocol::{Reply, Server, Settings};
use sys::sockets::Socket;

use crate::judge::{Case, judge};
use crate::notes::Notes;
use crate::users::Rules;

/// What sessions share.
pub(crate) struct Shared {
    pub(crate) rules: Arc<Rules>,
    pub(crate) notes: Notes,
    pub(crate) host: String,
    pub(crate) settings: Settings,
}

/// What runs sessions, as a service or by hand.
pub(crate) trait Office: Sized + 'static {
    /// A session has ended.
    fn session_ended(&mut self);
}

/// A client.
pub(crate) struct Session {
    socket: Socket,
    machine: Server,
    shared: Arc<Shared>,
    client: String,
    output: Vec<u8>,
    sent: usize,
    /// A verdict is awaited.
    asked: bool,
    /// All has been said but what is in `output`.
    closing: bool,
    ended: bool,
}

impl Session {
    pub(crate) fn new(socket: Socket, shared: Arc<Shared>, client: String) -> Self {
        let machine = Server::new(shared.settings.clone());
        let output = Vec::new();
        Self { socket, machine, shared, client, output, sent: 0, asked: false, closing: false, ended: false }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; READ_LIMIT_BYTES];
        while !self.ended && !self.closing {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.ended = true;
                    self.machine.disconnected(Disconnect::Lost);
                }
                Ok(count) => self.machine.received(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn go_on<D: Office>(&mut self, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        if !self.asked && self.read().is_err() {
            return Fate::Close;
        }
        while !self.asked && !self.closing {
            match self.machine.poll() {
                Output::Write(bytes) => {
                    if let Some(fault) = self.machine.take_fault() {
                        log::warn!("spamd: {}", fault.log_line());
                    }
                    self.output.extend(bytes);
                }
                Output::Ask((request, message)) => {
                    self.asked = true;
                    let shared = Arc::clone(&self.shared);
                    let time_limit = shared.settings.check_time;
                    let size_limit_bytes = shared.settings.message_limit_bytes;
                    let client = self.client.clone();
                    let case = Case { request, message, client, time_limit, size_limit_bytes };
                    if events.offload(me, move || judge(&shared, case)).is_err() {
                        return Fate::Close;
                    }
                    events.set_deadline(me, None);
                }
                Output::Wait(time) => {
                    events.set_deadline(me, Some(events.now() + time));
                    break;
                }
                Output::KeepWaiting { .. } => break,
                _ => self.closing = true,
            }
        }
        self.send(events, me)
    }

    fn send<D: Office>(&mut self, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        while self.sent < self.output.len() {
            match self.socket.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    events.set_deadline(me, Some(events.now() + self.shared.settings.patience));
                    return Fate::Keep;
                }
                Err(_) => return Fate::Close,
            }
        }
        if self.closing { Fate::Close } else { Fate::Keep }
    }
}

impl<D: Office> Handler<D> for Session {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, _: Readiness, _: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        self.go_on(events, me)
    }

    fn letter(&mut self, letter: Letter, _: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        if let Ok(reply) = letter.downcast::<Reply>() {
            self.asked = false;
            self.machine.answered(*reply);
        }
        self.go_on(events, me)
    }

    fn elapsed(&mut self, _: &mut D, events: &mut EventLoop<D>, me: HandlerId) -> Fate {
        if self.closing {
            return Fate::Close;
        }
        self.machine.elapsed();
        self.go_on(events, me)
    }

    fn ended(&mut self, daemon: &mut D, _: &mut EventLoop<D>) {
        daemon.session_ended();
    }
}
