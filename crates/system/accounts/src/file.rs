//! A text file that is read again when it has changed.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Unavailable;

/// What one line says: its key and its meaning; none for a line that says nothing.
type ReadLine<T> = fn(&str) -> Option<(String, T)>;

pub(crate) struct LineFile<T> {
    path: PathBuf,
    read_line: ReadLine<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    seen: Option<Seen>,
    entries: Arc<HashMap<String, T>>,
    /// It has changed, and this process may not read it any more.
    out_of_reach: bool,
}

/// What makes a file another one: device, inode, size, time of change.
type Seen = (u64, u64, u64, i64, i64);

fn seen(facts: &Metadata) -> Seen {
    (facts.dev(), facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec())
}

impl<T> LineFile<T> {
    /// Reads the file now.
    pub(crate) fn open(path: &Path, read_line: ReadLine<T>) -> Self {
        let state = State { seen: None, entries: Arc::default(), out_of_reach: false };
        let file = Self { path: path.to_owned(), read_line, state: Mutex::new(state) };
        if let Err(error) = file.entries() {
            log::warn!("{error}");
        }
        file
    }

    /// What the file says now. One that has changed and may not be read any more says what it said.
    pub(crate) fn entries(&self) -> Result<Arc<HashMap<String, T>>, Unavailable> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: io::Error| Unavailable::File(format!("open {}: {error}", self.path.display()));
        let now = seen(&std::fs::metadata(&self.path).map_err(failed)?);
        if state.seen != Some(now) {
            match std::fs::read_to_string(&self.path) {
                Ok(text) => {
                    state.entries = Arc::new(text.lines().filter_map(self.read_line).collect());
                    state.seen = Some(now);
                    state.out_of_reach = false;
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied && state.seen.is_some() => {
                    state.out_of_reach = true;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(Arc::clone(&state.entries))
    }

    pub(crate) fn is_out_of_date(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).out_of_reach
    }
}
