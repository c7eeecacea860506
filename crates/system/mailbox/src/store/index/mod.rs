//! Our index of a user's mail: a cache that can be removed or damaged at any time, and costs time then.
//!
//! What no file of the Maildir tells is here: modification sequences, which messages were expunged when, keywords without
//! a letter, sizes that were counted, and whatever the protocols computed about messages. Beside it the names of all
//! files with the stamps of the directories they were read from, so that a large folder opens without being read.
//!
//! The only module here that talks to the LMDB library, by the rules of the tables: no lock file of LMDB's own, but a
//! lock on the data file around each transaction; values are copied out. No transaction waits for the disk. LMDB
//! trusts its file, so the file is looked through before it is opened ([`check`]), and each value has a checksum. What
//! was written before the machine started is held against the Maildir as a whole.

mod check;
mod chunks;
mod computed;
mod records;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Mutex;

use lmdb::{
    Cursor, Database, DatabaseFlags, Environment, EnvironmentFlags, RwTransaction, Transaction, WriteFlags,
};
use sys::directory::{self, Stamp};
use sys::locks::{Hold, wait_for_fcntl};

use super::contents::{Contents, Restored};
use super::{Uid, locked};
use chunks::{chunk_of, uids_of};
pub use computed::Computed;
pub(crate) use records::Head;

/// The file's name.
pub(crate) const FILE: &str = "pillarbox.index";
/// Address space for a user's index, and the most it can grow to, bytes.
const MAP_BYTES: usize = 1 << 30;
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;
/// MDB_SET_RANGE and MDB_NEXT of lmdb.h: to the first key that is not below the given one, to the next key.
const MDB_SET_RANGE: u32 = 17;
const MDB_NEXT: u32 = 8;

/// The index of a user's mail.
#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    open: Mutex<Option<Open>>,
    /// The file as it was left: as long as it is the same, it need not be looked through again.
    left: Mutex<Option<Stamp>>,
}

struct Open {
    environment: Environment,
    database: Database,
    /// The same file, to lock it.
    file: File,
    /// Device and inode: the name may stand for another file by now.
    identity: (u64, u64),
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Why a step failed: the index is of no use then.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Lmdb(#[from] lmdb::Error),
    #[error("{0}")]
    Damaged(#[from] check::Damage),
}

/// Where the kind of a key ends, bytes.
const KIND_END: usize = 17;

/// Which records a key is of. What is about messages stands together for a [`chunks::CHUNK_UIDS`] of UIDs: a folder of
/// many messages has few records, and a change of all of them writes few.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Head = b'H',
    Message = b'M',
    Expunged = b'X',
    Cached = b'C',
}

/// What changed in a folder since the last save.
pub(crate) struct Changed<'a> {
    pub(crate) guid: [u8; 16],
    pub(crate) contents: &'a Contents,
    /// Messages that are new or changed.
    pub(crate) touched: &'a [Uid],
    /// Messages that are gone.
    pub(crate) gone: &'a [Uid],
    /// Everything is to be written, whatever was there.
    pub(crate) anew: bool,
}

