//! Mailboxes as readers see them, on a real file system.
#![allow(clippy::unwrap_used)]

mod world;
mod folders;
mod maildir;
mod maildrop;
mod others;
mod meddling;
mod mbox;
mod takeover;
mod quota;
#[path = "../broken_disk/mod.rs"]
mod broken_disk;
mod crash;
mod index;
