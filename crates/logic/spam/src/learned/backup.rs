//! The text that `sa-learn --backup` writes and `--restore` reads, line by line.

use super::{Class, Tally, Token, TokenCounts};
use crate::bayes::token_of;

/// The version of the form that is written.
const VERSION: u32 = 3;
/// The oldest version that is read: its tokens are words, not digests.
const WORDS_VERSION: u32 = 2;
/// What stands behind the version in the first line.
const FIRST_LINE_NOTE: &str = "db_version # this must be the first line!!!";

/// A line of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The first line.
    Version(u32),
    /// Messages of spam.
    Spam(u64),
    /// Messages of ham.
    Ham(u64),
    /// A token.
    Token(Token, TokenCounts),
    /// A message that was learned.
    Message(String, Class),
}

/// Why a backup is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Something else than the version comes first.
    #[error(
        "the first line does not name the version (v, tab, 3, tab, db_version): this is no backup of sa-learn"
    )]
    NoVersion,
    /// It is of another version.
    #[error("version {0} is not known: versions 2 and 3 are")]
    Version(u32),
    /// The numbers of messages are missing.
    #[error("no line says how many messages were learned (num_spam and num_nonspam): it is cut off")]
    NoTally,
}

/// Writes a line, with its end.
pub fn write_entry(entry: &Entry) -> String {
    match entry {
        Entry::Version(_) => format!("v\t{VERSION}\t{FIRST_LINE_NOTE}\n"),
        Entry::Spam(count) => format!("v\t{count}\tnum_spam\n"),
        Entry::Ham(count) => format!("v\t{count}\tnum_nonspam\n"),
        Entry::Token(token, counts) => {
            let digits = hexadecimal::encode(token);
            format!("t\t{}\t{}\t{}\t{digits}\n", counts.spam, counts.ham, counts.used)
        }
        Entry::Message(id, class) => format!("s\t{}\t{id}\n", class.letter()),
    }
}

/// The first lines of a backup.
pub fn heading(tally: Tally) -> [Entry; 3] {
    [Entry::Version(VERSION), Entry::Spam(tally.spam), Entry::Ham(tally.ham)]
}

/// Reads a line; `None` for one that says nothing. `version` is the number that the first line named, `now` is in
/// seconds since 1970: no token was used later.
///
/// # Errors
/// [`BackupError::NoVersion`] and [`BackupError::Version`], for the first line.
pub fn read_entry(line: &str, version: Option<u32>, now: u32) -> Result<Option<Entry>, BackupError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some(version) = version else { return first_line(&words).map(Some) };
    Ok(match words.as_slice() {
        ["v", count, "num_spam", ..] => count.parse().ok().map(Entry::Spam),
        ["v", count, "num_nonspam", ..] => count.parse().ok().map(Entry::Ham),
        ["t", spam, ham, used, token] => token_entry([spam, ham, used], token, version, now),
        ["s", class, _, ..] => message_entry(line, class),
        _ => None,
    })
}

fn first_line(words: &[&str]) -> Result<Entry, BackupError> {
    match words {
        ["v", version, "db_version", ..] => match version.parse() {
            Ok(version @ (WORDS_VERSION | VERSION)) => Ok(Entry::Version(version)),
            Ok(other) => Err(BackupError::Version(other)),
            Err(_) => Err(BackupError::NoVersion),
        },
        _ => Err(BackupError::NoVersion),
    }
}

fn token_entry(numbers: [&str; 3], token: &str, version: u32, now: u32) -> Option<Entry> {
    let [spam, ham, used] = numbers.map(|number| number.parse::<i64>().ok());
    let count = |number: i64| u32::try_from(number.clamp(0, i64::from(u32::MAX))).unwrap_or(0);
    let counts = TokenCounts { spam: count(spam?), ham: count(ham?), used: count(used?).min(now) };
    let token = if version == WORDS_VERSION { token_of(token.as_bytes()) } else { from_hex(token)? };
    (counts.spam > 0 || counts.ham > 0).then_some(Entry::Token(token, counts))
}

fn message_entry(line: &str, class: &str) -> Option<Entry> {
    let class = Class::of_letter(class)?;
    let id = line.splitn(3, char::is_whitespace).nth(2)?.trim();
    (!id.is_empty()).then(|| Entry::Message(id.to_owned(), class))
}

fn from_hex(text: &str) -> Option<Token> {
    hexadecimal::decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_the_original_are_read() {
        assert_eq!(
            read_entry("v\t3\tdb_version # this must be the first line!!!", None, 9),
            Ok(Some(Entry::Version(3)))
        );
        assert_eq!(read_entry("v\t4\tdb_version", None, 9), Err(BackupError::Version(4)));
        assert_eq!(read_entry("t\t1\t0\t5\t0001020304", None, 9), Err(BackupError::NoVersion));
        let read = |line: &str| read_entry(line, Some(3), 9).unwrap();
        assert_eq!(read("v\t12\tnum_nonspam"), Some(Entry::Ham(12)));
        let counts = TokenCounts { spam: 1, ham: 0, used: 9 };
        assert_eq!(read("t\t1\t-1\t55\t00010203ff"), Some(Entry::Token([0, 1, 2, 3, 255], counts)));
        assert_eq!(read("t\t0\t0\t5\t0001020304"), None);
        assert_eq!(read("s\th\ta b@example.com"), Some(Entry::Message("a b@example.com".into(), Class::Ham)));
        assert_eq!(read("s\tf\tx"), None);
        assert_eq!(read("nonsense"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(token: [u8; 5], spam in 1..u32::MAX, ham: u32, used: u32) {
            let entry = Entry::Token(token, TokenCounts { spam, ham, used });
            prop_assert_eq!(read_entry(write_entry(&entry).trim_end(), Some(3), u32::MAX), Ok(Some(entry)));
        }

        #[test]
        fn no_line_is_too_strange(line in "\\PC*") {
            let _ = read_entry(&line, None, 1);
            let _ = read_entry(&line, Some(3), 1);
        }
    }
}
