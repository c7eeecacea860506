//! What the end-to-end tests share: a mail suite brought up in a directory of its own, a small SMTP client,
//! and a reader of mailboxes.
//!
//! The suite under test is ours, from the same `target/<profile>` as the test; with `SUITE_UNDER_TEST=peer`
//! it is the installed Postfix (which wants root), so that every test can be held against the original.
//! Nothing here sleeps: a test waits for something to happen, with [`suite::PATIENCE`] as the limit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod programs;
pub mod config;
pub mod suite;
pub mod certificate;
pub mod databases;
pub mod name_server;
pub mod judgement;
pub mod signer;
pub mod spamd;
pub mod port;
pub mod processes;
pub mod storm;
pub mod dice;
pub mod odd;
pub mod client;
pub mod dovecot;
pub mod terminal;
pub mod mail;
pub mod man;
pub mod source;
pub mod inert;
pub mod fuzz;

pub use client::{Client, Reply};
pub use config::Builder;
pub use mail::Message;
pub use port::Port;
pub use suite::Suite;
