//! What a suite costs: processor time, memory, system calls.

use std::fs;
use std::process::{Command, Stdio};

use tests::Suite;
use tests::processes;

/// Units of time in /proc/PID/stat: USER_HZ, 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of all processes of the suite, those that have ended included, in seconds.
pub(crate) fn processor_seconds(suite: &Suite) -> f64 {
    let ticks: u64 = suite.processes().into_iter().map(ticks).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// The same of one process.
pub(crate) fn seconds_of(pid: u32) -> f64 {
    ticks(pid) as f64 / TICKS_PER_SECOND
}

/// utime, stime, and those of children that were waited for (proc(5)).
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0 };
    rest.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Memory of all processes of the suite, each shared page counted once, in bytes.
pub(crate) fn memory_bytes(suite: &Suite) -> f64 {
    suite.processes().into_iter().map(proportional_kib).sum::<u64>() as f64 * 1024.0
}

/// The same of one process.
pub(crate) fn proportional_bytes(pid: u32) -> f64 {
    proportional_kib(pid) as f64 * 1024.0
}

fn proportional_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// How many system calls all processes of the suite make while `work` goes on.
pub(crate) fn system_calls(suite: &Suite, work: impl FnOnce()) -> f64 {
    let summary = suite.root().join("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-q", "-U", "calls,name", "-o"]).arg(&summary);
    for pid in suite.processes() {
        command.args(["-p", &pid.to_string()]);
    }
    let mut tracer = command.stdin(Stdio::null()).spawn().expect("strace");
    suite
        .until("strace to hold every process", || suite.processes().into_iter().all(is_traced).then_some(()));
    work();
    let interrupted = sys::signals::send(tracer.id(), sys::signals::SignalKind::SIGINT);
    interrupted.expect("stop strace");
    tracer.wait().expect("end of strace");
    let text = fs::read_to_string(&summary).unwrap_or_default();
    let total = text.lines().find(|line| line.trim_end().ends_with("total")).unwrap_or_default();
    total.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

fn is_traced(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    processes::program(pid).is_empty()
        || status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
}
