//! Messages that go from folder to folder.

use super::contents::Place;
use super::error::MailError;
use super::folder::{Copied, Folder, Work};
use super::maildir::Adopted;
use super::{Uid, keywords, locked};

impl Folder {
    /// Copies messages with flags, keywords and dates; all or none. Messages that are gone are passed over.
    ///
    /// # Errors
    /// [`MailError::OverQuota`], [`MailError::TooManyKeywords`], [`MailError::Locked`], [`MailError::Io`].
    pub fn copy(&self, uids: &[Uid], target: &Self, now_us: u64) -> Result<Vec<Copied>, MailError> {
        let mut copied: Vec<Copied> = Vec::with_capacity(uids.len());
        let mut wanted = uids.to_vec();
        for attempt in 0..2 {
            let (there, files) = self.offered(&wanted)?;
            let new = match &mut *locked(&target.work) {
                Work::Maildir(maildir) => maildir.adopt(&target.contents, &files, now_us)?,
            };
            let both = || there.iter().zip(&new);
            copied.extend(both().filter_map(|(from, to)| to.map(|to| Copied { from: *from, to })));
            wanted = both().filter(|(_, to)| to.is_none()).map(|(from, _)| *from).collect();
            if wanted.is_empty() || attempt > 0 {
                break;
            }
            // Another session may have given the files other names meanwhile.
            self.sync(now_us)?;
        }
        Ok(copied)
    }

    /// Moves messages (RFC 6851): on `Ok` they are in `target` and not here. After an error some may have moved.
    ///
    /// # Errors
    /// As [`Folder::copy`].
    pub fn move_to(&self, uids: &[Uid], target: &Self, now_us: u64) -> Result<Vec<Copied>, MailError> {
        let copied = self.copy(uids, target, now_us)?;
        let moved: Vec<Uid> = copied.iter().map(|copied| copied.from).collect();
        self.expunge(&moved, now_us)?;
        Ok(copied)
    }

    /// The files of those messages that are there.
    fn offered(&self, uids: &[Uid]) -> Result<(Vec<Uid>, Vec<Adopted>), MailError> {
        let Work::Maildir(maildir) = &mut *locked(&self.work);
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
                flags: message.flags,
                keywords: keywords::names_of(contents.keywords(), message.keywords),
                wire: detail.wire,
                received: detail.received,
            });
        }
        Ok((there, files))
    }
}
