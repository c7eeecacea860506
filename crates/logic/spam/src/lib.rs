//! SpamAssassin's rules: their language, what a message looks like to them, and the verdict.
//!
//! [`rules::Loader`] reads the files, [`Ruleset`] makes them ready, [`Check`] judges one message. Nothing here reads a
//! file, a clock or the network.
#![forbid(unsafe_code)]

mod addresses;
mod addresses_of_hosts;
mod autolearn;
mod bayes;
mod body;
mod check;
mod correspondents;
mod dates;
mod eval;
mod headers;
mod html;
pub mod learned;
mod lesson;
mod mail;
mod metas;
mod network;
mod part_headers;
pub mod perl;
mod registry;
mod relays;
pub mod report;
pub mod rules;
mod ruleset;
mod scan;
mod senders;
mod uri;

pub use autolearn::{Autolearn, Outcome};
pub use bayes::{Clue, Judgement, distance_to_neutral, probability_of, token_of};
pub use check::{Check, Letter};
pub use correspondents::Correspondents;
pub use lesson::Lesson;
pub use network::{Answers, Errands, Question, RecordKind, Reply};
pub use ruleset::{Rule, RuleId, Ruleset};
pub use scan::{Circumstances, Findings, Hit, ScoreSet};
pub use senders::set_address;
