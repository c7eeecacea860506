//! Making and changing indexed tables: what postmap and postalias do.

use crate::cdb::{self, CdbWriter};
use crate::entries::{Duplicates, Entries, Format};
use crate::indexed::berkeley_path;
use crate::lmdb_writer::{self, Addition, StoredForm, Target};
use crate::name::TableName;
use crate::replacement_file::{ReplacementFile, Stamp};
use crate::table::Options;
use crate::trouble::Trouble;
use crate::{lmdb_table, open};
use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use sys::acting_as::ActingAs;

/// The mode of an index whose source says nothing else.
const DEFAULT_MODE: u32 = 0o644;

/// How a table is made or changed.
#[derive(Debug, Clone)]
pub struct Compile {
    /// How keys and values are treated.
    pub options: Options,
    /// How the source is written.
    pub format: Format,
    /// What becomes of a second entry with the same key.
    pub duplicates: Duplicates,
    /// Keys and values are stored with a NUL byte at the end (`-N`) or without (`-n`); `None` for the habit of the
    /// type.
    pub nul: Option<bool>,
    /// A new index is readable for whom the source is readable; else for all (`-p`).
    pub inherit_mode: bool,
    /// Root works with the rights of the source's owner; else with its own (`-o`).
    pub as_owner: bool,
}

impl Default for Compile {
    fn default() -> Self {
        Self {
            options: Options::default(),
            format: Format::Map,
            duplicates: Duplicates::Warn,
            nul: None,
            inherit_mode: true,
            as_owner: true,
        }
    }
}

impl Compile {
    /// Makes the index of `table` from its source. The old index serves until the new one is whole, and after a
    /// failure.
    ///
    /// # Errors
    /// [`Trouble`]: there is no source, or the index can not be written.
    pub fn create(&self, table: &TableName) -> Result<(), Trouble> {
        let started = SystemTime::now();
        let source_path = Path::new(&table.name);
        let open_error = |source| Trouble::Open { path: source_path.to_owned(), source };
        let source = File::open(source_path).map_err(open_error)?;
        let metadata = source.metadata().map_err(open_error)?;
        let _acting = self.act_as_owner(&metadata).map_err(open_error)?;
        let kind = IndexKind::of(table)?;
        let mut entries = self.read(BufReader::new(source), &table.name)?;
        entries.append(&Entries::signature(&self.format));
        entries.sort(self.duplicates, &kind.name_in_warnings(table));
        let mode = if self.inherit_mode { inherited_mode(&metadata) } else { DEFAULT_MODE };
        let stamp = Stamp { mode, modified: started };
        match kind {
            IndexKind::Lmdb => {
                let path = lmdb_table::index_path(&table.name);
                let target = Target { path: &path, table: &table.to_string() };
                lmdb_writer::replace(&target, &entries, self.stored_form(), &stamp)
            }
            IndexKind::Cdb => self.write_cdb(&cdb::index_path(&table.name), &entries, &stamp),
        }
    }

    /// Adds the entries that `input` has to `table`, which is made if it is not there.
    ///
    /// # Errors
    /// As [`Compile::create`]; a cdb: table can not be changed.
    pub fn add(&self, table: &TableName, input: impl BufRead) -> Result<(), Trouble> {
        let kind = IndexKind::of(table)?;
        if kind == IndexKind::Cdb {
            return Err(Trouble::CdbIsConstant);
        }
        let mut entries = self.read(input, "stdin")?;
        let warned_name = kind.name_in_warnings(table);
        entries.sort(self.duplicates, &warned_name);
        let addition = Addition {
            entries: &entries,
            signature: &Entries::signature(&self.format),
            form: self.stored_form(),
            duplicates: self.duplicates,
            name_in_warnings: &warned_name,
        };
        let path = lmdb_table::index_path(&table.name);
        lmdb_writer::add(&Target { path: &path, table: &table.to_string() }, &addition, DEFAULT_MODE)
    }

