//! # NAME
//! postdrop - take a submission into the queue
//!
//! # SYNOPSIS
//! `postdrop [-rv] [-c config_dir]`
//!
//! # DESCRIPTION
//! Copies a message from standard input, in the form that sendmail(1) gives it, into `maildrop/`, makes it safe on disk, and tells pickup(8).
//! The name of the file and the result go to standard output, as attributes.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-r`: accepted; there is no other way.
//! - `-v`: say more.
//!
//! # SECURITY
//! Installed set-group-id `setgid_group`, so that any user can submit mail and none can see that of others. What is not of the kind that
//! sendmail(1) may say is refused.
//!
//! # DIAGNOSTICS
//! Exit status 0 when the message is safe, else the file is removed.
//!
//! # CONFIGURATION PARAMETERS
//! `alternate_config_directories`, `authorized_submit_users`, `message_size_limit`, `queue_directory`.
//!
//! # SEE ALSO
//! sendmail(1), pickup(8), postsuper(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postdrop::main(std::env::args_os().skip(1).collect())
}
