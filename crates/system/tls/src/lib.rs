//! TLS (RFC 8446, RFC 5246) without sockets: ciphertext in, plaintext out, and the other way round.
//!
//! [`Server`] is one connection; the event loop moves its bytes. Settings, certificates and session tickets
//! are in files of their own.

mod server;
mod config;
mod identity;
mod tickets;
mod visitor;

pub use config::{NoVersion, ServerSettings, Versions, server_config};
pub use identity::{Identity, IdentityError, Named, Names};
pub use rustls::ServerConfig;
pub use server::{Server, TlsError};
pub use tickets::{KEY_BYTES, KEY_NAME_BYTES, TicketKey, TicketKeys};
