//! What the index remembers of a Maildir, and what it is told.

use std::io::Read;
use std::path::Path;

use sys::directory::{Directory, Links};

use super::list_file::ListFile;
use super::sync::Seen;
use super::{LIST, Maildir, SharedContents};
use crate::store::error::MailError;
use crate::store::index::{Changed, Head};
use crate::store::{locked, uidlist};

/// Enough of a list to have its first line.
const FIRST_LINE_BYTES: u64 = 4096;

/// UIDVALIDITY and GUID that the list of a Maildir begins with.
pub(crate) fn guid_of(home: &Directory) -> Option<(u32, [u8; 16])> {
    let file = home.open_to_read(Path::new(LIST), Links::Refuse).ok()?;
    let mut text = Vec::new();
    file.take(FIRST_LINE_BYTES).read_to_end(&mut text).ok()?;
    let header = uidlist::parse(&text).ok()?.header;
    Some((header.uid_validity, header.guid?))
}

impl Maildir {
    /// Takes over what the index knows and we do not: all of it, when the folder was opened, or when another process has
    /// changed it. The caller holds the lock, under which the index is written.
    pub(super) fn adopt_index(&mut self, contents: &SharedContents) -> Result<(), MailError> {
        let known = locked(contents).summary();
        let listed = match known.uid_validity {
            0 => guid_of(&self.enter()?.home),
            uid_validity => Some((uid_validity, known.guid)),
        };
        let Some((uid_validity, guid)) = listed else { return Ok(()) };
        let head = self.shared.index.head(guid).filter(|head| head.summary.uid_validity == uid_validity);
        if head.as_ref().map(|head| head.generation) == self.generation {
            return Ok(());
        }
        match head.and_then(|head| self.shared.index.load(&head).map(|restored| (head, restored))) {
            Some((head, restored)) => {
                locked(contents).restore(restored);
                self.remember(head);
            }
            None => {
                self.generation = None;
                locked(contents).save_anew();
            }
        }
        Ok(())
    }

    fn remember(&mut self, head: Head) {
        self.generation = Some(head.generation);
        self.fields = head.fields.into_iter().map(|(uid, fields)| (uid, fields.into())).collect();
        let header = uidlist::parse(head.list_header.as_bytes()).ok().map(|parsed| parsed.header);
        self.list = ListFile::remembered(head.list, header, head.list_end, head.list_records, head.list_last);
        // Since another start of the machine the index may have fallen behind: everything is looked at.
        let current = head.boot == self.shared.settings.boot && head.boot != [0; 16];
        let [cur, new] = head.stamps;
        let seen = Seen { cur, new, keywords: head.keyword_file, looked_us: head.looked_us };
        self.seen = current.then_some(seen);
    }

    /// Tells the index what changed.
    pub(super) fn save_index(&mut self, contents: &SharedContents) {
        let Some(seen) = self.seen else { return };
        let mut contents = locked(contents);
        if self.generation.is_none() {
            contents.save_anew();
        }
        let unsaved = contents.take_unsaved();
        if !unsaved.anew && unsaved.touched.is_empty() && unsaved.gone.is_empty() {
            return;
        }
        let head = self.head(&contents, &seen);
        let changed = Changed {
            guid: head.summary.guid,
            contents: &contents,
            touched: &unsaved.touched,
            gone: &unsaved.gone,
            anew: unsaved.anew,
        };
        let saved = self.shared.index.save(&changed, &head);
        self.generation = saved.then_some(head.generation);
    }

    fn head(&self, contents: &super::Contents, seen: &Seen) -> Head {
        let (list_end, list_records, list_last) = self.list.progress();
        Head {
            generation: self.generation.unwrap_or(seen.looked_us) + 1,
            boot: self.shared.settings.boot,
            summary: contents.summary(),
            floor: contents.floor(),
            last_uid: contents.last_uid(),
            messages: contents.messages().len(),
            keywords: contents.keywords.clone(),
            stamps: [seen.cur, seen.new],
            looked_us: seen.looked_us,
            list: self.list.stamp.filter(|_| !self.list.unfit),
            keyword_file: seen.keywords,
            list_header: self.list.header.as_ref().map(uidlist::Header::to_line).unwrap_or_default(),
            list_end,
            list_records,
            list_last,
            fields: self.fields.iter().map(|(uid, fields)| (*uid, fields.to_string())).collect(),
        }
    }
}
