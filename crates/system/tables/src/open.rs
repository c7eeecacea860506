//! From a name to an open table that stays true to its file.

use crate::cdb::Cdb;
use crate::cidr::Cidr;
use crate::combined::{Combined, How, Random};
use crate::file_values::CODE;
use crate::fixed::{Accounts, Environ, Fail, InMemory, Static, open_inline};
use crate::indexed::open_indexed;
use crate::name::TableName;
use crate::patterns::Patterns;
use crate::pcre::Pcre;
use crate::regexp::Posix;
use crate::sight::{Checked, Sight};
use crate::source::printable;
use crate::sqlite::Sqlite;
use crate::table::{EachEntry, Options, Table};
use crate::texthash::TextHash;
use crate::trouble::Trouble;
use base64::Engine;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A table that is opened when it is first asked, and anew when its file has changed.
pub struct OpenTable {
    name: TableName,
    /// `type:name`
    shown: String,
    options: Options,
    sight: Arc<Sight>,
    checked: Checked,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    table: Option<Box<dyn Table>>,
    /// The trouble that has been logged and is not over.
    complaint: String,
}

impl OpenTable {
    /// A table that is not opened yet. A name that makes no sense is a trouble of the first lookup.
    pub fn new(name: TableName, options: &Options) -> Self {
        Self::one_of(name, options, &Arc::default())
    }

    /// As [`OpenTable::new`], for one of several tables of a process.
    pub(crate) fn one_of(name: TableName, options: &Options, sight: &Arc<Sight>) -> Self {
        let (sight, checked) = (Arc::clone(sight), Checked::default());
        Self { shown: name.to_string(), name, options: *options, sight, checked, state: Mutex::default() }
    }

    /// Opens the table at once.
    ///
    /// # Errors
    /// [`Trouble`]: its name makes no sense, or its file can not be read.
    pub fn open(name: &TableName, options: &Options) -> Result<Self, Trouble> {
        Self::open_with(name, options, &Arc::default())
    }

    /// As [`OpenTable::open`], for one of several tables of a process.
    pub(crate) fn open_with(
        name: &TableName,
        options: &Options,
        sight: &Arc<Sight>,
    ) -> Result<Self, Trouble> {
        let table = Self::one_of(name.clone(), options, sight);
        table.refresh(&mut table.state())?;
        Ok(table)
    }

    /// `type:name`
    pub fn name(&self) -> &TableName {
        &self.name
    }

    /// The name as text, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Is it asked for pieces of an address too? True for one that can not be opened, so that it will be asked.
    pub fn takes_parts(&self) -> bool {
        let mut state = self.state();
        let table = self.refresh(&mut state);
        table.is_err() || state.table.as_ref().is_none_or(|table| table.takes_parts())
    }

    /// Looks whether the file of an open table has changed, without asking the table anything.
    pub(crate) fn look(&self) {
        let mut state = self.state();
        if state.table.is_some() {
            // Trouble is that of the next lookup.
            let _ = self.refresh(&mut state);
        }
    }

    /// The database behind a table that is open, if it has one.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        self.state().table.as_ref()?.database().map(Path::to_owned)
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`Trouble`]: the table could not be read, or its answer is not UTF-8 where it should be.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        if !self.is_text(key) {
            let problem = "malformed UTF-8 or invalid codepoint";
            log::warn!("{}: non-UTF-8 key \"{}\": {problem}", self.name, printable(key));
            return Ok(None);
        }
        let mut state = self.state();
        let first = self.refresh(&mut state).and_then(|table| self.ask(table, key));
        let value = match first {
            Err(_) if state.table.as_mut().is_some_and(|table| table.changed(&self.sight)) => {
                state.table = None;
                self.ask(self.refresh(&mut state)?, key)?
            }
            first => first?,
        };
        state.complaint.clear();
        drop(state);
        let Some(value) = value else { return Ok(None) };
        if !self.is_text(&value) {
            return Err(self.not_text(key, &value));
        }
        let content = self.content(key, value);
        content.map(Some).ok_or_else(|| Trouble::NotText(self.name.to_string()))
    }

    /// The value, or with `values_are_files` what it stands for; `None` if it is no base64.
    fn content(&self, key: &[u8], value: Vec<u8>) -> Option<Vec<u8>> {
        if !self.options.values_are_files {
            return Some(value);
        }
        let content = CODE.decode(&value).ok();
        if content.is_none() {
            let (key, value) = (String::from_utf8_lossy(key), printable(&value));
            log::warn!("table {}: key {key}: malformed BASE64 value: {value}", self.name);
        }
        content
    }

    /// Logs `trouble`, unless it is what was logged last and the table has not worked since.
    pub(crate) fn complain(&self, trouble: &Trouble) {
        let mut state = self.state();
        let text = trouble.to_string();
        if state.complaint == text {
            return;
        }
        let remedy = trouble.remedy();
        let separator = if remedy.is_empty() { "" } else { "; " };
        log::warn!("{} is unavailable. {text}{separator}{remedy}", self.name);
        state.complaint = text;
    }

    /// Calls `each` with every entry, in the table's own order.
    ///
    /// # Errors
    /// [`Trouble`], also for types that can not list their entries.
    pub fn entries(&self, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        let mut state = self.state();
        self.refresh(&mut state)?.entries(&self.shown, &mut |key, value| {
            if let Some(content) = self.content(key, value.to_vec()) {
                each(key, &content);
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, table: &mut Box<dyn Table>, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        if table.folds_keys() { table.get(&self.options.folded(key)) } else { table.get(key) }
    }

    /// Opens the table if it is not open, or anew if its file has changed. Where the new file can not be seen (a
    /// chroot), the old one goes on.
    fn refresh<'a>(&self, state: &'a mut State) -> Result<&'a mut Box<dyn Table>, Trouble> {
        if let Some(table) = &mut state.table {
            if self.sight.is_due(&self.checked) && table.changed(&self.sight) {
                self.reopen(state)?;
            }
        } else {
            state.table = Some(open_table(&self.name, &self.options, &self.sight)?);
        }
        state.table.as_mut().ok_or_else(|| Trouble::NoType(self.name.to_string()))
    }

    fn reopen(&self, state: &mut State) -> Result<(), Trouble> {
        if self.sight.is_lost() {
            self.sight.falls_behind(&self.shown);
            return Ok(());
        }
        match open_table(&self.name, &self.options, &self.sight) {
            Ok(table) => {
                state.table = Some(table);
                Ok(())
            }
            // An editor may be about to bring it back.
            Err(trouble) if trouble.is_missing_file() => Ok(()),
            // It was opened with rights that are gone.
            Err(trouble) if trouble.is_forbidden_file() => {
                self.sight.falls_behind(&self.shown);
                Ok(())
            }
            Err(trouble) => {
                state.table = None;
                Err(trouble)
            }
        }
    }

    fn is_text(&self, value: &[u8]) -> bool {
        !self.options.utf8 || value.is_ascii() || std::str::from_utf8(value).is_ok()
    }

    fn not_text(&self, key: &[u8], value: &[u8]) -> Trouble {
        log::warn!(
            "{}: key \"{}\": non-UTF-8 value \"{}\": malformed UTF-8 or invalid codepoint",
            self.name,
            String::from_utf8_lossy(key),
            printable(value)
        );
        Trouble::NotText(self.name.to_string())
    }
}

