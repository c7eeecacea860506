//! # NAME
//! local - deliver to users of this system, and follow aliases
//!
//! # DESCRIPTION
//! Takes deliveries from qmgr(8) for names of this host. A name is looked up in `alias_maps`, with its extension and
//! without; what stands there may be other names, addresses elsewhere, and files with more of them (`:include:`). A
//! name that is no alias is a user of this system, whose mail goes into `mail_spool_directory`, or below the home
//! directory where `home_mailbox` is set: an mbox file, or a Maildir when the setting ends in `/`.
//!
//! Mail for a list that has an owner (`owner-` in front of its name), for members in a file, and for addresses
//! elsewhere goes on as a new message. Each name gets one copy, however many ways lead to it. A message that has
//! been here before, as its Delivered-To lines tell, is returned.
//!
//! # SECURITY
//! local runs as `mail_owner` and writes to no mailbox. Each copy is handed to a courier that runs as the user and can
//! reach nothing but the mail directory; spawnd(8) starts couriers. Nobody's mail is delivered as root: give root
//! an alias. A regular expression table may not be used with `$1` for aliases.
//!
//! # BUGS
//! Commands and files (but /dev/null) as the target of an alias, `~/.forward`, `mailbox_command` and the transports that local can
//! hand mail on to are not available in this version; mail for them is put off, with a reason that says so.
//!
//! # CONFIGURATION PARAMETERS
//! `alias_maps`, `mail_spool_directory`, `home_mailbox`, `forward_path`, `luser_relay`, `mailbox_size_limit`,
//! `mailbox_delivery_lock`, `strict_mailbox_ownership`, `prepend_delivered_header`, `owner_request_special`,
//! `expand_owner_alias`, `duplicate_filter_limit`, `recipient_delimiter`
//!
//! # SEE ALSO
//! qmgr(8), spawnd(8), virtual(8), aliases(5), postalias(1), postconf(5)

mod settings;
mod service;
mod job;
mod surroundings;
mod been_here;
mod part;
mod user;
mod forward;
mod outcome;

use std::process::ExitCode;

use crate::service::Local;

fn main() -> ExitCode {
    worker::run::<Local>()
}
