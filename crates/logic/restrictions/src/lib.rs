//! Who may send what to whom: smtpd(8)'s restriction lists (SMTPD_ACCESS_README).
//!
//! [`Restrictions::check`] goes through the lists that belong to a stage of the dialogue and says what came of
//! it: a [`Ruling`] with a refusal or without, the lines for the log, and what access tables asked for on the
//! way (HOLD, REDIRECT, ...). Tables, DNS and policy servers answer through [`World`]; the rule of
//! [`lookup::Stop::Wait`] holds for all of them.
#![forbid(unsafe_code)]

mod settings;
mod parse;
mod session;
mod world;
mod check;
mod generic;
mod client;
mod helo;
mod address;
mod destination;
mod access;
mod action;
mod servers;
mod blocklist;
mod policy;
mod expand;

pub use check::{Deferral, OPEN_RELAY, Restrictions, Stage};
pub use expand::{ExpansionFilter, expand};
pub use parse::{Restriction, Table};
pub use policy::{PolicyOptions, PolicyService};
pub use session::{Client, Envelope, Instance, NO_ENVELOPE, NameStatus, Session};
pub use settings::{Lists, Settings};
pub use world::{DnsFailure, Effect, LogLine, Mx, Refusal, Ruling, World};
