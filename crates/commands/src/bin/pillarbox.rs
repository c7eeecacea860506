//! # NAME
//! pillarbox - try the mail system, look into it, ask it questions
//!
//! # SYNOPSIS
//! `pillarbox demo [--dir D] [--port N] [--pop3-port N] [--check]`
//!
//! `pillarbox status [-c config_dir]`
//!
//! `pillarbox explain [-c config_dir] ADDRESS [--from SENDER] [--client IP] [--helo NAME]`
//!
//! `pillarbox user [-c config_dir] ADDRESS`
//!
//! `pillarbox password [--scheme SCHEME]`
//!
//! # DESCRIPTION
//! - `demo`: as any user and without any installation, writes a complete configuration below D (`./demo`), starts
//!   the suite on 127.0.0.1, sends a message through it into a Maildir and an mbox, reads it back by POP3, shows where to look, and stays up
//!   until Ctrl-C. With `--check` it stops after the round trip; exit status 0 when all went well.
//! - `status`: each service with its workers, clients, restarts and last failure.
//! - `explain`: every step that an address takes through the running configuration, with the parameter, table and
//!   entry that decided it. The reply to RCPT TO is found by the restriction lists of the first smtpd in master.cf, with
//!   the list and the word that refuse; names are looked up in DNS, policy servers are not asked.
//!
//! - `user`: what authd(8) would say of a login: its whole name, how its password is stored (never the password), where
//!   the mail lies and whose it is. Ask as root, or as who may read the password tables.
//! - `password`: reads one line and prints it as a stored password, for `virtual_password_maps` or a password file.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf and master.cf are, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `--dir D`: the folder of the demo.
//! - `--from SENDER`: the envelope's sender; without it the null sender.
//! - `--client IP`: who connects; without it a stranger without a name.
//! - `--helo NAME`: what the client calls itself; without it its address in brackets.
//! - `--port N`: the demo's SMTP port, 2525 unless said otherwise.
//! - `--pop3-port N`: the demo's POP3 port, 2110 unless said otherwise.
//! - `--scheme SCHEME`: BLF-CRYPT unless said otherwise; or ARGON2ID, SHA512-CRYPT, SHA256-CRYPT, SCRAM-SHA-256,
//!   SCRAM-SHA-1, SSHA512, CRAM-MD5, PLAIN.
//!
//! # SEE ALSO
//! postfix(1), postconf(1), master(8), authd(8), pop3d(8)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::pillarbox::main()
}
