//! What stands together in one record: what is known about messages whose UIDs are near each other.

use std::ops::RangeInclusive;

use super::records::{self, Reader, Writer};
use crate::store::Uid;
use crate::store::contents::{Detail, Message};

/// So many UIDs make a chunk. One message is looked up by reading all of its chunk, some kilobytes.
pub(super) const CHUNK_UIDS: u32 = 64;

/// The chunk that a UID belongs to.
pub(super) fn chunk_of(uid: Uid) -> u32 {
    uid / CHUNK_UIDS
}

/// The UIDs of a chunk.
pub(super) fn uids_of(chunk: u32) -> RangeInclusive<Uid> {
    chunk * CHUNK_UIDS..=chunk * CHUNK_UIDS + (CHUNK_UIDS - 1)
}

/// The record of a chunk's messages; nothing when there are none.
pub(super) fn from_messages<'m>(messages: impl Iterator<Item = (&'m Message, &'m Detail)>) -> Vec<u8> {
    let mut out = Writer::default();
    messages.for_each(|(message, detail)| records::put_message(&mut out, message, detail));
    out.0
}

/// Adds the messages of a record to `all`; none when it makes no sense.
pub(super) fn messages(payload: &[u8], all: &mut Vec<(Message, Detail)>) -> Option<()> {
    let mut from = Reader(payload);
    while !from.0.is_empty() {
        all.push(records::message(&mut from)?);
    }
    Some(())
}

/// The record of UIDs.
pub(super) fn from_uids(uids: impl Iterator<Item = Uid>) -> Vec<u8> {
    uids.flat_map(Uid::to_le_bytes).collect()
}

/// The UIDs of a record; none when it makes no sense.
pub(super) fn uids(payload: &[u8]) -> Option<Vec<Uid>> {
    let (uids, rest) = payload.as_chunks();
    rest.is_empty().then(|| uids.iter().map(|bytes| Uid::from_le_bytes(*bytes)).collect())
}

/// The record of what was computed about messages, rising by UID.
pub(super) fn from_entries(entries: &[(Uid, &[u8])]) -> Vec<u8> {
    let mut out = Writer::default();
    for (uid, bytes) in entries {
        out.u64(u64::from(*uid));
        out.bytes(bytes);
    }
    out.0
}

/// What [`from_entries`] was given, as far as it makes sense.
pub(super) fn entries(payload: &[u8]) -> impl Iterator<Item = (Uid, &[u8])> {
    let mut from = Reader(payload);
    std::iter::from_fn(move || Some((from.u32()?, from.bytes()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_uids_come_back() {
        let all: [(Uid, &[u8]); 3] = [(64, b"a"), (65, b""), (127, b"long")];
        let record = from_entries(&all);
        assert_eq!(entries(&record).collect::<Vec<_>>(), all);
        assert_eq!(entries(&record[..record.len() - 1]).count(), 2);
        assert_eq!(uids(&from_uids([1, u32::MAX].into_iter())), Some(vec![1, u32::MAX]));
        assert_eq!(uids(&[1, 2, 3]), None);
    }

    #[test]
    fn every_uid_is_in_its_chunk() {
        for uid in [1, 63, 64, 65, u32::MAX] {
            assert!(uids_of(chunk_of(uid)).contains(&uid));
        }
    }
}
