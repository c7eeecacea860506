//! Databases and directories of others: MySQL, PostgreSQL, SQLite and LDAP, a file each.
//!
//! A [`Source`] says where a database is, as Perl's DBI names it. A [`Connection`] asks it: SQL with values where `?` stands, rows back.
//! A [`Pool`] keeps connections for many threads, and leaves alone for a while what does not answer. An LDAP directory is asked
//! by its URL ([`Directory`]).
//!
//! Everything here blocks, for as long as [`Limits`] say: it is called from threads that may wait. What is asked, and what an
//! answer means, is for the caller.

mod source;
mod value;
mod trouble;
mod placeholders;
mod connection;
mod mysql_server;
mod postgres_server;
mod postgres_values;
mod sqlite_file;
mod rest;
mod pool;
mod directory;

pub use connection::{Connection, Limits};
pub use directory::{Directory, DirectoryError};
pub use pool::Pool;
pub use source::{Kind, Source, SourceError};
pub use trouble::Trouble;
pub use value::{Row, Value};
