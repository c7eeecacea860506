//! The values of the index.

use std::hash::Hasher;

use sys::directory::Stamp;

use crate::store::Uid;
use crate::store::contents::{Detail, Message, Place, Summary};
use crate::store::flags::{Flags, KeywordSet};

/// Raise it when a value gets another form: what has an older one is forgotten.
const VERSION: u32 = 2;
const CHECKSUM_BYTES: usize = 8;
/// Stands for a number that is not known.
const UNKNOWN: u64 = u64::MAX;

/// What is known about a folder as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// Counts the saves: who has seen another number has missed something.
    pub(crate) generation: u64,
    /// The start of the machine in which it was saved.
    pub(crate) boot: [u8; 16],
    pub(crate) summary: Summary,
    pub(crate) floor: u64,
    pub(crate) last_uid: Uid,
    pub(crate) messages: usize,
    pub(crate) keywords: Vec<String>,
    /// Of `cur` and `new`, or of the mbox file twice.
    pub(crate) stamps: [Stamp; 2],
    pub(crate) looked_us: u64,
    /// Of the list of UIDs and the file of keywords.
    pub(crate) list: Option<Stamp>,
    pub(crate) keyword_file: Option<Stamp>,
    /// The list's first line, and how far it was read: bytes, records, the last UID.
    pub(crate) list_header: String,
    pub(crate) list_end: u64,
    pub(crate) list_records: u64,
    pub(crate) list_last: Uid,
    /// Fields of records that have any.
    pub(crate) fields: Vec<(Uid, String)>,
}

/// `payload` with a checksum that covers the key, too.
pub(super) fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    [&checksum(key, payload).to_le_bytes(), payload].concat()
}

/// What [`seal`] was given; none when it is not what was written.
pub(super) fn unseal<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, payload) = value.split_at_checked(CHECKSUM_BYTES)?;
    (sum == checksum(key, payload).to_le_bytes()).then_some(payload)
}

/// FNV-1a, eight bytes at a time.
fn checksum(key: &[u8], payload: &[u8]) -> u64 {
    let mut sum = Fnv(0xcbf2_9ce4_8422_2325 ^ payload.len() as u64);
    sum.write(key);
    sum.write(payload);
    sum.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        let mut take = |word| {
            self.0 = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        };
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| take(*word));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            take(word);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) fn put_message(out: &mut Writer, message: &Message, detail: &Detail) {
    out.u64(u64::from(message.uid));
    out.u64(message.modseq);
    out.u64(u64::from(message.flags.bits()));
    out.u64(message.keywords.0);
    out.u64(detail.wire.unwrap_or(UNKNOWN));
    out.u64(detail.received.map_or(UNKNOWN, i64::cast_unsigned));
    out.u64(detail.saved.map_or(UNKNOWN, i64::cast_unsigned));
    match &detail.place {
        Place::File { name, fresh } => {
            out.u64(u64::from(*fresh));
            out.bytes(name);
        }
        Place::Span(span) => {
            out.u64(2 + u64::from(span.recent));
            out.u64(span.begin);
            out.u64(span.end);
            out.u64(span.mark);
        }
    }
}

pub(super) fn message(from: &mut Reader<'_>) -> Option<(Message, Detail)> {
    let (uid, modseq, flags, keywords) = (from.u32()?, from.u64()?, from.u64()?, from.u64()?);
    let known = |number: u64| (number != UNKNOWN).then_some(number);
    let wire = known(from.u64()?);
    let received = known(from.u64()?).map(u64::cast_signed);
    let saved = known(from.u64()?).map(u64::cast_signed);
    let place = match from.u64()? {
        kind @ 0..2 => Place::File { name: from.bytes()?.into(), fresh: kind == 1 },
        kind => {
            let (begin, end, mark) = (from.u64()?, from.u64()?, from.u64()?);
            Place::Span(crate::store::mbox::Span { begin, end, mark, recent: kind == 3 })
        }
    };
    let flags = Flags::from_bits(u8::try_from(flags).ok()?);
    let message = Message { uid, flags, keywords: KeywordSet(keywords), modseq };
    Some((message, Detail { place, wire, received, saved }))
}

pub(super) fn from_head(head: &Head) -> Vec<u8> {
    let mut out = Writer::default();
    let summary = &head.summary;
    out.u64(u64::from(VERSION));
    out.u64(head.generation);
    out.bytes(&head.boot);
    out.bytes(&summary.guid);
    for number in [u64::from(summary.uid_validity), u64::from(summary.uid_next), summary.highest_modseq] {
        out.u64(number);
    }
    for number in [head.floor, u64::from(head.last_uid), head.messages as u64, head.looked_us] {
        out.u64(number);
    }
    out.u64(head.keywords.len() as u64);
    head.keywords.iter().for_each(|keyword| out.bytes(keyword.as_bytes()));
    for stamp in head.stamps.iter().copied().map(Some).chain([head.list, head.keyword_file]) {
        out.stamp(stamp);
    }
    out.bytes(head.list_header.as_bytes());
    for number in [head.list_end, head.list_records, u64::from(head.list_last), head.fields.len() as u64] {
        out.u64(number);
    }
    for (uid, fields) in &head.fields {
        out.u64(u64::from(*uid));
        out.bytes(fields.as_bytes());
    }
    out.0
}

