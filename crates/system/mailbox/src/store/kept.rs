//! What outlives a session for a while: the next one of the same user finds folders read and the index open.
//!
//! It only costs memory, which is bounded by the messages that are known. All of it is looked at anew by
//! [`super::Folder::sync`], as if another session had it open all the time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Folder, Store};

/// So many users' stores are kept.
const STORES_LIMIT: usize = 64;
/// So many folders of a store are kept.
const FOLDERS_LIMIT: usize = 4;
/// So many messages may all of them know of, some two hundred bytes each.
const MESSAGES_LIMIT: usize = 200_000;

/// Stores, the last used first.
#[derive(Debug, Default)]
pub(super) struct KeptStores(VecDeque<Arc<Store>>);

impl KeptStores {
    /// Keeps a store; those that are too many go.
    pub(super) fn keep(&mut self, store: &Arc<Store>) {
        match self.0.iter().position(|kept| Arc::ptr_eq(kept, store)) {
            Some(0) => return,
            Some(place) => drop(self.0.remove(place)),
            None => {}
        }
        self.0.push_front(Arc::clone(store));
        let mut messages = 0;
        let fits = self.0.iter().take(STORES_LIMIT).take_while(|store| {
            messages += store.known_messages();
            messages <= MESSAGES_LIMIT
        });
        let fits = fits.count();
        self.0.truncate(fits.max(1));
    }

    /// Forgets a store.
    pub(super) fn forget(&mut self, store: &Arc<Store>) {
        self.0.retain(|kept| !Arc::ptr_eq(kept, store));
    }
}

/// Folders, the last used first.
#[derive(Debug, Default)]
pub(super) struct KeptFolders(VecDeque<Arc<Folder>>);

impl KeptFolders {
    /// Keeps a folder; those that are too many go.
    pub(super) fn keep(&mut self, folder: &Arc<Folder>) {
        self.forget(folder);
        self.0.push_front(Arc::clone(folder));
        self.0.truncate(FOLDERS_LIMIT);
    }

    /// Forgets a folder.
    pub(super) fn forget(&mut self, folder: &Arc<Folder>) {
        self.0.retain(|kept| !Arc::ptr_eq(kept, folder));
    }

    /// How many messages are known of; those of a folder that is being worked on do not count.
    pub(super) fn known_messages(&self) -> usize {
        self.0.iter().filter_map(|folder| folder.known_messages()).sum()
    }
}
