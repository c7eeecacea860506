//! # NAME
//! spamd - judges mail by SpamAssassin's rules
//!
//! # SYNOPSIS
//! **spamd** [*generic Postfix daemon options*]
//!
//! **spamd** [**-dLxl**] [**-i** *address*] [**-p** *port*] [**--socketpath** *path*] [**-A** *addresses*] [**-u** *user*] [**-r** *pidfile*]
//! [**-s** *facility*] [**-C** *path*] [**--siteconfigpath** *path*] [**--cf** *line*] [**--virtual-config-dir** *pattern*] [**-m** *number*]
//! [**--timeout-tcp** *seconds*] [**--timeout-child** *seconds*]
//!
//! # DESCRIPTION
//! Reads SpamAssassin's rule files unmodified and judges the messages that clients (spamc(1), Exim, Haraka) hand it in the SPAMC protocol,
//! version 1.5. Messages are judged by threads, as many as there are processors; there are no children that grow.
//!
//! It runs as a service of master(8), or by hand with SpamAssassin's options. Without installed rules it has a few of its own, and says so.
//!
//! Not in this version: Bayes and other learning, network tests (DNS lists, SPF, DKIM, Razor, Pyzor, DCC), preferences from SQL and LDAP, TLS,
//! compressed messages. Settings of these are read and named once in the log; `TELL` is answered as unavailable.
//!
//! # SECURITY
//! Started by root it becomes the user that **-u** names, else `nobody`; by master, the mail owner. No rule can run a command.
//!
//! # STANDARDS
//! SPAMC/1.5 of Apache SpamAssassin.
//!
//! # DIAGNOSTICS
//! Each verdict is a line `spamd: result:` in the log, as SpamAssassin writes it. Faults of rule files name file and line.
//!
//! # SEE ALSO
//! master(8)

mod options;
mod alone;
mod service;
mod session;
mod judge;
mod users;

fn main() -> std::process::ExitCode {
    if std::env::var_os(worker::protocol::ENV_LOG_TAG).is_some() {
        return worker::run::<service::Spamd>();
    }
    alone::run()
}
