//! What was learned from mail, in LMDB: tokens of messages, messages that were learned, reputations of senders.
//!
//! Many processes read and write one database. A check never waits for the disk: what it teaches is noted in memory
//! ([`Store::apply`]), where later checks of the process see it at once, and a thread of its own writes it down every
//! [`FLUSH_EVERY`].

mod backup;
mod database;
mod expiry;
mod shelf;
mod store;
mod trouble;

pub use database::Facts;
pub use expiry::{Expired, Expiry};
pub use shelf::{Learned, Shelf, path_of};
pub use store::{FLUSH_EVERY, Store};
pub use trouble::Trouble;
