//! The worker's end of the status socket: orders come in, its own state goes out.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::descriptors;

use crate::Service;
use crate::protocol::{LOG_DESCRIPTOR, Order, PACKET_LIMIT_BYTES, Status};
use crate::serve::Orders;

/// Master is told of changes at most this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Reads master's orders; the run loop acts on them.
pub(crate) struct OrderReader {
    socket: OwnedFd,
    orders: Orders,
}

impl OrderReader {
    pub(crate) fn new(socket: OwnedFd, orders: Orders) -> Self {
        Self { socket, orders }
    }
}

impl<S: Service> Handler<S> for OrderReader {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _how: Readiness,
        _service: &mut S,
        _events: &mut EventLoop<S>,
        _me: HandlerId,
    ) -> Fate {
        let mut packet = [0; PACKET_LIMIT_BYTES];
        loop {
            let received = match descriptors::receive(self.socket.as_fd(), &mut packet) {
                Ok(received) if received.length == 0 => return self.master_is_gone(),
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => return self.master_is_gone(),
            };
            match Order::from_packet(&packet[..received.length]) {
                Some(Order::NewLog) => take_new_log(received.files.first()),
                Some(order) => self.orders.give(order),
                None => log::warn!("master sent a word that is not understood"),
            }
        }
    }
}

impl OrderReader {
    fn master_is_gone(&self) -> Fate {
        self.orders.master_is_gone();
        Fate::Close
    }
}

fn take_new_log(file: Option<&OwnedFd>) {
    maillog::flush();
    if let Some(file) = file
        && let Err(error) = sys::process::replace(LOG_DESCRIPTOR, file.as_fd())
    {
        log::warn!("the new log file can not be used: {error}");
    }
}

/// Tells master how busy this worker is.
pub(crate) struct Reporter {
    socket: Option<OwnedFd>,
    last: Status,
    last_time: Option<Instant>,
}

impl Reporter {
    pub(crate) fn new(socket: Option<OwnedFd>) -> Self {
        Self { socket, last: Status::default(), last_time: None }
    }

    /// Reports `status` if it is news and the last report is old enough; returns when to call again.
    pub(crate) fn report(&mut self, status: Status, now: Instant) -> Option<Duration> {
        if status == self.last {
            return None;
        }
        let socket = self.socket.as_ref()?;
        let wait = self.last_time.map_or(Duration::ZERO, |last| (last + REPORT_INTERVAL).duration_since(now));
        if !wait.is_zero() && status.leaving == self.last.leaving {
            return Some(wait);
        }
        let _ = descriptors::send(socket.as_fd(), status.packet().as_bytes(), &[]);
        self.last = status;
        self.last_time = Some(now);
        None
    }
}
