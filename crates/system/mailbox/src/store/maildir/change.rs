//! Changes of what is there: flags, expunge, new mail taken notice of.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::join::LETTERED_BITS;
use super::{Maildir, SharedContents};
use crate::store::contents::{Contents, Detail, Message, Place};
use crate::store::error::MailError;
use crate::store::filename::{self, Marks};
use crate::store::flags::{FlagChange, Flags, How, KeywordSet};
use crate::store::folder::{MayGo, Stored};
use crate::store::{Uid, keywords, locked};

/// How often files are looked for whose names others change while they are removed.
const TRIES: usize = 10;

/// A file that is to get another name in `cur/`.
struct Renaming {
    uid: Uid,
    name: Box<[u8]>,
    fresh: bool,
    new_name: Vec<u8>,
    marks: Marks,
}

pub(super) fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

impl Maildir {
    /// See [`crate::store::Folder::store`].
    pub(crate) fn store(
        &mut self,
        contents: &SharedContents,
        uids: &[Uid],
        change: &FlagChange,
        unchanged_since: Option<u64>,
        now_us: u64,
    ) -> Result<Stored, MailError> {
        let _lock = self.lock(now_us)?;
        self.sync_locked(contents, now_us)?;
        let keywords = self.keyword_numbers(contents, &change.keywords, change.how != How::Remove, now_us)?;
        let mut stored = Stored::default();
        let mut wanted = uids.to_vec();
        for attempt in 0..2 {
            let renamings = plan(&locked(contents), &wanted, change, keywords, unchanged_since, &mut stored);
            let lost = self.rename_all(contents, renamings, now_us, &mut stored)?;
            if lost.is_empty() || attempt > 0 {
                break;
            }
            // One who takes no lock was faster: look where the files are now.
            self.seen = None;
            self.sync_locked(contents, now_us)?;
            wanted = lost;
        }
        locked(contents).recount();
        self.settle(contents, now_us)?;
        Ok(stored)
    }

    /// The numbers of keywords by name; with `make`, new ones become the folder's.
    pub(super) fn keyword_numbers(
        &mut self,
        contents: &SharedContents,
        names: &[String],
        make: bool,
        now_us: u64,
    ) -> Result<KeywordSet, MailError> {
        let mut known = locked(contents).keywords.clone();
        if !make {
            let numbers = names.iter().filter_map(|name| keywords::find(&known, name));
            return Ok(numbers.fold(KeywordSet::default(), KeywordSet::with));
        }
        let before = keywords::to_text(&known);
        let numbers = keywords::numbers(&mut known, names)?;
        if keywords::to_text(&known) != before {
            self.write_keywords(&known, now_us)?;
        }
        locked(contents).keywords = known;
        Ok(numbers)
    }

    /// Renames files one by one; answers messages whose file was not there.
    fn rename_all(
        &mut self,
        contents: &SharedContents,
        renamings: Vec<Renaming>,
        now_us: u64,
        stored: &mut Stored,
    ) -> Result<Vec<Uid>, MailError> {
        let modseq = stored.modseq.unwrap_or_else(|| locked(contents).next_modseq(now_us));
        let mut lost = Vec::new();
        let mut done = Vec::with_capacity(renamings.len());
        let mut outcome = Ok(());
        for renaming in renamings {
            match self.rename(&renaming) {
                Ok(()) => done.push(renaming),
                Err(error) if error.kind() == io::ErrorKind::NotFound => lost.push(renaming.uid),
                Err(error) => {
                    let name = String::from_utf8_lossy(&renaming.name).into_owned();
                    outcome = Err(self.trouble("rename", &name)(error));
                    break;
                }
            }
        }
        // Also after an error: what is done is done.
        let mut contents = locked(contents);
        for Renaming { uid, new_name, marks, .. } in done {
            if let Some(at) = contents.position(uid) {
                contents.mark(at, marks.flags, marks.keywords, modseq);
                contents.put_place(at, Place::File { name: new_name.into(), fresh: false });
                stored.modseq = Some(modseq);
            }
        }
        outcome.map(|()| lost)
    }

    fn rename(&mut self, renaming: &Renaming) -> io::Result<()> {
        let disk = self.shared.settings.disk.clone();
        let open = self.enter().map_err(io::Error::other)?;
        let from = open.of(renaming.fresh);
        if !renaming.fresh && *renaming.name == *renaming.new_name {
            // Keywords without a letter changed: nothing to see on the disk, but it must be there.
            return open.cur.stamp_of(path(&renaming.name)).map(drop);
        }
        disk.replace(from, path(&renaming.name), &open.cur, path(&renaming.new_name))
    }

