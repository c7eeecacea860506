//! Messages that go from folder to folder.

use std::collections::{HashMap, HashSet};

use super::contents::{Message, Place};
use super::error::MailError;
use super::filename::Marks;
use super::flags::{FlagChange, FlagScope, How, KeywordSet};
use super::folder::{Copied, Folder, Work};
use super::maildir::Adopted;
use super::upload::Addition;
use super::{Uid, keywords, locked};

/// Messages with what was marked on them, and their files in the same order.
type Offered = (Vec<(Uid, Marks)>, Vec<Adopted>);
/// A message, its copy, and what was marked on the message when the copy was made.
#[derive(Clone)]
struct Pair {
    ends: Copied,
    marks: Marks,
}

/// What is read at a time, bytes.
const BLOCK_BYTES: usize = 256 * 1024;
/// How often files are looked for whose names others change while they are copied.
const TRIES: usize = 10;

impl Folder {
    /// Copies messages with their dates, and those flags and keywords that `scope` lets through; all or none. Messages that
    /// are gone are passed over.
    ///
    /// # Errors
    /// [`MailError::OverQuota`], [`MailError::TooManyKeywords`], [`MailError::Locked`], [`MailError::Io`].
    pub fn copy(
        &self,
        uids: &[Uid],
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Copied>, MailError> {
        let sizes = self.disk_bytes(uids);
        self.shared.check_room(sizes.iter().map(|(_, bytes)| bytes).sum(), uids.len() as u64, now_us)?;
        let copied = copied(&self.copy_files(uids, target, scope, now_us)?);
        self.note_copies(target, &sizes, &copied);
        Ok(copied)
    }

    fn copy_files(
        &self,
        uids: &[Uid],
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Pair>, MailError> {
        let mut copies: Vec<Pair> = Vec::with_capacity(uids.len());
        let mut wanted = uids.to_vec();
        for _ in 0..TRIES {
            let Some((there, files)) = self.offered(&wanted, scope)? else {
                return self.copy_text(uids, target, scope, now_us);
            };
            let Some(new) = target.adopt(&files, now_us)? else {
                return self.copy_text(uids, target, scope, now_us);
            };
            let both = || there.iter().zip(&new);
            copies.extend(both().filter_map(|((from, marks), to)| {
                to.map(|to| Pair { ends: Copied { from: *from, to }, marks: *marks })
            }));
            wanted = both().filter(|(_, to)| to.is_none()).map(|((from, _), _)| *from).collect();
            if wanted.is_empty() {
                break;
            }
            // Another session or program may have given the files other names meanwhile.
            self.look_again()?;
        }
        Ok(copies)
    }

    /// Moves messages (RFC 6851): on `Ok` they are in `target` and not here. After an error some may have moved. What
    /// others mark on a message before it goes here is marked on the copy.
    ///
    /// # Errors
    /// As [`Folder::copy`].
    pub fn move_to(
        &self,
        uids: &[Uid],
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Copied>, MailError> {
        // Within a store nothing grows by it.
        let sizes = self.disk_bytes(uids);
        let mut copies = self.copy_files(uids, target, scope, now_us)?;
        let copied = copied(&copies);
        self.note_copies(target, &sizes, &copied);
        for _ in 0..TRIES {
            self.expunge_copied(&copies, now_us)?;
            copies = self.carry_on(copies, target, scope, now_us)?;
            if copies.is_empty() {
                return Ok(copied);
            }
        }
        // Somebody who never stops changing flags.
        let left: Vec<Uid> = copies.iter().map(|copy| copy.ends.from).collect();
        self.expunge(&left, now_us)?;
        Ok(copied)
    }

    /// Removes the messages that are still marked as their copies are.
    fn expunge_copied(&self, copies: &[Pair], now_us: u64) -> Result<(), MailError> {
        let marks: HashMap<Uid, Marks> = copies.iter().map(|copy| (copy.ends.from, copy.marks)).collect();
        let uids: Vec<Uid> = copies.iter().map(|copy| copy.ends.from).collect();
        let is_same = |message: &Message| marks.get(&message.uid) == Some(&Marks::of(message));
        self.expunge_where(&uids, &is_same, now_us).map(drop)
    }

    /// Marks on the copies what was marked on messages since; answers those messages.
    fn carry_on(
        &self,
        copies: Vec<Pair>,
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Pair>, MailError> {
        let (mut left, mut changes) = (Vec::new(), Vec::new());
        self.read(|contents| {
            for copy in copies {
                let Some(message) = contents.message(copy.ends.from) else { continue };
                let (then, now) = (copy.marks, Marks::of(message));
                for (how, more, less) in [(How::Add, now, then), (How::Remove, then, now)] {
                    let keywords = KeywordSet(more.keywords.0 & !less.keywords.0);
                    let keywords = keywords::names_of(contents.keywords(), keywords);
                    let change = FlagChange { how, flags: more.flags & !less.flags, keywords, scope };
                    changes.push((copy.ends.to, change));
                }
                left.push(Pair { marks: now, ..copy });
            }
        });
        changes.retain(|(_, change)| !change.flags.is_empty() || !change.keywords.is_empty());
        for (uid, change) in changes {
            target.store(&[uid], &change, None, now_us)?;
        }
        Ok(left)
    }

    /// Reads the directories whatever they look like: within a tick of the clock they change unseen.
    fn look_again(&self) -> Result<(), MailError> {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.look_again(&self.contents),
            Work::Mbox(_) => Ok(()),
        }
    }

    fn note_copies(&self, target: &Self, sizes: &[(Uid, u64)], copied: &[Copied]) {
        let copied: HashSet<Uid> = copied.iter().map(|copied| copied.from).collect();
        let (mut bytes, mut messages) = (0_u64, 0);
        for (_, size) in sizes.iter().filter(|(uid, _)| copied.contains(uid)) {
            (bytes, messages) = (bytes + size, messages + 1);
        }
        target.shared.note_change(bytes.cast_signed(), messages);
    }

    /// The files of those messages that are there; none where messages are no files.
    fn offered(&self, uids: &[Uid], scope: FlagScope) -> Result<Option<Offered>, MailError> {
        let mut work = locked(&self.work);
        let Work::Maildir(maildir) = &mut *work else { return Ok(None) };
        let (mut there, mut files) = (Vec::with_capacity(uids.len()), Vec::with_capacity(uids.len()));
        let directories =
            [maildir.directory_of(false)?, maildir.directory_of(true)?].map(std::sync::Arc::new);
        let contents = locked(&self.contents);
        for uid in uids {
            let Some(at) = contents.position(*uid) else { continue };
            let (message, detail) = contents.at(at);
            let Place::File { name, fresh } = &detail.place else { continue };
            there.push((*uid, Marks::of(message)));
            files.push(Adopted {
                directory: directories[usize::from(*fresh)].clone(),
                name: name.clone(),
                flags: message.flags & scope.flags,
                keywords: keywords::names_of(contents.keywords(), scoped(message.keywords, scope)),
                wire: detail.wire,
                received: detail.received,
            });
        }
        Ok(Some((there, files)))
    }

    /// Further names for files of another folder; none where messages are no files.
    fn adopt(&self, files: &[Adopted], now_us: u64) -> Result<Option<Vec<Option<Uid>>>, MailError> {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.adopt(&self.contents, files, now_us).map(Some),
            Work::Mbox(_) => Ok(None),
        }
    }

    /// From or to an mbox, the text itself is copied.
    fn copy_text(
        &self,
        uids: &[Uid],
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Pair>, MailError> {
        let dates = self.received(uids)?;
        let (mut from, mut additions) = (Vec::with_capacity(uids.len()), Vec::with_capacity(uids.len()));
        for (uid, received) in uids.iter().zip(dates) {
            let mut text = match self.open(*uid) {
                Err(MailError::Gone(_)) => continue,
                outcome => outcome?,
            };
            let Some((marks, keywords)) = self.marks(*uid) else { continue };
            let mut upload = target.upload(now_us)?;
            let (mut offset, mut block) = (0, Vec::new());
            while offset < text.size_bytes() {
                block.clear();
                text.read_at(offset, BLOCK_BYTES, &mut block)?;
                if block.is_empty() {
                    break;
                }
                upload.write(&block)?;
                offset += block.len() as u64;
            }
            let received = received.unwrap_or((now_us / 1_000_000) as i64);
            let keywords = if scope.keywords { keywords } else { Vec::new() };
            additions.push(Addition { upload, flags: marks.flags & scope.flags, keywords, received });
            from.push((*uid, marks));
        }
        if additions.is_empty() {
            return Ok(Vec::new());
        }
        let to = target.append(additions, now_us)?;
        let copy = |((from, marks), to)| Pair { ends: Copied { from, to }, marks };
        Ok(from.into_iter().zip(to).map(copy).collect())
    }

    /// What is marked on a message, and the names of its keywords.
    fn marks(&self, uid: Uid) -> Option<(Marks, Vec<String>)> {
        self.read(|contents| {
            let marks = Marks::of(contents.message(uid)?);
            Some((marks, keywords::names_of(contents.keywords(), marks.keywords)))
        })
    }
}

fn copied(copies: &[Pair]) -> Vec<Copied> {
    copies.iter().map(|copy| copy.ends).collect()
}

fn scoped(keywords: KeywordSet, scope: FlagScope) -> KeywordSet {
    if scope.keywords { keywords } else { KeywordSet::default() }
}
