//! Lookup tables: one file a table type; [`Tables`] opens them by name and answers logic's questions.
//!
//! A table is `type:name`. Which tables are asked in which order, and what an answer means, is for logic and the
//! daemons; here is only how to read, and write, each type.

mod table;
mod trouble;
mod name;
mod sight;
mod tables;
mod match_list;
mod network;
mod open;
mod watched;
mod fold;
mod source;
mod alias_source;
mod file_values;
mod compile;
mod entries;
mod replacement_file;
mod stale;
mod indexed;
mod lmdb_table;
mod lmdb_writer;
mod cdb;
mod texthash;
mod fixed;
mod combined;
mod rules;
mod cidr;
mod patterns;
mod replacement;
mod regexp;
mod pcre;
mod setting_file;
mod template;
mod sqlite;

pub use compile::{Compile, alias_format, delete};
pub use entries::{Duplicates, Format};
pub use file_values::FileValueError;
pub use fold::fold;
pub use name::{TableName, split_list};
pub use network::{Network, NetworkError};
pub use open::OpenTable;
pub use open::table_types;
pub use stale::{Rebuilt, Staleness, rebuild_stale};
pub use table::{EachEntry, Options};
pub use tables::Tables;
pub use trouble::{Trouble, reason};
