//! Which file is which message: names that were found, held against what was known.

use std::collections::HashMap;

use super::list_file::ListFile;
use super::scan::Names;
use super::sync::Scope;
use super::{LIST, Maildir, SharedContents};
use crate::store::contents::{Contents, Detail, Message, Place};
use crate::store::error::MailError;
use crate::store::filename::{self, LETTERED_KEYWORDS};
use crate::store::flags::KeywordSet;
use crate::store::uidlist::{Record, UID_LIMIT};
use crate::store::{Uid, locked};

/// A file that is in no message's place.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) name: Box<[u8]>,
    pub(super) fresh: bool,
    /// UID and fields that the list has for it.
    listed: Option<(Uid, Box<str>)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// Messages whose file has another name or lies in the other directory.
    moved: Vec<(usize, Place)>,
    /// Messages that have no file.
    pub(super) missing: Vec<Uid>,
    arrivals: Vec<Arrival>,
    /// Messages of which the list says more than the name.
    fields: Vec<(Uid, Box<str>)>,
}

impl Joined {
    /// Gives back to `list` what was taken from it, to join once more.
    pub(super) fn put_back(self, list: &mut ListFile) {
        for arrival in self.arrivals {
            if let Some(listed) = arrival.listed {
                list.waiting.insert(filename::base(&arrival.name).into(), listed);
            }
        }
    }
}

/// New messages, and the records that the list lacks.
type Assigned = (Vec<(Message, Detail)>, Vec<Record>);

/// Holds `names`, read from the directories of `scope`, against `contents`.
pub(super) fn join(contents: &Contents, list: &mut ListFile, names: &Names, scope: Scope) -> Joined {
    let known = by_base(contents);
    let mut found: Vec<Option<(&[u8], bool)>> = vec![None; known.len()];
    let mut others: HashMap<&[u8], (&[u8], bool)> =
        HashMap::with_capacity(names.len().saturating_sub(known.len()));
    for (name, fresh) in names.iter() {
        let base = filename::base(name);
        let place = match known.get(base) {
            Some(at) => &mut found[*at],
            None => {
                // Seen in both directories, it was moved while they were read.
                others
                    .entry(base)
                    .and_modify(|place| {
                        if place.1 {
                            *place = (name, fresh)
                        }
                    })
                    .or_insert((name, fresh));
                continue;
            }
        };
        if place.is_none_or(|(_, fresh)| fresh) {
            *place = Some((name, fresh));
        }
    }
    let mut joined = Joined::default();
    for (at, found) in found.into_iter().enumerate() {
        compare(contents, list, scope, at, found, &mut joined);
    }
    for (base, (name, fresh)) in others {
        let listed = list.waiting.remove(base);
        joined.arrivals.push(Arrival { name: name.into(), fresh, listed });
    }
    joined
}

fn compare(
    contents: &Contents,
    list: &mut ListFile,
    scope: Scope,
    at: usize,
    found: Option<(&[u8], bool)>,
    joined: &mut Joined,
) {
    let (message, detail) = contents.at(at);
    let Place::File { name, fresh } = &detail.place else { return };
    let Some((name_now, fresh_now)) = found else {
        if if *fresh { scope.new } else { scope.cur } {
            joined.missing.push(message.uid);
        }
        return;
    };
    // A list that was read afresh may know this file by another UID: then it is that message from now on.
    match list.waiting.get(filename::base(name)).map(|(uid, _)| *uid == message.uid) {
        Some(true) => {
            if let Some((uid, fields)) =
                list.waiting.remove(filename::base(name)).filter(|(_, fields)| !fields.is_empty())
            {
                joined.fields.push((uid, fields));
            }
        }
        Some(false) => {
            joined.missing.push(message.uid);
            let listed = list.waiting.remove(filename::base(name));
            joined.arrivals.push(Arrival { name: name_now.into(), fresh: fresh_now, listed });
            return;
        }
        None => {}
    }
    if **name != *name_now || *fresh != fresh_now {
        joined.moved.push((at, Place::File { name: name_now.into(), fresh: fresh_now }));
    }
}

