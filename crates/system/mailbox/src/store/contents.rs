//! What a folder holds, as of its last sync.

use std::collections::{BTreeSet, VecDeque};

use super::Uid;
use super::flags::{Flags, KeywordSet};

/// How many expunged messages are remembered for those who come back (RFC 7162 QRESYNC). Beyond that the oldest are
/// forgotten, and who asks for them compares all UIDs.
const EXPUNGED_LIMIT: usize = 50_000;

/// How many expunged messages are remembered with their flags, for sessions that have not been told.
const GRAVES_LIMIT: usize = 1000;

/// A message in a folder. Small, for there may be hundreds of thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Its UID.
    pub uid: Uid,
    /// System flags.
    pub flags: Flags,
    /// Keywords, see [`Contents::keywords`].
    pub keywords: KeywordSet,
    /// Modification sequence of the last change (RFC 7162), never 0.
    pub modseq: u64,
}

/// What readers of a message need and its sessions do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) place: Place,
    /// Size on the wire in bytes, where it is known.
    pub(crate) wire: Option<u64>,
    /// INTERNALDATE, seconds since 1970, where it is known.
    pub(crate) received: Option<i64>,
    /// SAVEDATE, seconds since 1970, where it is known.
    pub(crate) saved: Option<i64>,
}

/// Where the text of a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file of a Maildir.
    File {
        /// With its flags.
        name: Box<[u8]>,
        /// It lies in `new/`, not in `cur/`.
        fresh: bool,
    },
    /// A part of an mbox file.
    Span(super::mbox::Span),
}

/// The messages of a folder, sorted by UID, and what is known about the folder as a whole.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    messages: Vec<Message>,
    details: Vec<Detail>,
    summary: Summary,
    pub(crate) keywords: Vec<String>,
    /// Modification sequence and UID of expunged messages, in this order.
    expunged: Vec<(u64, Uid)>,
    /// Expunges up to this modification sequence are not in `expunged`.
    floor: u64,
    /// The latest of them, as they were last.
    graves: VecDeque<Message>,
    /// Messages in `cur/` that no session has had as recent yet: put there by this process.
    unclaimed: BTreeSet<Uid>,
    /// The highest UID that any message here ever had.
    last_uid: Uid,
    /// What the index has not been told yet.
    unsaved: Unsaved,
}

/// What changed since the index was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unsaved {
    pub(crate) touched: Vec<Uid>,
    pub(crate) gone: Vec<Uid>,
    /// It may hold anything: everything is to be written.
    pub(crate) anew: bool,
}

/// The numbers of SELECT and STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// UIDVALIDITY: as long as it stays, a UID means the same message.
    pub uid_validity: u32,
    /// UIDNEXT: above all UIDs.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ.
    pub highest_modseq: u64,
    /// How many messages.
    pub messages: usize,
    /// How many without `\Seen`.
    pub unseen: usize,
    /// How many with `\Deleted`.
    pub deleted: usize,
    /// How many that no session has claimed as recent.
    pub recent: usize,
    /// 16 bytes that name the folder for as long as it exists, under whatever name (RFC 8474 MAILBOXID).
    pub guid: [u8; 16],
}

/// What has happened in a folder since a certain moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Messages that are new or whose flags changed, sorted by UID. Those above the highest UID that a session knows are
    /// new to it, the others changed.
    pub changed: Vec<Message>,
    /// Messages that are gone.
    pub vanished: Vanished,
    /// Changes up to this modification sequence are included: what to ask from the next time.
    pub upto: u64,
}

/// Which messages are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// These, sorted, without duplicates.
    These(Vec<Uid>),
    /// So long ago that no record is left: all that the client knows and that are not in the folder.
    AllMissing,
}

impl Default for Vanished {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Contents {
    /// All messages, sorted by UID.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message with this UID.
    pub fn message(&self, uid: Uid) -> Option<&Message> {
        self.position(uid).map(|at| &self.messages[at])
    }

    /// A message that is gone, as it was last; only of the latest.
    pub fn grave(&self, uid: Uid) -> Option<&Message> {
        self.graves.iter().rev().find(|message| message.uid == uid)
    }