pub(super) fn head(payload: &[u8]) -> Option<Head> {
    let mut from = Reader(payload);
    if from.u64()? != u64::from(VERSION) {
        return None;
    }
    let generation = from.u64()?;
    let (boot, guid) = (from.bytes()?.try_into().ok()?, from.bytes()?.try_into().ok()?);
    let (uid_validity, uid_next, highest_modseq) = (from.u32()?, from.u32()?, from.u64()?);
    let (floor, last_uid, messages, looked_us) =
        (from.u64()?, from.u32()?, from.u64()? as usize, from.u64()?);
    let keywords = (0..from.u64()?).map(|_| from.text()).collect::<Option<_>>()?;
    let stamps = [from.stamp()??, from.stamp()??];
    let (list, keyword_file) = (from.stamp()?, from.stamp()?);
    let list_header = from.text()?;
    let (list_end, list_records, list_last) = (from.u64()?, from.u64()?, from.u32()?);
    let fields = (0..from.u64()?).map(|_| Some((from.u32()?, from.text()?))).collect::<Option<_>>()?;
    let summary = Summary { uid_validity, uid_next, highest_modseq, guid, ..Summary::default() };
    Some(Head {
        generation,
        boot,
        summary,
        floor,
        last_uid,
        messages,
        keywords,
        stamps,
        looked_us,
        list,
        keyword_file,
        list_header,
        list_end,
        list_records,
        list_last,
        fields,
    })
}

#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn stamp(&mut self, stamp: Option<Stamp>) {
        self.u64(u64::from(stamp.is_some()));
        let stamp = stamp.unwrap_or_default();
        let times = [stamp.modified_ns.cast_unsigned(), stamp.changed_ns.cast_unsigned()];
        [stamp.device, stamp.inode, stamp.size, times[0], times[1]]
            .into_iter()
            .for_each(|number| self.u64(number));
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn u64(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.u64()?.try_into().ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u64()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    #[allow(clippy::option_option)] // damaged, absent, there
    fn stamp(&mut self) -> Option<Option<Stamp>> {
        let there = self.u64()? != 0;
        let (device, inode, size) = (self.u64()?, self.u64()?, self.u64()?);
        let (modified_ns, changed_ns) = (self.u64()?.cast_signed(), self.u64()?.cast_signed());
        Some(there.then_some(Stamp { device, inode, size, modified_ns, changed_ns }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Head {
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified_ns: -4, changed_ns: 5 };
        Head {
            generation: 7,
            boot: [3; 16],
            summary: Summary {
                uid_validity: 9,
                uid_next: 10,
                highest_modseq: 11,
                guid: [4; 16],
                ..Summary::default()
            },
            floor: 5,
            last_uid: 9,
            messages: 3,
            keywords: vec!["a".into(), String::new(), "ß".into()],
            stamps: [stamp, Stamp::default()],
            looked_us: 99,
            list: Some(stamp),
            keyword_file: None,
            list_header: "3 V9 N1\n".into(),
            list_end: 70,
            list_records: 3,
            list_last: 9,
            fields: vec![(5, "Pabc".into())],
        }
    }

    #[test]
    fn what_is_written_comes_back() {
        assert_eq!(head(&from_head(&example())), Some(example()));
        let detail = |place| Detail { place, wire: Some(5), received: Some(-1_000), saved: None };
        let flagged = Message { uid: 3, flags: Flags::SEEN, keywords: KeywordSet(1 << 63), modseq: 1 << 50 };
        for place in [
            Place::File { name: b"x:2,S".as_slice().into(), fresh: true },
            Place::Span(crate::store::mbox::Span { begin: 5, end: 9, mark: 1, recent: true }),
        ] {
            let both = (flagged, detail(place));
            let mut out = Writer::default();
            put_message(&mut out, &both.0, &both.1);
            assert_eq!(message(&mut Reader(&out.0)), Some(both));
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(at in 0_usize..100, bit in 0..8) {
            let mut value = seal(b"key", &from_head(&example()));
            let at = at % value.len();
            value[at] ^= 1_u8 << bit;
            prop_assert_eq!(unseal(b"key", &value), None);
        }

        #[test]
        fn no_bytes_upset_the_reader(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (head(&payload), message(&mut Reader(&payload)), unseal(b"", &payload));
            let mut versioned = 2_u64.to_le_bytes().to_vec();
            versioned.extend(payload);
            let _ = head(&versioned);
        }
    }
}
