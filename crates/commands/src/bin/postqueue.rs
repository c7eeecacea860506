//! # NAME
//! postqueue - what any user may do with the queue
//!
//! # SYNOPSIS
//! `postqueue [-v] [-c config_dir] -f`
//! `postqueue [-v] [-c config_dir] -i queue_id`
//! `postqueue [-v] [-c config_dir] -j`
//! `postqueue [-v] [-c config_dir] -p`
//! `postqueue [-v] [-c config_dir] -s site`
//!
//! # DESCRIPTION
//! Shows the queue, or has mail tried now instead of later.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-f`: try all mail now.
//! - `-i queue_id`: try this message now.
//! - `-j`: show the queue, one JSON object a line for each message.
//! - `-p`: show the queue as sendmail does. Behind the id stands `*` for an active message, `!` for one on hold, `#` for one that goes
//!   back to its sender at the next attempt.
//! - `-s site`: try all mail for this site now; it must be in `fast_flush_domains`.
//! - `-v`: say more.
//!
//! # SECURITY
//! Installed set-group-id `setgid_group`, so that it may reach the sockets in `public/`.
//!
//! # DIAGNOSTICS
//! Exit status 0; 69 when the mail system is down or the command line makes no sense; 77 when the user is not allowed.
//!
//! # CONFIGURATION PARAMETERS
//! `alternate_config_directories`, `authorized_flush_users`, `authorized_mailq_users`, `fast_flush_domains`, `queue_directory`.
//!
//! # SEE ALSO
//! postsuper(1), showq(8), flush(8), qmgr(8)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postqueue::main(std::env::args_os().skip(1).collect())
}
