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
    /// A backup can not be read or written.
    #[error("backup: {0}")]
    Io(#[from] io::Error),
    /// A backup is refused.
    #[error("backup: {0}")]
    Backup(#[from] BackupError),
}
