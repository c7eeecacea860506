//! The skeleton of every daemon: what master starts, and how it lives.
//!
//! A daemon is a type that implements [`Service`]; its `main` hands it to [`run`]. The skeleton reads the
//! command line and main.cf, opens the log, lets the service open what needs privilege, gives privilege up,
//! confines the process, and then serves: it accepts clients while there is room, passes on master's orders,
//! reports how busy it is, and ends when there is nothing to do, when master says so, or when master is gone.

pub mod agent;
pub mod alone;
mod arguments;
mod cleanup_service;
mod clients;
pub mod configuration;
pub mod debugger;
pub mod deliveries;
mod listener;
pub mod login;
pub mod mailbox_settings;
pub mod master_lock;
mod privilege;
pub mod protocol;
pub mod resident;
pub mod server_tls;
mod server_names;
mod serve;
mod status;
pub mod status_filter;
mod watchdog;

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use parameters::Config;
use queue::Queue;
use reactor::EventLoop;
use sys::sockets::{Peer, Socket};
use tables::Tables;

pub use arguments::{Arguments, BadArgument};
pub use clients::Clients;
pub use privilege::Privilege;

use crate::configuration::{Asker, LoadError};
use crate::privilege::Root;

/// A daemon: the state that its sessions share, and what it does when something happens.
pub trait Service: Sized + 'static {
    /// The program's name: `smtpd`.
    const PROGRAM: &'static str;

    /// What it keeps of root's rights.
    const PRIVILEGE: Privilege = Privilege::MailOwner;

    /// Does it make or take TCP connections by itself? Those that master hands over need no right.
    const NETWORK: bool = false;

    /// Does this one make TCP connections, as it is configured? Asked once, when it is open.
    fn network(&self) -> bool {
        Self::NETWORK
    }

    /// May it read files that no setting names, as far as `mail_owner` may?
    const READS_EVERYTHING: bool = false;

    /// How many threads its disk work may use.
    const POOL_THREADS: usize = 8;

    /// Makes the service, still with the rights that master has: keys and sockets are opened here.
    ///
    /// # Errors
    /// [`StartError`]: the worker ends, master tries again later.
    fn open(setup: &Setup) -> Result<Self, StartError>;

    /// Begins, with the rights it keeps: threads may start, connections may be made.
    ///
    /// # Errors
    /// As [`Service::open`].
    fn start(&mut self, _setup: &Setup, _events: &mut EventLoop<Self>) -> Result<(), StartError> {
        Ok(())
    }

    /// A client has come; `listener` counts the service's sockets from 0.
    fn accepted(&mut self, socket: Socket, peer: Peer, listener: usize, events: &mut EventLoop<Self>);

    /// Clients that are here.
    fn sessions(&self) -> usize;

    /// Clients that have been here since the start.
    fn served(&self) -> u64 {
        0
    }

    /// Is there room for one more client? While not, clients wait to be accepted.
    fn has_room(&self) -> bool {
        true
    }

    /// May the worker end when it has had nothing to do for `max_idle`?
    fn may_retire(&self) -> bool {
        true
    }

    /// The service's wakeup time in master.cf has come.
    fn woken(&mut self, _events: &mut EventLoop<Self>) {}

    /// Master says that all sessions of the service are taken, or that this is over (`stress`).
    fn stressed(&mut self, _stress: bool) {}

    /// No new clients will come; the worker ends when those that are here have gone.
    fn draining(&mut self, _events: &mut EventLoop<Self>) {}

    /// The suite stops: end what can be ended.
    fn stopping(&mut self, _events: &mut EventLoop<Self>) {}

    /// Everything that was ready has been seen to: the place for work that is better done once a turn.
    fn turn_ends(&mut self, _events: &mut EventLoop<Self>) {}

    /// The tables it asks. When one changes that it can not read any more (for it has changed its root folder, or given
    /// its rights up), the worker makes way for a fresh one: see [`Service::draining`].
    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::empty()
    }

    /// Are its sockets for datagrams (`unix-dgram` in master.cf)?
    fn takes_datagrams(&self) -> bool {
        false
    }

    /// Datagrams have come. True when there may be more than were taken: then it is called again in the next turn.
    fn datagrams(&mut self, _socket: &Socket, _events: &mut EventLoop<Self>) -> bool {
        false
    }
}

/// Has a table changed that this worker can not read any more? Then it is about to make way for a fresh one, and leaves
/// new work to that.
pub fn is_behind<S: Service>(service: &S) -> bool {
    service.tables().any(|tables| {
        tables.look();
        tables.out_of_date().is_some()
    })
}

/// What a service is made from.
#[derive(Debug)]
pub struct Setup {
    /// The settings of this process, fixed.
    pub config: Config,
    /// How master started it.
    pub arguments: Arguments,
    /// The service's name in master.cf: `smtp`, `127.0.0.1:25`, `retry`.
    pub service: String,
    /// Where main.cf and master.cf are.
    pub config_directory: PathBuf,
    /// `queue_directory`; also the working directory, and the root directory after chroot.
    pub queue_directory: PathBuf,
    /// `max_idle`.
    pub max_idle: Duration,
    listeners: RefCell<Vec<OwnedFd>>,
}

