//! Indexes that do not say what their source says, and making them anew.

use crate::cdb::{self, Cdb};
use crate::compile::{Compile, alias_format};
use crate::entries::Entries;
use crate::indexed::{berkeley_is_of_aliases, berkeley_path};
use crate::lmdb_table::{self, Lmdb};
use crate::name::TableName;
use crate::table::Table;
use crate::trouble::Trouble;
use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Its source has been changed since.
    OlderThanSource,
    /// There is only an index of Berkeley DB, which is not read.
    OnlyBerkeley,
}

/// An index that was stale, and what became of it.
#[derive(Debug)]
pub struct Rebuilt {
    /// The table.
    pub table: TableName,
    /// The index that is now there, or should be.
    pub index: PathBuf,
    /// What was wrong.
    pub staleness: Staleness,
    /// Could it be made anew?
    pub outcome: Result<(), Trouble>,
}

impl std::fmt::Display for Rebuilt {
    /// A line for the log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (table, index, source) = (&self.table, self.index.display(), &self.table.name);
        let berkeley = berkeley_path(source);
        match (self.staleness, &self.outcome) {
            (Staleness::OlderThanSource, Ok(())) => {
                write!(f, "{table}: {index} was older than {source}: made it anew")
            }
            (Staleness::OnlyBerkeley, Ok(())) => {
                let berkeley = berkeley.display();
                write!(
                    f,
                    "{table}: {berkeley} is a Berkeley DB file, which is not read: made {index} from {source}"
                )
            }
            (_, Err(trouble)) => {
                write!(f, "{table}: {index} must be made anew from {source}, and can not: {trouble}")
            }
        }
    }
}

/// Makes anew every index that `text`, the value of a parameter, names and that is stale.
///
/// `compile` says how; but an alias table stays one, whatever it says, made by `host`. Tables without a source are left
/// alone.
pub fn rebuild_stale(text: &str, compile: &Compile, host: &str) -> Vec<Rebuilt> {
    let mut rebuilt = Vec::new();
    for table in indexed_tables(text) {
        let Some(staleness) = staleness(&table) else { continue };
        let format =
            if is_of_aliases(&table) { alias_format(host.to_owned()) } else { compile.format.clone() };
        let outcome = Compile { format, ..compile.clone() }.create(&table);
        rebuilt.push(Rebuilt { index: index_path(&table), table, staleness, outcome });
    }
    rebuilt
}

/// The tables with an index that are named anywhere in `text`, also within proxy: and other tables.
fn indexed_tables(text: &str) -> impl Iterator<Item = TableName> {
    let separates = |character: char| character.is_whitespace() || ",{}!".contains(character);
    text.split(separates).filter_map(|element| {
        let element = element.trim_start_matches("proxy:");
        let name = TableName::parse(element).ok()?;
        let has_index = matches!(name.kind.as_str(), "hash" | "btree" | "lmdb" | "cdb");
        (has_index && name.name.starts_with('/')).then_some(name)
    })
}

fn index_path(table: &TableName) -> PathBuf {
    match table.kind.as_str() {
        "cdb" => cdb::index_path(&table.name),
        _ => lmdb_table::index_path(&table.name),
    }
}

fn staleness(table: &TableName) -> Option<Staleness> {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let source = modified(Path::new(&table.name))?;
    match modified(&index_path(table)) {
        Some(index) => (source > index).then_some(Staleness::OlderThanSource),
        None if matches!(table.kind.as_str(), "hash" | "btree") => {
            berkeley_path(&table.name).exists().then_some(Staleness::OnlyBerkeley)
        }
        None => None,
    }
}

/// Was the index made by postalias? It leaves a signature.
fn is_of_aliases(table: &TableName) -> bool {
    let signed = |index: &mut dyn Table| {
        Entries::SIGNATURE_KEYS.iter().all(|key| index.get(key).is_ok_and(|value| value.is_some()))
    };
    let shown = table.to_string();
    match table.kind.as_str() {
        "cdb" => Cdb::open(&table.name).is_ok_and(|mut index| signed(&mut index)),
        _ => match Lmdb::open(&table.name, &shown) {
            Ok(mut index) => signed(&mut index),
            Err(_) => berkeley_is_of_aliases(&berkeley_path(&table.name)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_wherever_they_are_named() {
        let text = "proxy:hash:/a, !btree:/b unionmap:{lmdb:/c,static:x} regexp:/d cdb:/e hash:relative $x";
        let names: Vec<_> = indexed_tables(text).map(|table| table.to_string()).collect();
        assert_eq!(names, ["hash:/a", "btree:/b", "lmdb:/c", "cdb:/e"]);
    }
}
