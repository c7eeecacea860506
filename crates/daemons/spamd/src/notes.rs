//! What was learned, for each user: opened when it is first asked for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use learned::{Expiry, Learned, Owner, Shelf};
use spam::rules::Settings;

/// How often it is looked whether old tokens have to go.
const EXPIRY_SECONDS: u64 = 3600;

/// The learned data of all.
#[derive(Default)]
pub(crate) struct Notes {
    shelf: Shelf,
    /// The user that this process is, and his home.
    login: String,
    home: PathBuf,
    /// What could not be opened is complained about once.
    refused: Mutex<HashSet<String>>,
    /// For each database when it is looked at again.
    next_expiry: Mutex<HashMap<String, u64>>,
}

impl Notes {
    pub(crate) fn new(home: PathBuf) -> Self {
        let login = sys::users::user_of_id(sys::ids::effective_uid()).ok().flatten();
        Self { login: login.map(|user| user.name).unwrap_or_default(), home, ..Self::default() }
    }

    /// The data that counts with these settings; `state` is the user's folder, and without a name it is that of the user that this
    /// process is. `None` when nothing is to be learned, or it can not be opened.
    pub(crate) fn of(&self, settings: &Settings, user: Option<&str>, state: &Path) -> Option<Learned> {
        if !settings.remembers() {
            return None;
        }
        let user = user.unwrap_or(&self.login);
        let owner = Owner { user, login: &self.login, state, home: &self.home };
        match self.shelf.learned(settings, &owner) {
            Ok(learned) => Some(learned),
            Err(trouble) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                if refused.insert(trouble.to_string()) {
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
    fn is_due(&self, database: &str, now: u64) -> bool {
        let mut next = self.next_expiry.lock().unwrap_or_else(PoisonError::into_inner);
        if next.get(database).is_some_and(|next| now < *next) {
            return false;
        }
        next.retain(|_, next| now < *next);
        next.insert(database.to_owned(), now + EXPIRY_SECONDS);
        true
    }

    /// Removes old tokens now and then, in a thread of its own: no verdict waits for that.
    pub(crate) fn tidy_up(&self, learned: &Learned, settings: &Settings, now: i64) {
        let now = u64::try_from(now).unwrap_or_default();
        if !learned.bayes.grows() || !settings.bayes_auto_expire || !self.is_due(&learned.bayes.name(), now) {
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
        assert!(notes.is_due("/a", 1000) && notes.is_due("/b", 1000));
        assert!(!notes.is_due("/a", 1000 + EXPIRY_SECONDS - 1));
        assert!(notes.is_due("/a", 1000 + EXPIRY_SECONDS));
    }
}
