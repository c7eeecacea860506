//! Reads main.cf for a process: the one place where files, host and command line become a [`Config`].

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use parameters::config::{ConfigError, Defaults, Fault, Sources};
use parameters::host::{HostFacts, Interface};
use parameters::{Config, text};

use crate::protocol::ENV_CONFIG_DIRECTORY;

/// Where the configuration lies when nothing says otherwise.
pub const DEFAULT_CONFIG_DIRECTORY: &str = "/etc/postfix";

/// The mode of a log that nobody else may read.
const PRIVATE: u32 = 0o600;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// main.cf can not be read.
    #[error("open {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// main.cf is not in order.
    #[error(transparent)]
    Grammar(#[from] ConfigError),
    /// A setting has no usable value.
    #[error("{0}")]
    Value(Box<Fault>),
}

/// Who asks, and for what.
#[derive(Debug, Clone, Default)]
pub struct Asker<'a> {
    /// The program: `smtpd`.
    pub program: &'a str,
    /// Its name in master.cf, empty for a command.
    pub service: &'a str,
    /// `-o name=value`, in order.
    pub overrides: &'a [(String, String)],
}

/// The directory of main.cf: `explicit` (a `-c` option), else what `MAIL_CONFIG` says, else /etc/postfix.
pub fn directory(explicit: Option<&Path>) -> PathBuf {
    explicit.map(Path::to_path_buf).unwrap_or_else(|| {
        std::env::var_os(ENV_CONFIG_DIRECTORY)
            .map_or_else(|| PathBuf::from(DEFAULT_CONFIG_DIRECTORY), PathBuf::from)
    })
}

/// Reads main.cf below `directory` for a daemon or a command that acts like one. What is odd but harmless
/// is in [`Config::warnings`].
///
/// # Errors
/// [`LoadError`] names the file, the line and the remedy.
pub fn load(directory: &Path, asker: &Asker<'_>) -> Result<Config, LoadError> {
    let path = directory.join("main.cf");
    let bytes =
        std::fs::read(&path).map_err(|source| LoadError::Unreadable { path: path.clone(), source })?;
    let config = Config::read(Sources {
        main_cf: &text::from_bytes(&bytes),
        path: &path.to_string_lossy(),
        overrides: asker.overrides,
        facts: host_facts(directory, asker),
        defaults: Defaults::Safer,
    })?;
    match config.faults(asker.program).into_iter().next() {
        Some(fault) => Err(LoadError::Value(Box::new(fault))),
        None => Ok(config),
    }
}

/// Opens the log that main.cf names, for a program that no master has given one; `tag` stands in front of the process
/// id.
pub fn open_log(config: &Config, tag: String) {
    let file = config.get(&parameters::MAILLOG_FILE);
    let host = config.get(&parameters::MYHOSTNAME);
    let sink = match file.as_str() {
        "" => maillog::Sink::syslog(),
        file => {
            let public = Path::new(&config.get(&parameters::QUEUE_DIRECTORY)).join("public");
            maillog::Sink::postlog(&public.join(config.get(&parameters::POSTLOG_SERVICE_NAME)))
                .or_else(|_| maillog::Sink::file(Path::new(file), log_file_mode(config).unwrap_or(PRIVATE)))
                .unwrap_or_else(|_| maillog::Sink::syslog())
        }
    };
    maillog::open(maillog::Settings {
        tag,
        host: host.split('.').next().unwrap_or_default().to_owned(),
        sink,
        buffered: false,
        verbose: false,
    });
}

/// The mode of a new `maillog_file` (`maillog_file_permissions`).
///
/// # Errors
/// The value, when it is none of those allowed.
pub fn log_file_mode(config: &Config) -> Result<u32, String> {
    let text = config.get(&parameters::MAILLOG_FILE_PERMISSIONS);
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| [PRIVATE, 0o640, 0o644].contains(mode));
    mode.ok_or(text)
}

/// What this machine and this process say of themselves.
pub fn host_facts(directory: &Path, asker: &Asker<'_>) -> HostFacts {
    let interfaces = sys::sockets::interface_addresses();
    HostFacts {
        host_name: sys::process::host_name(),
        interfaces: interfaces
            .into_iter()
            .map(|(address, prefix_length)| Interface { address, prefix_length })
            .collect(),
        resolve,
        config_directory: directory.to_string_lossy().into_owned(),
        process_name: asker.program.to_owned(),
        process_id: std::process::id(),
        service_name: asker.service.to_owned(),
    }
}

fn resolve(host: &str) -> Vec<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    (bare, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}
