//! The parameter table, by family.

mod general;
mod process;
mod commands;
mod tables;
mod queue;
mod bounce;
mod rewriting;
mod routing;
mod content;
mod smtpd;
mod smtpd_access;
mod smtpd_sasl;
mod smtpd_tls;
mod postscreen;
mod milter;
mod verify;
mod virtual_delivery;
mod local_delivery;
mod smtp;
mod lmtp;
mod tls;
mod tlsproxy;
mod later;
mod own;
mod login;
mod mailboxes;
mod imapd;
mod pop3d;

pub use bounce::*;
pub use commands::*;
pub use content::*;
pub use general::*;
pub use imapd::*;
pub use later::*;
pub use lmtp::*;
pub use local_delivery::*;
pub use login::*;
pub use mailboxes::*;
pub use milter::*;
pub use own::*;
pub use pop3d::*;
pub use postscreen::*;
pub use process::*;
pub use queue::*;
pub use rewriting::*;
pub use routing::*;
pub use smtp::*;
pub use smtpd::*;
pub use smtpd_access::*;
pub use smtpd_sasl::*;
pub use smtpd_tls::*;
pub use tables::*;
pub use tls::*;
pub use tlsproxy::*;
pub use verify::*;
pub use virtual_delivery::*;

use crate::declare::Declared;

/// The names of Postfix 3.7 by family: what `postconf -d` lists, with its per-transport kin.
pub static FAMILIES: &[&[&Declared]] = &[
    general::TABLE,
    process::TABLE,
    commands::TABLE,
    tables::TABLE,
    queue::TABLE,
    bounce::TABLE,
    rewriting::TABLE,
    routing::TABLE,
    content::TABLE,
    smtpd::TABLE,
    smtpd_access::TABLE,
    smtpd_sasl::TABLE,
    smtpd_tls::TABLE,
    postscreen::TABLE,
    milter::TABLE,
    verify::TABLE,
    virtual_delivery::TABLE,
    local_delivery::TABLE,
    smtp::TABLE,
    lmtp::TABLE,
    tls::TABLE,
    tlsproxy::TABLE,
];

/// The names that Postfix does not have, by family.
pub static OWN: &[&[&Declared]] = &[own::TABLE, login::TABLE, mailboxes::TABLE, imapd::TABLE, pop3d::TABLE];
