//! One client: the list is made portion by portion away from the loop, and no faster than the client reads.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use sys::sockets::Socket;

use crate::listing::{Listing, Settings};
use crate::service::Showq;

/// Output that waits for the client; past that no further portion is made, in bytes.
const OUTPUT_AHEAD_BYTES: usize = 1024 * 1024;
/// How long a client may read nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// A list on its way.
pub(crate) struct Session {
    socket: Socket,
    /// `None` while the next portion is made.
    listing: Option<Listing>,
    output: Vec<u8>,
    sent: usize,
}

/// A letter: a portion has been made.
struct Portion {
    listing: Listing,
    bytes: Vec<u8>,
}

impl Session {
    pub(crate) fn new(socket: Socket, settings: Settings) -> Self {
        Self { socket, listing: Some(Listing::new(settings)), output: Vec::new(), sent: 0 }
    }

    fn go_on(&mut self, events: &mut EventLoop<Showq>, me: HandlerId) -> Fate {
        if let Err(error) = self.send() {
            log::debug!("client went away: {error}");
            return Fate::Close;
        }
        let waiting = self.output.len() - self.sent;
        if self.listing.as_ref().is_some_and(Listing::is_done) {
            return if waiting == 0 { Fate::Close } else { Fate::Keep };
        }
        if waiting < OUTPUT_AHEAD_BYTES
            && let Some(mut listing) = self.listing.take()
        {
            let made = events.offload(me, move || {
                let bytes = listing.next_portion();
                Portion { listing, bytes }
            });
            if made.is_err() {
                return Fate::Close;
            }
        }
        events.set_deadline(me, Some(events.now() + PATIENCE));
        Fate::Keep
    }

    fn send(&mut self) -> io::Result<()> {
        while self.sent < self.output.len() {
            match self.socket.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.sent = 0;
        Ok(())
    }
}

impl Handler<Showq> for Session {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, how: Readiness, _: &mut Showq, events: &mut EventLoop<Showq>, me: HandlerId) -> Fate {
        if how.closed && !how.writable {
            return Fate::Close;
        }
        self.go_on(events, me)
    }

    fn letter(
        &mut self,
        letter: Letter,
        _: &mut Showq,
        events: &mut EventLoop<Showq>,
        me: HandlerId,
    ) -> Fate {
        if let Ok(portion) = letter.downcast::<Portion>() {
            self.output.extend_from_slice(&portion.bytes);
            self.listing = Some(portion.listing);
        }
        self.go_on(events, me)
    }

    fn elapsed(&mut self, _: &mut Showq, _: &mut EventLoop<Showq>, _: HandlerId) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, showq: &mut Showq, _: &mut EventLoop<Showq>) {
        showq.clients.gone();
    }
}
