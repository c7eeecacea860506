//! `compatibility_level`: up to three numbers, compared one after the other.

use std::str::FromStr;

use crate::text::is_space;

/// `3.6`, `3.10.1`: a version of Postfix whose defaults are wanted (COMPATIBILITY_README).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Level {
    major: u64,
    minor: u64,
    patch: u64,
}

/// Text that is not one to three numbers with dots between.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed compatibility level syntax: \"{0}\"")]
pub struct LevelError(pub String);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let mut parts =
            text.splitn(3, '.').map(|part| number(part).ok_or_else(|| LevelError(text.to_owned())));
        let mut part = || parts.next().unwrap_or(Ok(0));
        Ok(Self { major: part()?, minor: part()?, patch: part()? })
    }
}

/// Digits after optional blanks and a plus sign, as C's strtol() takes them; huge numbers are all equal.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(is_space);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let level = |text: &str| text.parse::<Level>().unwrap();
        assert!(level("3.10") > level("3.9"));
        assert!(level("3.6.1") > level("3.6"));
        assert_eq!(level("2"), level("2.0.0"));
        assert_eq!(level(" +3"), level("3"));
    }

    #[test]
    fn malformed_levels_are_refused() {
        for text in ["", "x", "3.x", "3.", ".3", "1.2.3.4", "-1", "3 "] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }
}
