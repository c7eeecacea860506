//! mbox: all messages of a mailbox in one file, each behind a `From ` line (RFC 4155).

mod deliver;
mod search;
mod dotlock;
mod lock;

pub use lock::{LockSettings, UnknownMethod};
