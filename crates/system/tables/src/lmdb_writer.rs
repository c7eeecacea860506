//! Writing lmdb: files: a new one that takes the place of the old, or changes within one.

use crate::entries::{Duplicates, Entries};
use crate::replacement_file::{ReplacementFile, Stamp};
use crate::trouble::Trouble;
use lmdb::{Database, DatabaseFlags, Environment, EnvironmentFlags, RwTransaction, Transaction, WriteFlags};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use sys::locks::{Hold, wait_for_fcntl};

/// How much of a file may be in use at the least; Postfix's `lmdb_map_size`.
const SMALLEST_MAP_BYTES: usize = 16 * 1024 * 1024;
/// What an entry takes besides key and value: its header, its place in the page, a byte to make it even.
const ENTRY_OVERHEAD_BYTES: usize = 12;
/// Entries that are larger have pages of their own.
const LARGE_ENTRY_BYTES: usize = 1024;
const PAGE_BYTES: usize = 4096;
/// How much goes into a new file in one transaction: the memory that it takes.
const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// How keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredForm {
    /// With a NUL byte at the end: what Postfix does unless told otherwise (`postmap -n`).
    pub(crate) nul: bool,
}

/// What the library says.
type Outcome<T> = Result<T, lmdb::Error>;

/// The index to be written.
pub(crate) struct Target<'a> {
    pub(crate) path: &'a Path,
    /// `hash:/etc/postfix/virtual`, for messages.
    pub(crate) table: &'a str,
}

/// What is added to an index.
pub(crate) struct Addition<'a> {
    pub(crate) entries: &'a Entries,
    /// Entries that replace what was there.
    pub(crate) signature: &'a Entries,
    pub(crate) form: StoredForm,
    pub(crate) duplicates: Duplicates,
    /// How warnings of duplicates name the table.
    pub(crate) name_in_warnings: &'a str,
}

impl Target<'_> {
    fn trouble(&self, verb: &'static str, source: io::Error) -> Trouble {
        Trouble::File { verb, path: self.path.to_owned(), source }
    }

    fn refused(&self, source: io::Error) -> Trouble {
        Trouble::OpenDatabase { path: self.path.to_owned(), source }
    }

    fn updating(&self, source: lmdb::Error) -> Trouble {
        Trouble::Lmdb { verb: "error updating", table: self.table.to_owned(), source }
    }
}

