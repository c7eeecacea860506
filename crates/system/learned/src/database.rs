//! The database's file: what is kept under which key. The only module that talks to the LMDB library.

use std::path::{Path, PathBuf};

use lmdb::{
    Cursor, Database as Part, DatabaseFlags, Environment, EnvironmentFlags, RoTransaction, RwTransaction,
    Transaction, WriteFlags,
};
use spam::learned::{Class, Notebook, Reputation, Tally, Token, TokenCounts};
use spam::token_of;

use crate::trouble::Trouble;

/// Bytes that the file may grow to; they are only mapped, not taken.
const MAP_BYTES: usize = 4 << 30;
/// Processes and threads that read at a time.
const READERS_LIMIT: u32 = 510;
/// Only its owner reads what his mail is like.
const FILE_MODE: u32 = 0o600;
/// The longest key that the library takes.
const KEY_LIMIT_BYTES: usize = 511;
/// Bytes that are kept of a longer one; behind them stands its digest.
const KEY_KEPT_BYTES: usize = 480;
/// MDB_NEXT of lmdb.h: a cursor moves to the next entry, a new one to the first.
const MDB_NEXT: u32 = 8;

pub(crate) type Outcome<T> = Result<T, lmdb::Error>;

/// Numbers about a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Messages that were learned.
    pub tally: Tally,
    /// Tokens.
    pub tokens: u64,
    /// When the token was used that was not used for the longest time, and the one that was used last.
    pub oldest: u32,
    /// The same.
    pub newest: u32,
    /// When old tokens were last removed, how old they were, and how many.
    pub last_expiry: u32,
    /// The same.
    pub last_expiry_age: u32,
    /// The same.
    pub last_expiry_count: u64,
}

/// An open database.
pub(crate) struct Database {
    environment: Environment,
    tokens: Part,
    messages: Part,
    senders: Part,
    facts: Part,
    path: PathBuf,
}

const NUMBERS: &[u8] = b"numbers";

impl Database {
    /// Opens a database, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, Trouble> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| Trouble::Folder { path: folder.to_owned(), source })?;
        }
        Self::open_file(path).map_err(|source| Trouble::Database {
            verb: "open",
            path: path.to_owned(),
            source,
        })
    }

    fn open_file(path: &Path) -> Outcome<Self> {
        let environment = Environment::new()
            .set_flags(EnvironmentFlags::NO_SUB_DIR | EnvironmentFlags::NO_META_SYNC)
            .set_max_dbs(4)
            .set_max_readers(READERS_LIMIT)
            .set_map_size(MAP_BYTES)
            .open_with_permissions(path, FILE_MODE)?;
        let part = |name| environment.create_db(Some(name), DatabaseFlags::empty());
        let (tokens, messages) = (part("tokens")?, part("messages")?);
        let (senders, facts) = (part("senders")?, part("facts")?);
        Ok(Self { environment, tokens, messages, senders, facts, path: path.to_owned() })
    }

    pub(crate) fn trouble(&self, verb: &'static str) -> impl Fn(lmdb::Error) -> Trouble {
        let path = self.path.clone();
        move |source| Trouble::Database { verb, path: path.clone(), source }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What there is now; later changes do not show in it.
    pub(crate) fn look(&self) -> Outcome<Look<'_>> {
        Ok(Look { database: self, transaction: self.environment.begin_ro_txn()? })
    }

    /// Changes that are all made when [`Change::commit`] returns, or none of them.
    pub(crate) fn change(&self) -> Outcome<Change<'_>> {
        let transaction = self.environment.begin_rw_txn()?;
        let facts = facts_of(self, &transaction)?;
        Ok(Change { database: self, transaction, facts })
    }
}

