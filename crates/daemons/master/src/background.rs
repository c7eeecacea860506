//! Runs master behind the scenes, and lets the caller know how the start went.

use std::os::fd::AsFd;
use std::process::ExitCode;

use sys::sockets::{self, Socket};

/// How long the start may take.
const START_PATIENCE_SECONDS: u16 = 20;

/// Starts `master` in a process of its own; returns when it is ready or has failed.
pub(crate) fn run(master: impl FnOnce(&mut dyn FnMut(Result<(), &str>)) -> ExitCode) -> ExitCode {
    let (ours, theirs) = match sockets::pair(true) {
        Ok(pair) => pair,
        Err(error) => return fail(&format!("make a socket pair: {error}")),
    };
    let child = sys::fork::fork(move || {
        let _ = sys::process::become_session_leader();
        let status = master(&mut |result| tell(&theirs, result));
        i32::from(status != ExitCode::SUCCESS)
    });
    match child {
        Err(error) => fail(&format!("fork: {error}")),
        Ok(_) => hear(&ours),
    }
}

fn tell(to: &Socket, result: Result<(), &str>) {
    let _ = match result {
        Ok(()) => {
            sys::process::silence_terminal();
            to.write(b"ready")
        }
        Err(problem) => to.write(problem.as_bytes()),
    };
}

fn hear(from: &Socket) -> ExitCode {
    let mut answer = [0; 1024];
    if !sockets::wait_readable(from.as_fd(), START_PATIENCE_SECONDS * 1000) {
        return fail("the master process does not get ready");
    }
    match from.read(&mut answer) {
        Ok(length) if &answer[..length] == b"ready" => ExitCode::SUCCESS,
        Ok(0) | Err(_) => fail("the master process ended before it was ready: see the log"),
        Ok(length) => fail(&String::from_utf8_lossy(&answer[..length])),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("postfix/master: fatal: {problem}");
    ExitCode::FAILURE
}
