//! main.cf and master.cf as master needs them.

use std::io;
use std::path::{Path, PathBuf};

use parameters::Config;
use parameters::master_cf::{MasterError, MasterFile, Service as Entry};
use worker::configuration::{Asker, LoadError, load};

use crate::service::{SPAWN_SERVICE, full_name, spawn_entry};

/// What master runs on until the next reload.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) entries: Vec<Entry>,
    pub(crate) config_directory: PathBuf,
    pub(crate) queue_directory: PathBuf,
    /// What is odd in the files, for the log.
    warnings: Vec<String>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// main.cf.
    #[error(transparent)]
    Main(#[from] LoadError),
    /// master.cf can not be read.
    #[error("open {0}: {1}")]
    Master(PathBuf, io::Error),
    /// A line of master.cf can not be used.
    #[error(transparent)]
    Entry(#[from] MasterError),
}

impl Settings {
    /// Reads both files.
    ///
    /// # Errors
    /// A file is not there, or one line can not be used: mail that a service is missing for would be lost sight of.
    pub(crate) fn read(config_directory: &Path) -> Result<Self, SettingsError> {
        let config = load(config_directory, &Asker { program: "master", ..Asker::default() })?;
        let path = config_directory.join("master.cf");
        let bytes = std::fs::read(&path).map_err(|error| SettingsError::Master(path.clone(), error))?;
        let file = MasterFile::read(&parameters::text::from_bytes(&bytes), &path.to_string_lossy());
        if let Some(error) = file.errors.into_iter().next() {
            return Err(error.into());
        }
        let odd = file.warnings.iter().map(ToString::to_string);
        let warnings = config.warnings().iter().map(ToString::to_string).chain(odd).collect();
        let mut entries = file.services;
        let disabled = config.get(&parameters::MASTER_SERVICE_DISABLE);
        entries.retain(|entry| !is_disabled(entry, &disabled));
        if !entries.iter().any(|entry| entry.name == SPAWN_SERVICE) {
            entries.push(spawn_entry());
        }
        let queue_directory = PathBuf::from(config.get(&parameters::QUEUE_DIRECTORY));
        let config_directory = config_directory.to_path_buf();
        Ok(Self { config, entries, config_directory, queue_directory, warnings })
    }

    /// Says in the log what is odd in the files: the log itself is opened by what they say.
    pub(crate) fn tell_warnings(&self) {
        self.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    }
}

/// `master_service_disable` has types (`inet`) and services (`smtp/inet`).
fn is_disabled(entry: &Entry, disabled: &str) -> bool {
    let (kind, name) = (entry.kind.text(), full_name(entry));
    let mut words = disabled.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    words
        .find_map(|word| match word.strip_prefix('!') {
            Some(word) if word == kind || word == name => Some(false),
            None if word == kind || word == name => Some(true),
            _ => None,
        })
        .unwrap_or(false)
}
