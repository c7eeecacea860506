//! Delivery into a Maildir.

use std::fs::File;
use std::io;
use std::path::Path;

use sys::directory::{self, Directory, Facts};
use sys::locks::{self, Hold};

use super::name;
use super::trace::Trace;
use crate::content::Content;
use crate::copy::Target;
use crate::deliver::{Copy, Mailboxes};
use crate::disk::Disk;
use crate::error::DeliverError;
use crate::place::Form;

/// How many Maildirs stay open; each takes two descriptors.
const OPEN_MAILDIRS: usize = 200;
const FILE_MODE: u32 = 0o600;

/// A Maildir that is open.
#[derive(Debug)]
pub(crate) struct OpenMaildir {
    pub(super) tmp: Directory,
    pub(super) new: Directory,
    /// Device and inode of `new`: the name could stand for another directory by now.
    identity: (u64, u64),
    last_used: u64,
}

impl<D: Disk> Mailboxes<D> {
    /// `tmp/`, sync, a second name in `new/`, and sync of that directory. The name in `tmp/` goes last: until then it
    /// tells the next try how far this one has come.
    pub(crate) fn deliver_to_maildir(
        &mut self,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        when_safe: &mut dyn FnMut(),
    ) -> Result<(), DeliverError> {
        let path = &copy.place.path;
        let temporary = name::temporary(copy.name, &self.rules.host);
        self.open_maildir(path, &temporary)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let outcome = match self.open.get(path) {
            Some(maildir) => self.attempt(maildir, copy, &temporary, content, &mut buffer, when_safe),
            None => Ok(()),
        };
        self.buffer = buffer;
        outcome
    }

    fn attempt(
        &self,
        maildir: &OpenMaildir,
        copy: &Copy<'_>,
        temporary: &Path,
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
        when_safe: &mut dyn FnMut(),
    ) -> Result<(), DeliverError> {
        let file = self.create_temporary(maildir, copy, temporary)?;
        let outcome = match &file {
            Some((file, facts)) => self
                .write(file, copy, content, buffer)
                .and_then(|size| self.publish(maildir, copy, facts, temporary).map(|()| Some(size))),
            None => self.publish_again(maildir, copy, temporary).map(|()| None),
        };
        if let Ok(size) = outcome {
            when_safe();
            size.into_iter().for_each(|size| self.note_delivery(copy, size));
        }
        // What stays in tmp/ is no message; readers remove it after 36 hours. The file is still open, and so locked.
        let _ = self.disk.remove(&maildir.tmp, temporary);
        outcome.map(drop)
    }

