//! TLS (RFC 8446, RFC 5246) without sockets: ciphertext in, plaintext out, and the other way round.
//!
//! [`Server`] is one connection; the event loop moves its bytes. Settings, certificates and session tickets
//! are in files of their own.

mod server;

pub use server::{Server, TlsError};
