//! Reputations as they are in the middle of a check: those that are kept, with what has been changed so far.

use crate::learned::{Change, Memory, Notebook, Reputation};

pub(super) struct View<'a> {
    memory: &'a dyn Memory,
    notes: Notebook,
    pub(super) changes: Vec<Change>,
}

impl<'a> View<'a> {
    pub(super) fn new(memory: &'a dyn Memory) -> Self {
        Self { memory, notes: Notebook::default(), changes: Vec::new() }
    }

    /// What is known under a key; what can not be true counts as nothing.
    pub(super) fn get(&self, key: &str) -> Reputation {
        let found = self.notes.reputation(key, self.memory.reputation(key)).unwrap_or_default();
        if found.count < 0 || !found.total.is_finite() { Reputation::default() } else { found }
    }

    pub(super) fn change(&mut self, change: Change) {
        self.notes.note(&change);
        self.changes.push(change);
    }

    /// One message more, of that score.
    pub(super) fn add(&mut self, key: &str, score: f64) {
        self.change(Change::Score { key: key.to_owned(), more: Reputation { count: 1, total: score } });
    }

    /// This and nothing else is known under the key.
    pub(super) fn set(&mut self, key: &str, reputation: Reputation) {
        self.change(Change::ForgetKey(key.to_owned()));
        self.change(Change::Score { key: key.to_owned(), more: reputation });
    }
}