impl Setup {
    fn take_listeners(&self) -> Vec<OwnedFd> {
        self.listeners.take()
    }

    /// A second handle of the log file that master opened (`maillog_file`), if there is one.
    ///
    /// # Errors
    /// As dup(2).
    pub fn log_file(&self) -> std::io::Result<Option<std::fs::File>> {
        maillog::file_handle()
    }

    /// The queue in the working directory.
    ///
    /// # Errors
    /// When its folders are not there.
    pub fn queue(&self) -> Result<Queue, StartError> {
        Queue::open(".", queue::Settings::from(&self.config))
            .map_err(|error| StartError::Refused(error.to_string()))
    }

    /// The path of another service's private socket, from the working directory.
    pub fn private_socket(&self, service: &str) -> PathBuf {
        Path::new("private").join(service)
    }

    /// The path of another service's public socket, from the working directory.
    pub fn public_socket(&self, service: &str) -> PathBuf {
        Path::new("public").join(service)
    }
}

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The command line is not master's.
    #[error(transparent)]
    Arguments(#[from] BadArgument),
    /// main.cf can not be used.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// There is no such user, or it is root.
    #[error("mail_owner = {0}: there is no such user, or it is root: create it or name another in main.cf")]
    NoMailOwner(String),
    /// A step of the start failed.
    #[error("{step}: {source}")]
    Step {
        /// What was tried.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The service can not work as it is configured.
    #[error("{0}")]
    Refused(String),
}

/// Runs a service until its life is over. The whole `main` of a daemon.
pub fn run<S: Service>() -> ExitCode {
    match begin::<S>() {
        Ok(()) => {
            maillog::finish();
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::error!(target: maillog::FATAL, "{error}");
            maillog::finish();
            ExitCode::FAILURE
        }
    }
}

fn begin<S: Service>() -> Result<(), StartError> {
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    open_log(S::PROGRAM, &arguments);
    sys::signals::ignore_broken_pipes();
    sys::process::raise_descriptor_limit();
    let status = sys::process::inherited(protocol::STATUS_DESCRIPTOR);
    let setup = set_up::<S>(arguments)?;
    if setup.arguments.debug {
        debugger::run(&setup.config);
    }
    let mut service = S::open(&setup)?;
    let needs = needs(&service);
    if privilege::give_up(&setup, S::PRIVILEGE, &needs)? == Root::Changed {
        service.tables().for_each(Tables::out_of_sight);
    }
    let mut events =
        EventLoop::new(S::POOL_THREADS).map_err(|source| StartError::step("make the event loop", source))?;
    service.start(&setup, &mut events)?;
    serve::serve(service, events, &setup, status, serve::Until::Told)
        .map_err(|source| StartError::step("serve", source))
}

fn needs<S: Service>(service: &S) -> privilege::Needs {
    privilege::Needs {
        network: service.network(),
        every_file: S::READS_EVERYTHING,
        folders: service.tables().flat_map(Tables::database_folders).collect(),
    }
}

fn set_up<S: Service>(arguments: Arguments) -> Result<Setup, StartError> {
    let service = arguments.service.clone().unwrap_or_else(|| S::PROGRAM.to_owned());
    let directory = configuration::directory(None);
    let asker = Asker { program: S::PROGRAM, service: &service, overrides: &arguments.overrides };
    let config = configuration::load(&directory, &asker)?;
    let queue_directory = PathBuf::from(config.get(&parameters::QUEUE_DIRECTORY));
    std::env::set_current_dir(&queue_directory)
        .map_err(|source| StartError::step("chdir to queue_directory", source))?;
    let first = protocol::FIRST_LISTENER;
    let numbers = (first..).take(arguments.listeners);
    let listeners = RefCell::new(numbers.filter_map(sys::process::inherited).collect());
    let max_idle = config.get(&parameters::MAX_IDLE);
    Ok(Setup {
        config,
        arguments,
        service,
        config_directory: directory,
        queue_directory,
        max_idle,
        listeners,
    })
}

/// The log is open before main.cf is read, for main.cf may be what there is to complain about.
fn open_log(program: &str, arguments: &Arguments) {
    let file = sys::process::inherited(protocol::LOG_DESCRIPTOR).map(std::fs::File::from);
    let tag = std::env::var(protocol::ENV_LOG_TAG).unwrap_or_else(|_| "postfix".to_owned());
    let cleanup_tag = format!("{tag}/cleanup");
    let chosen = arguments.overrides.iter().rev().find(|(name, _)| name == "syslog_name");
    let tag = chosen.map_or(tag, |(_, value)| {
        value.replace("$service_name", arguments.service.as_deref().unwrap_or(program))
    });
    let host = std::env::var(protocol::ENV_LOG_HOST).unwrap_or_else(|_| sys::process::host_name());
    maillog::open(maillog::Settings {
        tag: format!("{tag}/{program}"),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        sink: file.map_or_else(maillog::Sink::syslog, maillog::Sink::File),
        buffered: true,
        verbose: arguments.verbose,
    });
    // A name of its own (submission) is for smtpd's lines; those of cleanup's work stay cleanup's.
    maillog::set_cleanup_tag(cleanup_tag);
}
