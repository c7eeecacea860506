//! Finding out what others did: three calls of stat(2) when it was nothing.

use std::collections::HashMap;
use std::path::Path;

use sys::directory::Stamp;

use super::directories::LIST;
use super::keyword_file::KEYWORDS;
use super::list_file::Reading;
use super::scan::Names;
use super::{Maildir, SharedContents, join};
use crate::store::contents::Contents;
use crate::store::courier;
use crate::store::error::MailError;
use crate::store::locked;
use crate::store::uidlist::Header;

/// A directory that changed so short ago may change once more without its time stamp showing it, nanoseconds.
const UNSETTLED_NS: i64 = 1_000_000_000;

/// For fewer findings about messages the index is not written.
const FINDINGS: usize = 32;

/// The stamps of what a Maildir consists of.
#[derive(Debug, Clone, Copy)]
struct Look {
    cur: Stamp,
    new: Stamp,
    list: Option<Stamp>,
    keywords: Option<Stamp>,
}

/// The stamps of what is in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) cur: Stamp,
    pub(super) new: Stamp,
    pub(super) keywords: Option<Stamp>,
    /// When that was.
    pub(super) looked_us: u64,
}

/// Which directories are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) cur: bool,
    pub(super) new: bool,
}

const ALL: Scope = Scope { cur: true, new: true };

impl Seen {
    fn changed(&self, look: &Look) -> Scope {
        let differs =
            |then: &Stamp, now: &Stamp| (then.inode, then.modified_ns) != (now.inode, now.modified_ns);
        Scope { cur: differs(&self.cur, &look.cur), new: differs(&self.new, &look.new) }
    }

    /// Which directories may have changed unseen, and can tell by now.
    fn unsettled(&self, now_us: u64) -> Scope {
        let settles = |stamp: &Stamp| stamp.modified_ns.saturating_add(UNSETTLED_NS);
        let is =
            |stamp| nanoseconds(self.looked_us) < settles(stamp) && nanoseconds(now_us) >= settles(stamp);
        Scope { cur: is(&self.cur), new: is(&self.new) }
    }
}

