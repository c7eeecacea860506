//! What the `postfix` command tells, on the terminal and in the log, under the name of the script that does this
//! work in Postfix.

use std::path::Path;

use parameters::Config;
use worker::configuration::log_file_mode;

/// The name in front of each line.
const NAME: &str = "postfix/postfix-script";

/// Why a command did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Problem(pub String);

impl Problem {
    /// Tells it as the end of the command.
    pub fn tell(&self) {
        eprintln!("{NAME}: fatal: {self}");
        log::error!(target: maillog::FATAL, "{self}");
    }
}

/// From now on lines go to the log as well.
pub(crate) fn open(config: &Config) {
    let file = config.get(&parameters::MAILLOG_FILE);
    let host = config.get(&parameters::MYHOSTNAME);
    let sink = match maillog::Sink::file(Path::new(&file), log_file_mode(config).unwrap_or(0o600)) {
        Ok(sink) if file.starts_with('/') && !file.starts_with("/dev/") => sink,
        _ => maillog::Sink::syslog(),
    };
    maillog::open(maillog::Settings {
        tag: format!("{}/postfix-script", config.get(&parameters::SYSLOG_NAME)),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        sink,
        buffered: false,
        verbose: false,
    });
}

/// Tells that something is being done.
pub(crate) fn say(text: &str) {
    eprintln!("{NAME}: {text}");
    log::info!("{text}");
}

/// Tells that something is not as it should be.
pub(crate) fn warn(text: &str) {
    eprintln!("{NAME}: warning: {text}");
    log::warn!("{text}");
}
