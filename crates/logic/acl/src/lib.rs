//! Who may do what with a mailbox (RFC 4314): rights, those who have them, and the list of both as Dovecot keeps it in the
//! file `dovecot-acl` beside a mailbox.
//!
//! Beside it counts a list of the administrator's, which holds for the mailboxes of all users ([`GlobalFile`]).
//!
//! Only the owner of mailboxes is ever judged here: nobody else reaches them. What a list says of others is kept, and told.
#![forbid(unsafe_code)]

mod file;
mod global;
mod identifier;
mod list;
mod lists;
mod rights;

pub use file::{BadAcl, Problem};
pub use global::GlobalFile;
pub use identifier::{BadIdentifier, Identifier, Subject};
pub use list::{Acl, Change, TooManyEntries};
pub use lists::Lists;
pub use rights::{Right, Rights};