    /// The folder's keywords: bit n of a [`KeywordSet`] is the n-th of these. An empty name is a number not in use.
    pub fn keywords(&self) -> &[String] {
        &self.keywords
    }

    /// Counts and the folder's own numbers.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// What happened after `modseq`. Costs nothing when nothing did.
    pub fn changes_since(&self, modseq: u64) -> Changes {
        let upto = modseq.max(self.summary.highest_modseq);
        if modseq >= self.summary.highest_modseq {
            return Changes { upto, ..Changes::default() };
        }
        let changed = self.messages.iter().filter(|message| message.modseq > modseq).copied().collect();
        Changes { changed, vanished: self.vanished_since(modseq), upto }
    }

    fn vanished_since(&self, modseq: u64) -> Vanished {
        if modseq < self.floor {
            return Vanished::AllMissing;
        }
        let first = self.expunged.partition_point(|(at, _)| *at <= modseq);
        let mut uids: Vec<Uid> = self.expunged[first..].iter().map(|(_, uid)| *uid).collect();
        uids.sort_unstable();
        uids.dedup();
        Vanished::These(uids)
    }

    /// Where the message stands in [`Contents::messages`]: its sequence number less 1, to one who has seen all changes.
    pub fn position(&self, uid: Uid) -> Option<usize> {
        self.messages.binary_search_by_key(&uid, |message| message.uid).ok()
    }

    pub(crate) fn detail(&self, uid: Uid) -> Option<&Detail> {
        self.position(uid).map(|at| &self.details[at])
    }

    pub(crate) fn detail_mut(&mut self, uid: Uid) -> Option<&mut Detail> {
        let at = self.position(uid)?;
        self.unsaved.touched.push(uid);
        Some(&mut self.details[at])
    }

    pub(crate) fn with_details(&self) -> impl Iterator<Item = (&Message, &Detail)> {
        self.messages.iter().zip(&self.details)
    }

    /// The messages whose UIDs are among these.
    pub(crate) fn between(
        &self,
        uids: std::ops::RangeInclusive<Uid>,
    ) -> impl Iterator<Item = (&Message, &Detail)> {
        let from = self.messages.partition_point(|message| message.uid < *uids.start());
        let to = self.messages.partition_point(|message| message.uid <= *uids.end());
        self.messages[from..to].iter().zip(&self.details[from..to])
    }

    pub(crate) fn expunged(&self) -> &[(u64, Uid)] {
        &self.expunged
    }

    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The modification sequence for what is changed now. Above all that we ever gave, also by another process or
    /// before the index was lost, and above what Dovecot counts from 1: it is a time.
    pub(crate) fn next_modseq(&self, now_us: u64) -> u64 {
        (self.summary.highest_modseq + 1).max(now_us)
    }

    /// Begins anew: a folder just opened, or one whose UIDs mean something else now.
    pub(crate) fn reset(&mut self, uid_validity: u32, guid: [u8; 16], now_us: u64) {
        let modseq = self.next_modseq(now_us);
        self.messages.clear();
        self.details.clear();
        self.expunged.clear();
        self.graves.clear();
        self.unclaimed.clear();
        self.floor = modseq;
        self.last_uid = 0;
        self.unsaved = Unsaved { anew: true, ..Unsaved::default() };
        self.summary =
            Summary { uid_validity, uid_next: 1, highest_modseq: modseq, guid, ..Summary::default() };
    }

    /// Takes over what an index knows.
    pub(crate) fn restore(&mut self, state: Restored) {
        (self.messages, self.details) = state.messages.into_iter().unzip();
        self.expunged = state.expunged;
        self.floor = state.floor;
        self.keywords = state.keywords;
        self.summary = state.summary;
        self.last_uid = state.last_uid;
        self.unsaved = Unsaved::default();
        self.recount();
    }

    pub(crate) fn set_uid_next(&mut self, uid_next: Uid) {
        self.summary.uid_next = self.summary.uid_next.max(uid_next);
    }

    pub(crate) fn last_uid(&self) -> Uid {
        self.last_uid
    }

