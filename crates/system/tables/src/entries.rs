//! The entries of a table that is being made: read from its source, sorted, free of duplicates.

use crate::alias_source::name_and_value;
use crate::source::{LineProblem, LogicalLine, LogicalLines, key_and_value};
use crate::table::Options;
use std::io::{self, BufRead};

/// How the source of a table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// `key value`, postmap(1).
    Map,
    /// `name: value, value`, aliases(5).
    Aliases {
        /// `myhostname`, for the entry `YP_MASTER_NAME`.
        host: String,
        /// Seconds since 1970, for the entry `YP_LAST_MODIFIED`.
        time: u64,
    },
}

/// What becomes of a second entry with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The first stays, a warning names the key.
    Warn,
    /// The first stays (`-w`).
    Ignore,
    /// The last stays (`-r`).
    Replace,
}

/// Keys and values in one block of memory, without the NUL bytes they may be stored with.
///
/// A million entries are sorted here, so each takes no more than its text and some ten bytes: a record is the lengths of
/// key and value, seven bits a byte, then key and value.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    /// Where each record begins.
    places: Vec<usize>,
}

impl Entries {
    /// Reads `source`. Lines that make no sense are skipped with a warning; `file_name` is for that.
    pub(crate) fn read(
        source: impl BufRead,
        file_name: &str,
        format: &Format,
        options: &Options,
    ) -> io::Result<Self> {
        let mut entries = Self::default();
        let mut lines = LogicalLines::new(source, file_name);
        let mut line = LogicalLine::default();
        while lines.next_into(&mut line)? {
            let warn = |problem: &str| log::warn!("{file_name}, line {}: {problem}", line.number);
            match format {
                Format::Map => entries.add_map_line(&line.text, options, &warn),
                Format::Aliases { .. } => entries.add_alias_line(&line.text, options, &warn),
            }
        }
        Ok(entries)
    }

    fn add_map_line(&mut self, line: &[u8], options: &Options, warn: &dyn Fn(&str)) {
        let (key, value) = match key_and_value(line, options.utf8) {
            Ok(pair) => pair,
            Err(problem) => return warn(&problem.to_string()),
        };
        if key.ends_with(b":") {
            warn(&LineProblem::LooksLikeAlias.to_string());
        }
        let value = match options.value(value) {
            Ok(value) => value,
            Err(error) => return warn(&format!("{error}: skipping this entry")),
        };
        self.push(&options.folded(key), &value);
    }

    fn add_alias_line(&mut self, line: &[u8], options: &Options, warn: &dyn Fn(&str)) {
        match name_and_value(line, options.utf8) {
            Ok((name, value)) => self.push(&options.folded(&name), &value),
            Err(problem) => warn(&problem.to_string()),
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.places.push(self.bytes.len());
        push_length(&mut self.bytes, key.len());
        push_length(&mut self.bytes, value.len());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    /// Keys that tell an alias table from others.
    pub(crate) const SIGNATURE_KEYS: [&[u8]; 2] = [b"@", b"YP_LAST_MODIFIED"];

    /// The entries that alias tables have besides those of the source: they tell other programs what this is.
    pub(crate) fn signature(format: &Format) -> Self {
        let mut signature = Self::default();
        if let Format::Aliases { host, time } = format {
            signature.push(Self::SIGNATURE_KEYS[0], b"@");
            signature.push(Self::SIGNATURE_KEYS[1], time.to_string().as_bytes());
            signature.push(b"YP_MASTER_NAME", host.as_bytes());
        }
        signature
    }

    /// Adds the entries of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        other.iter().for_each(|(key, value)| self.push(key, value));
    }

    /// Sorts by key, and leaves one entry for each. `table` is how warnings name the table.
    pub(crate) fn sort(&mut self, duplicates: Duplicates, table: &str) {
        let bytes = &self.bytes;
        let key = |place: usize| record(bytes, place).0;
        // Equal keys stay in the order of their lines, which is that of their places.
        self.places.sort_unstable_by(|one, other| key(*one).cmp(key(*other)).then(one.cmp(other)));
        let mut left_out = Vec::new();
        self.places.dedup_by(|next, kept| {
            let same = key(*next) == key(*kept);
            if same && duplicates == Duplicates::Replace {
                *kept = *next;
            } else if same && duplicates == Duplicates::Warn {
                left_out.push(*next);
            }
            same
        });
        left_out.sort_unstable();
        for place in left_out {
            log::warn!("{table}: duplicate entry: \"{}\"", String::from_utf8_lossy(key(place)));
        }
    }

    /// Keys and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| record(&self.bytes, *place))
    }
}

/// Key and value of the record at `place`.
fn record(bytes: &[u8], place: usize) -> (&[u8], &[u8]) {
    let (key_bytes, rest) = take_length(&bytes[place..]);
    let (value_bytes, rest) = take_length(rest);
    let (key, rest) = rest.split_at(key_bytes);
    (key, &rest[..value_bytes])
}

fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn take_length(bytes: &[u8]) -> (usize, &[u8]) {
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (length, &bytes[at + 1..]);
        }
    }
    (length, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(entries: &[(Vec<u8>, Vec<u8>)], duplicates: Duplicates) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Entries::default();
        entries.iter().for_each(|(key, value)| all.push(key, value));
        all.sort(duplicates, "test:m");
        all.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    #[test]
    fn of_equal_keys_the_first_or_the_last_stays() {
        let entry = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let entries = [entry("b", "1"), entry("a", "2"), entry("b", "3"), entry("b", "4")];
        assert_eq!(sorted(&entries, Duplicates::Warn), [entry("a", "2"), entry("b", "1")]);
        assert_eq!(sorted(&entries, Duplicates::Ignore), [entry("a", "2"), entry("b", "1")]);
        assert_eq!(sorted(&entries, Duplicates::Replace), [entry("a", "2"), entry("b", "4")]);
    }

    proptest! {
        #[test]
        fn entries_come_out_sorted_and_whole(
            entries in proptest::collection::btree_map(
                proptest::collection::vec(any::<u8>(), 0..200),
                proptest::collection::vec(any::<u8>(), 0..3_000),
                0..12
            ),
        ) {
            let in_order: Vec<_> = entries.into_iter().collect();
            let mut reversed = in_order.clone();
            reversed.reverse();
            prop_assert_eq!(sorted(&reversed, Duplicates::Warn), in_order);
        }
    }
}
