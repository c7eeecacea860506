//! The status words of the protocol.

use cleanup::{Finished, Problem};

/// The message is in the queue, or was thrown away as it should be.
pub(crate) const OK: u32 = 0;
/// What the client sent is not a message.
pub(crate) const BAD: u32 = 1 << 0;
/// The disk or a table failed.
pub(crate) const WRITE: u32 = 1 << 1;
const SIZE: u32 = 1 << 2;
const CONTENT: u32 = 1 << 3;
const HOPS: u32 = 1 << 4;
const RECIPIENTS: u32 = 1 << 6;
const DEFER: u32 = 1 << 8;

/// Status and reason of an edited message.
pub(crate) fn of(finished: &Finished) -> (u32, String) {
    match &finished.problem {
        None => (OK, String::new()),
        Some(Problem::NoRecipients) => (RECIPIENTS, String::new()),
        Some(Problem::TooLarge) => (SIZE, String::new()),
        Some(Problem::TooManyHops) => (HOPS, String::new()),
        Some(Problem::Content(reason)) => (CONTENT, reason.clone()),
        Some(Problem::Table(_)) => (WRITE, String::new()),
        Some(Problem::Deferred(reason)) => (DEFER, reason.clone()),
    }
}
