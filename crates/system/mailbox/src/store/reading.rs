//! Text, sizes and dates of messages.

use std::io;

use super::contents::{Detail, Place};
use super::error::MailError;
use super::folder::{Folder, Work};
use super::maildir::Opened;
use super::mbox::Mbox;
use super::text::MessageText;
use super::{Uid, locked};

impl Folder {
    /// Opens the text of a message.
    ///
    /// # Errors
    /// [`MailError::Gone`], [`MailError::Io`].
    pub fn open(&self, uid: Uid) -> Result<MessageText, MailError> {
        let (file, path, parts) = self.open_file(uid)?;
        let wire = self.detail(uid)?.wire;
        let text = MessageText::new(file, path, parts, wire)?;
        if wire != Some(text.size_bytes())
            && let Some(detail) = locked(&self.contents).detail_mut(uid)
        {
            detail.wire = Some(text.size_bytes());
        }
        Ok(text)
    }

    fn detail(&self, uid: Uid) -> Result<Detail, MailError> {
        locked(&self.contents).detail(uid).cloned().ok_or(MailError::Gone(uid))
    }

    fn open_file(&self, uid: Uid) -> Result<Opened, MailError> {
        let mut work = locked(&self.work);
        let maildir = match &mut *work {
            Work::Maildir(maildir) => maildir,
            Work::Mbox(mbox) => return self.open_in_mbox(mbox, uid),
        };
        for attempt in 0..2 {
            let Place::File { name, fresh } = self.detail(uid)?.place else { break };
            match maildir.open_message(&name, fresh) {
                Ok(opened) => return Ok(opened),
                // Another program may have given it another name.
                Err(MailError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    if attempt == 0 {
                        maildir.look_again(&self.contents)?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(MailError::Gone(uid))
    }

    fn open_in_mbox(&self, mbox: &mut Mbox, uid: Uid) -> Result<Opened, MailError> {
        match mbox.open_message(uid) {
            // The file has been made anew.
            Err(MailError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                mbox.look_again(&self.contents)?;
                mbox.open_message(uid)
            }
            outcome => outcome,
        }
    }

    /// Sizes on the wire in bytes (RFC822.SIZE, POP3 LIST) of these messages, in the same order; none for one that is
    /// gone. Read from the files where nobody has counted before.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn wire_sizes(&self, uids: &[Uid]) -> Result<Vec<Option<u64>>, MailError> {
        let known = self.each(uids, |detail| detail.wire);
        let mut sizes = Vec::with_capacity(uids.len());
        for (uid, known) in uids.iter().zip(known) {
            sizes.push(match known {
                Some(Some(size)) => Some(size),
                Some(None) => present(self.open(*uid).map(|text| text.size_bytes()))?,
                None => None,
            });
        }
        Ok(sizes)
    }

    /// INTERNALDATE of these messages, seconds since 1970; none for one that is gone.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn received(&self, uids: &[Uid]) -> Result<Vec<Option<i64>>, MailError> {
        self.dates(uids, |detail| detail.received)
    }

    /// SAVEDATE (RFC 8514) of these messages, seconds since 1970; none for one that is gone.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn saved(&self, uids: &[Uid]) -> Result<Vec<Option<i64>>, MailError> {
        self.dates(uids, |detail| detail.saved)
    }

    fn dates(&self, uids: &[Uid], date: fn(&Detail) -> Option<i64>) -> Result<Vec<Option<i64>>, MailError> {
        let known = self.each(uids, date);
        let mut dates = Vec::with_capacity(uids.len());
        for (uid, known) in uids.iter().zip(known) {
            dates.push(match known {
                Some(None) => {
                    present(self.ask_dates(*uid))?;
                    self.detail(*uid).ok().and_then(|detail| date(&detail))
                }
                known => known.flatten(),
            });
        }
        Ok(dates)
    }

    fn ask_dates(&self, uid: Uid) -> Result<(), MailError> {
        let Place::File { name, fresh } = self.detail(uid)?.place else { return Ok(()) };
        let asked = {
            match &mut *locked(&self.work) {
                Work::Maildir(maildir) => maildir.dates(&name, fresh),
                Work::Mbox(_) => None,
            }
        };
        let dates = match asked {
            Some(dates) => dates,
            None => {
                let (file, path, _) = self.open_file(uid)?;
                let stamp = sys::directory::stamp(&file).map_err(MailError::io("read", path))?;
                (stamp.modified_ns.div_euclid(1_000_000_000), stamp.changed_ns.div_euclid(1_000_000_000))
            }
        };
        if let Some(detail) = locked(&self.contents).detail_mut(uid) {
            detail.received.get_or_insert(dates.0);
            detail.saved.get_or_insert(dates.1);
        }
        Ok(())
    }

    fn each<T>(&self, uids: &[Uid], value: impl Fn(&Detail) -> T) -> Vec<Option<T>> {
        let contents = locked(&self.contents);
        uids.iter().map(|uid| contents.detail(*uid).map(&value)).collect()
    }
}

/// A message that has gone is no error to one who asks about many.
fn present<T>(outcome: Result<T, MailError>) -> Result<Option<T>, MailError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(MailError::Gone(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