fn nanoseconds(microseconds: u64) -> i64 {
    i64::try_from(microseconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

impl Maildir {
    /// Brings in what others did.
    pub(crate) fn sync(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        let look = self.look()?;
        if let Some(seen) = &self.seen {
            let (changed, unsettled) = (seen.changed(&look), seen.unsettled(now_us));
            let lists = self.list.stamp == look.list && seen.keywords == look.keywords;
            if lists
                && changed == (Scope { cur: false, new: false })
                && (unsettled == changed || self.is_as_known(contents, unsettled, now_us)?)
            {
                return self.save_findings(contents, now_us);
            }
        }
        let _lock = self.lock_if_possible(now_us)?;
        let first = self.seen.is_none();
        self.sync_locked(contents, now_us)?;
        self.save_index(contents);
        if first { self.sweep_tmp(now_us) } else { Ok(()) }
    }

    /// Dates and sizes that were asked of many files are asked once: the index is told.
    fn save_findings(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        if locked(contents).unsaved() < FINDINGS {
            return Ok(());
        }
        let Some(_lock) = self.lock_if_possible(now_us)? else { return Ok(()) };
        self.sync_locked(contents, now_us)?;
        self.save_index(contents);
        Ok(())
    }

    /// On a disk that can not be written at the moment, reading goes on without a lock; and on a full one removing mail
    /// is what helps.
    pub(super) fn lock_if_possible(&mut self, now_us: u64) -> Result<Option<super::FolderLock>, MailError> {
        match self.lock(now_us) {
            Ok(lock) => Ok(Some(lock)),
            Err(MailError::Io { source, .. }) if is_unwritable(&source) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads unsettled directories without a lock: mostly they hold what was known.
    fn is_as_known(
        &mut self,
        contents: &SharedContents,
        scope: Scope,
        now_us: u64,
    ) -> Result<bool, MailError> {
        let names = self.scan(scope)?;
        let same = join::is_as_known(&locked(contents), &names, scope);
        if same && let Some(seen) = &mut self.seen {
            seen.looked_us = now_us;
        }
        Ok(same)
    }

    /// As [`Maildir::sync`], by who holds the lock.
    pub(super) fn sync_locked(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        let look = self.look()?;
        let first = self.seen.is_none();
        self.adopt_index(contents)?;
        let mut scope = match &self.seen {
            Some(seen) => union(seen.changed(&look), seen.unsettled(now_us)),
            None => ALL,
        };
        if self.read_list(contents, look.list, now_us)? {
            scope = ALL;
        }
        if self.seen.is_none_or(|seen| seen.keywords != look.keywords) {
            let mut names = std::mem::take(&mut locked(contents).keywords);
            let read = self.read_keywords(&mut names);
            locked(contents).keywords = names;
            read?;
        }
        let outcome = self.bring_in(contents, scope, now_us);
        if outcome.is_ok() {
            if first {
                let left = self.shared.unclaimed(&self.path);
                let mut contents = locked(contents);
                let there: Vec<_> = left.into_iter().filter(|uid| contents.message(*uid).is_some()).collect();
                contents.leave_unclaimed(there);
                contents.recount();
            }
            self.seen =
                Some(Seen { cur: look.cur, new: look.new, keywords: look.keywords, looked_us: now_us });
        }
        outcome
    }

    fn bring_in(&mut self, contents: &SharedContents, scope: Scope, now_us: u64) -> Result<(), MailError> {
        if scope == (Scope { cur: false, new: false }) {
            return if self.list.unfit { self.write_list(contents, &[]) } else { Ok(()) };
        }
        let mut scope = scope;
        let mut names = self.scan(scope)?;
        let mut joined = join::join(&locked(contents), &mut self.list, &names, scope);
        if !joined.missing.is_empty() {
            // One who takes no lock may have moved a file from what we had not read to what we had.
            scope = ALL;
            let again = self.scan(scope)?;
            joined.put_back(&mut self.list);
            names = again;
            joined = join::join(&locked(contents), &mut self.list, &names, scope);
        }
        self.apply(contents, joined, now_us)?;
        drop(names);
        if scope == ALL {
            // What the list still has beyond that are records of messages that are gone.
            self.list.waiting = HashMap::new();
        }
        Ok(())
    }

    fn scan(&mut self, scope: Scope) -> Result<Names, MailError> {
        let trouble = self.trouble("read", if scope.cur { "cur" } else { "new" });
        let directories = self.enter()?;
        let mut names = Names::default();
        // A message moves from new/ to cur/: read in this order, it is seen at least once.
        let mut read = || {
            if scope.new {
                names.read(&directories.new, true)?;
            }
            if scope.cur { names.read(&directories.cur, false) } else { Ok(()) }
        };
        read().map_err(trouble)?;
        Ok(names)
    }

    /// True when the list is not the one that the messages in memory are from.
    fn read_list(
        &mut self,
        contents: &SharedContents,
        now: Option<Stamp>,
        now_us: u64,
    ) -> Result<bool, MailError> {
        let trouble = self.trouble("read", LIST);
        self.enter()?;
        let Some(directories) = &self.directories else { return Ok(false) };
        let reading = self.list.refresh(&directories.home, now).map_err(trouble)?;
        let mut contents = locked(contents);
        match reading {
            Reading::Same => return Ok(false),
            Reading::Replaced => {}
            Reading::Missing => self.begin_list(&contents, now_us)?,
        }
        let Some(header) = &self.list.header else { return Ok(true) };
        let guid = header.guid.unwrap_or_else(|| self.shared.new_guid(now_us));
        if contents.summary().uid_validity != header.uid_validity {
            contents.reset(header.uid_validity, guid, now_us);
            self.fields.clear();
        }
        contents.set_guid(guid);
        Ok(true)
    }

    /// There is no list: it goes on from what is in memory, from Courier's, or begins.
    fn begin_list(&mut self, contents: &Contents, now_us: u64) -> Result<(), MailError> {
        let known = contents.summary();
        if known.uid_validity != 0 {
            self.list.header = Some(Header {
                version: 3,
                uid_validity: known.uid_validity,
                next_uid: known.uid_next,
                guid: Some(known.guid),
                other: Vec::new(),
            });
        } else if let Some(parsed) = self.directories.as_ref().and_then(|open| courier::uid_list(&open.home))
        {
            self.list.adopt(parsed);
        } else {
            let uid_validity = self.shared.next_uid_validity(now_us)?;
            let guid = Some(self.shared.new_guid(now_us));
            self.list.header =
                Some(Header { version: 3, uid_validity, next_uid: 1, guid, other: Vec::new() });
        }
        self.list.unfit = true;
        Ok(())
    }

    fn look(&mut self) -> Result<Look, MailError> {
        let trouble = self.trouble("read", "cur");
        let home = &self.shared.home;
        let stamp = |name: &str| home.stamp_of(&Path::new(".").join(&self.path).join(name));
        let look = || {
            Ok(Look {
                cur: stamp("cur")?,
                new: stamp("new")?,
                list: stamp(LIST).ok(),
                keywords: stamp(KEYWORDS).ok(),
            })
        };
        let look: Look = look().map_err(trouble)?;
        // Another directory of the name, as after DELETE and CREATE, is another folder.
        if self.seen.is_some_and(|seen| seen.cur.inode != look.cur.inode) {
            self.directories = None;
        }
        Ok(look)
    }

    /// What we changed ourselves, under the lock, is no news.
    pub(super) fn settle(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        let look = self.look()?;
        self.seen = Some(Seen { cur: look.cur, new: look.new, keywords: look.keywords, looked_us: now_us });
        self.save_index(contents);
        Ok(())
    }
}

fn union(one: Scope, other: Scope) -> Scope {
    Scope { cur: one.cur || other.cur, new: one.new || other.new }
}

/// Can the disk not be written, though it can be read?
fn is_unwritable(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
