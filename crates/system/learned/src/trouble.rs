//! What can go wrong with a database.

use std::io;
use std::path::PathBuf;

use spam::learned::BackupError;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The folder can not be made.
    #[error("{path}: {source}; bayes_path and auto_welcomelist_path say where the data lies")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("{verb} {path}: {source}; if it is damaged, remove it and restore a backup (sa-learn --restore)")]
    Database {
        /// What was tried.
        verb: &'static str,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: lmdb::Error,
    },
    /// A server does not answer, or refuses.
    #[error("{name}: {problem}")]
    Away {
        /// Which.
        name: String,
        /// What happened.
        problem: String,
    },
    /// What a server keeps has another form.
    #[error(
        "{name}: version {version:?}, tokens of form {tokens}: only version 3 with form 2 is known; start with an empty database, and --restore a backup"
    )]
    Form {
        /// Which.
        name: String,
        /// Its version.
        version: String,
        /// The form of its tokens.
        tokens: i64,
    },
    /// A setting does not say where the data is; it may hold a password.
    #[error("bayes_sql_dsn: {problem}")]
    Dsn {
        /// What is wrong.
        problem: &'static str,
    },
    /// A setting names a database that can not be.
    #[error("bayes_sql_dsn {0}")]
    Source(databases::SourceError),
    /// A database does not answer, or refuses.
    #[error("{0}")]
    Sql(#[from] databases::Trouble),
    /// The tables of a database are of another form, or missing.
    #[error(
        "{name}: bayes_global_vars names version {version:?}: only 3 is known; make the tables anew by SpamAssassin's schema"
    )]
    Version {
        /// Which.
        name: String,
        /// Its version.
        version: String,
    },
    /// Users would have to be let in one by one.
    #[error("bayes_sql_username_authorized: no plugin here says who may: nobody may")]
    Authorized,
    /// A store that this version does not have.
    #[error("bayes_store_module {0}: there is no such store here; DBM, SQL, MySQL, PgSQL and Redis are")]
    Module(String),
    /// A backup can not be read or written.
    #[error("backup: {0}")]
    Io(#[from] io::Error),
    /// A backup is refused.
    #[error("backup: {0}")]
    Backup(#[from] BackupError),
}
