//! Lists whose items braces hold together: `-o { name = value }`, `smtpd_milters = { inet:h:p, timeout=10s }`.

use crate::text::{is_list_separator, is_space};

/// Splits `text` where `is_separator` says, but not between `{` and `}`. Items keep their braces.
pub fn split_with_braces(text: &str, is_separator: fn(char) -> bool) -> BraceSplit<'_> {
    BraceSplit { rest: text, is_separator }
}

/// The items of a list of main.cf: commas and white space separate, braces hold together.
pub fn items(text: &str) -> BraceSplit<'_> {
    split_with_braces(text, is_list_separator)
}

/// The words of a line of master.cf: white space separates, braces hold together.
pub fn words(text: &str) -> BraceSplit<'_> {
    split_with_braces(text, is_space)
}

/// See [`split_with_braces`].
#[derive(Debug, Clone)]
pub struct BraceSplit<'a> {
    rest: &'a str,
    is_separator: fn(char) -> bool,
}

impl<'a> BraceSplit<'a> {
    /// What has not been split yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }
}

impl<'a> Iterator for BraceSplit<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start_matches(self.is_separator);
        let mut depth = 0_usize;
        let end = text.find(|next| {
            match next {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && (self.is_separator)(next)
        });
        let (item, rest) = text.split_at(end.unwrap_or(text.len()));
        self.rest = rest;
        (!item.is_empty()).then_some(item)
    }
}

/// Braces that do not match; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BraceError {
    /// No `}` for the first `{`.
    #[error("missing '}}' in \"{0}\"")]
    Missing(String),
    /// Text behind the `}` of the first `{`.
    #[error("syntax error after '}}' in \"{0}\"")]
    TextAfter(String),
}

/// What stands between the braces of an item that starts with `{`, without the blanks around it.
///
/// The content is given even when something is wrong with the braces: Postfix warns and goes on.
pub fn inside_braces(item: &str) -> (&str, Result<(), BraceError>) {
    let Some(content) = item.strip_prefix('{') else { return (item, Ok(())) };
    let mut depth = 1_usize;
    let end = content.find(|next| {
        match next {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let Some(end) = end else {
        return (content.trim_matches(is_space), Err(BraceError::Missing(item.to_owned())));
    };
    let problem = if content[end + 1..].trim_matches(is_space).is_empty() {
        Ok(())
    } else {
        Err(BraceError::TextAfter(item.to_owned()))
    };
    (content[..end].trim_matches(is_space), problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn braces_hold_together() {
        let found: Vec<_> = items("a, b{c d}e {f {g, h}},, i}j").collect();
        assert_eq!(found, ["a", "b{c d}e", "{f {g, h}}", "i}j"]);
        assert_eq!(words("a,b {c d").collect::<Vec<_>>(), ["a,b", "{c d"]);
        assert_eq!(items(" ,, ").count(), 0);
    }

    #[test]
    fn content_of_braces() {
        assert_eq!(inside_braces("{ a = b }"), ("a = b", Ok(())));
        assert_eq!(inside_braces("a"), ("a", Ok(())));
        assert_eq!(inside_braces("{{a} b}"), ("{a} b", Ok(())));
        assert_eq!(
            inside_braces("{a=b}x").1.unwrap_err().to_string(),
            "syntax error after '}' in \"{a=b}x\""
        );
        assert_eq!(inside_braces("{d"), ("d", Err(BraceError::Missing("{d".to_owned()))));
    }

    proptest! {
        #[test]
        fn items_hold_all_but_separators(text in "[a{}, ]{0,30}") {
            let kept: usize = items(&text).map(str::len).sum();
            prop_assert!(kept <= text.len());
            let items: Vec<_> = items(&text).collect();
            prop_assert!(items.iter().all(|item| !item.starts_with([',', ' '])));
        }
    }
}
