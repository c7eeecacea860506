//! Deliveries on a real file system: what comes out, what a crash leaves, what a hostile tree can do.
#![allow(clippy::unwrap_used)]

mod broken_disk;
mod world;
mod maildir;
mod mbox;
mod crash;
mod abuse;
