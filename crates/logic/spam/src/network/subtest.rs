//! What a record must be for a rule to hit.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::perl::Pattern;

/// The first octet of answers that mean something (RFC 5782 §2.1).
const LISTED: u32 = 127;

/// A test of a record.
#[derive(Debug, Clone)]
pub(crate) enum Subtest {
    Pattern(Arc<Pattern>),
    /// Just this text.
    Text(String),
    /// One of these bits of an address in 127.0.0.0/8.
    Mask(u32),
    /// An address from here to there.
    Range(u32, u32),
    /// The value under the mask.
    Masked {
        value: u32,
        mask: u32,
    },
    /// One of these response codes.
    Codes(Vec<u16>),
}

impl Subtest {
    /// Of `check_rbl`: an address, a bit mask, or a pattern without delimiters. `None` for a pattern that does not read.
    pub(crate) fn of_list(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Mask(u32::try_from(text.parse::<u64>().ok()? & 0xffff_ffff).ok()?));
        }
        let numbers: Vec<&str> = text.split('.').collect();
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if numbers.len() == 4 && numbers.iter().all(digits) {
            return Some(Self::Text(text.to_owned()));
        }
        Pattern::plain(text).ok().map(|pattern| Self::Pattern(Arc::new(pattern)))
    }

    /// `2`, `0x10`, `127.0.0.2`, `127.0.0.1-127.0.0.9`, `0x04/0x0f`.
    pub(crate) fn number(text: &str) -> Option<Self> {
        let at = text.find(['-', '/']);
        let Some(at) = at.filter(|at| *at > 0) else {
            let number = value(text)?;
            return Some(if text.contains('.') { Self::Range(number, number) } else { Self::Mask(number) });
        };
        let (first, second) = (value(&text[..at])?, value(&text[at + 1..])?);
        let is_range = text.as_bytes().get(at) == Some(&b'-');
        Some(if is_range { Self::Range(first, second) } else { Self::Masked { value: first, mask: second } })
    }

    /// Is the record one?
    pub(crate) fn holds(&self, record: &str) -> bool {
        let number = || record.parse::<Ipv4Addr>().ok().map(u32::from);
        match self {
            Self::Pattern(pattern) => pattern.is_match(record.as_bytes()),
            Self::Text(text) => text == record,
            Self::Mask(mask) => number().is_some_and(|number| number >> 24 == LISTED && number & mask != 0),
            Self::Range(first, last) => number().is_some_and(|number| (*first..=*last).contains(&number)),
            Self::Masked { value, mask } => number().is_some_and(|number| number & mask == value & mask),
            Self::Codes(_) => false,
        }
    }
}

fn value(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    text.parse().ok().or_else(|| text.parse::<Ipv4Addr>().ok().map(u32::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_lists() {
        let holds = |test: &str, record: &str| Subtest::of_list(test).unwrap().holds(record);
        assert!(holds("2", "127.0.0.6") && !holds("2", "127.0.0.4") && !holds("2", "10.0.0.2"));
        assert!(holds("127.0.0.2", "127.0.0.2") && !holds("127.0.0.2", "127.0.0.20"));
        assert!(holds(r"^127\.0\.0\.[4567]$", "127.0.0.5") && !holds(r"^127\.0\.0\.[4567]$", "127.0.0.8"));
        assert!(holds("(?i:spamcop)", "Blocked - see https://www.SpamCop.net"));
        assert!(Subtest::of_list("(").is_none_or(|test| !test.holds("(")));
    }

    #[test]
    fn tests_by_number() {
        let holds = |test: &str, record: &str| Subtest::number(test).unwrap().holds(record);
        assert!(holds("64", "127.0.0.66") && holds("0x40", "127.0.0.64") && !holds("64", "127.0.0.2"));
        assert!(holds("127.0.1.2", "127.0.1.2") && !holds("127.0.1.2", "127.0.1.3"));
        assert!(holds("127.0.0.1-127.0.0.9", "127.0.0.9") && !holds("127.0.0.1-127.0.0.9", "127.0.0.10"));
        assert!(holds("0x04/0x0f", "127.0.0.20") && !holds("0x04/0x0f", "127.0.0.5"));
        assert!(Subtest::number("x").is_none() && Subtest::number("-").is_none());
        assert!(!holds("2", "no address"));
    }
}