/// A key that the library takes.
fn limited(key: &str) -> Vec<u8> {
    let bytes = key.as_bytes();
    if bytes.len() <= KEY_LIMIT_BYTES {
        return bytes.to_vec();
    }
    let mut short = bytes[..KEY_KEPT_BYTES].to_vec();
    short.extend(token_of(bytes).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
    short
}

fn found<T>(result: Outcome<T>) -> Outcome<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(lmdb::Error::NotFound | lmdb::Error::BadValSize) => Ok(None),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    bytes.get(4 * index..4 * index + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn long(bytes: &[u8], index: usize) -> Option<u64> {
    bytes.get(8 * index..8 * index + 8)?.try_into().ok().map(u64::from_le_bytes)
}

fn counts_of(bytes: &[u8]) -> Option<TokenCounts> {
    Some(TokenCounts { spam: word(bytes, 0)?, ham: word(bytes, 1)?, used: word(bytes, 2)? })
}

fn counts_bytes(counts: TokenCounts) -> Vec<u8> {
    [counts.spam, counts.ham, counts.used].iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn reputation_of(bytes: &[u8]) -> Option<Reputation> {
    let count = i64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    Some(Reputation { count, total: f64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?) })
}

fn reputation_bytes(reputation: Reputation) -> Vec<u8> {
    [reputation.count.to_le_bytes(), reputation.total.to_le_bytes()].concat()
}

fn class_of(bytes: &[u8]) -> Option<Class> {
    std::str::from_utf8(bytes).ok().and_then(Class::of_letter)
}

fn facts_of(database: &Database, transaction: &impl Transaction) -> Outcome<Facts> {
    let bytes = found(transaction.get(database.facts, &NUMBERS))?.unwrap_or_default();
    let number = |index| long(bytes, index).unwrap_or(0);
    let time = |index| u32::try_from(number(index)).unwrap_or(u32::MAX);
    Ok(Facts {
        tally: Tally { spam: number(0), ham: number(1) },
        tokens: number(2),
        oldest: time(3),
        newest: time(4),
        last_expiry: time(5),
        last_expiry_age: time(6),
        last_expiry_count: number(7),
    })
}

fn facts_bytes(facts: &Facts) -> Vec<u8> {
    let time = u64::from;
    let numbers = [
        facts.tally.spam,
        facts.tally.ham,
        facts.tokens,
        time(facts.oldest),
        time(facts.newest),
        time(facts.last_expiry),
        time(facts.last_expiry_age),
        facts.last_expiry_count,
    ];
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn writer_key(writer: u64) -> Vec<u8> {
    [b"writer", writer.to_le_bytes().as_slice()].concat()
}

fn token_of_key(key: &[u8]) -> Token {
    let mut token = Token::default();
    let length = key.len().min(token.len());
    token[..length].copy_from_slice(&key[..length]);
    token
}

/// A state of the database.
pub(crate) struct Look<'a> {
    database: &'a Database,
    transaction: RoTransaction<'a>,
}

impl Look<'_> {
    pub(crate) fn facts(&self) -> Outcome<Facts> {
        facts_of(self.database, &self.transaction)
    }

    /// How many bundles of changes of that writer are in it.
    pub(crate) fn written_by(&self, writer: u64) -> Outcome<u64> {
        let bytes = found(self.transaction.get(self.database.facts, &writer_key(writer)))?;
        Ok(bytes.and_then(|bytes| long(bytes, 0)).unwrap_or(0))
    }

    pub(crate) fn token(&self, token: &Token) -> Outcome<Option<TokenCounts>> {
        Ok(found(self.transaction.get(self.database.tokens, token))?.and_then(counts_of))
    }

    pub(crate) fn message(&self, id: &str) -> Outcome<Option<Class>> {
        Ok(found(self.transaction.get(self.database.messages, &limited(id)))?.and_then(class_of))
    }

    pub(crate) fn sender(&self, key: &str) -> Outcome<Option<Reputation>> {
        Ok(found(self.transaction.get(self.database.senders, &limited(key)))?.and_then(reputation_of))
    }

    fn each(&self, part: Part, each: &mut dyn FnMut(&[u8], &[u8])) -> Outcome<()> {
        let cursor = self.transaction.open_ro_cursor(part)?;
        while let Some((key, value)) = found(cursor.get(None, None, MDB_NEXT))? {
            each(key.unwrap_or_default(), value);
        }
        Ok(())
    }

    pub(crate) fn each_token(&self, each: &mut dyn FnMut(Token, TokenCounts)) -> Outcome<()> {
        self.each(self.database.tokens, &mut |key, value| {
            if let Some(counts) = counts_of(value) {
                each(token_of_key(key), counts);
            }
        })
    }

    pub(crate) fn each_message(&self, each: &mut dyn FnMut(&str, Class)) -> Outcome<()> {
        self.each(self.database.messages, &mut |key, value| {
            if let Some(class) = class_of(value) {
                each(&String::from_utf8_lossy(key), class);
            }
        })
    }

    pub(crate) fn each_sender(&self, each: &mut dyn FnMut(&str, Reputation)) -> Outcome<()> {
        self.each(self.database.senders, &mut |key, value| {
            if let Some(reputation) = reputation_of(value) {
                each(&String::from_utf8_lossy(key), reputation);
            }
        })
    }
}

/// Changes of the database.
pub(crate) struct Change<'a> {
    database: &'a Database,
    transaction: RwTransaction<'a>,
    pub(crate) facts: Facts,
}

