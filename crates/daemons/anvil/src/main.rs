//! # NAME
//! anvil - counts clients and what they do
//!
//! # SYNOPSIS
//! **anvil** [*generic Postfix daemon options*]
//!
//! # DESCRIPTION
//! Keeps, for each client and service, how many connections it has, and how many connections, messages, recipients, new
//! TLS sessions and authentications it has made within `anvil_rate_time_unit`. The workers of smtpd(8) tell it what their
//! clients do, and hear what that comes to; whether it is too much is for them to say (`smtpd_client_*_limit`).
//!
//! Nothing is written to disk: after a restart all clients begin anew. When a worker ends without a word, its clients'
//! connections are taken back.
//!
//! # SECURITY
//! Runs as the mail owner and talks to programs of the suite alone. The number of clients that are remembered is limited.
//!
//! # DIAGNOSTICS
//! Every `anvil_status_update_time`, and at the end, the highest counts and rates since the last time are logged, each with
//! its client and when it was.
//!
//! # SEE ALSO
//! smtpd(8), postconf(5)

mod service;
mod session;
mod counts;
mod statistics;

fn main() -> std::process::ExitCode {
    worker::run::<service::Anvil>()
}
