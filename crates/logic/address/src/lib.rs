//! Mailbox addresses: parse, quote, split off the extension, and the token lists of address headers
//! (RFC 5321, 5322, 6531).
//!
//! Inside the suite an address stands in internal form: the local part without its quotes, `a b@example.com`.
//! The external form, `"a b"@example.com`, is made where it leaves: in headers, SMTP and table keys.
#![forbid(unsafe_code)]

mod mailbox;
mod quote;
mod extension;
mod token;
mod list;
mod path;
mod domain;
mod verp;

pub use domain::{Literal, is_hostname, literal};
pub use extension::split_extension;
pub use list::AddressList;
pub use mailbox::Address;
pub use path::{PathError, parse_path};
pub use quote::{quote, quoted, unquote};
pub use token::{Token, external_text, internal_text, scan};
pub use verp::verp_sender;
