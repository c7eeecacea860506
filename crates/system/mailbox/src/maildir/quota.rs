//! Is there room in a Maildir for what is delivered?

use std::path::Path;

use crate::deliver::{Copy, Mailboxes};
use crate::disk::Disk;
use crate::error::DeliverError;
use crate::store::{Ledger, Settings, folder_paths};

impl<D: Disk> Mailboxes<D> {
    /// # Errors
    /// [`DeliverError::OverQuota`] when one more message of so many bytes would be too much.
    pub(crate) fn check_quota(&self, copy: &Copy<'_>, bytes: u64) -> Result<(), DeliverError> {
        let room = self.with_ledger(copy, |ledger| ledger.has_room(bytes, 1, copy.now_us));
        match room.transpose() {
            Ok(Some(false)) => Err(DeliverError::OverQuota),
            Ok(_) => Ok(()),
            Err(source) => Err(DeliverError::io("error counting the mailbox", source)),
        }
    }

    /// Notes a message that has come.
    pub(crate) fn note_delivery(&self, copy: &Copy<'_>, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.with_ledger(copy, |ledger| ledger.note(bytes, 1));
    }

    /// None where nothing is limited, or nothing is there that could be counted.
    fn with_ledger<R>(&self, copy: &Copy<'_>, use_it: impl FnOnce(&Ledger<'_>) -> R) -> Option<R> {
        let rule = copy.quota;
        if rule.limits.is_none() {
            return None;
        }
        let links = self.rules.links;
        let home = self.base.enter(&Path::new(".").join(&copy.place.path), links).ok()?;
        let folders = || {
            let settings = Settings { layout: rule.layout, links, ..Settings::new("", 0) };
            folder_paths(&settings, &home)
        };
        let path = self.full_path(&copy.place.path);
        let (disk, limits) = (&self.disk as &dyn Disk, rule.limits);
        Some(use_it(&Ledger { home: &home, path: &path, disk, links, limits, folders: &folders }))
    }
}
