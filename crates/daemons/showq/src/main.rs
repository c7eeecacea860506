//! # NAME
//! showq - list the mail queue
//!
//! # SYNOPSIS
//! **showq** [*generic Postfix daemon options*]
//!
//! # DESCRIPTION
//! Whoever connects to `public/showq` gets a list of all messages in the queue: folder, id, arrival time, size, sender, and each recipient that
//! is left with the reason of its delay. postqueue(1) makes the list readable. The list is in Postfix's attribute protocol, so that programs
//! that read it from Postfix read it from here.
//!
//! With **-S** the list goes to standard output: so postqueue(1) shows the queue while the mail system is down.
//!
//! # SECURITY
//! Runs as the mail owner and takes no input from its clients.
//!
//! # STANDARDS
//! None.
//!
//! # DIAGNOSTICS
//! Problems are logged to syslogd(8) or postlogd(8).
//!
//! # SEE ALSO
//! postqueue(1), qmgr(8), pickup(8), cleanup(8)

mod service;
mod session;
mod listing;
mod alone;

fn main() -> std::process::ExitCode {
    if std::env::args().skip(1).any(|argument| argument == "-S") {
        return alone::run();
    }
    worker::run::<service::Showq>()
}
