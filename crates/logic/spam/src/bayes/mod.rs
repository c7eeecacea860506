//! The naive Bayesian classifier: what a message's words say, measured on messages that were learned.
//!
//! Tokens, probabilities and their combination are SpamAssassin 4's, so that a database of its `sa-learn --backup` gives
//! the same probabilities here.

mod chew;
mod fields;
mod probability;
mod received;
mod sample;
mod tokens;
mod verdict;
mod words;

pub use probability::{distance_to_neutral, probability_of};
pub(crate) use sample::Sample;
pub(crate) use sample::{forget, learn};
pub(crate) use tokens::Tokens;
pub use tokens::token_of;
pub use verdict::{Clue, Judgement};
pub(crate) use verdict::{is_ready, judge};
