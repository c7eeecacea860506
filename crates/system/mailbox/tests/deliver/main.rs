//! Deliveries on a real file system: what comes out, and what a crash leaves.
#![allow(clippy::unwrap_used)]

#[path = "../broken_disk/mod.rs"]
mod broken_disk;
mod world;
mod maildir;
mod mbox;
mod crash;