    /// See [`crate::store::Folder::expunge`]. Flags are part of a file's name, and who changes them may take no lock: so
    /// only a name that `may_go` has judged is removed, and one that has become another is judged again.
    pub(crate) fn expunge(
        &mut self,
        contents: &SharedContents,
        uids: &[Uid],
        may_go: MayGo<'_>,
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        let _lock = self.lock_if_possible(now_us)?;
        self.sync_locked(contents, now_us)?;
        let (mut gone, mut wanted) = (Vec::with_capacity(uids.len()), uids.to_vec());
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            let files = files_of(&locked(contents), &wanted, may_go);
            wanted.clear();
            outcome = self.remove_files(contents, files, &mut gone, &mut wanted, now_us);
            if wanted.is_empty() || outcome.is_err() {
                break;
            }
            self.seen = None;
            self.sync_locked(contents, now_us)?;
        }
        if let Err(error) = self.list_with(contents, &[], &[]) {
            // It says more than there is, which does no harm.
            log::warn!("{error}");
        }
        self.settle(contents, now_us)?;
        gone.sort_unstable();
        outcome.map(|()| gone)
    }

    /// Removes files one by one, until one can not be; what has no file of that name goes to `lost`.
    fn remove_files(
        &mut self,
        contents: &SharedContents,
        files: Vec<(Uid, Box<[u8]>, bool)>,
        gone: &mut Vec<Uid>,
        lost: &mut Vec<Uid>,
        now_us: u64,
    ) -> Result<(), MailError> {
        let (mut outcome, mut removed) = (Ok(()), Vec::with_capacity(files.len()));
        for (uid, name, fresh) in files {
            match self.remove_file(&name, fresh) {
                Ok(()) => removed.push(uid),
                Err(error) if error.kind() == io::ErrorKind::NotFound => lost.push(uid),
                Err(error) => {
                    outcome = Err(self.trouble("remove", &String::from_utf8_lossy(&name))(error));
                    break;
                }
            }
        }
        removed.sort_unstable();
        if !removed.is_empty() {
            removed.iter().for_each(|uid| drop(self.fields.remove(uid)));
            let mut contents = locked(contents);
            let modseq = contents.next_modseq(now_us);
            contents.remove(&removed, modseq);
            gone.extend(removed);
        }
        outcome
    }

    fn remove_file(&mut self, name: &[u8], fresh: bool) -> io::Result<()> {
        let disk = self.shared.settings.disk.clone();
        let open = self.enter().map_err(io::Error::other)?;
        disk.remove(open.of(fresh), path(name))
    }

    /// See [`crate::store::Folder::claim_recent`].
    pub(crate) fn claim_recent(
        &mut self,
        contents: &SharedContents,
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        if locked(contents).summary().recent == 0 {
            return Ok(Vec::new());
        }
        let _lock = self.lock(now_us)?;
        self.sync_locked(contents, now_us)?;
        let mut claimed: Vec<Uid> = locked(contents).claim().into_iter().collect();
        self.shared.claim(&self.path);
        let fresh: Vec<_> = locked(contents)
            .with_details()
            .filter_map(|(message, detail)| match &detail.place {
                Place::File { name, fresh: true } => Some((message.uid, name.clone())),
                _ => None,
            })
            .collect();
        for (uid, name) in fresh {
            let new_name = match filename::base(&name).len() == name.len() {
                true => [&*name, b":2,"].concat(),
                false => name.to_vec(),
            };
            match self.move_to_cur(&name, &new_name) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(self.trouble("rename", &String::from_utf8_lossy(&name))(error)),
            }
            let mut contents = locked(contents);
            if let Some(at) = contents.position(uid) {
                contents.put_place(at, Place::File { name: new_name.into(), fresh: false });
                claimed.push(uid);
            }
        }
        locked(contents).recount();
        self.settle(contents, now_us)?;
        claimed.sort_unstable();
        Ok(claimed)
    }

    fn move_to_cur(&mut self, name: &[u8], new_name: &[u8]) -> io::Result<()> {
        let disk = self.shared.settings.disk.clone();
        let open = self.enter().map_err(io::Error::other)?;
        disk.replace(&open.new, path(name), &open.cur, path(new_name))
    }
}

/// What has to be renamed; messages changed after `unchanged_since` go to `stored.modified`.
fn plan(
    contents: &Contents,
    uids: &[Uid],
    change: &FlagChange,
    keywords: KeywordSet,
    unchanged_since: Option<u64>,
    stored: &mut Stored,
) -> Vec<Renaming> {
    let mut renamings = Vec::new();
    for uid in uids {
        let Some(at) = contents.position(*uid) else { continue };
        let (message, detail) = contents.at(at);
        if unchanged_since.is_some_and(|limit| message.modseq > limit)
            && Some(message.modseq) != stored.modseq
        {
            stored.modified.push(*uid);
            continue;
        }
        renamings.extend(renaming(message, detail, change, keywords));
    }
    stored.modified.sort_unstable();
    stored.modified.dedup();
    renamings
}

fn renaming(
    message: &Message,
    detail: &Detail,
    change: &FlagChange,
    keywords: KeywordSet,
) -> Option<Renaming> {
    let Place::File { name, fresh } = &detail.place else { return None };
    let marks = changed(message, change, keywords);
    if (marks.flags, marks.keywords) == (message.flags, message.keywords) {
        return None;
    }
    // An empty letter set of one that lies in new/ is written, too.
    let lettered = Marks { flags: marks.flags, keywords: KeywordSet(marks.keywords.0 & LETTERED_BITS) };
    let new_name = filename::with_marks(name, lettered);
    Some(Renaming { uid: message.uid, name: name.clone(), fresh: *fresh, new_name, marks })
}

/// The flags of a message after a change.
pub(crate) fn changed(message: &Message, change: &FlagChange, keywords: KeywordSet) -> Marks {
    let within = Flags::CLIENT & change.scope.flags;
    let asked = change.flags & within;
    let (flags, keywords) = match change.how {
        How::Add => (message.flags | asked, message.keywords.0 | keywords.0),
        How::Remove => (message.flags & !asked, message.keywords.0 & !keywords.0),
        How::Replace => (message.flags & !within | asked, keywords.0),
    };
    let keywords = if change.scope.keywords { KeywordSet(keywords) } else { message.keywords };
    Marks { flags, keywords }
}

fn files_of(contents: &Contents, uids: &[Uid], may_go: MayGo<'_>) -> Vec<(Uid, Box<[u8]>, bool)> {
    let file = |uid: &Uid| {
        let (message, detail) = contents.at(contents.position(*uid)?);
        match &detail.place {
            Place::File { name, fresh } if may_go(message) => Some((*uid, name.clone(), *fresh)),
            _ => None,
        }
    };
    uids.iter().filter_map(file).collect()
}
