//! Perl's regular expressions, which the rules are written in.
//!
//! They match bytes, and `\w`, `\d`, `\s` are ASCII's. A pattern is compiled when it is first needed: most are not, for
//! [`PatternSet`] finds out in one pass which patterns of a group a text can match at all.

mod byte_set;
mod delimiters;
mod fixed;
mod folding;
mod literals;
mod outline;
mod pattern;
mod screen;
mod set;
mod window;

pub use delimiters::BadPattern;
pub(crate) use fixed::{Fixed, Groups};
pub use pattern::Pattern;
pub(crate) use pattern::cached;
pub(crate) use set::{Candidates, PatternSet};
