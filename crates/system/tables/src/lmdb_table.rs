//! lmdb:, and with it hash: and btree:. The only module that talks to the LMDB library.
//!
//! The form of the file is Postfix's: one unnamed database, keys and values with a NUL byte at the end (those
//! without are read, too), no LMDB lock file, instead a fcntl(2) lock on the whole data file while it is written.
//!
//! A reader needs that lock only while somebody writes: a transaction sees the pages of its own snapshot, and these
//! are written over by the second transaction after it at the earliest. So a file that nobody has touched for
//! [`QUIET_SECONDS`] is read without system calls, one that has just been changed under the lock.

use crate::sight::Sight;
use crate::table::{EachEntry, Table};
use crate::trouble::Trouble;
use crate::watched::Watched;
use lmdb::{Cursor, Database, Environment, EnvironmentFlags, Transaction};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use sys::locks::{FileLock, Hold, wait_for_fcntl};

/// How long ago the last change to a file must be for reading it without a lock.
const QUIET_SECONDS: Duration = Duration::from_secs(2);

/// The longest key that the library takes, with its NUL.
const KEY_LIMIT_BYTES: usize = 511;

/// MDB_NEXT of lmdb.h: a cursor moves to the next entry, a new one to the first.
const MDB_NEXT: u32 = 8;

/// The index that belongs to the source `path`.
pub(crate) fn index_path(path: &str) -> PathBuf {
    PathBuf::from(format!("{path}.lmdb"))
}

/// An open index.
pub(crate) struct Lmdb {
    environment: Environment,
    database: Database,
    watched: Watched,
    /// `hash:/etc/postfix/virtual`, for messages.
    table: String,
    form: Form,
    /// Nobody has written to the file lately.
    quiet: bool,
    /// The file has outgrown the part of it that is mapped.
    outgrown: bool,
}

/// How keys are stored, and room to build one.
struct Form {
    nul: Nul,
    buffer: Vec<u8>,
}

/// Do keys and values end with a NUL byte? Found out by the first key that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nul {
    Unknown,
    With,
    Without,
}

impl Lmdb {
    /// Opens the index of `source_path` for reading; `table` is its name for messages.
    pub(crate) fn open(source_path: &str, table: &str) -> Result<Self, Trouble> {
        let path = index_path(source_path);
        let watched =
            Watched::open(&path).map_err(|source| Trouble::OpenDatabase { path: path.clone(), source })?;
        let corrupt = || Trouble::CorruptLmdb { path: path.clone(), source_path: source_path.into() };
        let flags = EnvironmentFlags::READ_ONLY | EnvironmentFlags::NO_SUB_DIR | EnvironmentFlags::NO_LOCK;
        let environment = {
            let _lock = lock(&watched, Hold::Shared)?;
            let environment = Environment::new().set_flags(flags).open(&path).map_err(|_| corrupt())?;
            if !is_whole(&environment, &watched) {
                return Err(corrupt());
            }
            environment
        };
        let database = environment.open_db(None).map_err(|_| corrupt())?;
        let quiet = watched.last_change().is_ok_and(is_quiet);
        Ok(Self {
            environment,
            database,
            watched,
            table: table.to_owned(),
            form: Form { nul: Nul::Unknown, buffer: Vec::new() },
            quiet,
            outgrown: false,
        })
    }

    /// Is the index older than `source`? Then it does not say what the source says.
    pub(crate) fn is_older_than(&self, source: &Path) -> bool {
        self.watched.is_older_than(source)
    }

    fn trouble(&self, verb: &'static str, source: lmdb::Error) -> Trouble {
        Trouble::Lmdb { verb, table: self.table.clone(), source }
    }
}

impl Form {
    /// One look into the snapshot of now.
    fn look(
        &mut self,
        environment: &Environment,
        database: Database,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, lmdb::Error> {
        let transaction = environment.begin_ro_txn()?;
        self.buffer.clear();
        self.buffer.extend_from_slice(key);
        self.buffer.push(0);
        let forms: &[Nul] = match self.nul {
            Nul::Unknown => &[Nul::With, Nul::Without],
            Nul::With => &[Nul::With],
            Nul::Without => &[Nul::Without],
        };
        for nul in forms {
            let stored = if *nul == Nul::With { &self.buffer } else { key };
            if stored.is_empty() || stored.len() > KEY_LIMIT_BYTES {
                continue;
            }
            match transaction.get(database, &stored) {
                Ok(value) => {
                    self.nul = *nul;
                    return Ok(Some(without_nul(value).to_vec()));
                }
                Err(lmdb::Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl Table for Lmdb {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let lock = if self.quiet { None } else { Some(lock(&self.watched, Hold::Shared)?) };
        let result = self.form.look(&self.environment, self.database, key);
        drop(lock);
        self.outgrown = result == Err(lmdb::Error::MapResized);
        result.map_err(|error| self.trouble("read", error))
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        let Ok(last_change) = self.watched.replaced(sight) else { return true };
        self.quiet = is_quiet(last_change);
        self.outgrown
    }

    fn entries(&mut self, _name: &str, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        let _lock = lock(&self.watched, Hold::Shared)?;
        let mut visit = || {
            let transaction = self.environment.begin_ro_txn()?;
            let cursor = transaction.open_ro_cursor(self.database)?;
            loop {
                match cursor.get(None, None, MDB_NEXT) {
                    Ok((key, value)) => each(without_nul(key.unwrap_or_default()), without_nul(value)),
                    Err(lmdb::Error::NotFound) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        let result: Result<(), lmdb::Error> = visit();
        result.map_err(|error| self.trouble("read", error))
    }
}

fn lock(watched: &Watched, hold: Hold) -> Result<FileLock<'_>, Trouble> {
    wait_for_fcntl(watched.file(), hold).map_err(|source| Trouble::File {
        verb: "lock",
        path: watched.path().to_owned(),
        source,
    })
}

fn is_quiet(last_change: SystemTime) -> bool {
    last_change.elapsed().is_ok_and(|age| age > QUIET_SECONDS)
}

/// Has the file all the pages that it says it has? A page beyond its end would kill the process that reads it.
fn is_whole(environment: &Environment, watched: &Watched) -> bool {
    let pages = environment.info().map(|info| info.last_pgno() + 1);
    let page_bytes = environment.stat().map(|stat| stat.page_size() as usize);
    match (pages, page_bytes, watched.file().metadata()) {
        (Ok(pages), Ok(page_bytes), Ok(metadata)) => {
            metadata.len() >= (pages.saturating_mul(page_bytes)) as u64
        }
        _ => false,
    }
}

fn without_nul(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\0").unwrap_or(bytes)
}
