//! # NAME
//! pickup - local mail on its way into the queue
//!
//! # SYNOPSIS
//! **pickup** [*generic Postfix daemon options*]
//!
//! # DESCRIPTION
//! Looks through `maildrop/`, where postdrop(1) puts what local users submit and postsuper(1) what is to be queued anew, edits each message as
//! cleanup(8) does, commits it to the incoming queue, tells qmgr(8), and removes the file. It looks when it is told on `public/pickup`, and
//! whenever master's wake-up comes.
//!
//! What the site's checks refuse goes back to its sender. A file that is no message goes to `corrupt/`.
//!
//! # SECURITY
//! Runs as the mail owner. A submission is the word of any local user: of its attributes only those count that a user may give.
//!
//! # STANDARDS
//! None.
//!
//! # DIAGNOSTICS
//! Problems and transactions are logged to syslogd(8) or postlogd(8).
//!
//! # SEE ALSO
//! postdrop(1), sendmail(1), cleanup(8), qmgr(8)

mod service;
mod trigger;
mod submission;
mod intake;

fn main() -> std::process::ExitCode {
    worker::run::<service::Pickup>()
}
