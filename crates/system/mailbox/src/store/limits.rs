//! How large a user's mail may grow.

/// What a user's mail may grow to; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Largest sum of all messages, in bytes.
    pub bytes: u64,
    /// Largest number of messages.
    pub messages: u64,
}

/// A text that is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "quota \"{0}\" is not understood: write bytes (1073741824, 1G), and messages as 5000C or messages=5000"
)]
pub struct BadLimits(pub String);

impl Limits {
    /// Reads a limit as tables, Maildir++ and Dovecot have it: `1073741824`, `1G`, `1G,5000C`, `1000S,50C`,
    /// `*:storage=1G:messages=5000`. What is not named is not limited. In Dovecot's form a number without a unit is
    /// kilobytes, elsewhere bytes.
    ///
    /// # Errors
    /// [`BadLimits`]: a number that is none, or a word that is not known.
    pub fn parse(text: &str) -> Result<Self, BadLimits> {
        let bad = || BadLimits(text.to_owned());
        let mut limits = Self::default();
        let words = text.split([':', ',', ' ', '\t']).filter(|word| !word.is_empty() && *word != "*");
        for word in words {
            match word.split_once('=') {
                Some(("storage", size)) => limits.bytes = size_in(size, 1024).ok_or_else(bad)?,
                Some(("bytes", size)) => limits.bytes = size_in(size, 1).ok_or_else(bad)?,
                Some(("messages", number)) => limits.messages = number.parse().map_err(|_| bad())?,
                Some(_) => return Err(bad()),
                None => match word.strip_suffix(['C', 'c']) {
                    Some(number) => limits.messages = number.parse().map_err(|_| bad())?,
                    None => limits.bytes = size_in(word, 1).ok_or_else(bad)?,
                },
            }
        }
        Ok(limits)
    }

    /// Is there no limit at all?
    pub fn is_none(self) -> bool {
        self.bytes == 0 && self.messages == 0
    }

    /// The first line of `maildirsize`, as Dovecot writes it.
    pub(crate) fn to_line(self) -> String {
        let bytes = (self.bytes > 0).then(|| format!("{}S", self.bytes));
        let messages = (self.messages > 0).then(|| format!("{}C", self.messages));
        bytes.into_iter().chain(messages).collect::<Vec<_>>().join(",")
    }
}

/// A number with a unit: `S` or `B` for bytes, `K`, `M`, `G`, `T`; without one it counts `plain` bytes.
fn size_in(text: &str, plain: u64) -> Option<u64> {
    let text = text.trim_end_matches(['b', 'B', 'S', 's']);
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.to_ascii_uppercase().as_str() {
        "" => plain,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_several_writers_are_understood() {
        let limits = |bytes, messages| Ok(Limits { bytes, messages });
        for (text, bytes, messages) in [
            ("1073741824", 1 << 30, 0),
            ("1G", 1 << 30, 0),
            ("10m, 5C", 10 << 20, 5),
            ("1000S,50C", 1000, 50),
            ("*:storage=1G:messages=7", 1 << 30, 7),
            ("*:storage=100", 100 << 10, 0),
            ("*:bytes=100", 100, 0),
            ("0", 0, 0),
            ("", 0, 0),
        ] {
            assert_eq!(Limits::parse(text), limits(bytes, messages), "{text}");
        }
        for text in ["x", "1Q", "-1", "storage=", "messages=x", "ignore=1", "99999999999T"] {
            assert!(Limits::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_line_of_maildirsize_comes_back() {
        for (bytes, messages) in [(0, 0), (5, 0), (0, 6), (5, 6)] {
            let limits = Limits { bytes, messages };
            assert_eq!(Limits::parse(&limits.to_line()), Ok(limits));
        }
        assert_eq!(Limits { bytes: 5, messages: 0 }.to_line(), "5S");
    }
}
