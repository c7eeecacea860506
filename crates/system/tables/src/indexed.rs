//! hash: and btree:, which are LMDB files here, and what happens when there is only a Berkeley DB file.

use crate::compile::alias_format;
use crate::entries::{Duplicates, Entries, Format};
use crate::fixed::InMemory;
use crate::lmdb_table::{Lmdb, index_path};
use crate::name::TableName;
use crate::sight::Sight;
use crate::table::{EachEntry, Options, Table};
use crate::trouble::Trouble;
use crate::watched::Watched;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Opens `hash:F`, `btree:F` or `lmdb:F`: F.lmdb.
///
/// Berkeley DB files are not read. Where `hash:F` has nothing but an F.db, its source F is read into memory; the log
/// says so. `postfix start`, `reload` and `check` make the index that is missing (see `rebuild_stale`).
pub(crate) fn open_indexed(name: &TableName, options: &Options) -> Result<Box<dyn Table>, Trouble> {
    let shown = name.to_string();
    let trouble = match Lmdb::open(&name.name, &shown) {
        Ok(index) => {
            warn_if_stale(&index, name);
            return Ok(Box::new(index));
        }
        Err(trouble) => trouble,
    };
    if name.kind == "lmdb" || !trouble.is_missing_file() {
        return Err(trouble);
    }
    let berkeley = berkeley_path(&name.name);
    if let Err(source) = std::fs::metadata(&berkeley) {
        return Err(Trouble::OpenDatabase { path: berkeley, source });
    }
    if !Path::new(&name.name).exists() {
        return Err(Trouble::OnlyBerkeley {
            kind: if name.kind == "hash" { "hash" } else { "btree" },
            index: berkeley,
            source_path: name.name.clone().into(),
        });
    }
    log::warn!(
        "{shown}: {} is a Berkeley DB file, which is not read; using its source {} instead, until \"{} {shown}\" makes {}",
        berkeley.display(),
        name.name,
        if berkeley_is_of_aliases(&berkeley) { "postalias" } else { "postmap" },
        index_path(&name.name).display()
    );
    Ok(Box::new(FromSource::open(name, &berkeley, options)?))
}

/// The entries of a source whose index can not be read, held in memory.
struct FromSource {
    entries: InMemory,
    source: Watched,
    index: PathBuf,
}

impl FromSource {
    fn open(name: &TableName, berkeley: &Path, options: &Options) -> Result<Self, Trouble> {
        let path = Path::new(&name.name);
        let trouble = |source| Trouble::Open { path: path.to_owned(), source };
        let source = Watched::open(path).map_err(trouble)?;
        let format = if berkeley_is_of_aliases(berkeley) {
            alias_format(sys::process::host_name())
        } else {
            Format::Map
        };
        let mut entries =
            Entries::read(BufReader::new(source.file()), &name.name, &format, options).map_err(trouble)?;
        entries.sort(Duplicates::Warn, &berkeley.display().to_string());
        let in_memory = entries.iter().map(|(key, value)| (key.into(), value.into())).collect();
        Ok(Self { entries: InMemory(in_memory), source, index: index_path(&name.name) })
    }
}

impl Table for FromSource {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        self.entries.get(key)
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        self.source.changed(sight) || (!sight.is_lost() && self.index.exists())
    }

    fn entries(&mut self, name: &str, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        self.entries.entries(name, each)
    }
}

/// Was this Berkeley DB file made by postalias? Its signature is in it as plain text.
pub(crate) fn berkeley_is_of_aliases(path: &Path) -> bool {
    let [_, signature] = Entries::SIGNATURE_KEYS;
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(signature.len()).any(|window| window == signature))
}

/// The file that Postfix built with Berkeley DB keeps for `hash:path`.
pub(crate) fn berkeley_path(path: &str) -> PathBuf {
    PathBuf::from(format!("{path}.db"))
}

fn warn_if_stale(index: &Lmdb, name: &TableName) {
    if index.is_older_than(Path::new(&name.name)) {
        let shown = if name.kind == "lmdb" { index_path(&name.name) } else { berkeley_path(&name.name) };
        log::warn!("database {} is older than source file {}", shown.display(), name.name);
    }
}
