//! # NAME
//! postkick - wake a service
//!
//! # SYNOPSIS
//! `postkick [-c config_dir] [-v] class service request`
//!
//! # DESCRIPTION
//! Sends the letters of *request* to the socket of a service, in `public/` or `private/`.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-v`: say more.
//!
//! # DIAGNOSTICS
//! Exit status 0, or 1 when the service can not be reached.
//!
//! # SEE ALSO
//! qmgr(8), pickup(8), postqueue(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postkick::main(std::env::args_os().skip(1).collect())
}
