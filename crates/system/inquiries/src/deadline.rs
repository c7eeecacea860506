//! What of the time is left, in the pieces that poll(2) takes.

use std::os::fd::AsFd;
use std::time::Instant;

use sys::sockets::{Socket, wait_readable, wait_writable};

/// Milliseconds until then; `None` when it is over.
fn left(deadline: Instant) -> Option<u16> {
    let left = deadline.checked_duration_since(Instant::now())?;
    // What is less than a millisecond is not over yet.
    Some(u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX))
}

/// Waits until there is something to read; false when the time is over.
pub(crate) fn readable(socket: impl AsFd, deadline: Instant) -> bool {
    while let Some(milliseconds) = left(deadline) {
        if wait_readable(socket.as_fd(), milliseconds) {
            return true;
        }
    }
    false
}

/// Waits until something can be written; false when the time is over.
pub(crate) fn writable(socket: &Socket, deadline: Instant) -> bool {
    while let Some(milliseconds) = left(deadline) {
        if wait_writable(socket.as_fd(), milliseconds) {
            return true;
        }
    }
    false
}
