//! cdb: — D. J. Bernstein's constant database: 256 hash tables behind the records, their places at the front.
//! Numbers are 32-bit little-endian. <https://cr.yp.to/cdb/cdb.txt>

use crate::sight::Sight;
use crate::table::Table;
use crate::trouble::Trouble;
use crate::watched::Watched;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

const TABLES: usize = 256;
const HEADER_BYTES: u64 = 8 * TABLES as u64;

/// The index that belongs to the source `path`.
pub(crate) fn index_path(path: &str) -> PathBuf {
    PathBuf::from(format!("{path}.cdb"))
}

/// An open constant database.
pub(crate) struct Cdb {
    watched: Watched,
    source_path: PathBuf,
}

impl Cdb {
    /// Opens the index of `source_path`.
    pub(crate) fn open(source_path: &str) -> Result<Self, Trouble> {
        let path = index_path(source_path);
        let watched =
            Watched::open(&path).map_err(|source| Trouble::OpenDatabase { path: path.clone(), source })?;
        if !watched.file().metadata().is_ok_and(|metadata| metadata.len() >= HEADER_BYTES) {
            return Err(Trouble::CorruptCdb { path, source_path: source_path.into() });
        }
        if watched.is_older_than(source_path.as_ref()) {
            log::warn!("database {} is older than source file {source_path}", path.display());
        }
        Ok(Self { watched, source_path: source_path.into() })
    }

    fn find(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let hash = hash(key);
        let (table, slots) = self.pair(u64::from(hash % TABLES as u32) * 8)?;
        if slots == 0 {
            return Ok(None);
        }
        let first = (hash >> 8) % slots;
        for step in 0..slots {
            let slot = (u64::from(first) + u64::from(step)) % u64::from(slots);
            let (slot_hash, record) = self.pair(u64::from(table) + slot * 8)?;
            if record == 0 {
                return Ok(None);
            }
            if slot_hash == hash
                && let Some(value) = self.value_of(u64::from(record), key)?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The value of the record at `at`, if its key is `key`.
    fn value_of(&self, at: u64, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let (key_bytes, value_bytes) = self.pair(at)?;
        if usize::try_from(key_bytes) != Ok(key.len()) || self.bytes(at + 8, key_bytes)? != key {
            return Ok(None);
        }
        self.bytes(at + 8 + u64::from(key_bytes), value_bytes).map(Some)
    }

    fn pair(&self, at: u64) -> io::Result<(u32, u32)> {
        let mut bytes = [0; 8];
        self.watched.file().read_exact_at(&mut bytes, at)?;
        let [a, b, c, d, e, f, g, h] = bytes;
        Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
    }

    fn bytes(&self, at: u64, count: u32) -> io::Result<Vec<u8>> {
        let ends = self.watched.file().metadata()?.len();
        if at + u64::from(count) > ends {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let mut bytes = vec![0; count as usize];
        self.watched.file().read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

impl Table for Cdb {
    /// Keys may have been stored with a NUL byte at their end, or without.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let with_nul = [key, b"\0"].concat();
        let found = match self.find(key) {
            Ok(None) => self.find(&with_nul),
            answer => answer,
        };
        let value = found.map_err(|_| Trouble::CorruptCdb {
            path: self.watched.path().to_owned(),
            source_path: self.source_path.clone(),
        })?;
        Ok(value.map(|mut value| {
            if value.last() == Some(&0) {
                value.pop();
            }
            value
        }))
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        self.watched.changed(sight)
    }
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(*byte))
}

/// Writes a constant database: all records, then [`CdbWriter::finish`].
pub(crate) struct CdbWriter<W: Write + Seek> {
    out: BufWriter<W>,
    at: u32,
    /// Hash and place of each record, by table.
    slots: Vec<Vec<(u32, u32)>>,
}

impl<W: Write + Seek> CdbWriter<W> {
    /// Starts in an empty file.
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        out.write_all(&[0; HEADER_BYTES as usize])?;
        Ok(Self { out, at: HEADER_BYTES as u32, slots: vec![Vec::new(); TABLES] })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Of the file; and "file too large", for no place in it may lie beyond 4 GB.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        let key_bytes = u32::try_from(key.len()).map_err(too_large)?;
        let value_bytes = u32::try_from(value.len()).map_err(too_large)?;
        let hash = hash(key);
        self.slots[hash as usize % TABLES].push((hash, self.at));
        self.pair(key_bytes, value_bytes)?;
        self.out.write_all(key)?;
        self.out.write_all(value)?;
        self.advance(u64::from(key_bytes) + u64::from(value_bytes))
    }

    /// Writes the hash tables and where they are; the file is complete, and still to be synced.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        for records in std::mem::take(&mut self.slots) {
            let table = half_empty_table(&records);
            header.extend_from_slice(&self.at.to_le_bytes());
            header.extend_from_slice(&u32::try_from(table.len()).unwrap_or(u32::MAX).to_le_bytes());
            for (hash, at) in table {
                self.pair(hash, at)?;
            }
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        self.out.into_inner().map_err(|error| error.into_error())
    }

    fn pair(&mut self, first: u32, second: u32) -> io::Result<()> {
        self.out.write_all(&first.to_le_bytes())?;
        self.out.write_all(&second.to_le_bytes())?;
        self.advance(8)
    }

    fn advance(&mut self, count: u64) -> io::Result<()> {
        let at = u64::from(self.at) + count;
        self.at = u32::try_from(at).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(())
    }
}

/// A hash table with twice as many slots as records; a place of 0 is a free slot.
fn half_empty_table(records: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut table = vec![(0, 0); records.len() * 2];
    for record in records {
        let mut slot = (record.0 >> 8) as usize % table.len();
        while table[slot].1 != 0 {
            slot = (slot + 1) % table.len();
        }
        table[slot] = *record;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::fs::File;

    fn written(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> (tempfile::TempDir, Cdb) {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("m");
        let source = source.to_str().unwrap();
        let mut writer = CdbWriter::new(File::create(index_path(source)).unwrap()).unwrap();
        for (key, value) in entries {
            writer.add(key, value).unwrap();
        }
        writer.finish().unwrap();
        let cdb = Cdb::open(source).unwrap();
        (folder, cdb)
    }

    proptest! {
        #[test]
        fn what_is_written_is_found_and_nothing_else(
            entries in proptest::collection::btree_map(
                proptest::collection::vec(1u8.., 0..12),
                proptest::collection::vec(1u8.., 0..20),
                0..60
            ),
            other in proptest::collection::vec(1u8.., 0..12),
        ) {
            let (_folder, mut cdb) = written(&entries);
            for (key, value) in &entries {
                prop_assert_eq!(cdb.get(key).unwrap(), Some(value.clone()));
            }
            prop_assert_eq!(cdb.get(&other).unwrap(), entries.get(&other).cloned());
        }
    }

    #[test]
    fn a_broken_file_is_an_error_not_a_panic() {
        let (folder, _) = written(&BTreeMap::from([(b"a".to_vec(), b"1".to_vec())]));
        let path = folder.path().join("m.cdb");
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            match Cdb::open(folder.path().join("m").to_str().unwrap()) {
                Ok(mut cdb) => assert!(cdb.get(b"a").is_err(), "{length}"),
                Err(trouble) => assert!(matches!(trouble, Trouble::CorruptCdb { .. }), "{length}"),
            }
        }
    }
}
