//! Dovecot's protocol between those who have a client and the one who knows passwords, version 1.
//!
//! Lines of words separated by TAB. Postfix's smtpd speaks it (`smtpd_sasl_type = dovecot`), and so do our own
//! programs. Facts are from the wire: what Dovecot 2.3 and Postfix 3.7 send each other.
#![forbid(unsafe_code)]

mod client;
mod line;
mod server;

pub use client::{ClientLine, Request};
pub use line::Words;
pub use server::{Failure, Mechanism, ServerLine, Success};

/// The version that both sides must agree upon.
pub const MAJOR_VERSION: u32 = 1;
/// What we know beyond it.
pub const MINOR_VERSION: u32 = 2;

/// A line that is not of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed line of the authentication protocol: {command}")]
pub struct Malformed {
    /// Its first word.
    pub command: String,
}
