//! The file that `maillog_file` names, opened once for all workers.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use parameters::Config;
use worker::configuration::log_file_mode;

/// Standard output as a log file: for containers, in the foreground.
const STANDARD_OUTPUT: &str = "/dev/stdout";

/// Where workers write their lines; without a file they go to syslog.
#[derive(Debug, Default)]
pub(crate) struct LogFile {
    file: Option<File>,
}

/// Why `maillog_file` can not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogFileError {
    /// Its place is not one of those allowed.
    #[error(
        "maillog_file = {0}: not below any of maillog_file_prefixes = {1}: name another file, or add its folder"
    )]
    Place(String, String),
    /// It would be for others than the administrator thinks of.
    #[error("maillog_file_permissions = {0}: need 0600, 0640 or 0644")]
    Permissions(String),
    /// It can not be opened.
    #[error("maillog_file: open {0}: {1}")]
    Open(String, std::io::Error),
}

impl LogFile {
    /// Opens what `config` names.
    pub(crate) fn open(config: &Config) -> Result<Self, LogFileError> {
        let path = config.get(&parameters::MAILLOG_FILE);
        if path.is_empty() {
            return Ok(Self::default());
        }
        let prefixes = config.get(&parameters::MAILLOG_FILE_PREFIXES);
        if !prefixes.split([',', ' ', '\t']).any(|prefix| !prefix.is_empty() && path.starts_with(prefix)) {
            return Err(LogFileError::Place(path, prefixes));
        }
        let mode = log_file_mode(config).map_err(LogFileError::Permissions)?;
        let opened = if path == STANDARD_OUTPUT {
            std::io::stdout().as_fd().try_clone_to_owned().map(File::from)
        } else {
            maillog::open_file(Path::new(&path), mode)
        };
        opened.map(|file| Self { file: Some(file) }).map_err(|error| LogFileError::Open(path, error))
    }

    /// A second handle of the same file, for master's own lines.
    pub(crate) fn sink(&self) -> maillog::Sink {
        match self.file.as_ref().map(File::try_clone) {
            Some(Ok(file)) => maillog::Sink::File(file),
            _ => maillog::Sink::syslog(),
        }
    }

    /// The file for a worker to inherit.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// Opens the file anew, for the old one may have been moved away; on an error the old one stays in use.
    pub(crate) fn reopen(&mut self, config: &Config) {
        match Self::open(config) {
            Ok(Self { file: Some(new) }) => {
                maillog::flush();
                maillog::change_sink(|| match new.try_clone() {
                    Ok(file) => maillog::Sink::File(file),
                    Err(_) => maillog::Sink::syslog(),
                });
                self.file = Some(new);
            }
            Ok(Self { file: None }) => {}
            Err(error) => log::error!("{error}"),
        }
    }
}
