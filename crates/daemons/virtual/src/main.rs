//! # NAME
//! virtual - deliver into virtual mailboxes
//!
//! # DESCRIPTION
//! Takes deliveries from qmgr(8) for recipients whose mailboxes are listed in tables, and need no user of this
//! system. A mailbox whose path ends in `/` is a Maildir, any other an mbox file. There are no aliases, no forward
//! files and no commands here.
//!
//! Tables are asked for `user+extension@domain`, `user@domain` and `@domain`, for domains of this host also for
//! `user+extension` and `user`.
//!
//! # QUOTA
//! `mailbox_quota_maps` gives each address what all its mail may grow to, and `virtual_mailbox_limit` is the
//! largest size of an mbox file, or of one message in a Maildir. Senders are told in time when a second service of this
//! program, whose name ends in `quota-status`, is asked by smtpd(8), or by a Postfix:
//!
//! ```text
//! master.cf:  quota-status  unix  -  n  n  -  -  virtual
//! main.cf:    smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/quota-status
//! ```
//!
//! Who has no room is answered `quota_status_overquota`; about all others it has no opinion, as Dovecot's quota-status.
//!
//! # SECURITY
//! virtual runs as `mail_owner` and writes to no mailbox. Each copy is handed, with the open queue file, to a courier
//! that runs as the mailbox's owner and can reach nothing but `virtual_mailbox_base` and this queue file, where it
//! crosses the recipient off; spawnd(8) starts couriers and looks their ids up by itself. A path with `..` is refused, a symbolic link is not followed, a mailbox that
//! another user owns or that has a second name is left alone; mail for it waits. A regular expression table may
//! not use `$1`.
//!
//! # DIAGNOSTICS
//! Each delivery is logged with its outcome. A recipient without a mailbox is returned to the sender; so is mail that
//! would make a mailbox larger than `virtual_mailbox_limit` or its quota. All other trouble puts mail off.
//!
//! # CONFIGURATION PARAMETERS
//! `virtual_mailbox_base`, `virtual_mailbox_maps`, `virtual_uid_maps`, `virtual_gid_maps`, `virtual_minimum_uid`,
//! `virtual_mailbox_limit`, `mailbox_quota_maps`, `virtual_mailbox_layout`, `quota_status_overquota`,
//! `virtual_mailbox_lock`, `virtual_mailbox_follow_links`, `strict_mailbox_ownership`,
//! `deliver_lock_attempts`, `deliver_lock_delay`, `stale_lock_time`, `recipient_delimiter`
//!
//! # SEE ALSO
//! qmgr(8), spawnd(8), local(8), postconf(5)

mod settings;
mod service;
mod job;
mod recipient;
mod outcome;
mod quota_status;

use std::process::ExitCode;

use crate::service::Virtual;

fn main() -> ExitCode {
    worker::run::<Virtual>()
}