impl Index {
    /// The index in the file `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::new(None), left: Mutex::new(None) }
    }

    /// The head record of a folder.
    pub(crate) fn head(&self, guid: [u8; 16]) -> Option<Head> {
        self.with(Hold::Shared, |open| {
            let transaction = open.environment.begin_ro_txn()?;
            let key = key(guid, Kind::Head, &[]);
            match transaction.get(open.database, &key) {
                Ok(value) => Ok(records::unseal(&key, value).and_then(records::head)),
                Err(lmdb::Error::NotFound) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .flatten()
    }

    /// All that is known about the messages of a folder; none when any of it is missing or damaged.
    pub(crate) fn load(&self, head: &Head) -> Option<Restored> {
        let mut restored = Restored {
            messages: Vec::with_capacity(head.messages),
            expunged: Vec::new(),
            floor: head.floor,
            keywords: head.keywords.clone(),
            summary: head.summary,
            last_uid: head.last_uid,
        };
        let guid = head.summary.guid;
        let mut whole = true;
        self.each(guid, Kind::Message, &mut |key, value| {
            let read = records::unseal(key, value)
                .and_then(|payload| chunks::messages(payload, &mut restored.messages));
            whole &= read.is_some();
        })?;
        self.each(guid, Kind::Expunged, &mut |key, value| {
            let modseq = key.get(KIND_END..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            match (modseq, records::unseal(key, value).and_then(chunks::uids)) {
                (Some(modseq), Some(uids)) => {
                    restored.expunged.extend(uids.into_iter().map(|uid| (modseq, uid)));
                }
                _ => whole = false,
            }
        })?;
        (whole && restored.messages.len() == head.messages).then_some(restored)
    }

    /// Calls `visit` for the records of one kind, in the order of their keys.
    fn each(&self, guid: [u8; 16], kind: Kind, visit: &mut dyn FnMut(&[u8], &[u8])) -> Option<()> {
        let prefix = key(guid, kind, &[]);
        self.with(Hold::Shared, |open| {
            let transaction = open.environment.begin_ro_txn()?;
            let cursor = transaction.open_ro_cursor(open.database)?;
            let mut next = cursor.get(Some(&prefix), None, MDB_SET_RANGE);
            loop {
                match next {
                    Ok((Some(key), value)) if key.starts_with(&prefix) => visit(key, value),
                    Ok(_) | Err(lmdb::Error::NotFound) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
                next = cursor.get(None, None, MDB_NEXT);
            }
        })
    }

    /// Writes what changed in a folder, in one transaction with its head.
    pub(crate) fn save(&self, changed: &Changed<'_>, head: &Head) -> bool {
        self.with(Hold::Exclusive, |open| {
            let mut transaction = open.environment.begin_rw_txn()?;
            if changed.anew {
                clear(&mut transaction, open.database, &changed.guid)?;
            }
            write_messages(&mut transaction, open.database, changed)?;
            write_expunged(&mut transaction, open.database, changed)?;
            let key = key(changed.guid, Kind::Head, &[]);
            put(&mut transaction, open.database, &key, &records::from_head(head))?;
            Ok(transaction.commit()?)
        })
        .is_some()
    }

    /// Keeps what was computed about messages.
    pub(crate) fn cache(&self, guid: [u8; 16], entries: &[(Uid, u8, &[u8])]) {
        let _ = self.with(Hold::Exclusive, |open| {
            let mut transaction = open.environment.begin_rw_txn()?;
            computed::write(&mut transaction, open.database, guid, entries)?;
            Ok(transaction.commit()?)
        });
    }

    /// What was computed about messages, in the order of `uids`.
    pub(crate) fn cached(&self, guid: [u8; 16], uids: &[Uid], kind: u8) -> Computed {
        self.with(Hold::Shared, |open| {
            let transaction = open.environment.begin_ro_txn()?;
            Ok(computed::read(&transaction, open.database, (guid, kind), uids)?)
        })
        .unwrap_or_default()
    }

    /// Forgets a folder.
    pub(crate) fn forget(&self, guid: [u8; 16]) {
        let _ = self.with(Hold::Exclusive, |open| {
            let mut transaction = open.environment.begin_rw_txn()?;
            clear(&mut transaction, open.database, &guid)?;
            Ok(transaction.commit()?)
        });
    }

    /// Gives back descriptors and memory.
    pub(crate) fn rest(&self) {
        if let Some(open) = locked(&self.open).take() {
            *locked(&self.left) = directory::stamp(&open.file).ok();
        }
    }

    /// Runs `act` under a lock on the file. What fails once is begun anew next time: the file is removed.
    fn with<T>(&self, hold: Hold, act: impl FnOnce(&Open) -> Result<T, Trouble>) -> Option<T> {
        let mut open = locked(&self.open);
        if open.as_ref().is_some_and(|open| !self.is_the_file(open)) {
            *open = None;
        }
        let outcome = self.with_open(&mut open, hold, act);
        match outcome {
            Ok(value) => Some(value),
            Err(trouble) => {
                *open = None;
                // A disk that can not be written at the moment leaves nothing to repair.
                if !matches!(trouble, Trouble::Io(_)) {
                    log::warn!("{}: {trouble}: it is begun anew", self.path.display());
                    let _ = std::fs::remove_file(&self.path);
                }
                None
            }
        }
    }

    fn with_open<T>(
        &self,
        slot: &mut Option<Open>,
        hold: Hold,
        act: impl FnOnce(&Open) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let open = match slot {
            Some(open) => open,
            None => slot.insert(self.open()?),
        };
        let _lock = wait_for_fcntl(&open.file, hold)?;
        act(open)
    }

    fn is_the_file(&self, open: &Open) -> bool {
        use std::os::unix::fs::MetadataExt;
        std::fs::symlink_metadata(&self.path).is_ok_and(|facts| (facts.dev(), facts.ino()) == open.identity)
    }

    fn open(&self) -> Result<Open, Trouble> {
        let options = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
            options.open(&self.path)
        };
        let file = match options() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = self.path.parent() {
                    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(parent)?;
                }
                options()?
            }
            outcome => outcome?,
        };
        let lock = wait_for_fcntl(&file, Hold::Exclusive)?;
        let left = locked(&self.left).take();
        if left.is_none() || left != directory::stamp(&file).ok() {
            check::check(&file)?;
        }
        let flags = EnvironmentFlags::NO_SUB_DIR
            | EnvironmentFlags::NO_LOCK
            | EnvironmentFlags::NO_SYNC
            | EnvironmentFlags::NO_META_SYNC
            | EnvironmentFlags::NO_READAHEAD;
        let environment = Environment::new().set_flags(flags).set_map_size(MAP_BYTES).open(&self.path)?;
        let database = environment.create_db(None, DatabaseFlags::empty())?;
        drop(lock);
        let Stamp { device, inode, .. } = directory::stamp(&file)?;
        Ok(Open { environment, database, file, identity: (device, inode) })
    }
}

fn key(guid: [u8; 16], kind: Kind, rest: &[u8]) -> Vec<u8> {
    [guid.as_slice(), &[kind as u8], rest].concat()
}

fn put(
    transaction: &mut RwTransaction<'_>,
    database: Database,
    key: &[u8],
    payload: &[u8],
) -> Result<(), Trouble> {
    Ok(transaction.put(database, &key, &records::seal(key, payload), WriteFlags::empty())?)
}

fn delete(transaction: &mut RwTransaction<'_>, database: Database, key: &[u8]) -> Result<(), Trouble> {
    match transaction.del(database, &key, None) {
        Ok(()) | Err(lmdb::Error::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes all keys that begin with `prefix`.
fn clear(transaction: &mut RwTransaction<'_>, database: Database, prefix: &[u8]) -> Result<(), Trouble> {
    let mut keys = Vec::new();
    {
        let cursor = transaction.open_ro_cursor(database)?;
        let mut next = cursor.get(Some(prefix), None, MDB_SET_RANGE);
        while let Ok((Some(key), _)) = next
            && key.starts_with(prefix)
        {
            keys.push(key.to_vec());
            next = cursor.get(None, None, MDB_NEXT);
        }
    }
    keys.iter().try_for_each(|key| delete(transaction, database, key))
}

/// The messages that changed, with their neighbours; what was computed about messages goes with the last of them.
fn write_messages(
    transaction: &mut RwTransaction<'_>,
    database: Database,
    changed: &Changed<'_>,
) -> Result<(), Trouble> {
    let mut chunks: Vec<u32> = changed.touched.iter().chain(changed.gone).map(|uid| chunk_of(*uid)).collect();
    chunks.sort_unstable();
    chunks.dedup();
    for chunk in chunks {
        let key = key(changed.guid, Kind::Message, &chunk.to_be_bytes());
        let payload = chunks::from_messages(changed.contents.between(uids_of(chunk)));
        if payload.is_empty() {
            delete(transaction, database, &key)?;
            clear(transaction, database, &computed::prefix(changed.guid, chunk))?;
        } else {
            put(transaction, database, &key, &payload)?;
        }
    }
    Ok(())
}

/// The expunges that are not there yet; those that are forgotten go.
fn write_expunged(
    transaction: &mut RwTransaction<'_>,
    database: Database,
    changed: &Changed<'_>,
) -> Result<(), Trouble> {
    let known = changed.contents.expunged();
    let new = if changed.anew { known } else { &known[known.len().saturating_sub(changed.gone.len())..] };
    for together in new.chunk_by(|one, next| one.0 == next.0) {
        let key = key(changed.guid, Kind::Expunged, &together[0].0.to_be_bytes());
        put(transaction, database, &key, &chunks::from_uids(together.iter().map(|(_, uid)| *uid)))?;
    }
    forget_below(transaction, database, changed.guid, changed.contents.floor())
}

fn forget_below(
    transaction: &mut RwTransaction<'_>,
    database: Database,
    guid: [u8; 16],
    floor: u64,
) -> Result<(), Trouble> {
    let prefix = key(guid, Kind::Expunged, &[]);
    let mut keys = Vec::new();
    {
        let cursor = transaction.open_ro_cursor(database)?;
        let mut next = cursor.get(Some(&prefix), None, MDB_SET_RANGE);
        while let Ok((Some(key), _)) = next
            && key.starts_with(&prefix)
            && key.get(KIND_END..).is_some_and(|modseq| modseq <= floor.to_be_bytes().as_slice())
        {
            keys.push(key.to_vec());
            next = cursor.get(None, None, MDB_NEXT);
        }
    }
    keys.iter().try_for_each(|key| delete(transaction, database, key))
}
