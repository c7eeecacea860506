//! Stored passwords: `{SCHEME}secret`, as Dovecot, LDAP and crypt(3) write them.
//!
//! Everything here is arithmetic, much of it slow on purpose: never on an event loop.
#![forbid(unsafe_code)]

mod crypt;
mod make;
mod md5_crypt;
mod scheme;
mod stored;

pub use make::{MAKEABLE, SALT_BYTES, make};
pub use scheme::Scheme;
pub use stored::{Stored, Unusable};
