//! Starting and stopping.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use sys::signals::{SignalKind, send};

use crate::postfix::report::{Problem, say, warn};
use crate::postfix::{Site, folders};

/// How long `stop` waits before it uses force. Master itself gives its workers eight seconds.
const STOP_PATIENCE: Duration = Duration::from_secs(12);
/// How often a stopping master is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

fn program(site: &Site, name: &str) -> PathBuf {
    PathBuf::from(site.config.get(&parameters::DAEMON_DIRECTORY)).join(name)
}

/// The process id of the master that runs, if one does.
fn running(site: &Site) -> Result<Option<u32>, Problem> {
    worker::master_lock::holder(&site.queue_directory)
        .map_err(|error| Problem(format!("open {}: {error}", worker::master_lock::PID_FILE)))
}

fn must_run(site: &Site) -> Result<u32, Problem> {
    running(site)?.ok_or_else(|| Problem("the Postfix mail system is not running".to_owned()))
}

fn must_not_run(site: &Site) -> Result<(), Problem> {
    match running(site)? {
        Some(_) => Err(Problem("the Postfix mail system is already running".to_owned())),
        None => Ok(()),
    }
}

fn signal(pid: u32, kind: SignalKind) -> Result<(), Problem> {
    send(pid, kind).map_err(|error| Problem(format!("signal process {pid}: {error}")))
}

/// `postfix start`
pub(crate) fn start(site: &Site) -> Result<(), Problem> {
    must_not_run(site)?;
    folders::prepare(site)?;
    say("starting the Postfix mail system");
    let master = program(site, "master");
    let status = Command::new(&master)
        .arg("-c")
        .arg(&site.config_directory)
        .arg("-w")
        .status()
        .map_err(|error| Problem(format!("start {}: {error}", master.display())))?;
    if status.success() { Ok(()) } else { Err(Problem("mail system startup failed".to_owned())) }
}

/// `postfix start-fg`: this process becomes master.
pub(crate) fn start_in_foreground(site: &Site) -> Result<(), Problem> {
    must_not_run(site)?;
    folders::prepare(site)?;
    say("starting the Postfix mail system");
    let master = program(site, "master");
    let mode = if std::process::id() == 1 { "-i" } else { "-s" };
    let error = Command::new(&master).arg(mode).arg("-c").arg(&site.config_directory).exec();
    Err(Problem(format!("start {}: {error}", master.display())))
}

/// `postfix stop`
pub(crate) fn stop(site: &Site) -> Result<(), Problem> {
    let pid = must_run(site)?;
    say("stopping the Postfix mail system");
    signal(pid, SignalKind::SIGTERM)?;
    if !wait_for_end(site, STOP_PATIENCE)? {
        warn("stopping the Postfix mail system with force");
        signal(pid, SignalKind::SIGKILL)?;
        wait_for_end(site, STOP_PATIENCE)?;
    }
    Ok(())
}

/// `postfix abort`
pub(crate) fn abort(site: &Site) -> Result<(), Problem> {
    let pid = must_run(site)?;
    say("aborting the Postfix mail system");
    signal(pid, SignalKind::SIGUSR1)?;
    wait_for_end(site, STOP_PATIENCE).map(drop)
}

/// True when master is gone within the time.
fn wait_for_end(site: &Site, patience: Duration) -> Result<bool, Problem> {
    let end = Instant::now() + patience;
    while running(site)?.is_some() {
        if Instant::now() > end {
            return Ok(false);
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(true)
}

/// `postfix reload`
pub(crate) fn reload(site: &Site) -> Result<(), Problem> {
    let pid = must_run(site)?;
    say("refreshing the Postfix mail system");
    folders::prepare(site)?;
    signal(pid, SignalKind::SIGHUP)
}

/// `postfix flush`
pub(crate) fn flush(site: &Site) -> Result<(), Problem> {
    must_run(site)?;
    let command = PathBuf::from(site.config.get(&parameters::COMMAND_DIRECTORY)).join("postqueue");
    let status = Command::new(&command).arg("-c").arg(&site.config_directory).arg("-f").status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Problem(format!("{} -f: {status}", command.display()))),
        Err(error) => Err(Problem(format!("start {}: {error}", command.display()))),
    }
}

/// `postfix status`
pub(crate) fn status(site: &Site) -> Result<(), Problem> {
    match running(site)? {
        Some(pid) => {
            say(&format!("the Postfix mail system is running: PID: {pid}"));
            Ok(())
        }
        None => {
            say("the Postfix mail system is not running");
            std::process::exit(1);
        }
    }
}
