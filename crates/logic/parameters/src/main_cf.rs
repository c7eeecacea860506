//! The grammar of main.cf: logical lines, and `name = value` in each.

use std::borrow::Cow;

use crate::text::is_space;

/// A line of main.cf or master.cf with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalLine<'a> {
    /// Number of its first physical line, from 1.
    pub first: usize,
    /// Number of the last physical line read with it; comment and blank lines that follow count.
    pub last: usize,
    /// The physical lines, one after the other, without their line ends.
    pub text: Cow<'a, str>,
}

impl LogicalLine<'_> {
    /// A line that starts with white space continues nothing: Postfix warns and skips it.
    pub fn orphan(&self) -> Option<OrphanLine> {
        if !self.text.starts_with(is_space) {
            return None;
        }
        let mut shown: String = self.text.chars().take(ORPHAN_EXCERPT_CHARACTERS).collect();
        if shown.len() < self.text.len() {
            shown.push_str("...");
        }
        Some(OrphanLine(shown))
    }
}

/// A line that continues nothing; the start of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("logical line must not start with whitespace: \"{0}\"")]
pub struct OrphanLine(pub String);

/// How much of a line a message shows.
const ORPHAN_EXCERPT_CHARACTERS: usize = 30;

/// Splits a configuration file into logical lines.
///
/// A physical line that starts with white space continues the line above it, and comment and blank lines
/// in between do not end it (postconf(5)). Lines of white space and lines whose first visible character is
/// `#` are skipped.
pub fn logical_lines(text: &str) -> LogicalLines<'_> {
    LogicalLines { rest: text, line: 0 }
}

/// See [`logical_lines`].
#[derive(Debug, Clone)]
pub struct LogicalLines<'a> {
    rest: &'a str,
    /// Number of the physical line read last.
    line: usize,
}

impl<'a> LogicalLines<'a> {
    fn physical_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(line)
    }
}

impl<'a> Iterator for LogicalLines<'a> {
    type Item = LogicalLine<'a>;

    fn next(&mut self) -> Option<LogicalLine<'a>> {
        let mut found: Option<(usize, Cow<'a, str>)> = None;
        while let Some(line) = self.physical_line() {
            if !is_ignored(line) {
                match &mut found {
                    None => found = Some((self.line, Cow::Borrowed(line))),
                    Some((_, text)) => text.to_mut().push_str(line),
                }
            }
            if found.is_some() && !self.rest.starts_with(|next| next == '#' || is_space(next)) {
                break;
            }
        }
        found.map(|(first, text)| LogicalLine { first, last: self.line, text })
    }
}

fn is_ignored(line: &str) -> bool {
    let visible = line.trim_start_matches(is_space);
    visible.is_empty() || visible.starts_with('#')
}

/// What is wrong with a line that should say `name = value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// Nothing before the `=`.
    #[error("missing attribute name")]
    NoName,
    /// No `=`, or more than one word before it.
    #[error("missing '=' after attribute name")]
    NoEqualSign,
}

/// Splits `name = value`; white space around both is dropped.
///
/// # Errors
/// [`AssignmentError`] when there is no name or no `=` directly after it.
pub fn split_assignment(line: &str) -> Result<(&str, &str), AssignmentError> {
    let line = line.trim_start_matches(is_space);
    let name_end = line.find(|next| next == '=' || is_space(next)).unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() {
        return Err(AssignmentError::NoName);
    }
    match rest.trim_start_matches(is_space).strip_prefix('=') {
        Some(value) => Ok((name, value.trim_matches(is_space))),
        None => Err(AssignmentError::NoEqualSign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        logical_lines(text).map(|line| (line.first, line.text.into_owned())).collect()
    }

    #[test]
    fn white_space_continues_a_line() {
        assert_eq!(lines("a = 1\n  2\n\t3\nb = 4\n"), [(1, "a = 1  2\t3".into()), (4, "b = 4".into())]);
    }

    #[test]
    fn comments_and_blank_lines_do_not_end_a_line() {
        let text = "# top\n\na = 1\n\n# between\n   \n #x\n  2\nb = 3";
        assert_eq!(lines(text), [(3, "a = 1  2".into()), (9, "b = 3".into())]);
    }

    #[test]
    fn a_hash_inside_a_value_is_text() {
        assert_eq!(lines("a = 1 # one\n"), [(1, "a = 1 # one".into())]);
    }

    #[test]
    fn a_first_line_with_white_space_is_an_orphan() {
        let found: Vec<_> = logical_lines("  a = 1\nb = 2\n").collect();
        assert!(found[0].orphan().is_some() && found[1].orphan().is_none());
    }

    #[test]
    fn last_line_counts_what_was_skipped() {
        let found: Vec<_> = logical_lines("a = 1\n\n# c\nb = 2").collect();
        assert_eq!((found[0].first, found[0].last, found[1].first), (1, 3, 4));
    }

    #[test]
    fn assignments() {
        assert_eq!(split_assignment("a = b c "), Ok(("a", "b c")));
        assert_eq!(split_assignment("a=b = c"), Ok(("a", "b = c")));
        assert_eq!(split_assignment("a ="), Ok(("a", "")));
        assert_eq!(split_assignment(" = c"), Err(AssignmentError::NoName));
        assert_eq!(split_assignment("a b = c"), Err(AssignmentError::NoEqualSign));
        assert_eq!(split_assignment("a"), Err(AssignmentError::NoEqualSign));
    }

    proptest! {
        #[test]
        fn no_visible_character_is_lost(text in "[a-c =\\n\\t]{0,80}") {
            let joined: String = logical_lines(&text).map(|line| line.text.into_owned()).collect();
            let visible = |text: &str| text.chars().filter(|c| !is_space(*c)).collect::<String>();
            prop_assert_eq!(visible(&joined), visible(&text));
        }

        #[test]
        fn any_text_splits(text: String) {
            for line in logical_lines(&text) {
                prop_assert!(line.first <= line.last);
                let _ = split_assignment(&line.text);
            }
        }
    }
}