fn by_base(contents: &Contents) -> HashMap<&[u8], usize> {
    let mut known = HashMap::with_capacity(contents.messages().len());
    for (at, (_, detail)) in contents.with_details().enumerate() {
        if let Place::File { name, .. } = &detail.place {
            known.insert(filename::base(name), at);
        }
    }
    known
}

/// Are `names` exactly those of the messages in the directories of `scope`?
pub(super) fn is_as_known(contents: &Contents, names: &Names, scope: Scope) -> bool {
    let mut expected: HashMap<&[u8], bool> = HashMap::with_capacity(contents.messages().len());
    for (_, detail) in contents.with_details() {
        if let Place::File { name, fresh } = &detail.place
            && (if *fresh { scope.new } else { scope.cur })
        {
            expected.insert(name, *fresh);
        }
    }
    names.iter().all(|(name, fresh)| expected.remove(name) == Some(fresh)) && expected.is_empty()
}

impl Maildir {
    /// Makes `contents` what was found. New messages show only once their UIDs are on the disk.
    pub(super) fn apply(
        &mut self,
        contents: &SharedContents,
        joined: Joined,
        now_us: u64,
    ) -> Result<(), MailError> {
        let Joined { moved, mut missing, arrivals, fields } = joined;
        self.fields.extend(fields);
        let modseq = locked(contents).next_modseq(now_us);
        for (at, place) in moved {
            move_message(&mut locked(contents), at, place, modseq);
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.iter().for_each(|uid| drop(self.fields.remove(uid)));
            locked(contents).remove(&missing, modseq);
        }
        let first = locked(contents).messages().is_empty() && self.seen.is_none();
        let (new, records) = self.assign(&locked(contents), arrivals, first, modseq)?;
        let written = self.list_with(contents, &new, &records);
        match written {
            Ok(()) => locked(contents).add(new),
            Err(error) if first => return Err(error),
            // Who can not be told of new mail can still read and remove the old.
            Err(error) => log::warn!("{error}: new messages do not show until it can be written"),
        }
        let mut contents = locked(contents);
        let next_uid = self.next_uid(&contents);
        contents.set_uid_next(next_uid);
        contents.recount();
        Ok(())
    }

    /// Gives UIDs to `arrivals`, in the order of the stamps in their names; the records are those the list lacks.
    fn assign(
        &mut self,
        contents: &Contents,
        arrivals: Vec<Arrival>,
        first: bool,
        modseq: u64,
    ) -> Result<Assigned, MailError> {
        let mut next = self.next_uid(contents);
        // A UID that sessions may have seen go does not come back: its file gets a new one.
        let known = contents.last_uid();
        let is_listed = |arrival: &Arrival| arrival.listed.as_ref().is_some_and(|(uid, _)| *uid > known);
        let (listed, mut unlisted): (Vec<_>, Vec<_>) = arrivals.into_iter().partition(is_listed);
        self.list.unfit |= unlisted.iter().any(|arrival| arrival.listed.is_some());
        unlisted.sort_by_cached_key(|arrival| (filename::arrival(&arrival.name), arrival.name.clone()));
        let few = unlisted.len() + listed.len() < STAT_NEW_LIMIT;
        let (mut new, mut records) = (Vec::with_capacity(listed.len() + unlisted.len()), Vec::new());
        for arrival in listed {
            let Some((uid, fields)) = arrival.listed.clone() else { continue };
            next = next.max(uid.saturating_add(1));
            if !fields.is_empty() {
                self.fields.insert(uid, fields);
            }
            new.push(self.message(uid, arrival, modseq, few && !first));
        }
        for arrival in unlisted {
            if next > UID_LIMIT {
                let path = self.full_path().join(LIST);
                return Err(MailError::Damaged { path, problem: "no UID is left: remove the file".into() });
            }
            records.push(Record { uid: next, fields: "".into(), base: filename::base(&arrival.name).into() });
            new.push(self.message(next, arrival, modseq, few));
            next += 1;
        }
        new.sort_by_key(|(message, _)| message.uid);
        Ok((new, records))
    }

