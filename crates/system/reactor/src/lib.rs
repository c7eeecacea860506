//! The event loop of every worker: many connections, one thread, nothing that waits.
//!
//! [`EventLoop`] owns the connections as [`Handler`]s and tells them when they can read or write, when their
//! time is over, and when a letter for them arrives. [`drive::Driver`] is the handler that runs any protocol
//! machine of `logic` on a socket, in the clear or in TLS. [`channel::Channel`] carries attribute messages
//! between our own programs. What would wait (fsync, a password hash, a database) goes to the offload pool
//! ([`EventLoop::offload`]) and comes back as a letter.

mod event_loop;
mod pool;
pub mod drive;
mod stream;
pub mod relay;
pub mod channel;

pub use event_loop::{EventLoop, Fate, Handler, HandlerId, Letter, PostBox, Readiness};
pub use pool::PoolFull;
