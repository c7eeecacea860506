//! What an earlier try at a delivery has left in `tmp/`, and what that says.

use std::io;
use std::path::Path;

use sys::directory::{self, Directory, Facts, Kind, Links};
use sys::locks::{self, Hold};

use super::OpenMaildir;
use crate::deliver::{Copy, Mailboxes};
use crate::disk::Disk;

/// What was left in `tmp/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// The message is in the mailbox: this is its second name.
    Delivered,
    /// It had not come so far, or its reader has removed it since.
    Unfinished,
    /// Another try is at work on it, and has not come to an end while we waited.
    Busy,
}

impl<D: Disk> Mailboxes<D> {
    /// Looks at the file `temporary`, which was there before us. One that is unfinished is gone afterwards.
    ///
    /// A second name alone proves nothing, as a backup may make one. It has to be in `new/` or `cur/`: the reader may
    /// have moved the message, and only the inode is the same then.
    pub(super) fn trace(
        &self,
        maildir: &OpenMaildir,
        copy: &Copy<'_>,
        temporary: &Path,
    ) -> io::Result<Trace> {
        let left = match maildir.tmp.open_to_read(temporary, Links::Refuse) {
            // Another try has just come to its end.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Trace::Busy),
            left => left?,
        };
        if !copy.locks.retry(|| locks::try_flock(&left, Hold::Exclusive))? {
            return Ok(Trace::Busy);
        }
        let facts = directory::facts(&left)?;
        if self.is_in_mailbox(maildir, &copy.place.path, &facts)? {
            return Ok(Trace::Delivered);
        }
        self.remove_left(maildir, temporary, &facts)
    }

    fn is_in_mailbox(&self, maildir: &OpenMaildir, path: &Path, left: &Facts) -> io::Result<bool> {
        if left.kind != Kind::File || left.links == 0 {
            return Ok(false);
        }
        let cur = self.base.enter_to_sync(&path.join("cur"), self.rules.links);
        Ok(cur.map_or(Ok(false), |cur| holds(&cur, left))? || holds(&maildir.new, left)?)
    }

    /// The name goes only with the lock on the file that bears it: nobody's file is taken away while it is written.
    fn remove_left(&self, maildir: &OpenMaildir, temporary: &Path, left: &Facts) -> io::Result<Trace> {
        let named = match maildir.tmp.facts_of(temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Trace::Unfinished),
            named => named?,
        };
        if (named.device, named.inode) != (left.device, left.inode) {
            return Ok(Trace::Busy);
        }
        self.disk.remove(&maildir.tmp, temporary).map(|()| Trace::Unfinished)
    }
}

fn holds(directory: &Directory, file: &Facts) -> io::Result<bool> {
    Ok(directory.facts()?.device == file.device && directory.has_inode(file.inode)?)
}
