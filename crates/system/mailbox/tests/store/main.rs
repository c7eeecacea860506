//! Mailboxes as readers see them, on a real file system.
#![allow(clippy::unwrap_used)]

mod world;
mod folders;
mod maildir;
mod maildrop;
mod takeover;
mod index;
mod dovecot;
