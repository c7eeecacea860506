//! hash: and btree:, which are LMDB files here, and what happens when there is only a Berkeley DB file.

use crate::lmdb_table::{Lmdb, index_path};
use crate::name::TableName;
use crate::table::{Options, Table};
use crate::texthash::TextHash;
use crate::trouble::Trouble;
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
        "{shown}: {} is a Berkeley DB file, which is not read; using its source {} instead, until \"postmap {shown}\" \
         makes {}",
        berkeley.display(),
        name.name,
        index_path(&name.name).display()
    );
    Ok(Box::new(TextHash::open(Path::new(&name.name), options)?))
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
