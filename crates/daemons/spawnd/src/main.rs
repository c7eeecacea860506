//! # NAME
//! spawnd - start couriers that deliver as the owner of a mailbox
//!
//! # DESCRIPTION
//! Delivery agents run as `mail_owner` and can not write to anyone's mailbox. For each owner of mailboxes they ask
//! spawnd for couriers: processes whose real, effective and saved ids are the owner's, that can reach nothing but
//! the mailbox directory, and that deliver one message after another until the agent lets them go.
//!
//! spawnd is two processes. The zygote keeps root and has parsed nothing: it forks couriers, within bounds that
//! are fixed at the start. The front has no rights; it looks the ids of a recipient up by itself, in the same
//! tables as the agent, and never takes the agent's word for them.
//!
//! It also brings clients that have logged in to their mailboxes. pop3d(8) passes a client on with a ticket; spawnd asks
//! authd(8) whom the ticket stands for, and gives the client to a resident: the mailbox half of the client's program, run
//! as the owner of the mailbox, one process for all users with the same owner. A resident without sessions ends after a
//! minute. One resident of each program that has been wanted is started before it is needed, and is called `resident-spare` until
//! then.
//!
//! When all clients of a resident have nothing to say, it gives them to spawnd and ends (`imapd_hibernate_time`). spawnd reads nothing of
//! them, and can read no mail: it waits until one of them speaks, or until the kernel says that a mailbox has changed, and
//! gives them to a fresh resident of the same owner.
//!
//! master(8) starts spawnd by itself; master.cf need not name it.
//!
//! # SECURITY
//! No courier runs as root, as uid 4294967295, or below `virtual_minimum_uid`. When `virtual_uid_maps` and
//! `virtual_gid_maps` are both `static:` and `mydestination` is empty, the zygote becomes that user for good, and
//! no root is left but master's. Run without root, spawnd starts couriers for the user it runs as, and for no other.
//!
//! # CONFIGURATION PARAMETERS
//! `virtual_uid_maps`, `virtual_gid_maps`, `virtual_minimum_uid`, `virtual_mailbox_base`,
//! `virtual_mailbox_follow_links`, `mail_spool_directory`, `process_landlock_enable`, `process_seccomp_enable`,
//! `process_no_new_privs_enable`, `authd_service_name`
//!
//! # SEE ALSO
//! virtual(8), local(8), pop3d(8), authd(8), master(8)

mod front;
mod owner;
mod order;
mod zygote;
mod courier;
mod resident;
mod residents;
mod parked;

use std::process::ExitCode;
use std::sync::OnceLock;

use crate::front::Spawnd;
use crate::zygote::Zygote;

/// Forked before anything else; the service finds it here because the skeleton makes the service.
static ZYGOTE: OnceLock<Zygote> = OnceLock::new();

fn main() -> ExitCode {
    match zygote::start() {
        Ok(zygote) => ZYGOTE.set(zygote).map_or(ExitCode::FAILURE, |()| worker::run::<Spawnd>()),
        Err(error) => {
            eprintln!("spawnd: fatal: fork the zygote: {error}");
            ExitCode::FAILURE
        }
    }
}
