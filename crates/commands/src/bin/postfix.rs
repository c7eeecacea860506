//! # NAME
//! postfix - Pillarbox control program
//!
//! # SYNOPSIS
//! `postfix [-Dv] [-c config_dir] command`
//!
//! # DESCRIPTION
//! Starts, stops and looks after the mail system.
//!
//! - `check`: look for folders that are missing or belong to the wrong user, bring tables up to date, warn of
//!   settings that contradict each other.
//! - `start`: check, then start the mail system in the background.
//! - `start-fg`: the same in the foreground, also as process 1 of a container.
//! - `stop`: stop in order: what has been accepted is safe, deliveries under way are finished.
//! - `abort`: stop at once.
//! - `flush`: try to deliver every message in the deferred queue.
//! - `reload`: read the settings again; sessions go on.
//! - `status`: tell whether the mail system runs.
//! - `set-permissions`: make owners and modes of queue folders and commands what they should be.
//! - `upgrade-configuration`: accepted, for there is nothing to upgrade.
//! - `logrotate`: put the log file aside and begin a new one.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf and master.cf are, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-D`, `-v`: a chattier log.
//!
//! # DIAGNOSTICS
//! Exit status 0 when the command did what it says, 1 otherwise; `status` gives 1 when the mail system is down.
//!
//! # SEE ALSO
//! master(8), postconf(1), postqueue(1), postsuper(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postfix::main(std::env::args().skip(1).collect())
}
