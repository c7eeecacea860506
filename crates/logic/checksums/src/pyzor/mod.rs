//! Pyzor (protocol 2.1): a digest of what a message says, counted by servers that are asked over UDP.

mod characters;
mod digest;
mod entities;
mod files;
mod html;
mod parameters;
mod parts;
mod transfer;
mod wire;

pub use digest::{Digest, predigest};
pub use files::{Account, Accounts, HomeFiles, Options, ServerName, known_digests, servers};
pub use wire::{Counts, Operation, Reply, Request};

/// Where Pyzor's servers listen.
pub const PORT: u16 = 24441;
/// The server that is asked when none is named.
pub const PUBLIC_SERVER: &str = "public.pyzor.org";
