//! A database with the changes that are not written yet.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spam::learned::{Change, Class, Memory, Notebook, Reputation, Tally, Token, TokenChange, TokenCounts};

use crate::database::{Database, Facts, Look, Outcome};
use crate::trouble::Trouble;

/// How long a change stays in memory only. What a crash takes of it is what the last second taught.
pub const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Entries that wait; then whoever changes more writes them down himself.
const PENDING_LIMIT: usize = 200_000;

/// Learned data.
pub struct Store {
    pub(crate) database: Database,
    pending: Mutex<Pending>,
    /// Held by whoever writes.
    writing: Mutex<()>,
    /// This store, among all that write to the database.
    writer: u64,
    has_thread: AtomicBool,
}

#[derive(Default)]
struct Pending {
    notes: Notebook,
    /// What is being written, as which bundle.
    bundle: Option<(u64, Arc<Notebook>)>,
    bundles: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other store has.
fn writer_number() -> u64 {
    static STORES: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let moment = u64::try_from(now.as_nanos() & u128::from(u64::MAX >> 8)).unwrap_or(0);
    let process = u64::from(std::process::id());
    (moment ^ (process << 40)).wrapping_add(STORES.fetch_add(1, Ordering::Relaxed))
}

impl Store {
    /// Opens a database, or makes it. A process opens each only once: [`crate::Shelf`] sees to that.
    ///
    /// # Errors
    /// [`Trouble::Folder`], [`Trouble::Database`].
    pub fn open(path: &Path) -> Result<Arc<Self>, Trouble> {
        Ok(Arc::new(Self {
            database: Database::open(path)?,
            pending: Mutex::default(),
            writing: Mutex::default(),
            writer: writer_number(),
            has_thread: AtomicBool::new(false),
        }))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Changes what was learned: at once for this process, within [`FLUSH_EVERY`] on disk.
    pub fn apply(self: &Arc<Self>, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let waiting = {
            let mut pending = lock(&self.pending);
            changes.iter().for_each(|change| pending.notes.note(change));
            pending.notes.len()
        };
        if waiting > PENDING_LIMIT {
            self.flush_or_log();
        } else if !self.has_thread.swap(true, Ordering::Relaxed) {
            self.start_thread();
        }
    }

    fn start_thread(self: &Arc<Self>) {
        let store: Weak<Self> = Arc::downgrade(self);
        let run = move || {
            loop {
                std::thread::sleep(FLUSH_EVERY);
                let Some(store) = store.upgrade() else { return };
                store.flush_or_log();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("learned".to_owned()).spawn(run) {
            log::warn!("no thread for learned data: {error}");
            self.flush_or_log();
        }
    }

    fn flush_or_log(&self) {
        if let Err(trouble) = self.flush() {
            log::warn!("{trouble}");
        }
    }

    /// Writes down what is not written yet; on disk when this returns.
    ///
    /// # Errors
    /// [`Trouble::Database`]; the changes are kept for the next time.
    pub fn flush(&self) -> Result<(), Trouble> {
        let _writing = lock(&self.writing);
        loop {
            let Some((number, notes)) = self.next_bundle() else { return Ok(()) };
            self.write(number, &notes).map_err(self.database.trouble("write"))?;
            lock(&self.pending).bundle = None;
        }
    }

    fn next_bundle(&self) -> Option<(u64, Arc<Notebook>)> {
        let mut pending = lock(&self.pending);
        if pending.bundle.is_none() && !pending.notes.is_empty() {
            pending.bundles += 1;
            let notes = Arc::new(std::mem::take(&mut pending.notes));
            pending.bundle = Some((pending.bundles, notes));
        }
        pending.bundle.clone()
    }

    fn write(&self, number: u64, notes: &Notebook) -> Outcome<()> {
        let mut change = self.database.change()?;
        change.notes(notes)?;
        change.sign(self.writer, number)?;
        change.commit()
    }

    /// Reads, with the changes on top that the database has not yet: those that are being written, and the others.
    fn read<T: Default, C>(
        &self,
        overlay: impl Fn(&Notebook) -> C,
        read: impl FnOnce(&Look<'_>, &[C]) -> Outcome<T>,
    ) -> T {
        let attempt = || {
            let pending = lock(&self.pending);
            let look = self.database.look()?;
            let mut layers = Vec::new();
            if let Some((number, notes)) = &pending.bundle
                && look.written_by(self.writer)? < *number
            {
                layers.push(overlay(notes));
            }
            if !pending.notes.is_empty() {
                layers.push(overlay(&pending.notes));
            }
            drop(pending);
            read(&look, &layers)
        };
        attempt().unwrap_or_else(|error| {
            log::warn!("{}", self.database.trouble("read")(error));
            T::default()
        })
    }

    /// Numbers about it; what is not written yet does not count.
    ///
    /// # Errors
    /// [`Trouble::Database`].
    pub fn facts(&self) -> Result<Facts, Trouble> {
        self.database.look().and_then(|look| look.facts()).map_err(self.database.trouble("read"))
    }

    /// Shows each token, in no order; what is not written yet is not among them.
    ///
    /// # Errors
    /// [`Trouble::Database`].
    pub fn each_token(&self, mut each: impl FnMut(Token, TokenCounts)) -> Result<(), Trouble> {
        self.database
            .look()
            .and_then(|look| look.each_token(&mut each))
            .map_err(self.database.trouble("read"))
    }

    /// Shows each message that was learned.
    ///
    /// # Errors
    /// [`Trouble::Database`].
    pub fn each_message(&self, mut each: impl FnMut(&str, Class)) -> Result<(), Trouble> {
        self.database
            .look()
            .and_then(|look| look.each_message(&mut each))
            .map_err(self.database.trouble("read"))
    }

    /// Shows each reputation with its key.
    ///
    /// # Errors
    /// [`Trouble::Database`].
    pub fn each_sender(&self, mut each: impl FnMut(&str, Reputation)) -> Result<(), Trouble> {
        self.database
            .look()
            .and_then(|look| look.each_sender(&mut each))
            .map_err(self.database.trouble("read"))
    }

    /// Forgets all tokens and messages; reputations stay.
    ///
    /// # Errors
    /// [`Trouble::Database`].
    pub fn clear(&self) -> Result<(), Trouble> {
        self.flush()?;
        let clear = || {
            let mut change = self.database.change()?;
            change.clear()?;
            change.commit()
        };
        clear().map_err(self.database.trouble("clear"))
    }
}

impl Memory for Store {
    fn tally(&self) -> Option<Tally> {
        let changes = |notes: &Notebook| (notes.spam, notes.ham);
        self.read(changes, |look, layers| {
            let mut tally = look.facts()?.tally;
            for (spam, ham) in layers {
                let more = Notebook { spam: *spam, ham: *ham, ..Notebook::default() };
                tally = more.tally(tally);
            }
            Ok(Some(tally))
        })
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        let changes = |notes: &Notebook| -> Vec<Option<TokenChange>> {
            tokens.iter().map(|token| notes.tokens.get(token).copied()).collect()
        };
        let mut found = self.read(changes, |look, layers| {
            let one = |(index, token): (usize, &Token)| {
                let mut counts = look.token(token)?;
                for change in layers.iter().filter_map(|layer| layer[index]) {
                    counts = change.apply(counts);
                }
                Ok(counts)
            };
            tokens.iter().enumerate().map(one).collect::<Outcome<Vec<_>>>()
        });
        found.resize(tokens.len(), None);
        found
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        let changes = |notes: &Notebook| notes.messages.get(message_id).copied();
        self.read(changes, |look, layers| {
            let stored = look.message(message_id)?;
            Ok(layers.iter().flatten().last().map_or(stored, |class| *class))
        })
    }

    fn reputation(&self, key: &str) -> Option<Reputation> {
        let changes = |notes: &Notebook| Notebook {
            reputations: notes
                .reputations
                .get_key_value(key)
                .map(|(key, amount)| (key.clone(), *amount))
                .into_iter()
                .collect(),
            forgotten_keys: notes.forgotten_keys.clone(),
            ..Notebook::default()
        };
        self.read(changes, |look, layers| {
            let stored = look.sender(key)?;
            Ok(layers.iter().fold(stored, |before, notes| notes.reputation(key, before)))
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.flush_or_log();
        let forget = || {
            let mut change = self.database.change()?;
            change.forget_writer(self.writer)?;
            change.commit()
        };
        if lock(&self.pending).bundles > 0
            && let Err(error) = forget()
        {
            log::debug!("{}", self.database.trouble("write")(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Token = *b"aaaaa";
    const B: Token = *b"bbbbb";

    fn lesson(tokens: &[Token], class: Class, by: i64) -> [Change; 3] {
        [
            Change::Messages { class, by },
            Change::Tokens { tokens: tokens.to_vec(), class, by, used: 7 },
            Change::Message { id: "m1".into(), class: (by > 0).then_some(class) },
        ]
    }

    #[test]
    fn what_is_learned_shows_before_and_after_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bayes.lmdb")).unwrap();
        let check = |spam| {
            assert_eq!(store.tally(), Some(Tally { spam, ham: 0 }));
            let counts = u32::try_from(spam).ok().filter(|spam| *spam > 0);
            let counts = counts.map(|spam| TokenCounts { spam, ham: 0, used: 7 });
            assert_eq!(store.tokens(&[A, B]), [counts, None]);
            assert_eq!(store.learned_as("m1"), (spam > 0).then_some(Class::Spam));
        };
        check(0);
        store.apply(&lesson(&[A], Class::Spam, 1));
        check(1);
        store.flush().unwrap();
        check(1);
        store.apply(&lesson(&[A], Class::Spam, 1));
        check(2);
        store.flush().unwrap();
        assert_eq!(store.facts().unwrap().tokens, 1);
        store.apply(&lesson(&[A], Class::Spam, -1));
        store.apply(&lesson(&[A], Class::Spam, -1));
        check(0);
        store.flush().unwrap();
        check(0);
        assert_eq!(store.facts().unwrap().tokens, 0);
    }

    #[test]
    fn a_bundle_that_is_half_way_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bayes.lmdb")).unwrap();
        store.apply(&lesson(&[A], Class::Spam, 1));
        let (number, notes) = store.next_bundle().unwrap();
        assert_eq!(store.tally(), Some(Tally { spam: 1, ham: 0 }));
        store.write(number, &notes).unwrap();
        assert_eq!(store.tally(), Some(Tally { spam: 1, ham: 0 }));
        assert_eq!(store.tokens(&[A])[0].map(|counts| counts.spam), Some(1));
    }

    #[test]
    fn senders_are_remembered_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("senders.lmdb");
        let long = "x".repeat(700);
        let score =
            |key: &str| Change::Score { key: key.to_owned(), more: Reputation { count: 1, total: 2.5 } };
        {
            let store = Store::open(&path).unwrap();
            store.apply(&[score("a|ip=1.2"), score("a|ip=none"), score("b|ip=1.2"), score(&long)]);
        }
        let store = Store::open(&path).unwrap();
        assert_eq!(store.reputation("a|ip=1.2"), Some(Reputation { count: 1, total: 2.5 }));
        assert_eq!(store.reputation(&long), Some(Reputation { count: 1, total: 2.5 }));
        store.apply(&[Change::ForgetKeys("a|".into()), score("a|ip=9.9")]);
        let check = || {
            assert_eq!(store.reputation("a|ip=1.2"), None);
            assert_eq!(store.reputation("a|ip=9.9"), Some(Reputation { count: 1, total: 2.5 }));
            assert_eq!(store.reputation("b|ip=1.2"), Some(Reputation { count: 1, total: 2.5 }));
        };
        check();
        store.flush().unwrap();
        check();
    }
}
