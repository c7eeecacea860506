//! IMAP (RFC 3501, RFC 9051): the server's side of the dialogue.
//!
//! `types` are the nouns, `parse` reads commands, `write` makes responses, `session` has the machines: [`session::Login`]
//! up to the log-in, [`session::Session`] behind it. What needs no mailbox to be decided is decided here: search keys, sort
//! order, threads, sections, envelopes.
#![forbid(unsafe_code)]

pub mod types;
pub mod parse;
pub mod write;
pub mod session;
pub mod casemap;
pub mod subject;
pub mod order;
pub mod thread;
pub mod utf7;
