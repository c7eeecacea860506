//! The parameter table, by family.

mod bounce;
mod general;
mod lmtp;
mod local_delivery;
mod milter;
mod postscreen;
mod queue;
mod rewriting;
mod smtp;
mod smtpd;
mod smtpd_access;
mod smtpd_tls;
mod tls;
mod verify;
mod virtual_delivery;

pub use bounce::*;
pub use general::*;
pub use lmtp::*;
pub use local_delivery::*;
pub use milter::*;
pub use postscreen::*;
pub use queue::*;
pub use rewriting::*;
pub use smtp::*;
pub use smtpd::*;
pub use smtpd_access::*;
pub use smtpd_tls::*;
pub use tls::*;
pub use verify::*;
pub use virtual_delivery::*;

use crate::declare::Declared;

/// The families, for whoever walks the whole table.
pub static FAMILIES: &[&[&Declared]] = &[bounce::TABLE, general::TABLE, lmtp::TABLE, local_delivery::TABLE, milter::TABLE, postscreen::TABLE, queue::TABLE, rewriting::TABLE, smtp::TABLE, smtpd::TABLE, smtpd_access::TABLE, smtpd_tls::TABLE, tls::TABLE, verify::TABLE, virtual_delivery::TABLE];
