//! What an earlier try at a delivery has left in `tmp/`, and what that says.

use std::io;
use std::path::Path;

use sys::directory::{Directory, Facts, Kind};

use super::OpenMaildir;
use crate::deliver::Mailboxes;
use crate::disk::Disk;

/// What was left in `tmp/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// The message is in the mailbox: this is its second name.
    Delivered,
    /// It had not come so far, or its reader has removed it since.
    Unfinished,
}

impl<D: Disk> Mailboxes<D> {
    /// Looks at the file `temporary`, which was there before us.
    ///
    /// A second name alone proves nothing, as a backup may make one. It has to be in `new/` or `cur/`: the reader may
    /// have moved the message, and only the inode is the same then.
    pub(super) fn trace(&self, maildir: &OpenMaildir, path: &Path, temporary: &Path) -> io::Result<Trace> {
        let left = maildir.tmp.facts_of(temporary)?;
        if left.kind != Kind::File || left.links < 2 {
            return Ok(Trace::Unfinished);
        }
        let cur = self.base.enter_to_sync(&path.join("cur"), self.rules.links);
        let in_cur = cur.map_or(Ok(false), |cur| holds(&cur, &left))?;
        Ok(if in_cur || holds(&maildir.new, &left)? { Trace::Delivered } else { Trace::Unfinished })
    }
}

fn holds(directory: &Directory, file: &Facts) -> io::Result<bool> {
    Ok(directory.facts()?.device == file.device && directory.has_inode(file.inode)?)
}
