//! What the protocols computed about messages: a record for each kind and chunk of UIDs.

use std::collections::BTreeMap;
use std::ops::Range;

use lmdb::{Database, RoTransaction, RwTransaction, Transaction};

use super::chunks::{self, chunk_of};
use super::{Kind, Trouble, key, put, records};
use crate::store::Uid;

/// What was computed about messages, in the order in which they were asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Computed {
    bytes: Vec<u8>,
    places: Vec<Option<Range<usize>>>,
}

impl Computed {
    /// What is known about the message at this place of the question.
    pub fn get(&self, place: usize) -> Option<&[u8]> {
        self.bytes.get(self.places.get(place)?.clone()?)
    }
}

/// What all keys about a chunk begin with.
pub(super) fn prefix(guid: [u8; 16], chunk: u32) -> Vec<u8> {
    key(guid, Kind::Cached, &chunk.to_be_bytes())
}

fn key_of(guid: [u8; 16], chunk: u32, kind: u8) -> Vec<u8> {
    let mut key = prefix(guid, chunk);
    key.push(kind);
    key
}

/// Looks `uids` up.
pub(super) fn read(
    transaction: &RoTransaction<'_>,
    database: Database,
    (guid, kind): ([u8; 16], u8),
    uids: &[Uid],
) -> Result<Computed, lmdb::Error> {
    let mut computed = Computed { bytes: Vec::new(), places: Vec::with_capacity(uids.len()) };
    for together in uids.chunk_by(|one, next| chunk_of(*one) == chunk_of(*next)) {
        let key = key_of(guid, chunk_of(together[0]), kind);
        let value = match transaction.get(database, &key) {
            Ok(value) => records::unseal(&key, value).unwrap_or_default(),
            Err(lmdb::Error::NotFound) => &[],
            Err(error) => return Err(error),
        };
        let known: Vec<(Uid, &[u8])> = chunks::entries(value).collect();
        for uid in together {
            let found = known.binary_search_by_key(uid, |(uid, _)| *uid);
            computed.places.push(found.ok().map(|at| {
                let begin = computed.bytes.len();
                computed.bytes.extend_from_slice(known[at].1);
                begin..computed.bytes.len()
            }));
        }
    }
    Ok(computed)
}

/// Adds entries, or puts them in the place of others.
pub(super) fn write(
    transaction: &mut RwTransaction<'_>,
    database: Database,
    guid: [u8; 16],
    entries: &[(Uid, u8, &[u8])],
) -> Result<(), Trouble> {
    let mut records_of: BTreeMap<(u32, u8), BTreeMap<Uid, &[u8]>> = BTreeMap::new();
    for (uid, kind, bytes) in entries {
        records_of.entry((chunk_of(*uid), *kind)).or_default().insert(*uid, *bytes);
    }
    for ((chunk, kind), new) in records_of {
        let key = key_of(guid, chunk, kind);
        let known = match transaction.get(database, &key) {
            Ok(value) => records::unseal(&key, value).unwrap_or_default().to_vec(),
            Err(lmdb::Error::NotFound) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut all: BTreeMap<Uid, &[u8]> = chunks::entries(&known).collect();
        all.extend(new);
        let all: Vec<(Uid, &[u8])> = all.into_iter().collect();
        put(transaction, database, &key, &chunks::from_entries(&all))?;
    }
    Ok(())
}
