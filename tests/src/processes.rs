//! Which processes and sockets belong to a suite, as /proc tells.

use std::fs;
use std::path::Path;
use std::time::Instant;

use sys::signals::{self, SignalKind};

use crate::suite::PATIENCE;

/// The name of a process that was started before anybody needed it, until somebody does.
const SPARE: &str = "resident-spare";

/// Processes that work below `directory`: every daemon's current directory is the queue's.
pub fn of(directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id() && belongs(*pid, directory)).collect()
}

fn belongs(pid: u32, directory: &Path) -> bool {
    if is_dead(pid) {
        return false;
    }
    let here = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|path| path.starts_with(directory));
    let config = format!("MAIL_CONFIG={}", directory.join("etc").display());
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    here || environment.split(|byte| *byte == 0).any(|entry| entry == config.as_bytes())
}

/// A zombie has ended; its parent has only not looked yet.
fn is_dead(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

/// The name of a process's program.
pub fn program(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// Those of [`of`] that serve clients who have logged in, as the owner of their mailboxes.
pub fn residents(directory: &Path) -> Vec<u32> {
    residents_that(directory, |pid| program(pid) != SPARE)
}

/// Those that wait to be [`residents`].
pub fn spares(directory: &Path) -> Vec<u32> {
    residents_that(directory, |pid| program(pid) == SPARE)
}

fn residents_that(directory: &Path, wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    let is_resident = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"resident") && wanted(*pid)
    };
    of(directory).into_iter().filter(is_resident).collect()
}

/// The process ids of a process's children.
pub fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Unix sockets bound to paths below `directory`.
pub fn sockets_below(directory: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let paths = table.lines().filter_map(|line| line.split_whitespace().nth(7));
    paths.filter(|path| Path::new(path).starts_with(directory)).map(str::to_owned).collect()
}

/// Kills a process at once.
pub fn kill(pid: u32) {
    // It may have ended by itself meanwhile.
    let _ = signals::send(pid, SignalKind::SIGKILL);
}

/// Kills what is left of a suite, and waits for its end.
pub fn kill_all(directory: &Path) {
    let deadline = Instant::now() + PATIENCE;
    // A master that dies late may have started another worker meanwhile.
    while Instant::now() < deadline {
        let pids = of(directory);
        if pids.is_empty() {
            return;
        }
        pids.into_iter().for_each(kill);
        std::thread::yield_now();
    }
}