    /// What the index is to be told; it counts as told.
    pub(crate) fn take_unsaved(&mut self) -> Unsaved {
        let mut unsaved = std::mem::take(&mut self.unsaved);
        if unsaved.anew {
            unsaved.touched = self.messages.iter().map(|message| message.uid).collect();
        }
        unsaved.touched.sort_unstable();
        unsaved.touched.dedup();
        unsaved
    }

    /// How many changes the index has not been told.
    pub(crate) fn unsaved(&self) -> usize {
        self.unsaved.touched.len()
    }

    /// The index has lost everything.
    pub(crate) fn save_anew(&mut self) {
        self.unsaved.anew = true;
    }

    /// These are new to all sessions, although they lie in `cur/`.
    pub(crate) fn leave_unclaimed(&mut self, uids: impl IntoIterator<Item = Uid>) {
        self.unclaimed.extend(uids);
    }

    /// Gives away what [`Contents::leave_unclaimed`] was told.
    pub(crate) fn claim(&mut self) -> BTreeSet<Uid> {
        std::mem::take(&mut self.unclaimed)
    }

    pub(crate) fn set_guid(&mut self, guid: [u8; 16]) {
        self.summary.guid = guid;
    }

    /// Adds messages; `modseq` is theirs.
    pub(crate) fn add(&mut self, new: Vec<(Message, Detail)>) {
        let in_order = self.messages.last().map_or(0, |last| last.uid);
        let mut sorted = true;
        let mut above = in_order;
        for (message, detail) in new {
            sorted &= message.uid > above;
            above = message.uid;
            self.summary.highest_modseq = self.summary.highest_modseq.max(message.modseq);
            self.summary.uid_next = self.summary.uid_next.max(message.uid + 1);
            self.last_uid = self.last_uid.max(message.uid);
            self.unsaved.touched.push(message.uid);
            self.messages.push(message);
            self.details.push(detail);
        }
        if !sorted {
            self.sort();
        }
        self.recount();
    }

    fn sort(&mut self) {
        let messages = std::mem::take(&mut self.messages);
        let mut both: Vec<_> = messages.into_iter().zip(std::mem::take(&mut self.details)).collect();
        both.sort_by_key(|(message, _)| message.uid);
        both.dedup_by_key(|(message, _)| message.uid);
        (self.messages, self.details) = both.into_iter().unzip();
    }

    /// Gives messages other flags, without [`Contents::recount`].
    pub(crate) fn mark(&mut self, at: usize, flags: Flags, keywords: KeywordSet, modseq: u64) {
        let message = &mut self.messages[at];
        (message.flags, message.keywords, message.modseq) = (flags, keywords, modseq);
        self.unsaved.touched.push(message.uid);
        self.summary.highest_modseq = self.summary.highest_modseq.max(modseq);
    }

    pub(crate) fn put_place(&mut self, at: usize, place: Place) {
        self.details[at].place = place;
        self.unsaved.touched.push(self.messages[at].uid);
    }

    pub(crate) fn at(&self, at: usize) -> (&Message, &Detail) {
        (&self.messages[at], &self.details[at])
    }

    /// Takes messages out; `gone` is sorted.
    pub(crate) fn remove(&mut self, gone: &[Uid], modseq: u64) {
        let mut kept = self.messages.iter().map(|message| gone.binary_search(&message.uid).is_err());
        self.details.retain(|_| kept.next().unwrap_or(true));
        drop(kept);
        let buried = gone.iter().filter_map(|uid| self.message(*uid).copied()).collect::<Vec<_>>();
        self.graves.extend(buried);
        let too_many = self.graves.len().saturating_sub(GRAVES_LIMIT);
        self.graves.drain(..too_many);
        self.unclaimed.retain(|uid| gone.binary_search(uid).is_err());
        self.messages.retain(|message| gone.binary_search(&message.uid).is_err());
        self.expunged.extend(gone.iter().map(|uid| (modseq, *uid)));
        self.unsaved.gone.extend_from_slice(gone);
        self.summary.highest_modseq = self.summary.highest_modseq.max(modseq);
        if self.expunged.len() > EXPUNGED_LIMIT {
            self.forget_expunged();
        }
        self.recount();
    }