/// Writes an index with `entries`, which are sorted, in the place of the one that is there.
pub(crate) fn replace(
    target: &Target<'_>,
    entries: &Entries,
    form: StoredForm,
    stamp: &Stamp,
) -> Result<(), Trouble> {
    let new = match ReplacementFile::create(target.path) {
        Ok(new) => new,
        // The folder belongs to somebody whose file we may change, but not make anew.
        Err(error) if is_refused(&error) && target.path.exists() => return rewrite(target, entries, form),
        Err(source) => return Err(target.refused(source)),
    };
    let mut map_bytes = map_bytes(entries);
    loop {
        match fill(new.path(), entries, form, map_bytes) {
            Err(lmdb::Error::MapFull) => {
                map_bytes *= 2;
                new.file().set_len(0).map_err(|source| target.trouble("truncate", source))?;
            }
            other => break other.map_err(|source| target.updating(source))?,
        }
    }
    match new.commit(stamp) {
        Err(error) if is_refused(&error) && target.path.exists() => rewrite(target, entries, form),
        other => other.map_err(|source| target.trouble("replace", source)),
    }
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Room for `entries` in half-empty pages.
fn map_bytes(entries: &Entries) -> usize {
    let room = |(key, value): (&[u8], &[u8])| match key.len() + value.len() + ENTRY_OVERHEAD_BYTES {
        large if large > LARGE_ENTRY_BYTES => (large / PAGE_BYTES + 2) * PAGE_BYTES,
        small => small * 2,
    };
    let bytes: usize = entries.iter().map(room).sum();
    bytes.next_multiple_of(PAGE_BYTES) + SMALLEST_MAP_BYTES
}

/// Fills a new file. Nobody else sees it yet, so that its transactions need not wait for the disk.
fn fill(path: &Path, entries: &Entries, form: StoredForm, map_bytes: usize) -> Outcome<()> {
    let flags = EnvironmentFlags::NO_SYNC | EnvironmentFlags::NO_META_SYNC;
    let environment = open(path, flags, map_bytes)?;
    let database = environment.create_db(None, DatabaseFlags::empty())?;
    let mut entries = entries.iter().peekable();
    let mut record = Record::new(form);
    while entries.peek().is_some() {
        let mut transaction = environment.begin_rw_txn()?;
        let mut bytes = 0;
        for (key, value) in entries.by_ref() {
            record.put(&mut transaction, database, key, value, WriteFlags::APPEND)?;
            bytes += key.len() + value.len();
            if bytes > TRANSACTION_BYTES {
                break;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

fn open(path: &Path, flags: EnvironmentFlags, map_bytes: usize) -> Outcome<Environment> {
    let flags = flags | EnvironmentFlags::NO_SUB_DIR | EnvironmentFlags::NO_LOCK;
    Environment::new().set_flags(flags).set_map_size(map_bytes).open(path)
}

/// A key and a value in the form they are stored in.
struct Record {
    form: StoredForm,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Record {
    fn new(form: StoredForm) -> Self {
        Self { form, key: Vec::new(), value: Vec::new() }
    }

    fn put(
        &mut self,
        transaction: &mut RwTransaction<'_>,
        database: Database,
        key: &[u8],
        value: &[u8],
        flags: WriteFlags,
    ) -> Outcome<()> {
        for (stored, given) in [(&mut self.key, key), (&mut self.value, value)] {
            stored.clear();
            stored.extend_from_slice(given);
            if self.form.nul {
                stored.push(0);
            }
        }
        transaction.put(database, &self.key, &self.value, flags)
    }
}

/// Writes all entries into the file itself, in one transaction: readers see all of it or nothing.
fn rewrite(target: &Target<'_>, entries: &Entries, form: StoredForm) -> Result<(), Trouble> {
    change(target, map_bytes(entries), None, &mut |transaction, database| {
        transaction.clear_db(database)?;
        let mut record = Record::new(form);
        for (key, value) in entries.iter() {
            record.put(transaction, database, key, value, WriteFlags::empty())?;
        }
        Ok(())
    })
}

/// Adds to an index, which is made with `mode` if it is not there.
pub(crate) fn add(target: &Target<'_>, addition: &Addition<'_>, mode: u32) -> Result<(), Trouble> {
    let flags = match addition.duplicates {
        Duplicates::Replace => WriteFlags::empty(),
        Duplicates::Warn | Duplicates::Ignore => WriteFlags::NO_OVERWRITE,
    };
    let mut present = Vec::new();
    change(target, map_bytes(addition.entries), Some(mode), &mut |transaction, database| {
        let mut record = Record::new(addition.form);
        present.clear();
        for (key, value) in addition.entries.iter() {
            match record.put(transaction, database, key, value, flags) {
                Err(lmdb::Error::KeyExist) => present.push(String::from_utf8_lossy(key).into_owned()),
                other => other?,
            }
        }
        for (key, value) in addition.signature.iter() {
            record.put(transaction, database, key, value, WriteFlags::empty())?;
        }
        Ok(())
    })?;
    if addition.duplicates == Duplicates::Warn {
        for key in present {
            log::warn!("{}: duplicate entry: \"{key}\"", addition.name_in_warnings);
        }
    }
    Ok(())
}

/// Takes the entry of each key out of an index; says how many there were.
pub(crate) fn delete(target: &Target<'_>, keys: &[Vec<u8>]) -> Result<usize, Trouble> {
    let mut count = 0;
    change(target, 0, None, &mut |transaction, database| {
        count = 0;
        for key in keys {
            let with_nul = [key, &b"\0"[..]].concat();
            let gone =
                is_deleted(transaction, database, &with_nul)? || is_deleted(transaction, database, key)?;
            count += usize::from(gone);
        }
        Ok(())
    })?;
    Ok(count)
}

fn is_deleted(transaction: &mut RwTransaction<'_>, database: Database, key: &[u8]) -> Outcome<bool> {
    match transaction.del(database, &key, None) {
        Ok(()) => Ok(true),
        Err(lmdb::Error::NotFound | lmdb::Error::BadValSize) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Work within a transaction; done again if the file has to grow for it.
type Work<'a> = dyn FnMut(&mut RwTransaction<'_>, Database) -> Outcome<()> + 'a;

/// Does `work` on an index under Postfix's lock, on disk when this returns. With `mode_if_new`, the index is made if
/// it is not there.
fn change(
    target: &Target<'_>,
    more_bytes: usize,
    mode_if_new: Option<u32>,
    work: &mut Work<'_>,
) -> Result<(), Trouble> {
    let file = open_to_change(target.path, mode_if_new).map_err(|source| target.refused(source))?;
    let _lock = wait_for_fcntl(&file, Hold::Exclusive).map_err(|source| target.trouble("lock", source))?;
    let length = file.metadata().map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(0));
    let mut map_bytes = (length * 2 + more_bytes).next_multiple_of(PAGE_BYTES) + SMALLEST_MAP_BYTES;
    loop {
        match change_within(target.path, map_bytes, work) {
            Err(lmdb::Error::MapFull) => map_bytes *= 2,
            other => return other.map_err(|source| target.updating(source)),
        }
    }
}

fn open_to_change(path: &Path, mode_if_new: Option<u32>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if let Some(mode) = mode_if_new {
        options.create(true).truncate(false).mode(mode);
    }
    options.open(path)
}

fn change_within(path: &Path, map_bytes: usize, work: &mut Work<'_>) -> Outcome<()> {
    let environment = open(path, EnvironmentFlags::empty(), map_bytes)?;
    let database = environment.create_db(None, DatabaseFlags::empty())?;
    let mut transaction = environment.begin_rw_txn()?;
    work(&mut transaction, database)?;
    transaction.commit()
}
