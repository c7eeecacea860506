//! Mailboxes on disk: how a copy of a message gets into a Maildir or an mbox file, so that it stays there, and how
//! readers find it there: [`store`].
//!
//! # Delivery
//!
//! Everything is done below one open base directory, by a process that runs as the mailbox's owner. A path can
//! not leave the base, and no symbolic link is followed. Whoever calls decides who the owner is, which path a
//! recipient has, and what the lines above the message say.

pub mod content;
mod copy;
pub mod deliver;
pub mod disk;
pub mod envelope;
pub mod error;
pub mod job;
pub mod maildir;
pub mod mbox;
pub mod place;
pub mod store;

pub use content::Content;
pub use deliver::{Copy, Mailboxes, QuotaRule};
pub use envelope::Envelope;
pub use error::DeliverError;
pub use place::{Form, Place};
