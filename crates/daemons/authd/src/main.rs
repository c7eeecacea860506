//! # NAME
//! authd - check who logs in
//!
//! # DESCRIPTION
//! Knows who may log in, by which password, and where the mail of each lies. pop3d(8), imapd(8) and smtpd(8) ask it
//! over a socket in Dovecot's authentication protocol, version 1; so does a Postfix with `smtpd_sasl_type = dovecot`
//! and `smtpd_sasl_path = private/auth`. The same socket answers Dovecot's `USER` question. A service of this program
//! whose name ends in `userdb` greets as Dovecot's user database does, for delivery agents.
//!
//! Users come from `virtual_password_maps` with the virtual mailbox tables of Postfix, from a password file in
//! Dovecot's form (`passwd_file`), and, if wanted, from this system. A change takes effect at once.
//!
//! # PASSWORDS
//! `{SCHEME}secret`, where the scheme is one of: PLAIN (CLEARTEXT), CRYPT (`$2y$` and its kin, `$6$`, `$5$`, `$1$`,
//! `$y$`, `$argon2id$`), BLF-CRYPT, SHA512-CRYPT, SHA256-CRYPT, MD5-CRYPT, ARGON2ID, ARGON2I, PBKDF2, SCRAM-SHA-256,
//! SCRAM-SHA-1, SSHA512, SSHA256, SSHA, SHA512, SHA256, SHA, SMD5, PLAIN-MD5, LDAP-MD5, CRAM-MD5, DIGEST-MD5. `.b64`
//! and `.hex` after the name say how the secret is written. DES passwords, NTLM and one-time passwords are not known.
//! Weak schemes work; the log says once that they are in use. pillarbox-password(1) makes stored passwords.
//!
//! # MECHANISMS
//! PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, EXTERNAL and APOP, without channel binding.
//!
//! # SECURITY
//! Runs as `mail_owner`; files that only root can read are read before, and when one of them has changed the process
//! makes way for a fresh one. Passwords are checked on threads of their own and are never logged. The answer to a
//! failed login comes after `login_failure_delay`, whether the user exists or not; an address from which guesses come
//! waits longer and longer before its next try is looked at.
//!
//! # DIAGNOSTICS
//! Each login makes one line: `login: user=<info@example.com>, method=PLAIN, service=pop3, rip=192.0.2.1`, or
//! `login failed: ...` with the reason at its end.
//!
//! # STANDARDS
//! RFC 1939 (APOP), RFC 2195 (CRAM-MD5), RFC 4422 (SASL, EXTERNAL), RFC 4616 (PLAIN), RFC 5802 and RFC 7677 (SCRAM)
//!
//! # CONFIGURATION PARAMETERS
//! `virtual_password_maps`, `passwd_file`, `login_system_users`, `login_default_domain`, `login_mechanisms`,
//! `virtual_mailbox_maps`, `virtual_mailbox_base`, `virtual_uid_maps`, `virtual_gid_maps`, `virtual_minimum_uid`,
//! `home_mailbox`, `mail_spool_directory`
//!
//! # SEE ALSO
//! pop3d(8), smtpd(8), spawnd(8), pillarbox(1)

mod settings;
mod service;
mod connection;
mod exchange;
mod attempt;
mod remembered;
mod penalties;
mod tickets;
mod userdb;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::run::<service::Authd>()
}
