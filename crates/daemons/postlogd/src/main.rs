//! # NAME
//! postlogd - Pillarbox internal log server
//!
//! # SYNOPSIS
//! `postlogd [generic Pillarbox daemon options]`
//!
//! # DESCRIPTION
//! Takes log lines of commands such as postlog(1) and sendmail(1) as datagrams on `public/postlog` and appends them to
//! the file that `maillog_file` names. The daemons need no such help: they write to the file themselves, through a
//! descriptor that master opened.
//!
//! # SEE ALSO
//! postlog(1), master(8), postconf(5)

use std::io::Write;
use std::process::ExitCode;

use reactor::EventLoop;
use sys::sockets::{Peer, Socket};
use worker::{Service, Setup, StartError};

/// A longer line is cut.
const LINE_LIMIT_BYTES: usize = 8192;
/// How many lines one turn takes.
const LINES_PER_TURN: usize = 256;

fn main() -> ExitCode {
    worker::run::<LogServer>()
}

/// Appends what comes.
struct LogServer {
    file: Option<std::fs::File>,
}

impl Service for LogServer {
    const PROGRAM: &'static str = "postlogd";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let file =
            setup.log_file().map_err(|source| StartError::Step { step: "share the log file", source })?;
        if file.is_none() {
            log::warn!("maillog_file is empty: lines of commands go to syslog");
        }
        Ok(Self { file })
    }

    fn accepted(&mut self, _: Socket, _: Peer, _: usize, _: &mut EventLoop<Self>) {}

    fn sessions(&self) -> usize {
        0
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn datagrams(&mut self, socket: &Socket, _: &mut EventLoop<Self>) -> bool {
        let mut line = [0; LINE_LIMIT_BYTES];
        let mut lines = Vec::new();
        let mut more = true;
        for _ in 0..LINES_PER_TURN {
            let Ok(length) = socket.read(&mut line) else {
                more = false;
                break;
            };
            lines
                .extend(line[..length].iter().map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }));
            lines.push(b'\n');
        }
        match &mut self.file {
            Some(file) => {
                // A log that fails must not stop the mail.
                let _ = file.write_all(&lines);
            }
            None => String::from_utf8_lossy(&lines).lines().for_each(|line| log::info!("{line}")),
        }
        more
    }
}