/// Types that Postfix has and that need a server or library which this version does not talk to.
const NOT_AVAILABLE: &[&str] = &["mysql", "pgsql", "ldap", "mongodb", "memcache", "tcp", "socketmap", "nis"];

/// The types that this version opens (`postconf -m`), in alphabetical order.
pub fn table_types() -> &'static [&'static str] {
    AVAILABLE
}

const AVAILABLE: &[&str] = &[
    "btree", "cdb", "cidr", "environ", "fail", "hash", "inline", "internal", "lmdb", "pcre", "pipemap",
    "proxy", "randmap", "regexp", "sqlite", "static", "texthash", "unionmap", "unix",
];

/// Is this a type that Postfix has?
pub(crate) fn is_known(kind: &str) -> bool {
    AVAILABLE.contains(&kind) || NOT_AVAILABLE.contains(&kind)
}

/// Why a table that is no index can not be changed.
pub(crate) fn refuse_change(name: &TableName) -> Trouble {
    match name.kind.as_str() {
        "static" | "environ" => Trouble::NoDelete(name.to_string()),
        "fail" => Trouble::Application { table: name.to_string(), verb: "delete" },
        kind if is_known(kind) => Trouble::ReadOnly(name.to_string()),
        kind => Trouble::UnknownType(kind.to_owned()),
    }
}

fn open_table(name: &TableName, options: &Options, sight: &Arc<Sight>) -> Result<Box<dyn Table>, Trouble> {
    Ok(match name.kind.as_str() {
        "hash" | "btree" | "lmdb" => open_indexed(name, options)?,
        "cdb" => Box::new(Cdb::open(&name.name)?),
        "texthash" => Box::new(TextHash::open(Path::new(&name.name), options)?),
        "inline" => Box::new(open_inline(name, options)?),
        "static" => Box::new(Static::open(name, options)?),
        "environ" => Box::new(Environ),
        "fail" => Box::new(Fail::open(name)),
        "internal" => Box::new(InMemory::default()),
        "unix" => Box::new(Accounts::open(name)?),
        "regexp" => Box::new(Patterns::<Posix>::open(&name.name, options)?),
        "pcre" => Box::new(Patterns::<Pcre>::open(&name.name, options)?),
        "cidr" => Box::new(Cidr::open(&name.name, options)?),
        "sqlite" => Box::new(Sqlite::open(name, options, sight)?),
        "unionmap" => Box::new(Combined::open(name, How::Union, options, sight)?),
        "pipemap" => Box::new(Combined::open(name, How::Pipe, options, sight)?),
        "randmap" => Box::new(Random::open(name, options)?),
        // Local tables need no other process to keep them open: they are cheap to open and few daemons do.
        "proxy" => open_table(&TableName::parse(&name.name)?, options, sight)?,
        kind if NOT_AVAILABLE.contains(&kind) => {
            return Err(Trouble::NotAvailable { kind: kind.to_owned(), table: name.to_string() });
        }
        "" => return Err(Trouble::NoType(name.name.clone())),
        kind => return Err(Trouble::UnknownType(kind.to_owned())),
    })
}