    /// `look`: ask for the dates now, before a change of flags changes one of them.
    fn message(&self, uid: Uid, arrival: Arrival, modseq: u64, look: bool) -> (Message, Detail) {
        let marks = filename::marks(&arrival.name);
        let message = Message { uid, flags: marks.flags, keywords: marks.keywords, modseq };
        let dates = if look { self.dates(&arrival.name, arrival.fresh) } else { None };
        let detail = Detail {
            wire: filename::size_on_wire(&arrival.name),
            received: dates.map(|(received, _)| received),
            saved: dates.map(|(_, saved)| saved),
            place: Place::File { name: arrival.name, fresh: arrival.fresh },
        };
        (message, detail)
    }

    pub(super) fn next_uid(&self, contents: &Contents) -> Uid {
        let listed = self.list.header.as_ref().map_or(1, |header| header.next_uid);
        listed.max(contents.summary().uid_next).max(1)
    }

    /// Puts `records` on the list; `new` are all messages that are about to be added, for a list written anew.
    pub(super) fn list_with(
        &mut self,
        contents: &SharedContents,
        new: &[(Message, Detail)],
        records: &[Record],
    ) -> Result<(), MailError> {
        let messages = locked(contents).messages().len() + new.len();
        if self.list.unfit || self.list.is_sparse(messages) {
            return self.write_list(contents, new);
        }
        if records.is_empty() {
            return Ok(());
        }
        let trouble = self.trouble("write", LIST);
        let disk = self.shared.settings.disk.clone();
        self.enter()?;
        match &self.directories {
            Some(open) => self.list.append(&*disk, &open.home, records).map_err(trouble),
            None => Ok(()),
        }
    }

    /// Writes the whole list: the messages of `contents` and `new` ones.
    pub(super) fn write_list(
        &mut self,
        contents: &SharedContents,
        new: &[(Message, Detail)],
    ) -> Result<(), MailError> {
        let trouble = self.trouble("write", LIST);
        let disk = self.shared.settings.disk.clone();
        let Some(mut header) = self.list.header.clone() else { return Ok(()) };
        let mut records = Vec::new();
        {
            let contents = locked(contents);
            let new = new.iter().map(|(message, detail)| (message, detail));
            records.extend(
                contents
                    .with_details()
                    .chain(new)
                    .filter_map(|(message, detail)| self.record(message, detail)),
            );
            records.sort_by_key(|record: &Record| record.uid);
            header.version = 3;
            header.guid = Some(contents.summary().guid);
            let last = records.last().map_or(1, |record| record.uid + 1);
            header.next_uid = self.next_uid(&contents).max(last);
        }
        self.enter()?;
        match &self.directories {
            Some(open) => self.list.rewrite(&*disk, &open.home, header, &records).map_err(trouble),
            None => Ok(()),
        }
    }

    fn record(&self, message: &Message, detail: &Detail) -> Option<Record> {
        let Place::File { name, .. } = &detail.place else { return None };
        let fields = self.fields.get(&message.uid).cloned().unwrap_or_default();
        Some(Record { uid: message.uid, fields, base: filename::base(name).into() })
    }
}

/// With more new messages than this at a time, their dates are asked for when somebody wants to know them.
const STAT_NEW_LIMIT: usize = 1000;

fn move_message(contents: &mut Contents, at: usize, place: Place, modseq: u64) {
    if let Place::File { name, .. } = &place {
        let marks = filename::marks(name);
        let (message, _) = contents.at(at);
        let keywords = KeywordSet(marks.keywords.0 | message.keywords.0 & !LETTERED_BITS);
        if (marks.flags, keywords) != (message.flags, message.keywords) {
            contents.mark(at, marks.flags, keywords, modseq);
        }
    }
    contents.put_place(at, place);
}

/// The keywords that a file name can tell.
pub(super) const LETTERED_BITS: u64 = (1 << LETTERED_KEYWORDS) - 1;
