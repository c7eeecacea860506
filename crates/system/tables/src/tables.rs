//! All tables and lists of one process.

use crate::match_list::{MatchList, MatchTrouble};
use crate::name::{TableName, split_list};
use crate::open::OpenTable;
use crate::sight::{Checked, Sight};
use crate::table::Options;
use crate::trouble::Trouble;
use lookup::{Found, Lookup, Part, Stop, Subject};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opens tables by their names when they are first asked for, and keeps them open.
///
/// A table whose file changes is used in its new form from the next lookup on; with [`Tables::new_turn`], from the next
/// turn on. Where the new file is out of reach, the old one goes on and [`Tables::out_of_date`] says so. One that can not be read fails every
/// lookup that reaches it, with one line in the log; it is tried again at each lookup.
pub struct Tables {
    options: Options,
    sight: Arc<Sight>,
    opened: Mutex<HashMap<String, Arc<OpenTable>>>,
    /// The values of parameters, taken apart.
    chains: Mutex<HashMap<String, Arc<[Arc<OpenTable>]>>>,
    lists: Mutex<HashMap<String, Arc<CachedList>>>,
    complaint: Mutex<HashMap<String, String>>,
}

struct CachedList {
    list: MatchList,
    checked: Checked,
}

impl Tables {
    /// No table is open yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            sight: Arc::default(),
            opened: Mutex::default(),
            chains: Mutex::default(),
            lists: Mutex::default(),
            complaint: Mutex::default(),
        }
    }

    /// Opens the tables of `maps` now: before a chroot, a sandbox, or the loss of root. What can not be opened is
    /// logged, and fails when it is asked.
    pub fn open_maps(&self, maps: &str) {
        for table in self.chain(maps).iter() {
            table.takes_parts();
        }
    }

    /// Opens the tables and files of the match list `list` now, as [`Tables::open_maps`].
    pub fn open_list(&self, list: &str) {
        if let Ok(cached) = self.list(list) {
            cached.list.tables().for_each(|table| {
                table.takes_parts();
            });
        }
    }

    /// The folders of databases behind open tables: beside a database lie files that come and go.
    pub fn database_folders(&self) -> Vec<PathBuf> {
        let databases = |table: &Arc<OpenTable>| table.database()?.parent().map(Path::to_owned);
        locked(&self.opened).values().filter_map(databases).collect()
    }

    /// A turn of the process's loop begins: each file is looked at once in it, when it is first asked for.
    pub fn new_turn(&self) {
        self.sight.new_turn();
    }

    /// The process has changed its root folder: from now on only what is open can be read.
    pub fn out_of_sight(&self) {
        self.sight.lose();
    }

    /// A table that has changed on disk in a way that this process, for lack of rights, can not follow. Then the process
    /// should make way for a fresh one.
    pub fn out_of_date(&self) -> Option<&str> {
        self.sight.out_of_date()
    }

    /// Looks at the files of all tables and lists, if they are out of sight: is one [`Tables::out_of_date`]?
    pub fn look(&self) {
        if self.sight.is_lost() {
            locked(&self.opened).values().for_each(|table| table.look());
            for (list, cached) in locked(&self.lists).iter() {
                cached.is_current(list, &self.sight);
            }
        }
    }

    fn chain(&self, maps: &str) -> Arc<[Arc<OpenTable>]> {
        if let Some(chain) = locked(&self.chains).get(maps) {
            return Arc::clone(chain);
        }
        let chain: Arc<[_]> = split_list(maps).map(|name| self.table(name)).collect();
        locked(&self.chains).insert(maps.to_owned(), Arc::clone(&chain));
        chain
    }

    fn table(&self, name: &str) -> Arc<OpenTable> {
        let mut opened = locked(&self.opened);
        let new = || Arc::new(OpenTable::one_of(TableName::parse_any(name), &self.options, &self.sight));
        Arc::clone(opened.entry(name.to_owned()).or_insert_with(new))
    }

    fn list(&self, list: &str) -> Result<Arc<CachedList>, Stop> {
        if let Some(cached) = locked(&self.lists).get(list)
            && cached.is_current(list, &self.sight)
        {
            return Ok(Arc::clone(cached));
        }
        let parsed = MatchList::parse(list, &|name| self.table(name));
        let parsed = parsed.map_err(|trouble| self.complain(list, &trouble))?;
        locked(&self.complaint).remove(list);
        let cached = Arc::new(CachedList { list: parsed, checked: Checked::default() });
        locked(&self.lists).insert(list.to_owned(), Arc::clone(&cached));
        Ok(cached)
    }

    /// Logs what is wrong with a list, once.
    fn complain(&self, list: &str, trouble: &Trouble) -> Stop {
        let text = trouble.to_string();
        let mut complaints = locked(&self.complaint);
        if complaints.get(list) != Some(&text) {
            log::warn!("list \"{list}\" is unavailable. {text}");
            complaints.insert(list.to_owned(), text);
        }
        Stop::Failed { table: list.to_owned() }
    }

    fn complain_of_pattern(&self, list: &str, trouble: &MatchTrouble) -> Stop {
        match locked(&self.opened).get(&trouble.pattern) {
            Some(table) => table.complain(&trouble.trouble),
            None => return self.complain(list, &trouble.trouble),
        }
        Stop::Failed { table: trouble.pattern.clone() }
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Lookup for Tables {
    fn find(&self, maps: &str, key: &str, part: Part) -> Result<Option<Found>, Stop> {
        for table in self.chain(maps).iter() {
            if part == Part::Partial && !table.takes_parts() {
                continue;
            }
            let failed = |trouble: Trouble| {
                table.complain(&trouble);
                Stop::Failed { table: table.shown().to_owned() }
            };
            match table.get(key.as_bytes()).map_err(failed)? {
                Some(value) if value.is_empty() => {
                    return Err(failed(Trouble::EmptyValue { key: key.to_owned() }));
                }
                Some(value) => return Ok(Some(found(value, table))),
                None => {}
            }
        }
        Ok(None)
    }

    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        let cached = self.list(list)?;
        cached.list.has(subject).map_err(|trouble| self.complain_of_pattern(list, &trouble))
    }
}

impl CachedList {
    /// Are the files it was read from still the same, or out of sight?
    fn is_current(&self, list: &str, sight: &Sight) -> bool {
        if !sight.is_due(&self.checked) || !self.list.changed(sight) {
            return true;
        }
        if sight.is_lost() {
            sight.falls_behind(list);
        }
        sight.is_lost()
    }
}

fn found(value: Vec<u8>, table: &OpenTable) -> Found {
    let value = String::from_utf8(value)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Found { value, table: table.shown().to_owned() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
