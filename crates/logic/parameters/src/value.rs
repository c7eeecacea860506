//! How the text of a parameter becomes a value.

use std::time::Duration;

use crate::declare::Kind;

/// Why a text is no value of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a decimal number.
    #[error("bad numerical configuration: write a decimal number such as 10")]
    Number,
    /// Not a time.
    #[error("bad time value or unit: write a number and one of s, m, h, d, w, such as 300s")]
    Time,
    /// Neither yes nor no.
    #[error("bad boolean configuration: write yes or no")]
    Flag,
}

/// A type that parameters have.
pub trait Value: Sized {
    /// Reads expanded text; `unit` is the unit of times that have none.
    ///
    /// # Errors
    /// [`ValueError`] when the text is of another kind.
    fn from_text(text: &str, unit: Unit) -> Result<Self, ValueError>;

    /// The value of text that is none: zero, empty, no.
    fn nothing() -> Self;
}

/// Unit of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// `s`
    #[default]
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
    /// `d`
    Days,
    /// `w`
    Weeks,
}

impl Unit {
    fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::Seconds,
            'm' => Self::Minutes,
            'h' => Self::Hours,
            'd' => Self::Days,
            'w' => Self::Weeks,
            _ => return None,
        })
    }

    /// The unit that the default of a parameter ends with, which is the unit of values that have none.
    pub fn of_default(default: &str) -> Self {
        let mut end = default.chars().rev();
        let letter = end.next().and_then(Self::from_letter);
        let behind_number = end.next().is_some_and(|before| before.is_ascii_digit() || before == '}');
        letter.filter(|_| behind_number).unwrap_or_default()
    }

    /// Its length in seconds.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 60 * 60,
            Self::Days => 24 * 60 * 60,
            Self::Weeks => 7 * 24 * 60 * 60,
        }
    }
}

impl Value for String {
    fn from_text(text: &str, _: Unit) -> Result<Self, ValueError> {
        Ok(text.to_owned())
    }

    fn nothing() -> Self {
        Self::new()
    }
}

impl Value for i64 {
    fn from_text(text: &str, _: Unit) -> Result<Self, ValueError> {
        text.parse().map_err(|_| ValueError::Number)
    }

    fn nothing() -> Self {
        0
    }
}

impl Value for bool {
    fn from_text(text: &str, _: Unit) -> Result<Self, ValueError> {
        if text.eq_ignore_ascii_case("yes") {
            Ok(true)
        } else if text.eq_ignore_ascii_case("no") {
            Ok(false)
        } else {
            Err(ValueError::Flag)
        }
    }

    fn nothing() -> Self {
        false
    }
}

impl Value for Duration {
    fn from_text(text: &str, unit: Unit) -> Result<Self, ValueError> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, letters) = text.split_at(digits);
        // Postfix looks at one letter and not behind it: "1h30m" is an hour there, and old files have such.
        let unit = letters.chars().next().map_or(Some(unit), Unit::from_letter);
        let seconds = number.parse::<u32>().ok().zip(unit).map(|(n, unit)| u64::from(n) * unit.seconds());
        // Postfix counts seconds in an int: what does not fit there is an error there too.
        seconds.filter(|seconds| i32::try_from(*seconds).is_ok()).map(Self::from_secs).ok_or(ValueError::Time)
    }

    fn nothing() -> Self {
        Self::ZERO
    }
}

/// Is `text` a value of `kind`?
///
/// # Errors
/// [`ValueError`] when it is not.
pub fn check(kind: Kind, text: &str) -> Result<(), ValueError> {
    match kind {
        Kind::Text | Kind::Raw => Ok(()),
        Kind::Number => i64::from_text(text, Unit::Seconds).map(drop),
        Kind::Time => Duration::from_text(text, Unit::Seconds).map(drop),
        Kind::Flag => bool::from_text(text, Unit::Seconds).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let time = |text: &str| Duration::from_text(text, Unit::Hours).map(|time| time.as_secs());
        assert_eq!(time("0"), Ok(0));
        assert_eq!(time("5"), Ok(5 * 3600));
        assert_eq!(time("300s"), Ok(300));
        assert_eq!(time("+2m"), Ok(120));
        assert_eq!(time("5d"), Ok(432_000));
        assert_eq!(time("1h30m"), Ok(3600));
        assert_eq!(time("1w"), Ok(604_800));
        for bad in ["", "s", "5x", "5 s", "5S", "-5s", "99999999999", "9999999d"] {
            assert_eq!(time(bad), Err(ValueError::Time), "{bad}");
        }
    }

    #[test]
    fn the_default_has_the_unit() {
        assert_eq!(Unit::of_default("5d"), Unit::Days);
        assert_eq!(Unit::of_default("${stress?{10}:{300}}s"), Unit::Seconds);
        assert_eq!(Unit::of_default("${x?{1}:{2}}h"), Unit::Hours);
        assert_eq!(Unit::of_default("$queue_run_delay_m"), Unit::Seconds);
        assert_eq!(Unit::of_default(""), Unit::Seconds);
    }

    #[test]
    fn flags_and_numbers() {
        assert_eq!(bool::from_text("YES", Unit::Seconds), Ok(true));
        assert_eq!(bool::from_text("no", Unit::Seconds), Ok(false));
        assert_eq!(bool::from_text("true", Unit::Seconds), Err(ValueError::Flag));
        assert_eq!(i64::from_text("-5", Unit::Seconds), Ok(-5));
        assert_eq!(i64::from_text("5k", Unit::Seconds), Err(ValueError::Number));
    }
}
