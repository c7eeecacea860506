//! texthash: — a text source that is read into memory as it is, without an index.

use crate::fixed::InMemory;
use crate::sight::Sight;
use crate::source::{LineProblem, LogicalLine, LogicalLines, key_and_value};
use crate::table::{EachEntry, Options, Table};
use crate::trouble::Trouble;
use crate::watched::Watched;
use std::collections::btree_map::Entry;
use std::io::BufReader;
use std::path::Path;

/// The entries of a text file, read anew when it has changed.
pub(crate) struct TextHash {
    entries: InMemory,
    watched: Watched,
}

impl TextHash {
    /// Reads the whole of `path`. Lines that make no sense are skipped with a warning, of several with one key the
    /// first counts.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Trouble> {
        let open_error = |source| Trouble::OpenDatabase { path: path.to_owned(), source };
        let watched = Watched::open(path).map_err(open_error)?;
        let mut entries = InMemory::default();
        let shown = path.display().to_string();
        let mut lines = LogicalLines::new(BufReader::new(watched.file()), &shown);
        let mut line = LogicalLine::default();
        let read_error = |source| Trouble::File { verb: "read", path: path.to_owned(), source };
        while lines.next_into(&mut line).map_err(read_error)? {
            let warn = |problem: &str| log::warn!("{shown}, line {}: {problem}", line.number);
            add(&mut entries, &line.text, options, &warn);
        }
        Ok(Self { entries, watched })
    }
}

fn add(entries: &mut InMemory, line: &[u8], options: &Options, warn: &dyn Fn(&str)) {
    let (key, value) = match key_and_value(line, options.utf8) {
        Ok(pair) => pair,
        Err(LineProblem::NoValue) => return warn(&format!("{} -- ignoring this line", LineProblem::NoValue)),
        Err(problem) => return warn(&problem.to_string()),
    };
    if key.ends_with(b":") {
        warn(&LineProblem::LooksLikeAlias.to_string());
    }
    let value = match options.value(value) {
        Ok(value) => value,
        Err(error) => return warn(&format!("{error}: skipping this entry")),
    };
    match entries.0.entry(options.folded(key).as_ref().into()) {
        Entry::Occupied(_) => warn(&format!("duplicate entry: \"{}\"", String::from_utf8_lossy(key))),
        Entry::Vacant(place) => {
            place.insert(value.as_ref().into());
        }
    }
}

impl Table for TextHash {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        self.entries.get(key)
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        self.watched.changed(sight)
    }

    fn entries(&mut self, name: &str, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        self.entries.entries(name, each)
    }
}
