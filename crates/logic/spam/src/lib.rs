//! SpamAssassin's rules: their language, what a message looks like to them, and the verdict.
//!
//! [`rules::Loader`] reads the files, [`Ruleset`] makes them ready, [`Check`] judges one message. Nothing here reads a
//! file, a clock or the network.
#![forbid(unsafe_code)]

mod addresses;
mod addresses_of_hosts;
mod body;
mod check;
mod dates;
mod eval;
mod headers;
mod html;
mod mail;
pub mod perl;
mod registry;
mod relays;
pub mod report;
pub mod rules;
mod ruleset;
mod scan;
mod uri;

pub use check::Check;
pub use ruleset::{Rule, RuleId, Ruleset};
pub use scan::{Circumstances, Findings, Hit, ScoreSet};