    /// None when an earlier try has delivered. The file is locked as long as it is open, which tells another try that
    /// somebody is at it.
    fn create_temporary(
        &self,
        maildir: &OpenMaildir,
        copy: &Copy<'_>,
        temporary: &Path,
    ) -> Result<Option<(File, Facts)>, DeliverError> {
        let failed = |error| self.not_created(&copy.place.path.join("tmp").join(temporary), error);
        let created = match self.disk.create(&maildir.tmp, temporary, FILE_MODE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match self.trace(maildir, copy, temporary).map_err(failed)? {
                    Trace::Busy => return Err(DeliverError::Locked),
                    Trace::Delivered => return Ok(None),
                    Trace::Unfinished => self.disk.create(&maildir.tmp, temporary, FILE_MODE),
                }
            }
            outcome => outcome,
        };
        let file = created.map_err(failed)?;
        let is_ours = locks::try_flock(&file, Hold::Exclusive).map_err(failed)?;
        let facts = directory::facts(&file).map_err(failed)?;
        // Another try may have found it before it was locked, and taken it for one that was left.
        if is_ours && facts.links == 1 { Ok(Some((file, facts))) } else { Err(DeliverError::Locked) }
    }

    /// Answers the size, in bytes.
    fn write(
        &self,
        file: &File,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
    ) -> Result<u64, DeliverError> {
        let mut target = Target { disk: &self.disk, file, offset: 0, limit_bytes: copy.limit_bytes };
        target.copy(Form::Maildir, copy.head, content, buffer)?;
        let size = target.offset;
        self.check_quota(copy, size)?;
        self.disk.sync(file).map_err(|source| DeliverError::io("error writing message", source))?;
        Ok(size)
    }

    fn publish(
        &self,
        maildir: &OpenMaildir,
        copy: &Copy<'_>,
        facts: &Facts,
        temporary: &Path,
    ) -> Result<(), DeliverError> {
        let lasting = name::lasting(copy.now_us, facts, &self.rules.host);
        let full_path = copy.place.path.join("new").join(&lasting);
        self.disk
            .link(&maildir.tmp, temporary, &maildir.new, &lasting)
            .map_err(|error| self.not_created(&full_path, error))?;
        self.disk.sync_directory(&maildir.new).map_err(|error| {
            // It may or may not be on the disk, and will be delivered again: do not show it twice.
            let _ = self.disk.remove(&maildir.new, &lasting);
            self.not_created(&full_path, error)
        })
    }

    /// Whoever delivered may have died before the last step.
    fn publish_again(
        &self,
        maildir: &OpenMaildir,
        copy: &Copy<'_>,
        temporary: &Path,
    ) -> Result<(), DeliverError> {
        let synced = self.disk.sync_directory(&maildir.new);
        synced.map_err(|error| self.not_created(&copy.place.path.join("new").join(temporary), error))
    }

    /// Sees to it that `self.open` has the Maildir `path`, made if it was missing.
    fn open_maildir(&mut self, path: &Path, temporary: &Path) -> Result<(), DeliverError> {
        if let Some(maildir) = self.open.get_mut(path) {
            let there = self.base.facts_of(&path.join("new"));
            if there.is_ok_and(|facts| (facts.device, facts.inode) == maildir.identity) {
                maildir.last_used = self.deliveries;
                return Ok(());
            }
            self.open.remove(path);
        }
        let maildir = match self.enter_maildir(path) {
            Err(DeliverError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                self.make_maildir(path)
                    .map_err(|error| self.not_entered(&path.join("tmp").join(temporary), error))?;
                self.enter_maildir(path)
            }
            outcome => outcome,
        }?;
        self.forget_oldest();
        self.open.insert(path.to_owned(), maildir);
        Ok(())
    }

    fn enter_maildir(&self, path: &Path) -> Result<OpenMaildir, DeliverError> {
        let (tmp_path, new_path) = (path.join("tmp"), path.join("new"));
        let tmp = self.base.enter(&tmp_path, self.rules.links);
        let tmp = tmp.map_err(|error| self.not_entered(&tmp_path, error))?;
        let new = self.base.enter_to_sync(&new_path, self.rules.links);
        let new = new.map_err(|error| self.not_entered(&new_path, error))?;
        self.check_owner(&tmp, &tmp_path)?;
        let identity = self.check_owner(&new, &new_path)?;
        Ok(OpenMaildir { tmp, new, identity, last_used: self.deliveries })
    }

    /// A Maildir is its user's or root's; what a stranger made is no place for mail. Answers device and inode.
    fn check_owner(&self, directory: &Directory, path: &Path) -> Result<(u64, u64), DeliverError> {
        let facts = directory.facts().map_err(|error| self.not_created(path, error))?;
        match self.rules.owner {
            Some(owner) if facts.uid != owner && facts.uid != 0 => {
                Err(DeliverError::NotOwned { path: self.full_path(path) })
            }
            _ => Ok((facts.device, facts.inode)),
        }
    }

    fn forget_oldest(&mut self) {
        if self.open.len() < OPEN_MAILDIRS {
            return;
        }
        let oldest =
            self.open.iter().min_by_key(|(_, maildir)| maildir.last_used).map(|(path, _)| path.clone());
        if let Some(path) = oldest {
            self.open.remove(&path);
        }
    }

    /// The error of opening a directory on the way.
    fn not_entered(&self, path: &Path, error: io::Error) -> DeliverError {
        if directory::is_detour(&error) {
            return DeliverError::Detour { path: self.full_path(path) };
        }
        self.not_created(path, error)
    }

    /// The error of a step that was to end with the file `path`.
    fn not_created(&self, path: &Path, error: io::Error) -> DeliverError {
        DeliverError::io(format!("create maildir file {}", self.full_path(path).display()), error)
    }
}
