//! The protocol between spamc and spamd, version 1.5, as SpamAssassin 4 speaks it.
//!
//! One request, one reply, and the connection ends. [`Server`] is spamd's side as a machine; [`Call`] and
//! [`read_answer`] are spamc's.
#![forbid(unsafe_code)]

mod client;
mod compression;
mod reply;
mod request;
mod server;

pub use client::{Answer, BadAnswer, Call, Score, read_answer};
pub use compression::{compress, decompress};
pub use reply::{Fault, Reply, Verdict};
pub use request::{Class, Command, Learn, Request};
pub use server::{Server, Settings};

/// The version that replies to `PING` name.
pub const VERSION: &str = "1.5";