    /// Forgets the older half; all of one modification sequence or none.
    fn forget_expunged(&mut self) {
        self.floor = self.expunged[self.expunged.len() - EXPUNGED_LIMIT / 2].0;
        let floor = self.floor;
        self.expunged.retain(|(at, _)| *at > floor);
    }

    /// The messages that no session has claimed as recent.
    pub fn recent(&self) -> BTreeSet<Uid> {
        let fresh =
            self.with_details().filter(|(_, detail)| is_fresh(detail)).map(|(message, _)| message.uid);
        fresh.chain(self.unclaimed.iter().copied()).collect()
    }

    /// Brings the counts up to date.
    pub(crate) fn recount(&mut self) {
        let count = |test: fn(&Message) -> bool| self.messages.iter().filter(|message| test(message)).count();
        self.summary = Summary {
            messages: self.messages.len(),
            unseen: count(|message| !message.flags.has(Flags::SEEN)),
            deleted: count(|message| message.flags.has(Flags::DELETED)),
            recent: self.details.iter().filter(|detail| is_fresh(detail)).count() + self.unclaimed.len(),
            ..self.summary
        };
    }
}

fn is_fresh(detail: &Detail) -> bool {
    matches!(
        detail.place,
        Place::File { fresh: true, .. } | Place::Span(super::mbox::Span { recent: true, .. })
    )
}

/// What an index knew about a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restored {
    pub(crate) messages: Vec<(Message, Detail)>,
    pub(crate) expunged: Vec<(u64, Uid)>,
    pub(crate) floor: u64,
    pub(crate) keywords: Vec<String>,
    pub(crate) summary: Summary,
    pub(crate) last_uid: Uid,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(uid: Uid, modseq: u64) -> (Message, Detail) {
        let place = Place::File { name: uid.to_string().into_bytes().into(), fresh: uid % 2 == 1 };
        let detail = Detail { place, wire: None, received: None, saved: None };
        (Message { uid, flags: Flags::NONE, keywords: KeywordSet(0), modseq }, detail)
    }

    #[test]
    fn a_session_is_told_what_it_has_not_seen() {
        let mut contents = Contents::default();
        contents.reset(7, [1; 16], 1000);
        contents.add(vec![message(1, 1001), message(2, 1001), message(5, 1001)]);
        let seen = contents.changes_since(1000);
        assert_eq!((seen.changed.len(), seen.upto), (3, 1001));
        assert_eq!(contents.changes_since(seen.upto), Changes { upto: 1001, ..Changes::default() });
        contents.mark(1, Flags::SEEN, KeywordSet(2), contents.next_modseq(1000));
        contents.remove(&[1], contents.next_modseq(5000));
        contents.add(vec![message(6, contents.next_modseq(0))]);
        let news = contents.changes_since(seen.upto);
        assert_eq!(news.changed.iter().map(|message| message.uid).collect::<Vec<_>>(), [2, 6]);
        assert_eq!((news.vanished, news.upto), (Vanished::These(vec![1]), 5001));
        assert_eq!(contents.changes_since(999).vanished, Vanished::AllMissing);
        let summary = contents.summary();
        assert_eq!((summary.messages, summary.unseen, summary.recent, summary.uid_next), (3, 2, 1, 7));
        assert_eq!(contents.detail(6).map(|detail| &detail.place), Some(&message(6, 0).1.place));
    }

    #[test]
    fn old_expunges_are_forgotten_and_that_is_told() {
        let mut contents = Contents::default();
        contents.reset(7, [1; 16], 10);
        for uid in 1..=EXPUNGED_LIMIT as u32 + 1 {
            contents.add(vec![message(uid, 10)]);
            contents.remove(&[uid], u64::from(uid) + 10);
        }
        assert_eq!(contents.changes_since(11).vanished, Vanished::AllMissing);
        let highest = contents.summary().highest_modseq;
        assert_eq!(contents.changes_since(highest - 2).vanished, Vanished::These(vec![50_000, 50_001]));
        assert!(contents.expunged.len() <= EXPUNGED_LIMIT);
    }
}
