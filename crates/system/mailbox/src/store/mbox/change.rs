//! Changes of flags, expunge, new mail taken notice of.

use std::os::unix::fs::FileExt;
use std::sync::Mutex;

use super::Span;
use super::folder::{Held, Mbox};
use super::write::hidden_for;
use crate::store::contents::{Contents, Place};
use crate::store::error::MailError;
use crate::store::flags::{FlagChange, How, KeywordSet};
use crate::store::folder::{MayGo, Stored};
use crate::store::maildir::changed;
use crate::store::{Uid, keywords, locked};

impl Mbox {
    /// See [`crate::store::Folder::store`].
    pub(crate) fn store(
        &mut self,
        contents: &Mutex<Contents>,
        uids: &[Uid],
        change: &FlagChange,
        unchanged_since: Option<u64>,
        now_us: u64,
    ) -> Result<Stored, MailError> {
        let held = self.hold(now_us)?;
        self.read(contents, &held.file, now_us)?;
        let before = locked(contents).clone();
        let numbers = {
            let mut contents = locked(contents);
            keyword_numbers(&mut contents.keywords, change)?
        };
        let stored = mark(&mut locked(contents), uids, change, numbers, unchanged_since, now_us);
        let touched: Vec<Uid> = uids.iter().copied().filter(|uid| !stored.modified.contains(uid)).collect();
        if stored.modseq.is_some()
            && let Err(error) = self.write_marks(contents, &held, &touched, now_us)
        {
            *locked(contents) = before;
            self.seen = None;
            return Err(error);
        }
        self.save_index(contents);
        Ok(stored)
    }

    /// In place where it fits, which is nearly always; else the file is made anew.
    fn write_marks(
        &mut self,
        contents: &Mutex<Contents>,
        held: &Held,
        uids: &[Uid],
        now_us: u64,
    ) -> Result<(), MailError> {
        let Some(writes) = self.in_place(&locked(contents), held, uids) else {
            return self.rewrite(contents, held, &[], now_us);
        };
        let disk = self.root.settings.disk.clone();
        for (offset, lines) in writes {
            disk.write(&held.file, &lines, offset).map_err(self.trouble("write"))?;
        }
        self.seen = None;
        self.read(contents, &held.file, now_us)
    }

    /// What to write where; none when it does not fit.
    fn in_place(&self, contents: &Contents, held: &Held, uids: &[Uid]) -> Option<Vec<(u64, Vec<u8>)>> {
        let base = self.base_for(contents);
        let first = self.pieces.first().map(|(uid, _)| *uid);
        let mut wanted = uids.to_vec();
        let mut writes = Vec::with_capacity(wanted.len() + 1);
        // A new keyword has to stand in the first message, too. Who else only counts may fall behind.
        if self.base.as_ref().map(|known| &known.keywords) != Some(&base.keywords) {
            match &self.pseudo {
                Some(_) => return None,
                None => wanted.extend(first),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for uid in wanted {
            let Ok(at) = self.pieces.binary_search_by_key(&uid, |(uid, _)| *uid) else { continue };
            let piece = &self.pieces[at].1;
            let (begin, length) = piece.block?;
            if piece.hidden.uid != Some(uid) {
                return None;
            }
            let base = (first == Some(uid) && self.pseudo.is_none()).then(|| base.clone());
            let mut hidden = hidden_for(contents, uid, piece, base);
            hidden.content_length = piece.hidden.content_length.and(hidden.content_length);
            let lines = hidden.to_lines(Some(length))?;
            let mut old = vec![0; length];
            held.file.read_exact_at(&mut old, begin).ok()?;
            if !same_shape(&old, &lines) {
                return None;
            }
            writes.push((begin, lines));
        }
        Some(writes)
    }

    /// See [`crate::store::Folder::expunge`].
    pub(crate) fn expunge(
        &mut self,
        contents: &Mutex<Contents>,
        uids: &[Uid],
        may_go: MayGo<'_>,
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        let held = self.hold(now_us)?;
        self.read(contents, &held.file, now_us)?;
        let mut gone = uids.to_vec();
        gone.retain(|uid| locked(contents).message(*uid).is_some_and(may_go));
        gone.sort_unstable();
        gone.dedup();
        if !gone.is_empty() {
            self.rewrite(contents, &held, &gone, now_us)?;
            self.save_index(contents);
        }
        Ok(gone)
    }

    /// See [`crate::store::Folder::claim_recent`]. The file says so when it is written for another reason.
    pub(crate) fn claim_recent(&mut self, contents: &Mutex<Contents>) -> Vec<Uid> {
        let mut claimed = Vec::new();
        {
            let mut contents = locked(contents);
            for at in 0..contents.messages().len() {
                let (message, detail) = contents.at(at);
                if let Place::Span(span @ Span { recent: true, .. }) = detail.place {
                    claimed.push(message.uid);
                    contents.put_place(at, Place::Span(Span { recent: false, ..span }));
                }
            }
            contents.recount();
        }
        self.save_index(contents);
        claimed
    }
}

/// Are the lines of both as long? Then a part of the one over the other is still what both are: a line for each field.
fn same_shape(old: &[u8], new: &[u8]) -> bool {
    let ends = |text: &[u8]| text.iter().map(|byte| *byte == b'\n').collect::<Vec<_>>();
    ends(old) == ends(new)
}

fn keyword_numbers(names: &mut Vec<String>, change: &FlagChange) -> Result<KeywordSet, MailError> {
    if change.how == How::Remove {
        let numbers = change.keywords.iter().filter_map(|name| keywords::find(names, name));
        return Ok(numbers.fold(KeywordSet::default(), KeywordSet::with));
    }
    keywords::numbers(names, &change.keywords)
}

fn mark(
    contents: &mut Contents,
    uids: &[Uid],
    change: &FlagChange,
    numbers: KeywordSet,
    unchanged_since: Option<u64>,
    now_us: u64,
) -> Stored {
    let modseq = contents.next_modseq(now_us);
    let mut stored = Stored::default();
    for uid in uids {
        let Some(at) = contents.position(*uid) else { continue };
        let (message, _) = contents.at(at);
        if unchanged_since.is_some_and(|limit| message.modseq > limit) {
            stored.modified.push(*uid);
            continue;
        }
        let marks = changed(message, change, numbers);
        if (marks.flags, marks.keywords) != (message.flags, message.keywords) {
            contents.mark(at, marks.flags, marks.keywords, modseq);
            stored.modseq = Some(modseq);
        }
    }
    stored.modified.sort_unstable();
    contents.recount();
    stored
}
