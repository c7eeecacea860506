//! Starts one worker of a service.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use parameters::Config;
use parameters::master_cf::Service as Entry;
use sys::process::{self, Start};
use sys::sockets::{self, Socket};
use worker::protocol::{
    ENV_CONFIG_DIRECTORY, ENV_LOG_HOST, ENV_LOG_TAG, FIRST_LISTENER, LOG_DESCRIPTOR, STATUS_DESCRIPTOR,
};

use crate::service::Service;

/// What `-` in the chroot column of master.cf means.
const CHROOT_DEFAULT: &str = "${{$compatibility_level} <level {1} ? {y} : {n}}";

/// What all workers start with, fixed between two reloads.
#[derive(Debug)]
pub(crate) struct Surroundings {
    daemon_directory: PathBuf,
    queue_directory: PathBuf,
    environment: Vec<(String, OsString)>,
    chroot_by_default: bool,
    processors: usize,
    verbose: bool,
}

impl Surroundings {
    pub(crate) fn new(
        config: &Config,
        config_directory: &Path,
        queue_directory: &Path,
        processors: usize,
    ) -> Self {
        let chroot = config.expand(CHROOT_DEFAULT).is_ok_and(|answer| answer == "y");
        Self {
            daemon_directory: PathBuf::from(config.get(&parameters::DAEMON_DIRECTORY)),
            queue_directory: queue_directory.to_path_buf(),
            environment: environment(config, config_directory),
            chroot_by_default: chroot,
            processors,
            verbose: false,
        }
    }

    /// With a chatty log for all services.
    pub(crate) fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// The program file of a service.
    pub(crate) fn program(&self, entry: &Entry) -> PathBuf {
        self.daemon_directory.join(&entry.command)
    }
}

/// The variables that `import_environment` lets through, and those that are ours to tell.
fn environment(config: &Config, config_directory: &Path) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> = Vec::new();
    for word in
        config.get(&parameters::IMPORT_ENVIRONMENT).split([',', ' ', '\t']).filter(|word| !word.is_empty())
    {
        match word.split_once('=') {
            Some((name, value)) => variables.push((name.to_owned(), OsString::from(value))),
            None => variables.extend(std::env::var_os(word).map(|value| (word.to_owned(), value))),
        }
    }
    let host = config.get(&parameters::MYHOSTNAME);
    let ours = [
        (ENV_CONFIG_DIRECTORY, config_directory.as_os_str().to_owned()),
        (ENV_LOG_TAG, OsString::from(config.get(&parameters::SYSLOG_NAME))),
        (ENV_LOG_HOST, OsString::from(host.split('.').next().unwrap_or_default())),
    ];
    for (name, value) in ours {
        variables.retain(|(other, _)| other != name);
        variables.push((name.to_owned(), value));
    }
    variables
}

/// Starts a worker; returns its process id and our end of its status socket.
pub(crate) fn start(
    service: &Service,
    around: &Surroundings,
    log: Option<BorrowedFd<'_>>,
) -> io::Result<(u32, Socket)> {
    let (ours, theirs) = sockets::pair(true)?;
    let mut descriptors: Vec<(RawFd, BorrowedFd<'_>)> = vec![(STATUS_DESCRIPTOR, theirs.as_fd())];
    descriptors.extend(log.map(|file| (LOG_DESCRIPTOR, file)));
    descriptors.extend((FIRST_LISTENER..).zip(service.sockets.iter().map(AsFd::as_fd)));
    let environment: Vec<(&str, &OsStr)> =
        around.environment.iter().map(|(name, value)| (name.as_str(), value.as_os_str())).collect();
    let pid = process::start(&Start {
        program: &around.program(&service.entry),
        arguments: &arguments(service, around),
        environment: &environment,
        directory: &around.queue_directory,
        descriptors: &descriptors,
    })?;
    Ok((pid, ours))
}

/// `smtpd -n 127.0.0.1:25 -t inet -u -s 2 -k 50 -o name=value ...`
fn arguments(service: &Service, around: &Surroundings) -> Vec<OsString> {
    let entry = &service.entry;
    let program =
        Path::new(&entry.command).file_name().map_or_else(|| entry.command.clone().into(), OsStr::to_owned);
    let mut words = vec![program.clone()];
    let mut add = |option: &str, value: String| words.extend([OsString::from(option), OsString::from(value)]);
    if program != OsStr::new(&entry.name) {
        add("-n", entry.name.clone());
    }
    add("-t", entry.kind.text().to_owned());
    add("-s", service.sockets.len().to_string());
    let limit = service.session_limit(around.processors);
    if limit > 0 {
        add("-k", limit.to_string());
    }
    if service.feels_stress() {
        let stress = if service.stressed_until.is_some() { "yes" } else { "" };
        add("-o", format!("stress={stress}"));
    }
    let chroot = entry.chroot.unwrap_or(around.chroot_by_default);
    words.extend(
        [("-c", chroot), ("-u", entry.unprivileged), ("-v", around.verbose)]
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(word, _)| word.into()),
    );
    words.extend(entry.arguments.iter().map(OsString::from));
    words
}
