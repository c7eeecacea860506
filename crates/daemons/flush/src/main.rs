//! # NAME
//! flush - which mail waits for which destination
//!
//! # SYNOPSIS
//! **flush** [*generic Postfix daemon options*]
//!
//! # DESCRIPTION
//! Keeps, for each destination in `fast_flush_domains`, a list of the messages that wait for it, in `flush/`. When somebody asks
//! (ETRN, `postqueue -s`), these messages alone are tried at once; with `postqueue -i`, one message.
//!
//! A list is tried by itself when nobody has asked for `fast_flush_refresh_time`, and removed when it has been empty for
//! `fast_flush_purge_time`.
//!
//! # SECURITY
//! Runs as the mail owner. Destinations come from the network: a file's name has only letters, digits and `_` of them.
//!
//! # STANDARDS
//! RFC 1985 (ETRN), through smtpd(8).
//!
//! # DIAGNOSTICS
//! Problems are logged to syslogd(8) or postlogd(8).
//!
//! # SEE ALSO
//! postqueue(1), qmgr(8), smtpd(8)

mod service;
mod session;
mod site_log;

fn main() -> std::process::ExitCode {
    worker::run::<service::Flush>()
}
