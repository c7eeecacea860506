//! What was learned from mail: tokens of messages, messages that were learned, reputations of senders.
//!
//! It lies in LMDB, in files of this host ([`Store`]). Tokens and messages may lie with those of other hosts instead, in Redis
//! ([`RedisServer`]) or in a database of SQL ([`SqlUser`]); [`Bayes`] is any of them.
//!
//! Many processes read and write one database. A check never waits for the disk: what it teaches is noted in memory
//! ([`Store::apply`]), where later checks of the process see it at once, and a thread of its own writes it down every
//! [`FLUSH_EVERY`].

mod backup;
mod bayes;
mod complaint;
mod database;
mod expiry;
mod redis_server;
mod shelf;
mod sql_server;
mod store;
mod trouble;

pub use bayes::Bayes;
pub use database::Facts;
pub use expiry::{Expired, Expiry};
pub use redis_server::RedisServer;
pub use shelf::{Learned, Owner, Shelf, path_of};
pub use sql_server::{SqlServer, SqlUser};
pub use store::{FLUSH_EVERY, Store};
pub use trouble::Trouble;
