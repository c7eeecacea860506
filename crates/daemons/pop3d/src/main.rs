//! # NAME
//! pop3d - POP3 server
//!
//! # DESCRIPTION
//! Lets users fetch their mail by POP3 from the Maildirs and mbox files that virtual(8) and local(8) deliver to. Name it
//! in master.cf, with authd(8) beside it:
//!
//! ```text
//! pop3   inet  n  -  n  -  -  pop3d
//! pop3s  inet  n  -  n  -  -  pop3d -o pop3d_tls_wrappermode=yes
//! auth   unix  -  -  n  -  -  authd
//! ```
//!
//! Commands: USER, PASS, APOP, AUTH, CAPA, STLS, UTF8, STAT, LIST, UIDL, RETR, TOP, DELE, NOOP, RSET, QUIT, and LAST where
//! it is switched on. One session at a time has a mailbox; a second is told `[IN-USE]`. Unique ids are those of Dovecot,
//! as the mailbox records them. A session that ends without QUIT, because the client went away or was silent for ten
//! minutes, has changed nothing.
//!
//! # DOVECOT
//! These settings are Dovecot's by other names: `pop3d_uidl_format` is pop3_uidl_format, `pop3d_no_flag_updates` is
//! pop3_no_flag_updates, `pop3d_enable_last` is pop3_enable_last, `pop3d_lock_session` is pop3_lock_session (which is off
//! there), `pop3d_delete_type` is pop3_delete_type, `pop3d_deleted_flag` is pop3_deleted_flag,
//! `pop3d_tls_security_level` is ssl, `pop3d_tls_auth_only` is disable_plaintext_auth, `pop3d_banner` is login_greeting.
//! Ids that a mailbox records are kept (pop3_reuse_xuidl, pop3_save_uidl), duplicates are renamed
//! (pop3_uidl_duplicates). Not in this version: pop3_client_workarounds.
//!
//! # MAILBOXES
//! INBOX of the user's mailbox, wherever `virtual_mailbox_maps`, `passwd_file` or local(8) has it: a Maildir, or an mbox
//! file when the path does not end in `/`.
//!
//! # SECURITY
//! The program is two. Who has not logged in speaks to a process that runs as `mail_owner` and reaches no mailbox; TLS
//! stays there. After the login spawnd(8) asks authd(8) who it was, and passes the client to a process that runs as the
//! owner of the mailbox and reaches nothing else.
//!
//! # DIAGNOSTICS
//! authd(8) logs each login. The end of a session is logged with what it fetched and removed:
//! `user=<info@example.com>, rip=192.0.2.1: logged out, retr=3, del=2/5, size=20480`.
//!
//! # STANDARDS
//! RFC 1939 (POP3), RFC 2449 (CAPA), RFC 2595 (STLS), RFC 3206 (AUTH and SYS codes), RFC 5034 (AUTH), RFC 6856 (UTF8),
//! RFC 8314 (TLS from the start)
//!
//! # CONFIGURATION PARAMETERS
//! All whose names begin with `pop3d_`, and `virtual_mailbox_layout`, `mbox_folders_suffix`, `mail_folder_directory`,
//! `mailbox_index_directory`, `mailbox_quota_maps`, `smtpd_tls_cert_file`, `smtpd_tls_key_file`, `smtpd_tls_chain_files`,
//! `smtpd_tls_protocols`, `smtpd_starttls_timeout`
//!
//! # SEE ALSO
//! authd(8), spawnd(8), virtual(8), master(5)

mod ahead;
mod settings;
mod login;
mod mailboxes;
mod session;

use std::process::ExitCode;

use worker::login::LoginServer;
use worker::resident;

fn main() -> ExitCode {
    if resident::is_wanted() {
        return resident::run::<mailboxes::Mailboxes>();
    }
    worker::run::<LoginServer<login::Pop3>>()
}
