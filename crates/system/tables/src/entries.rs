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
        /// The name of this host, for the entry `YP_MASTER_NAME`.
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
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    key_bytes: u32,
    value_bytes: u32,
    line: u32,
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
            let number = u32::try_from(line.number).unwrap_or(u32::MAX);
            match format {
                Format::Map => entries.add_map_line(&line.text, number, options, &warn),
                Format::Aliases { .. } => entries.add_alias_line(&line.text, number, options, &warn),
            }
        }
        Ok(entries)
    }

    fn add_map_line(&mut self, line: &[u8], number: u32, options: &Options, warn: &dyn Fn(&str)) {
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
        self.push(&options.folded(key), &value, number);
    }

    fn add_alias_line(&mut self, line: &[u8], number: u32, options: &Options, warn: &dyn Fn(&str)) {
        match name_and_value(line, options.utf8) {
            Ok((name, value)) => self.push(&options.folded(&name), &value, number),
            Err(problem) => warn(&problem.to_string()),
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8], line: u32) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.places.push(Place { start, key_bytes: size(key), value_bytes: size(value), line });
    }

    /// Keys that tell an alias table from others.
    pub(crate) const SIGNATURE_KEYS: [&[u8]; 2] = [b"@", b"YP_LAST_MODIFIED"];

    /// The entries that alias tables have besides those of the source: they tell other programs what this is.
    pub(crate) fn signature(format: &Format) -> Self {
        let mut signature = Self::default();
        if let Format::Aliases { host, time } = format {
            signature.push(Self::SIGNATURE_KEYS[0], b"@", 0);
            signature.push(Self::SIGNATURE_KEYS[1], time.to_string().as_bytes(), 0);
            signature.push(b"YP_MASTER_NAME", host.as_bytes(), 0);
        }
        signature
    }

    /// Adds the entries of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        for (key, value) in other.iter() {
            self.push(key, value, 0);
        }
    }

    /// Sorts by key, and leaves one entry for each. `table` is how warnings name the table.
    pub(crate) fn sort(&mut self, duplicates: Duplicates, table: &str) {
        let bytes = &self.bytes;
        // Equal keys stay in the order of their lines.
        self.places.sort_by(|one, other| one.key(bytes).cmp(other.key(bytes)));
        let mut left_out = Vec::new();
        self.places.dedup_by(|next, kept| {
            let same = next.key(bytes) == kept.key(bytes);
            if same && duplicates == Duplicates::Replace {
                *kept = *next;
            } else if same {
                left_out.push(*next);
            }
            same
        });
        if duplicates == Duplicates::Warn {
            left_out.sort_by_key(|place| place.line);
            for place in left_out {
                log::warn!("{table}: duplicate entry: \"{}\"", String::from_utf8_lossy(place.key(bytes)));
            }
        }
    }

    /// Keys and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| (place.key(&self.bytes), place.value(&self.bytes)))
    }
}

impl Place {
    fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.start + self.key_bytes as usize]
    }

    fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = self.start + self.key_bytes as usize;
        &bytes[start..start + self.value_bytes as usize]
    }
}
