//! One client: the list is made portion by portion away from the loop, and no faster than the client reads.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use sys::sockets::Socket;

use crate::listing::{Listing, Portion, Settings};
use crate::service::Showq;

/// Portions of one list that are in work or wait for their turn: enough that no thread has to wait for the loop.
const PORTIONS_AHEAD: usize = 4;
/// Output that waits for the client; past that no further portion is made, in bytes.
const OUTPUT_AHEAD_BYTES: usize = 1024 * 1024;
/// How long a client may read nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// A list on its way.
pub(crate) struct Session {
    socket: Socket,
    listing: Arc<Listing>,
    /// Portions that are being made.
    in_work: usize,
    /// Portions that are made and stand behind one that is not, by number.
    made: BTreeMap<usize, Portion>,
    /// The portion that comes next; `None` behind the last.
    next: Option<usize>,
    output: Vec<u8>,
    sent: usize,
}

impl Session {
    pub(crate) fn new(socket: Socket, settings: Settings) -> Self {
        Self {
            socket,
            listing: Arc::new(Listing::new(settings)),
            in_work: 0,
            made: BTreeMap::new(),
            next: Some(0),
            output: Vec::new(),
            sent: 0,
        }
    }

    fn go_on(&mut self, events: &mut EventLoop<Showq>, me: HandlerId) -> Fate {
        while let Some(portion) = self.next.and_then(|next| self.made.remove(&next)) {
            self.output.extend_from_slice(&portion.bytes);
            self.next = (!portion.last).then_some(portion.number + 1);
        }
        if let Err(error) = self.send() {
            log::debug!("client went away: {error}");
            return Fate::Close;
        }
        let waiting = self.output.len() - self.sent;
        if self.next.is_none() && waiting == 0 {
            return Fate::Close;
        }
        while self.next.is_some()
            && waiting < OUTPUT_AHEAD_BYTES
            && self.in_work + self.made.len() < PORTIONS_AHEAD
        {
            let listing = self.listing.clone();
            if events.offload(me, move || listing.next_portion()).is_err() {
                return Fate::Close;
            }
            self.in_work += 1;
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
            self.in_work -= 1;
            self.made.insert(portion.number, *portion);
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
