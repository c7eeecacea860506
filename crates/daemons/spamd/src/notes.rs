//! What was learned, for each user: opened when it is first asked for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use learned::{Expiry, Learned, Shelf};
use spam::rules::Settings;

/// How often it is looked whether old tokens have to go.
const EXPIRY_SECONDS: u64 = 3600;

/// The learned data of all.
#[derive(Default)]
pub(crate) struct Notes {
    shelf: Shelf,
    /// The home of the user that this process is.
    home: PathBuf,
    /// What could not be opened is complained about once.
    refused: Mutex<HashSet<PathBuf>>,
    /// For each database when it is looked at again.
    next_expiry: Mutex<HashMap<PathBuf, u64>>,
}

impl Notes {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home, ..Self::default() }
    }

    /// The data that counts with these settings; `state` is the user's folder. `None` when nothing is to be learned, or
    /// it can not be opened.
    pub(crate) fn of(&self, settings: &Settings, state: &Path) -> Option<Learned> {
        if !settings.remembers() {
            return None;
        }
        match self.shelf.learned(settings, state, &self.home) {
            Ok(learned) => Some(learned),
            Err(trouble) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                if refused.insert(state.to_owned()) {
                    log::warn!("spamd: {trouble}: nothing is learned, and BAYES rules do not count");
                }
                None
            }
        }
    }

    /// Writes down what is not written yet, for the process ends.
    pub(crate) fn flush(&self) {
        if let Err(trouble) = self.shelf.flush() {
            log::warn!("spamd: {trouble}: what the last second taught is lost");
        }
    }

    /// Is it time to look whether old tokens have to go?
    fn is_due(&self, path: &Path, now: u64) -> bool {
        let mut next = self.next_expiry.lock().unwrap_or_else(PoisonError::into_inner);
        if next.get(path).is_some_and(|next| now < *next) {
            return false;
        }
        next.retain(|_, next| now < *next);
        next.insert(path.to_owned(), now + EXPIRY_SECONDS);
        true
    }

    /// Removes old tokens now and then, in a thread of its own: no verdict waits for that.
    pub(crate) fn tidy_up(&self, learned: &Learned, settings: &Settings, now: i64) {
        let now = u64::try_from(now).unwrap_or_default();
        let Some(file) = learned.bayes.file().filter(|_| settings.bayes_auto_expire) else { return };
        if !self.is_due(file, now) {
            return;
        }
        let (store, limit) = (learned.bayes.clone(), settings.bayes_expiry_max_db_size);
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        thread::spawn(move || match store.expire(Expiry { limit, now, force: false }) {
            Ok(expired) if expired.deleted > 0 => {
                log::info!(
                    "spamd: bayes: {} tokens stay, {} old ones are removed",
                    expired.kept,
                    expired.deleted
                );
            }
            Ok(_) => {}
            Err(trouble) => log::warn!("spamd: {trouble}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_is_looked_at_once_an_hour() {
        let notes = Notes::default();
        assert!(notes.is_due(Path::new("/a"), 1000) && notes.is_due(Path::new("/b"), 1000));
        assert!(!notes.is_due(Path::new("/a"), 1000 + EXPIRY_SECONDS - 1));
        assert!(notes.is_due(Path::new("/a"), 1000 + EXPIRY_SECONDS));
    }
}
