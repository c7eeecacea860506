//! What is computed of messages and left in the mailbox's index: which things there are, and those on their way there.

use mailbox::store::{CacheKind, Folder, Uid};

// A number is never used again for something else: an index may be years old.
pub(crate) const PREVIEW: CacheKind = CacheKind(13);
pub(crate) const ENVELOPE: CacheKind = CacheKind(5);
pub(crate) const BODY: CacheKind = CacheKind(6);
pub(crate) const BODY_STRUCTURE: CacheKind = CacheKind(7);
pub(crate) const DATE: CacheKind = CacheKind(8);
pub(crate) const SUBJECT: CacheKind = CacheKind(9);
pub(crate) const ADDRESSES: CacheKind = CacheKind(10);
pub(crate) const REFERENCES: CacheKind = CacheKind(11);
/// Made of the folded text of the message with all headers.
pub(crate) const SIGNATURE: CacheKind = CacheKind(14);

/// What was computed and the index does not know.
#[derive(Default)]
pub(crate) struct Fresh(Vec<(Uid, CacheKind, Vec<u8>)>);

impl Fresh {
    pub(crate) fn add(&mut self, uid: Uid, kind: CacheKind, bytes: Vec<u8>) {
        self.0.push((uid, kind, bytes));
    }

    /// Tells the index.
    pub(crate) fn keep(self, folder: &Folder) {
        let entries: Vec<_> =
            self.0.iter().map(|(uid, kind, bytes)| (*uid, *kind, bytes.as_slice())).collect();
        if !entries.is_empty() {
            folder.cache(&entries);
        }
    }
}
