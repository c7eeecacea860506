//! SASL (RFC 4422): how a client proves who it is, as machines without socket, clock or user database.
//!
//! [`Server`] turns the client's responses into challenges and questions; [`Client`] is the other side. Both see
//! bare bytes: Base64, line lengths and the words around an exchange belong to the protocol that carries it.
//! Chance (nonces, salts) and the time of a challenge are handed in.
#![forbid(unsafe_code)]

mod client;
mod cram_md5;
mod initial;
mod mechanism;
mod plain;
mod scram;
mod secret;
mod server;

pub use client::{Client, ClientError, Credentials};
pub use cram_md5::{CramContexts, apop_digest, apop_response, cram_response};
pub use initial::initial_response;
pub use mechanism::{Mechanism, Properties};
pub use plain::PlainMessage;
pub use scram::{SCRAM_ITERATIONS, ScramHash, ScramSecret};
pub use secret::Secret;
pub use server::{Answer, Identity, Question, Refusal, Server, Start, Step};

/// Nothing that a client sends in one response is longer, in bytes.
pub const RESPONSE_LIMIT_BYTES: usize = 8192;
