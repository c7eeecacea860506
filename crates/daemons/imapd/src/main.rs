//! # NAME
//! imapd - IMAP server
//!
//! # DESCRIPTION
//! Lets users read their mail where it lies, by IMAP. The program leads two lives. Started by master(8) it is the login
//! server: it talks to clients that nobody knows yet, asks authd(8) who they are, and can reach no mailbox. A client that
//! has logged in goes on to a resident: the same program, started by spawnd(8) as the owner of the mailbox and confined
//! to the mailbox base; one serves all users of that owner. TLS stays in the login server. Name it in master.cf, with
//! authd(8) beside it:
//!
//! ```text
//! imap   inet  n  -  n  -  -  imapd
//! imaps  inet  n  -  n  -  -  imapd -o imapd_tls_wrappermode=yes
//! auth   unix  -  -  n  -  -  authd
//! ```
//!
//! Mailboxes are Maildir++ folders as Dovecot keeps them, and both can be used in turn or at the same time: UIDs, flags,
//! keywords and subscriptions are the same. Several clients may have one mailbox; each is told what the others do, and
//! one that idles at once; with NOTIFY also between commands, and of other mailboxes, up to 1,000 of them.
//!
//! When all clients of a resident have said nothing for a while, in IDLE or between two commands, it ends, and spawnd(8) waits
//! in its place (`imapd_hibernate_time`): an owner with few clients costs no process. That is not for owners with more than 48
//! clients, who share one; nor for clients that use NOTIFY, compression, saved searches or searches that are kept up to date; nor
//! where the kernel has no watch left for a mailbox (`fs.inotify.max_user_watches`; the log says so): then clients that idle hear
//! of changes every `imapd_idle_notify_interval`.
//!
//! A mailbox that is an mbox file is INBOX alone; other folders are mbox files in a directory beside it
//! (`mbox_folders_suffix`, and `mail_folder_directory` for users of this system).
//!
//! # CAPABILITIES
//! IMAP4rev1, IMAP4rev2, SASL-IR, LITERAL+, ID, ENABLE, IDLE, NAMESPACE, CHILDREN, UNSELECT, UIDPLUS, MOVE, CONDSTORE, QRESYNC,
//! ESEARCH, SEARCHRES, SORT, SORT=DISPLAY, ESORT, THREAD=REFERENCES, THREAD=REFS, THREAD=ORDEREDSUBJECT, CONTEXT=SEARCH, LIST-EXTENDED,
//! LIST-STATUS, SPECIAL-USE, CREATE-SPECIAL-USE, MULTIAPPEND, BINARY, CATENATE, WITHIN, I18NLEVEL=1, STATUS=SIZE,
//! SAVEDATE, PREVIEW, OBJECTID, PARTIAL, COMPRESS=DEFLATE, UTF8=ACCEPT, APPENDLIMIT, REPLACE, METADATA,
//! INPROGRESS, NOTIFY, QUOTA (of `STORAGE` and `MESSAGE`; it is set by `mailbox_quota_maps`, not by clients), ACL,
//! RIGHTS=texk, LIST-MYRIGHTS
//!
//! # RIGHTS
//! Who may do what with a mailbox stands in the file `dovecot-acl` in its directory (of an mbox file, in the directory of its
//! name in `.imap` beside it), a line for each identifier: `owner lrws`, `user=joe lr`, `-group=staff w`. It is Dovecot's file,
//! and clients change it with SETACL. Where there is none, the owner may do everything.
//!
//! Beside it counts `imapd_acl_global`, the administrator's list for the mailboxes of all users, which is the stronger: what it
//! says of a user holds instead of what the mailbox's own list says. In each, entries count in the order `anyone`,
//! `authenticated`, `group=`, `owner`, `user=`, `group-override=`, the later ones instead of the earlier; the groups of a user
//! are in `mailbox_acl_groups_maps`.
//!
//! Only owners reach their mailboxes, so it is only them that rights bind; what is said of others is kept for the day when
//! another server asks. Whatever owners take from themselves, they keep the right to give it back; what
//! the administrator writes into the file holds. A mailbox whose file can not be understood is shut, and the log names file and
//! line. The rights of the selected mailbox are those that it had when it was selected, or that the same client has given it
//! since. pop3d(8) and deliveries ask nobody.
//!
//! All of this is off with `imapd_acl = no`.
//!
//! # SECURITY
//! Before the log-in nothing of a mailbox can be reached, for the process that talks to the client has no right to. A
//! password without TLS is taken from this host alone, unless `imapd_tls_auth_only` is off. Commands, literals, nesting
//! and messages are bounded.
//!
//! # STANDARDS
//! RFC 2177 (IDLE), RFC 2342 (NAMESPACE), RFC 2971 (ID), RFC 3501 (IMAP4rev1), RFC 3502 (MULTIAPPEND), RFC 3516
//! (BINARY), RFC 3691 (UNSELECT), RFC 4314 (ACL), RFC 4315 (UIDPLUS), RFC 4469 (CATENATE), RFC 4731 (ESEARCH), RFC 4978
//! (COMPRESS=DEFLATE), RFC 5032 (WITHIN), RFC 5161 (ENABLE), RFC 5182 (SEARCHRES), RFC 5255 (I18NLEVEL), RFC 5256
//! (SORT, THREAD), RFC 5258 (LIST-EXTENDED), RFC 5464 (METADATA), RFC 5465 (NOTIFY), RFC 5819 (LIST-STATUS), RFC 5957 (SORT=DISPLAY), RFC
//! 6154 (SPECIAL-USE), RFC 6851 (MOVE), RFC 6855 (UTF8=ACCEPT), RFC 7162 (CONDSTORE, QRESYNC), RFC 7888 (LITERAL+), RFC
//! 7889 (APPENDLIMIT), RFC 8314 (TLS from the start), RFC 8438 (STATUS=SIZE), RFC 8440 (LIST-MYRIGHTS), RFC 8474 (OBJECTID), RFC 8508 (REPLACE),
//! RFC 8514 (SAVEDATE), RFC 8970 (PREVIEW), RFC 9051 (IMAP4rev2), RFC 9208 (QUOTA), RFC 9394 (PARTIAL), RFC 9585
//! (INPROGRESS)
//!
//! # DIAGNOSTICS
//! Log-ins, and what fails in a mailbox, are logged. A client that makes too many errors is sent away.
//!
//! # CONFIGURATION PARAMETERS
//! All whose names begin with `imapd_`, and `authd_service_name`, `virtual_mailbox_layout`, `mbox_folders_suffix`,
//! `mail_folder_directory`, `mailbox_index_directory`, `mailbox_quota_maps`, `mailbox_acl_groups_maps`, `smtpd_tls_cert_file`, `smtpd_tls_key_file`,
//! `smtpd_tls_chain_files`, `smtpd_tls_protocols`, `smtpd_starttls_timeout`
//!
//! # SEE ALSO
//! authd(8), spawnd(8), pop3d(8), postconf(5)

mod capabilities;
mod service;
mod login;
mod resident;
mod session;
mod state;
mod view;
mod refusal;
mod access;
mod command;
mod special_use;
mod criteria;
mod computed;
mod signature;
mod headers;
mod updates;
mod notify;
mod fresh;
mod watches;
mod parking;
mod text;
mod binary;
mod preview;
mod url;

use std::process::ExitCode;

fn main() -> ExitCode {
    if worker::resident::is_wanted() {
        worker::resident::run::<resident::Mailboxes>()
    } else {
        worker::run::<worker::login::LoginServer<service::Imap>>()
    }
}
