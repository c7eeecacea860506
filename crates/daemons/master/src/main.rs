//! # NAME
//! master - Pillarbox master process
//!
//! # SYNOPSIS
//! `master [-Ddistvw] [-c config_dir] [-e exit_time]`
//!
//! # DESCRIPTION
//! Owns the sockets of all services in master.cf and starts the programs that serve them, when a client comes or
//! their wakeup time is due. A program that dies is started again at once; one that keeps dying is started less and
//! less often, up to once a minute, and never stops the other services. Master reads no message.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf and master.cf are, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-D`: run `debugger_command` on this process when it is ready.
//! - `-d`: keep standard input, output and the terminal.
//! - `-e exit_time`: end after so many seconds.
//! - `-i`: as `-s`, for process 1 of a container, and for no other: ended children of others are buried too.
//! - `-s`: keep standard output, for `maillog_file = /dev/stdout`.
//! - `-t`: test: exit status 0 when no master runs on the queue directory.
//! - `-v`: a chattier log, also of all services.
//! - `-w`: go on in the background, and return when the services can be reached. Without it, master stays in the
//!   foreground.
//!
//! # SIGNALS
//! - `SIGHUP`: read the settings again; new clients see them, those that are here stay.
//! - `SIGTERM`: let workers finish what they have, then end.
//! - `SIGUSR1`: end at once.
//!
//! # SEE ALSO
//! postfix(1), master(5), postconf(5)

mod options;
mod configuration;
mod log_file;
mod supervisor;
mod stress;
mod service;
mod listen;
mod start;
mod backoff;
mod status_page;
mod background;

use std::path::Path;
use std::process::ExitCode;

use reactor::EventLoop;
use sys::signals::{SignalKind, Signals};
use worker::master_lock::{self, MasterLock};

use crate::configuration::Settings;
use crate::log_file::LogFile;
use crate::options::Options;
use crate::supervisor::Master;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("master: fatal: {error}");
            return ExitCode::FAILURE;
        }
    };
    if options.test {
        return test(&options.config_directory);
    }
    if options.init && std::process::id() != 1 {
        eprintln!("postfix/master: fatal: -i is allowed only for PID 1 process");
        return ExitCode::FAILURE;
    }
    if options.wait {
        return background::run(|ready| supervise(&options, ready));
    }
    let _ =
        if options.keep_terminal || options.init { Ok(()) } else { sys::process::become_session_leader() };
    supervise(&options, &mut |ready| match ready {
        Ok(()) if options.keep_terminal => {}
        Ok(()) if options.keep_output => sys::process::silence_terminal_but_output(),
        Ok(()) => sys::process::silence_terminal(),
        Err(problem) => eprintln!("postfix/master: fatal: {problem}"),
    })
}

/// Exit status 0: nobody holds the lock.
fn test(config_directory: &Path) -> ExitCode {
    let holder =
        Settings::read(config_directory).ok().map(|settings| master_lock::holder(&settings.queue_directory));
    match holder {
        Some(Ok(None)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The whole life of a master; `ready` is told once whether the services can be reached.
fn supervise(options: &Options, ready: &mut dyn FnMut(Result<(), &str>)) -> ExitCode {
    match prepare(options) {
        Ok((master, signals, events, lock)) => {
            ready(Ok(()));
            if options.debug {
                worker::debugger::run(&master.config);
            }
            let ended = master.run(signals, events, options.exit_time);
            drop(lock);
            if let Err(error) = ended {
                log::error!(target: maillog::FATAL, "{error}");
                return ExitCode::FAILURE;
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::error!(target: maillog::FATAL, "{error}");
            ready(Err(&error));
            ExitCode::FAILURE
        }
    }
}

type Prepared = (Master, Signals, EventLoop<Master>, MasterLock);

fn prepare(options: &Options) -> Result<Prepared, String> {
    let directory = std::path::absolute(&options.config_directory).map_err(|error| error.to_string())?;
    let settings = Settings::read(&directory).map_err(|error| error.to_string())?;
    // Not in the way of whoever unmounts the directory that the command was given in; workers are there too.
    std::env::set_current_dir(&settings.queue_directory)
        .map_err(|error| format!("chdir {}: {error}", settings.queue_directory.display()))?;
    let log_file = LogFile::open(&settings.config).map_err(|error| error.to_string())?;
    open_log(&settings, &log_file, options.verbose);
    settings.tell_warnings();
    let lock = MasterLock::take(&settings.config).map_err(|error| error.to_string())?;
    let caught = [
        SignalKind::SIGHUP,
        SignalKind::SIGTERM,
        SignalKind::SIGINT,
        SignalKind::SIGUSR1,
        SignalKind::SIGCHLD,
    ];
    let signals = Signals::catch(&caught).map_err(|error| format!("catch signals: {error}"))?;
    sys::process::raise_descriptor_limit();
    let events = EventLoop::new(1).map_err(|error| format!("make the event loop: {error}"))?;
    let version = settings.config.get(&parameters::MAIL_VERSION);
    let in_vain = parameters::inert::set_in_vain(&settings.config).join(", ");
    let master = Master::new(settings, log_file, options.verbose).map_err(|error| error.to_string())?;
    let directory = directory.display();
    log::info!("daemon started -- version {version}, configuration {directory}");
    if !in_vain.is_empty() {
        // Named once, at the start.
        log::warn!("{directory}/main.cf: these settings have no effect in this version: {in_vain}");
    }
    Ok((master, signals, events, lock))
}

fn open_log(settings: &Settings, file: &LogFile, verbose: bool) {
    let host = settings.config.get(&parameters::MYHOSTNAME);
    maillog::open(maillog::Settings {
        tag: format!("{}/master", settings.config.get(&parameters::SYSLOG_NAME)),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        sink: file.sink(),
        buffered: true,
        verbose,
    });
}
