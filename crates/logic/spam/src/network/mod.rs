//! Rules that ask DNS: which questions a message raises, and what the answers mean.
//!
//! Nothing is asked here. [`crate::Letter::questions`] says what has to be known; whoever asks notes the replies in
//! [`Answers`] and comes again, until nothing is left to ask or the time is over. The same walk over the rules that names
//! the questions finds the hits once the answers are there, so the two can not disagree.

mod addresses;
mod alignment;
mod claims;
mod clearinghouses;
mod hashes;
mod lists;
mod practices;
mod question;
mod sender_policy;
mod signatures;
mod subtest;
mod tags;
mod uris;
mod walk;

pub use clearinghouses::Errands;
pub use question::{Answers, Question, RecordKind, Reply};
pub(crate) use signatures::Prepared;
pub(crate) use subtest::Subtest;
pub(crate) use walk::{Calls, function_is_known, walk};
