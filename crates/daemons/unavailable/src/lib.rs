//! Programs that a stock master.cf names and that are not in this version.
//!
//! Each starts, says in the log once what is missing, and does the one thing that loses no mail: a delivery
//! agent defers what it gets, a server turns its clients away. When a program becomes real, its file in
//! `src/bin` goes.

pub mod delivery;
pub mod refusal;
pub mod same;

/// What a program has to say about itself.
pub trait Missing: 'static {
    /// Its name: `smtp`.
    const PROGRAM: &'static str;
    /// What is missing, for log and reports: "outgoing SMTP".
    const WHAT: &'static str;
}

fn say_what_is_missing<M: Missing>(consequence: &str) {
    log::warn!("{} is not available in this version: {consequence}", M::WHAT);
}