    fn read(&self, input: impl BufRead, file_name: &str) -> Result<Entries, Trouble> {
        Entries::read(input, file_name, &self.format, &self.options).map_err(|source| Trouble::File {
            verb: "read",
            path: file_name.into(),
            source,
        })
    }

    fn stored_form(&self) -> StoredForm {
        StoredForm { nul: self.nul.unwrap_or(true) }
    }

    fn write_cdb(&self, path: &Path, entries: &Entries, stamp: &Stamp) -> Result<(), Trouble> {
        let trouble = |verb| move |source| Trouble::File { verb, path: path.to_owned(), source };
        let new = ReplacementFile::create(path)
            .map_err(|source| Trouble::OpenDatabase { path: path.to_owned(), source })?;
        let nul: &[u8] = if self.nul == Some(true) { b"\0" } else { b"" };
        let mut writer = CdbWriter::new(new.file()).map_err(trouble("write"))?;
        for (key, value) in entries.iter() {
            writer.add(&[key, nul].concat(), &[value, nul].concat()).map_err(trouble("write"))?;
        }
        writer.finish().map_err(trouble("write"))?;
        new.commit(stamp).map_err(trouble("replace"))
    }

    /// So that what root makes of somebody's file is that one's, and a mistake here gives nobody root's rights.
    fn act_as_owner(&self, source: &Metadata) -> std::io::Result<Option<ActingAs>> {
        let own = (sys::ids::effective_uid(), sys::ids::effective_gid());
        if !self.as_owner || own.0 != 0 || own == (source.uid(), source.gid()) {
            return Ok(None);
        }
        ActingAs::new(source.uid(), source.gid()).map(Some)
    }
}

/// Takes entries out of `table`; says how many of `keys` were there. Keys are folded if `options` say so.
///
/// # Errors
/// [`Trouble`]: the table can not be written, or its type can not be changed.
pub fn delete(table: &TableName, keys: &[Vec<u8>], options: &Options) -> Result<usize, Trouble> {
    match IndexKind::of(table) {
        Ok(IndexKind::Lmdb) => {}
        Ok(IndexKind::Cdb) => return Err(Trouble::CdbIsConstant),
        Err(_) if table.kind == "internal" => return Ok(0),
        Err(_) => return Err(open::refuse_change(table)),
    }
    let path = lmdb_table::index_path(&table.name);
    if !path.exists() && table.kind == "lmdb" {
        return Ok(0);
    }
    if let Err(source) = std::fs::metadata(&path) {
        return Err(Trouble::OpenDatabase { path: berkeley_path(&table.name), source });
    }
    let keys: Vec<_> = keys.iter().map(|key| options.folded(key).into_owned()).collect();
    let target = Target { path: &path, table: &table.to_string() };
    lmdb_writer::delete(&target, &keys)
}

/// The format of an alias file that is read now. `host`: `myhostname`, which the index names as its maker.
pub fn alias_format(host: String) -> Format {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Format::Aliases { host, time }
}

/// The mode that a new index has after its source: nobody can read the index who can not read the source.
fn inherited_mode(source: &Metadata) -> u32 {
    let missing = if source.is_file() { !source.mode() & 0o077 } else { 0 };
    0o666 & !(0o022 | missing)
}

/// The types that have an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexKind {
    Lmdb,
    Cdb,
}

impl IndexKind {
    fn of(table: &TableName) -> Result<Self, Trouble> {
        match table.kind.as_str() {
            "hash" | "btree" | "lmdb" => Ok(Self::Lmdb),
            "cdb" => Ok(Self::Cdb),
            kind if open::is_known(kind) => Err(Trouble::NoBulkMode(kind.to_owned())),
            kind => Err(Trouble::UnknownTypeToMake(kind.to_owned())),
        }
    }

    /// How Postfix names a table when it warns of a duplicate.
    fn name_in_warnings(self, table: &TableName) -> String {
        match (self, table.kind.as_str()) {
            (Self::Cdb, _) => table.name.clone(),
            (Self::Lmdb, "lmdb") => table.to_string(),
            (Self::Lmdb, _) => berkeley_path(&table.name).display().to_string(),
        }
    }
}
