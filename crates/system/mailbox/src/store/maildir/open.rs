//! Opening message files.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use sys::directory::{self, Kind, Links};

use super::change::path;
use super::{Maildir, SharedContents};
use crate::store::error::MailError;
use crate::store::filename;

/// A file, its path for messages, and the parts of it that are a message: begin and end in bytes.
pub(crate) type Opened = (File, PathBuf, Vec<(u64, u64)>);

impl Maildir {
    /// The file of a message, its path, and that all of it is the message.
    pub(crate) fn open_message(&mut self, name: &[u8], fresh: bool) -> Result<Opened, MailError> {
        let full = self.full_path().join(if fresh { "new" } else { "cur" }).join(path(name));
        let open = self.enter()?;
        let file = open.of(fresh).open_to_read(path(name), Links::Refuse);
        let facts = file.and_then(|file| directory::facts(&file).map(|facts| (file, facts)));
        let (file, facts) = facts.map_err(MailError::io("open", &full))?;
        if facts.kind != Kind::File {
            return Err(MailError::io("open", full)(io::Error::other("not a regular file")));
        }
        Ok((file, full, vec![(0, facts.size)]))
    }

    /// INTERNALDATE and SAVEDATE as far as the file tells: its times of last change and of last rename.
    pub(crate) fn dates(&self, name: &[u8], fresh: bool) -> Option<(i64, i64)> {
        let stamp = self.directories.as_ref()?.of(fresh).stamp_of(path(name)).ok()?;
        let seconds = |nanoseconds: i64| nanoseconds.div_euclid(1_000_000_000);
        Some((seconds(stamp.modified_ns), seconds(stamp.changed_ns)))
    }

    /// How long the file of a message is.
    pub(crate) fn disk_bytes(&mut self, name: &[u8], fresh: bool) -> Option<u64> {
        filename::size_on_disk(name)
            .or_else(|| Some(self.enter().ok()?.of(fresh).stamp_of(path(name)).ok()?.size))
    }

    /// A file was not where it should be: read everything again.
    pub(crate) fn look_again(&mut self, contents: &SharedContents) -> Result<(), MailError> {
        // The moment is not known here; that of the last look does, as numbers only grow.
        let now_us = self.seen.take().map_or(0, |seen| seen.looked_us);
        let outcome = self.sync(contents, now_us);
        // Whatever was seen may be older than it seems.
        self.seen = None;
        outcome
    }
}
