//! A command line, taken apart.

/// A keyword with what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// In upper case.
    pub(crate) keyword: String,
    /// The rest of the line, as it is: a password may begin and end with a blank.
    pub(crate) rest: String,
}

impl Command {
    /// None for a line with control characters or a NUL in it; bytes that are no UTF-8 are replaced, for no keyword,
    /// name or number has such.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        let text = String::from_utf8_lossy(line);
        let (keyword, rest) = text.split_once(' ').unwrap_or((&text, ""));
        Some(Self { keyword: keyword.to_ascii_uppercase(), rest: rest.to_owned() })
    }

    /// The one number that follows; none when there is anything else.
    pub(crate) fn number(&self) -> Option<usize> {
        exact(self.rest.trim())
    }

    /// The two numbers of TOP.
    pub(crate) fn two_numbers(&self) -> Option<(usize, usize)> {
        let (one, other) = self.rest.trim().split_once(' ')?;
        Some((exact(one)?, exact(other.trim_start())?))
    }
}

/// Digits only: no sign, no wrap.
fn exact(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_its_blanks_and_a_number_is_exact() {
        let command = Command::parse(b"pass  two words ").unwrap();
        assert_eq!((command.keyword.as_str(), command.rest.as_str()), ("PASS", " two words "));
        assert_eq!(Command::parse(b"RETR 12 ").unwrap().number(), Some(12));
        for line in [&b"RETR"[..], b"RETR +1", b"RETR -1", b"RETR 1 2", b"RETR 99999999999999999999999"] {
            assert_eq!(Command::parse(line).unwrap().number(), None);
        }
        assert_eq!(Command::parse(b"TOP 1  5").unwrap().two_numbers(), Some((1, 5)));
        assert_eq!(Command::parse(b"USER a\0b"), None);
    }
}
