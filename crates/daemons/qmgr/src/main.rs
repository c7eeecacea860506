//! # NAME
//! qmgr - queue manager
//!
//! # SYNOPSIS
//! **qmgr** [*generic Postfix daemon options*]
//!
//! # DESCRIPTION
//! The queue manager takes complete messages from `incoming/`, finds out where each recipient's mail goes, hands it to the delivery
//! agents, and crosses the recipients off. What could not be delivered waits in `deferred/` and is tried again; what can not be delivered
//! goes back to its sender through bounce(8).
//!
//! Programs of the suite name each new message on `public/qmgr`. The trigger letters of Postfix are understood there too: **W** and **I** scan
//! `incoming/`, **D** scans `deferred/`, **A** takes messages whatever the time of their next attempt, **F** tries destinations that were
//! found dead.
//!
//! The master.cf entry must allow one process at most. A second one waits until the first is gone.
//!
//! # STANDARDS
//! RFC 3461 to 3464 (delivery status notifications), through bounce(8).
//!
//! # DIAGNOSTICS
//! Problems and transactions are logged to syslogd(8) or postlogd(8). A queue file that can not be read is moved to `corrupt/`.
//!
//! # SEE ALSO
//! bounce(8), cleanup(8), pickup(8), postqueue(1), postsuper(1), master(5)

mod settings;
mod message;
mod intake;
mod trigger;
mod direct;
mod disk;
mod memory;
mod resolve;
mod clog;
mod dispatch;
mod reports;
mod lost;
mod finish;
mod flush;
mod service;

fn main() -> std::process::ExitCode {
    worker::run::<service::Manager>()
}
