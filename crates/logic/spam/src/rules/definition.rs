//! A rule as it is written.

use std::sync::Arc;

use super::expression::Expression;
use crate::perl::{BadPattern, Pattern};

/// When an eval function runs, which says what its hits are called in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `header NAME eval:`
    Header,
    /// `body NAME eval:`
    Body,
    /// `rawbody NAME eval:`
    RawBody,
    /// `full NAME eval:`
    Full,
}

/// What a header rule looks at and for.
#[derive(Debug, Clone)]
pub struct HeaderTest {
    /// The field with its modifiers: `From:addr`.
    pub field: String,
    /// `!~`
    pub negated: bool,
    /// What counts as the value when there is no such field.
    pub unset: Option<String>,
    /// The pattern; `None` for `exists:`.
    pub pattern: Option<Arc<Pattern>>,
}

/// What a mimeheader rule looks at and for.
#[derive(Debug, Clone)]
pub struct MimeTest {
    /// The field's name.
    pub field: String,
    /// Undecoded.
    pub raw: bool,
    /// `!~`
    pub negated: bool,
    /// What counts as the value when there is no such field.
    pub unset: String,
    /// The pattern.
    pub pattern: Arc<Pattern>,
}

/// What a rule does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Looks at a header field.
    Header(HeaderTest),
    /// Looks at each line of the rendered text.
    Body(Arc<Pattern>),
    /// Looks at each piece of the decoded text.
    RawBody(Arc<Pattern>),
    /// Looks at the message as it came.
    Full(Arc<Pattern>),
    /// Looks at each URI.
    Uri(Arc<Pattern>),
    /// Looks at a header field of each part.
    MimeHeader(MimeTest),
    /// Calls a function.
    Eval {
        /// When.
        stage: Stage,
        /// Its name.
        function: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Combines other rules.
    Meta(#[allow(private_interfaces)] MetaExpression),
    /// Asks DNS; it never hits without the network.
    Network,
    /// A name that is known but does nothing (`reuse`).
    Empty,
}

/// The expression of a meta rule.
#[derive(Debug, Clone)]
pub struct MetaExpression(pub(crate) Expression<String>);

/// A rule.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What it does.
    pub kind: Kind,
    /// Where it is written: file and line.
    pub origin: (Arc<str>, usize),
}

/// Why a test does not read.
pub(crate) enum BadTest {
    Form,
    Pattern(BadPattern),
}

impl From<BadPattern> for BadTest {
    fn from(bad: BadPattern) -> Self {
        Self::Pattern(bad)
    }
}

/// Modifiers behind a field's name.
const MODIFIERS: [&str; 9] = ["raw", "addr", "name", "host", "domain", "ip", "revip", "first", "last"];

/// Reads what stands behind a header rule's name.
pub(crate) fn header_test(text: &str) -> Result<HeaderTest, BadTest> {
    if let Some(field) = text.strip_prefix("exists:") {
        let field = field.trim_end_matches(':').to_owned();
        let good = !field.is_empty() && field.chars().all(is_field_char);
        let test = HeaderTest { field, negated: false, unset: None, pattern: None };
        return if good { Ok(test) } else { Err(BadTest::Form) };
    }
    let (field, negated, pattern) = operator(text).ok_or(BadTest::Form)?;
    let modifiers = field.split(':').skip(1).filter(|modifier| !modifier.is_empty());
    if !modifiers.clone().all(|modifier| MODIFIERS.contains(&modifier)) {
        return Err(BadTest::Form);
    }
    let (pattern, unset) = split_unset(pattern);
    let pattern = Some(Arc::new(Pattern::delimited(pattern)?));
    Ok(HeaderTest { field: field.trim_end_matches(':').to_owned(), negated, unset, pattern })
}

/// Reads what stands behind a mimeheader rule's name.
pub(crate) fn mime_test(text: &str) -> Result<MimeTest, BadTest> {
    let (field, negated, pattern) = operator(text).ok_or(BadTest::Form)?;
    let (field, raw) = field.strip_suffix(":raw").map_or((field, false), |field| (field, true));
    let (pattern, unset) = split_unset(pattern);
    let pattern = Arc::new(Pattern::delimited(pattern)?);
    let field = field.trim_end_matches(':').to_owned();
    Ok(MimeTest { field, raw, negated, unset: unset.unwrap_or_default(), pattern })
}

fn is_field_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-')
}

/// `Field =~ pattern` or `Field !~ pattern`.
fn operator(text: &str) -> Option<(&str, bool, &str)> {
    let end = text.find(|char: char| !is_field_char(char) && char != ':').filter(|end| *end > 0)?;
    let rest = text[end..].trim_start();
    let (negated, rest) = match rest.strip_prefix("=~") {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix("!~")?),
    };
    let pattern = rest.trim_start();
    (!pattern.is_empty()).then_some((&text[..end], negated, pattern))
}

fn split_unset(pattern: &str) -> (&str, Option<String>) {
    let Some((before, value)) = pattern.strip_suffix(']').and_then(|text| text.rsplit_once("[if-unset:"))
    else {
        return (pattern, None);
    };
    if !before.ends_with(char::is_whitespace) || !value.starts_with(char::is_whitespace) {
        return (pattern, None);
    }
    (before.trim_end(), Some(value.trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_tests_read() {
        let test = header_test("List-Id =~ /a-mailing-list-i-like/").unwrap_or_else(|_| panic!());
        assert!(test.field == "List-Id" && !test.negated && test.pattern.is_some());
        let test = header_test("To:addr !~ /x/  [if-unset: UNSET]").unwrap_or_else(|_| panic!());
        assert!(test.field == "To:addr" && test.negated && test.unset.as_deref() == Some("UNSET"));
        assert!(header_test("exists:X-Mailer").is_ok_and(|test| test.pattern.is_none()));
        assert!(header_test("To:nonsense =~ /x/").is_err() && header_test("To").is_err());
    }
}
