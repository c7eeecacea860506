//! TLS (RFC 8446, RFC 5246) without sockets: ciphertext in, plaintext out, and the other way round.
//!
//! [`Server`] and [`Client`] are the ends of one connection; whoever owns the socket moves its bytes. Settings,
//! certificates, authorities and session tickets are in files of their own.

mod server;
mod client;
mod end;
mod config;
mod identity;
mod authorities;
mod tickets;
mod visitor;
mod host;

pub use authorities::{Authorities, AuthoritiesError};
pub use client::{Client, ClientConfig, client_config};
pub use config::{Clients, NoVersion, ServerSettings, Versions, server_config};
pub use end::{End, TlsError};
pub use identity::{Identity, IdentityError, Named, Names};
pub use rustls::ServerConfig;
pub use server::Server;
pub use tickets::{KEY_BYTES, KEY_NAME_BYTES, TicketKey, TicketKeys};
