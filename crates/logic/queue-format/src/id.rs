//! Queue ids: the file name of a message, unique among the messages on one machine.

use std::fmt;
use std::str::FromStr;

/// The longest id that is accepted, in bytes.
pub const QUEUE_ID_LIMIT_BYTES: usize = 255;

/// Base 52: digits and consonants, so that no id is a word.
const DIGITS_52: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
/// Base 51 has no `z`, which stands between time and inode number.
const BASE_INODE: u64 = 51;
const SEPARATOR: u8 = b'z';
/// At least this many digits of seconds.
const SECONDS_DIGITS: usize = 6;
/// Exactly this many digits of microseconds.
const MICROSECONDS_DIGITS: usize = 4;

/// The id of a message, and the name of its file.
///
/// Short: five hexadecimal digits of microseconds, then the inode number in hexadecimal; used again some time after the
/// message is gone. Long (`enable_long_queue_ids`): seconds and microseconds in base 52, `z`, inode number in base 51; never used again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(Box<str>);

/// A text that is not a queue id: empty, too long, or with something else than letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad queue id: {0:?}")]
pub struct BadQueueId(pub String);

impl QueueId {
    /// The short id of a file with this inode number, created at this microsecond of its second.
    pub fn short(microseconds: u32, inode: u64) -> Self {
        Self(format!("{microseconds:05X}{inode:X}").into())
    }

    /// The long id of a file with this inode number, created at this time.
    pub fn long(seconds: u64, microseconds: u32, inode: u64) -> Self {
        let mut text = String::with_capacity(24);
        push_digits(&mut text, seconds, 52, SECONDS_DIGITS);
        push_digits(&mut text, u64::from(microseconds), 52, MICROSECONDS_DIGITS);
        text.push(char::from(SEPARATOR));
        push_digits(&mut text, inode, BASE_INODE, 1);
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is this the long form? It has a `z` after the digits of the time.
    pub fn is_long(&self) -> bool {
        self.separator().is_some()
    }

    /// The inode number that the name claims; `None` when it is neither form.
    pub fn inode(&self) -> Option<u64> {
        match self.separator() {
            Some(at) => parse_digits(&self.0.as_bytes()[at + 1..], BASE_INODE),
            None => self.0.get(5..).and_then(|text| u64::from_str_radix(text, 16).ok()),
        }
    }

    /// Microseconds of the time of creation; `None` when it is neither form.
    pub fn microseconds(&self) -> Option<u32> {
        let number = match self.separator() {
            Some(at) => parse_digits(&self.0.as_bytes()[at - MICROSECONDS_DIGITS..at], 52)?,
            None => u64::from(u32::from_str_radix(self.0.get(..5)?, 16).ok()?),
        };
        u32::try_from(number).ok()
    }

    /// The same long id for another inode number; `None` for a short one.
    pub fn with_inode(&self, inode: u64) -> Option<Self> {
        let at = self.separator()?;
        let mut text = self.0[..=at].to_owned();
        push_digits(&mut text, inode, BASE_INODE, 1);
        Some(Self(text.into()))
    }

    /// The characters that name the hash directories of a queue in `hash_queue_names`, one a level, at most `depth`: those of the
    /// short id itself, or of the hexadecimal microseconds of a long one.
    pub fn hash_characters(&self, depth: usize) -> String {
        let pad = |text: &str| text.chars().chain(std::iter::repeat('_')).take(depth).collect();
        match (self.separator(), self.microseconds()) {
            (Some(_), Some(microseconds)) => pad(&format!("{microseconds:05X}")),
            _ => pad(&self.0),
        }
    }

    fn separator(&self) -> Option<usize> {
        let at = self.0.bytes().rposition(|byte| byte == SEPARATOR)?;
        (at >= SECONDS_DIGITS + MICROSECONDS_DIGITS).then_some(at)
    }
}

fn push_digits(text: &mut String, mut number: u64, base: u64, least: usize) {
    let mut digits = Vec::with_capacity(12);
    while number > 0 || digits.len() < least {
        digits.push(DIGITS_52[(number % base) as usize]);
        number /= base;
    }
    text.extend(digits.iter().rev().map(|digit| char::from(*digit)));
}

fn parse_digits(text: &[u8], base: u64) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = DIGITS_52.iter().position(|digit| digit == byte)? as u64;
        (digit < base).then_some(())?;
        number.checked_mul(base)?.checked_add(digit)
    })
}

impl FromStr for QueueId {
    type Err = BadQueueId;

    fn from_str(text: &str) -> Result<Self, BadQueueId> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if text.is_empty() || text.len() > QUEUE_ID_LIMIT_BYTES || !text.bytes().all(good) {
            return Err(BadQueueId(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for QueueId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_ids_hold_microseconds_and_inode() {
        let id: QueueId = "7D774992033".parse().unwrap();
        assert_eq!((id.microseconds(), id.inode(), id.is_long()), (Some(0x7d774), Some(0x992033), false));
        assert_eq!(QueueId::short(0x7d774, 0x992033), id);
        assert_eq!(id.hash_characters(2), "7D");
    }

    #[test]
    fn long_ids_are_those_of_postfix() {
        let id: QueueId = "4jXCVs3wS8z1SdVk".parse().unwrap();
        assert_eq!(
            (id.inode(), id.is_long(), id.hash_characters(2).as_str()),
            (Some(10_036_022), true, "86")
        );
        assert_eq!(QueueId::long(1_795_314_085, id.microseconds().unwrap(), 10_036_022), id);
    }

    #[test]
    fn other_names_are_refused() {
        for text in ["", "a/b", "../x", "a.b", "12 34", "\u{e9}"] {
            assert!(text.parse::<QueueId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_forms_give_back_what_they_hold(seconds in 0_u64..1 << 40, microseconds in 0_u32..1_000_000, inode: u64) {
            let short = QueueId::short(microseconds, inode);
            prop_assert_eq!((short.microseconds(), short.inode()), (Some(microseconds), Some(inode)));
            let long = QueueId::long(seconds, microseconds, inode);
            prop_assert!(long.is_long());
            prop_assert_eq!((long.microseconds(), long.inode()), (Some(microseconds), Some(inode)));
            prop_assert_eq!(long.hash_characters(5), format!("{:05X}", microseconds));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<QueueId>() {
                let (_, _, hash) = (id.inode(), id.microseconds(), id.hash_characters(3));
                prop_assert_eq!(hash.chars().count(), 3);
            }
        }
    }
}
