//! What is told of a verdict: tags in templates, the report, marks in the message, and taking them out again.

mod bayes_tags;
mod header_line;
mod markup;
mod tags;
mod unmark;
mod wrap;

pub use markup::Form;
pub use unmark::unmark;

/// What templates may say of where and when the check ran.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp {
    /// This host's name.
    pub host: String,
    /// Now, as in a `Date` field (RFC 5322 §3.3).
    pub date: String,
    /// Digits that make the boundary of a report unique.
    pub unique: String,
}

/// The version whose rules and headers these are.
pub const VERSION: &str = "4.0.1";
/// Its date, which stands beside it in headers.
pub const SUB_VERSION: &str = "2024-03-25";
