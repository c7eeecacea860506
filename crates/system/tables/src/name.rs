//! Names of tables, and lists of names as main.cf has them.

use crate::trouble::Trouble;

/// `type:name`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// `hash`
    pub kind: String,
    /// `/etc/postfix/virtual`
    pub name: String,
}

impl TableName {
    /// Takes `text` apart at its first colon.
    ///
    /// # Errors
    /// [`Trouble::NoType`] where there is none, or nothing on one side of it.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        match text.split_once(':') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
                Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
            }
            _ => Err(Trouble::NoType(text.to_owned())),
        }
    }

    /// Takes `text` apart; one that is no name has an empty type, which no table has.
    pub(crate) fn parse_any(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self { kind: String::new(), name: text.to_owned() })
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind.as_str() {
            "" => write!(f, "{}", self.name),
            kind => write!(f, "{kind}:{}", self.name),
        }
    }
}

/// The elements of a list: separated by commas and white space, except within `{ }`.
pub fn split_list(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_separator);
        let end = element_end(rest);
        let (element, after) = rest.split_at(end);
        rest = after;
        (!element.is_empty()).then_some(element)
    })
}

fn element_end(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            separator if depth == 0 && is_separator(separator) => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_separator(character: char) -> bool {
    matches!(character, ',' | ' ' | '\t' | '\r' | '\n')
}

/// What is wrong with text that should be `{ ... }`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BraceError {
    /// The opening brace is missing.
    #[error("no '{{' at start of text in \"{0}\"")]
    NotOpened(String),
    /// The closing brace is missing.
    #[error("missing '}}' in \"{0}\"")]
    Open(String),
    /// There is more after the closing brace.
    #[error("syntax error after '}}' in \"{0}\"")]
    Tail(String),
}

/// What stands between the `{` that `text` starts with and its `}`, white space around it taken off.
pub(crate) fn within_braces(text: &str) -> Result<&str, BraceError> {
    let inside = text.strip_prefix('{').ok_or_else(|| BraceError::NotOpened(text.to_owned()))?;
    let end = closing_brace(inside).ok_or_else(|| BraceError::Open(text.to_owned()))?;
    if inside[end + 1..].trim().is_empty() {
        Ok(inside[..end].trim())
    } else {
        Err(BraceError::Tail(text.to_owned()))
    }
}

/// What stands between `{` and `}` when `text` is nothing else.
pub(crate) fn only_braces(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('{')?;
    (closing_brace(inside)? + 1 == inside.len()).then(|| &inside[..inside.len() - 1])
}

/// Where the `}` stands that matches a `{` just before `inside`.
fn closing_brace(inside: &str) -> Option<usize> {
    let mut depth = 1usize;
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_outside_braces_only() {
        let list = " hash:/a,lmdb:/b\n  inline:{ a=b, {c = d e} }\tstatic:x ,,";
        let elements: Vec<_> = split_list(list).collect();
        assert_eq!(elements, ["hash:/a", "lmdb:/b", "inline:{ a=b, {c = d e} }", "static:x"]);
    }

    #[test]
    fn a_name_needs_both_sides() {
        assert_eq!(TableName::parse("inline:{a:b}").unwrap().to_string(), "inline:{a:b}");
        for text in ["", "/etc/virtual", "hash:", ":x"] {
            assert!(TableName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn braces_match() {
        assert_eq!(within_braces("{ a {b} c } "), Ok("a {b} c"));
        assert_eq!(within_braces("{a"), Err(BraceError::Open("{a".into())));
        assert_eq!(within_braces("{a}b"), Err(BraceError::Tail("{a}b".into())));
        assert_eq!(only_braces("{ {a} }"), Some(" {a} "));
        assert_eq!(only_braces("{a} {b}"), None);
    }
}
