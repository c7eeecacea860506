//! What SORT and THREAD want of headers: read once, then kept in the index, each thing by itself.

use std::collections::{HashMap, HashSet};

use imap_protocol::casemap::fold;
use imap_protocol::subject::base_subject;
use imap_protocol::thread::message_ids;
use mailbox::store::{CacheKind, Computed, Folder, MailError, Uid};
use message::fields::fields;
use message::mailboxes::{self, Entry};
use message::sent;
use message::words::decode_header;

use crate::computed::{ADDRESSES, DATE, REFERENCES, SUBJECT};
use crate::text::Text;

/// References of one message that count.
const REFERENCES_LIMIT: usize = 1000;
/// So many headers are read before the index is told.
const BATCH: usize = 256;

/// The kinds, in the order of [`Record`].
const KINDS: [CacheKind; 4] = [DATE, SUBJECT, ADDRESSES, REFERENCES];

/// What the index keeps of one header.
type Record = [Vec<u8>; 4];

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) date: bool,
    pub(crate) subject: bool,
    pub(crate) addresses: bool,
    pub(crate) references: bool,
}

/// What is known of the headers of messages, by the place of the message in the question.
pub(crate) struct Headers {
    /// None of what was not asked for.
    known: [Option<Computed>; 4],
    /// What the index did not know.
    read: HashMap<usize, Record>,
}

impl Headers {
    /// Finds out what is wanted; messages that are gone have no date and empty texts.
    pub(crate) fn of(folder: &Folder, uids: &[Uid], wanted: Wanted) -> Result<Self, MailError> {
        let Wanted { date, subject, addresses, references } = wanted;
        let wanted = [date, subject, addresses, references];
        let mut known = [const { None }; 4];
        for ((known, kind), wanted) in known.iter_mut().zip(KINDS).zip(wanted) {
            *known = wanted.then(|| folder.cached(uids, kind));
        }
        let mut headers = Self { known, read: HashMap::new() };
        let missing: Vec<usize> = (0..uids.len()).filter(|place| headers.lacks(*place)).collect();
        for batch in missing.chunks(BATCH) {
            headers.read(folder, uids, batch)?;
        }
        Ok(headers)
    }

    fn lacks(&self, place: usize) -> bool {
        self.known.iter().flatten().any(|known| known.get(place).is_none())
    }

