//! # NAME
//! postlog - write to the mail log
//!
//! # SYNOPSIS
//! `postlog [-iv] [-c config_dir] [-p priority] [-t tag] [text ...]`
//!
//! # DESCRIPTION
//! Logs *text* as one line; without it, each line of standard input. On a terminal the lines appear there as well.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-i`: accepted; the process id is always there.
//! - `-p priority`: info, warn, error, fatal or panic.
//! - `-t tag`: what stands in front of the process id.
//! - `-v`: say more.
//!
//! # CONFIGURATION PARAMETERS
//! `maillog_file`, `postlog_service_name`, `syslog_name`.
//!
//! # SEE ALSO
//! postlogd(8), syslogd(8)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postlog::main(std::env::args_os().skip(1).collect())
}