impl Change<'_> {
    pub(crate) fn commit(mut self) -> Outcome<()> {
        let bytes = facts_bytes(&self.facts);
        self.transaction.put(self.database.facts, &NUMBERS, &bytes, WriteFlags::empty())?;
        self.transaction.commit()
    }

    /// Notes that a bundle of changes of a writer is in it.
    pub(crate) fn sign(&mut self, writer: u64, bundle: u64) -> Outcome<()> {
        let key = writer_key(writer);
        self.transaction.put(self.database.facts, &key, &bundle.to_le_bytes(), WriteFlags::empty())
    }

    /// A writer that will write no more.
    pub(crate) fn forget_writer(&mut self, writer: u64) -> Outcome<()> {
        self.delete(self.database.facts, &writer_key(writer)).map(|_| ())
    }

    pub(crate) fn token(&mut self, token: &Token, counts: Option<TokenCounts>) -> Outcome<()> {
        let Some(counts) = counts else {
            let gone = self.delete(self.database.tokens, token)?;
            self.facts.tokens = self.facts.tokens.saturating_sub(u64::from(gone));
            return Ok(());
        };
        let known = found(self.transaction.get(self.database.tokens, token))?.is_some();
        let first = self.facts.tokens == 0;
        self.facts.tokens += u64::from(!known);
        self.facts.newest = self.facts.newest.max(counts.used);
        self.facts.oldest = if first { counts.used } else { self.facts.oldest.min(counts.used) };
        self.transaction.put(self.database.tokens, token, &counts_bytes(counts), WriteFlags::empty())
    }

    pub(crate) fn message(&mut self, id: &str, class: Option<Class>) -> Outcome<()> {
        let key = limited(id);
        match class {
            Some(class) => {
                let letter = class.letter().to_string();
                self.transaction.put(self.database.messages, &key, &letter, WriteFlags::empty())
            }
            None => self.delete(self.database.messages, &key).map(|_| ()),
        }
    }

    pub(crate) fn clear(&mut self) -> Outcome<()> {
        self.transaction.clear_db(self.database.tokens)?;
        self.transaction.clear_db(self.database.messages)?;
        self.facts = Facts::default();
        Ok(())
    }

    fn delete(&mut self, part: Part, key: &[u8]) -> Outcome<bool> {
        Ok(found(self.transaction.del(part, &key, None))?.is_some())
    }

    /// Carries out everything in a notebook.
    pub(crate) fn notes(&mut self, notes: &Notebook) -> Outcome<()> {
        self.facts.tally = notes.tally(self.facts.tally);
        // In the order of the keys: neighbours lie on one page.
        let mut tokens: Vec<_> = notes.tokens.iter().collect();
        tokens.sort_unstable_by_key(|(token, _)| **token);
        for (token, change) in tokens {
            let before = found(self.transaction.get(self.database.tokens, token))?.and_then(counts_of);
            let after = change.apply(before);
            if after != before {
                self.token(token, after)?;
            }
        }
        for (id, class) in &notes.messages {
            self.message(id, *class)?;
        }
        self.senders(notes)
    }

    fn senders(&mut self, notes: &Notebook) -> Outcome<()> {
        for begin in &notes.forgotten_keys {
            for key in self.senders_that_begin(begin)? {
                self.delete(self.database.senders, &key)?;
            }
        }
        for (key, amount) in &notes.reputations {
            let key = limited(key);
            let before = found(self.transaction.get(self.database.senders, &key))?.and_then(reputation_of);
            match amount.apply(before) {
                Some(after) => self.transaction.put(
                    self.database.senders,
                    &key,
                    &reputation_bytes(after),
                    WriteFlags::empty(),
                )?,
                None => self.delete(self.database.senders, &key).map(|_| ())?,
            }
        }
        Ok(())
    }

    fn senders_that_begin(&mut self, begin: &str) -> Outcome<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        let cursor = self.transaction.open_ro_cursor(self.database.senders)?;
        while let Some((key, _)) = found(cursor.get(None, None, MDB_NEXT))? {
            keys.extend(key.filter(|key| key.starts_with(begin.as_bytes())).map(<[u8]>::to_vec));
        }
        Ok(keys)
    }
}
