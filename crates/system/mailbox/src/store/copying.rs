//! Messages that go from folder to folder.

use std::collections::HashSet;

use super::contents::Place;
use super::error::MailError;
use super::flags::{FlagScope, KeywordSet};
use super::folder::{Copied, Folder, Work};
use super::maildir::Adopted;
use super::upload::Addition;
use super::{Uid, keywords, locked};

/// Messages, and their files in the same order.
type Offered = (Vec<Uid>, Vec<Adopted>);
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
        let copied = self.copy_files(uids, target, scope, now_us)?;
        self.note_copies(target, &sizes, &copied);
        Ok(copied)
    }

    fn copy_files(
        &self,
        uids: &[Uid],
        target: &Self,
        scope: FlagScope,
        now_us: u64,
    ) -> Result<Vec<Copied>, MailError> {
        let mut copied: Vec<Copied> = Vec::with_capacity(uids.len());
        let mut wanted = uids.to_vec();
        for _ in 0..TRIES {
            let Some((there, files)) = self.offered(&wanted, scope)? else {
                return self.copy_text(uids, target, scope, now_us);
            };
            let Some(new) = target.adopt(&files, now_us)? else {
                return self.copy_text(uids, target, scope, now_us);
            };
            let both = || there.iter().zip(&new);
            copied.extend(both().filter_map(|(from, to)| to.map(|to| Copied { from: *from, to })));
            wanted = both().filter(|(_, to)| to.is_none()).map(|(from, _)| *from).collect();
            if wanted.is_empty() {
                break;
            }
            // Another session or program may have given the files other names meanwhile.
            self.look_again()?;
        }
        Ok(copied)
    }

    /// Moves messages (RFC 6851): on `Ok` they are in `target` and not here. After an error some may have moved.
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
        let copied = self.copy_files(uids, target, scope, now_us)?;
        self.note_copies(target, &sizes, &copied);
        let moved: Vec<Uid> = copied.iter().map(|copied| copied.from).collect();
        self.expunge(&moved, now_us)?;
        Ok(copied)
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
            there.push(*uid);
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
    ) -> Result<Vec<Copied>, MailError> {
        let dates = self.received(uids)?;
        let (mut from, mut additions) = (Vec::with_capacity(uids.len()), Vec::with_capacity(uids.len()));
        for (uid, received) in uids.iter().zip(dates) {
            let mut text = match self.open(*uid) {
                Err(MailError::Gone(_)) => continue,
                outcome => outcome?,
            };
            let Some(flags) = self.read(|contents| contents.message(*uid).map(|message| message.flags))
            else {
                continue;
            };
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
            let keywords = if scope.keywords { self.keyword_names(*uid) } else { Vec::new() };
            additions.push(Addition { upload, flags: flags & scope.flags, keywords, received });
            from.push(*uid);
        }
        if additions.is_empty() {
            return Ok(Vec::new());
        }
        let to = target.append(additions, now_us)?;
        Ok(from.into_iter().zip(to).map(|(from, to)| Copied { from, to }).collect())
    }
}

fn scoped(keywords: KeywordSet, scope: FlagScope) -> KeywordSet {
    if scope.keywords { keywords } else { KeywordSet::default() }
}