    fn read(&mut self, folder: &Folder, uids: &[Uid], places: &[usize]) -> Result<(), MailError> {
        for place in places {
            match Text::new(folder, uids[*place]).header() {
                Ok(header) => drop(self.read.insert(*place, record(header))),
                Err(MailError::Gone(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut fresh = Vec::with_capacity(places.len() * KINDS.len());
        for place in places {
            let Some(record) = self.read.get(place) else { continue };
            fresh.extend(
                KINDS.iter().zip(record).map(|(kind, bytes)| (uids[*place], *kind, bytes.as_slice())),
            );
        }
        folder.cache(&fresh);
        Ok(())
    }

    fn get(&self, place: usize, kind: usize) -> Option<&[u8]> {
        match self.read.get(&place) {
            Some(record) => Some(&record[kind]),
            None => self.known[kind].as_ref()?.get(place),
        }
    }

    /// When it was sent, seconds since 1970; none when the header does not say.
    pub(crate) fn date(&self, place: usize) -> Option<i64> {
        Some(i64::from_le_bytes(self.get(place, 0)?.try_into().ok()?))
    }

    /// The base subject, folded, and whether the subject said that this is an answer.
    pub(crate) fn subject(&self, place: usize) -> (String, bool) {
        match self.get(place, 1).and_then(<[u8]>::split_first) {
            Some((is_reply, text)) => (String::from_utf8_lossy(text).into_owned(), *is_reply != 0),
            None => Default::default(),
        }
    }

    /// Folded: the first of From as it is sorted by and as it is shown, the same of To, and Cc.
    pub(crate) fn addresses(&self, place: usize) -> [String; 5] {
        let mut texts = split(self.get(place, 2).unwrap_or_default());
        std::array::from_fn(|_| {
            texts.next().map_or_else(String::new, |text| String::from_utf8_lossy(text).into())
        })
    }

    /// The Message-ID, and the ids it refers to, from the oldest on.
    pub(crate) fn references(&self, place: usize) -> (Option<Vec<u8>>, Vec<Vec<u8>>) {
        let mut ids = split(self.get(place, 3).unwrap_or_default()).map(<[u8]>::to_vec);
        (ids.next().filter(|id| !id.is_empty()), ids.collect())
    }
}

fn record(header: &[u8]) -> Record {
    let mut record = Record::default();
    let (mut addresses, mut ids) = ([const { String::new() }; 5], [const { Vec::new() }; 3]);
    for (name, value) in first_of_each(header) {
        match name.as_slice() {
            b"date" => {
                record[0] =
                    sent::read(value).map_or_else(Vec::new, |sent| sent.seconds.to_le_bytes().to_vec());
            }
            b"subject" => {
                let base = base_subject(&decode_header(value));
                record[1] = [&[u8::from(base.is_reply)], fold(&base.text).as_bytes()].concat();
            }
            b"from" => [addresses[0], addresses[1]] = first_address(value),
            b"to" => [addresses[2], addresses[3]] = first_address(value),
            b"cc" => [addresses[4], _] = first_address(value),
            b"message-id" => ids[0] = message_ids(value, 1),
            b"references" => ids[1] = message_ids(value, REFERENCES_LIMIT),
            b"in-reply-to" => ids[2] = message_ids(value, 1),
            _ => {}
        }
    }
    record[2] = join(addresses.iter().map(String::as_bytes));
    let [own, references, answered] = ids;
    let own = own.into_iter().next().unwrap_or_default();
    let references = if references.is_empty() { answered } else { references };
    record[3] = join([&own].into_iter().chain(&references).map(Vec::as_slice));
    record
}

/// Lower-case name and value of the fields; of fields that stand there twice, the first.
fn first_of_each(header: &[u8]) -> impl Iterator<Item = (Vec<u8>, &[u8])> {
    let mut seen = HashSet::new();
    fields(header).filter_map(move |field| {
        let name = field.name.to_ascii_lowercase();
        seen.insert(name.clone()).then_some((name, field.value))
    })
}

/// The local part of the first address, and the name it is shown by (RFC 5957 §2); folded.
fn first_address(value: &[u8]) -> [String; 2] {
    let first = mailboxes::read(value).into_iter().find_map(|entry| match entry {
        Entry::Mailbox(mailbox) => {
            let local = String::from_utf8_lossy(mailbox.local_shown()).into_owned();
            let display = match &mailbox.name {
                Some(name) => decode_header(name),
                None => format!("{local}@{}", String::from_utf8_lossy(mailbox.domain_shown())),
            };
            Some([fold(&local), fold(&display)])
        }
        Entry::GroupBegin(name) => {
            let name = fold(&decode_header(&name));
            Some([name.clone(), name])
        }
        Entry::GroupEnd => None,
    });
    first.unwrap_or_default()
}

/// Texts behind each other, each with its length before it.
fn join<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut joined = Vec::new();
    for text in texts {
        joined.extend_from_slice(&(text.len() as u32).to_le_bytes());
        joined.extend_from_slice(text);
    }
    joined
}

/// What [`join`] was given.
fn split(mut joined: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = joined.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        joined = rest;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(header: &[u8]) -> Headers {
        Headers { known: [const { None }; 4], read: HashMap::from([(0, record(header))]) }
    }

    #[test]
    fn a_header_is_known_after_it_was_kept() {
        let known = headers(
            b"Date: Thu, 1 Jan 1970 00:01:00 +0000\r\nSubject: Re: day\r\nFrom: Ada <a@x>\r\nTo: b@y\r\n\
              Message-ID: <1@x>\r\nReferences: <2@x> <3@x>\r\nIn-Reply-To: <4@x>\r\nSubject: other\r\n\r\n",
        );
        assert_eq!(known.date(0), Some(60));
        assert_eq!(known.subject(0), ("DAY".to_owned(), true));
        assert_eq!(known.addresses(0), ["A", "ADA", "B", "B@Y", ""].map(str::to_owned));
        assert_eq!(known.references(0), (Some(b"1@x".to_vec()), vec![b"2@x".to_vec(), b"3@x".to_vec()]));
    }

    #[test]
    fn what_a_header_does_not_say_is_empty() {
        let known = headers(b"In-Reply-To: <4@x>\r\n\r\n");
        assert_eq!((known.date(0), known.subject(0)), (None, (String::new(), false)));
        assert_eq!(known.references(0), (None, vec![b"4@x".to_vec()]));
        assert_eq!(known.addresses(0), [const { String::new() }; 5]);
        assert_eq!(headers(b"").references(1), (None, Vec::new()));
    }
}
