//! Why a table, or one line of it, is of no use.

use crate::file_values::FileValueError;
use crate::name::BraceError;
use crate::network::NetworkError;
use std::io;
use std::path::PathBuf;

/// Why a table could not be opened, read or written. The text is the one that Postfix's commands print, as far as
/// they have one.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Not of the form `type:name`.
    #[error("open dictionary: expecting \"type:name\" form instead of \"{0}\"")]
    NoType(String),
    /// A type that nobody knows.
    #[error("unsupported dictionary type: {0}")]
    UnknownType(String),
    /// A type that Postfix has and this version has not.
    #[error("table type {kind} is not available in this version: {table} can not be used")]
    NotAvailable {
        /// `mysql`
        kind: String,
        /// `mysql:/etc/postfix/virtual.cf`
        table: String,
    },
    /// A name that does not follow the rules of its type.
    #[error("{problem}: \"{table}\"; need \"{need}\"")]
    Syntax {
        /// "bad syntax", "missing '=' after attribute name"
        problem: String,
        /// `inline:{foo}`
        table: String,
        /// `inline:{name=value...}`
        need: &'static str,
    },
    /// Settings of a table in main.cf, an old form.
    #[error(
        "{kind}:{name}: settings named {name}_... in main.cf are not read; put them into a file of \"name = value\" lines and use {kind}:/path/of/the/file"
    )]
    SettingsInMain {
        /// `sqlite`
        kind: String,
        /// `virtual`
        name: String,
    },
    /// A line of a table's settings that is none.
    #[error("{file}, line {line}: {problem}: \"{text}\"")]
    SettingLine {
        /// The file of settings.
        file: String,
        /// The line's number.
        line: usize,
        /// "missing '=' after attribute name"
        problem: &'static str,
        /// The line.
        text: String,
    },
    /// A setting of a table that has to be there.
    #[error("{file}: bad string length 0 < 1: {setting} = ")]
    EmptySetting {
        /// The file of settings.
        file: String,
        /// `dbpath`
        setting: &'static str,
    },
    /// A setting of a table that should be a number.
    #[error("{file}: bad numerical configuration: {setting} = {value}")]
    SettingNoNumber {
        /// The file of settings.
        file: String,
        /// `expansion_limit`
        setting: &'static str,
        /// What stands there.
        value: String,
    },
    /// A `%` in a query or result format that stands for nothing.
    #[error("db_common_parse: {file}: Invalid {what} template: {text}")]
    Template {
        /// The file of settings.
        file: String,
        /// "query", "result"
        what: &'static str,
        /// The template.
        text: String,
    },
    /// A database that can not be opened.
    #[error("{table}: Can't open database: {problem}")]
    SqliteOpen {
        /// `sqlite:/etc/postfix/virtual.cf`
        table: String,
        /// What SQLite said.
        problem: String,
    },
    /// A query that fails.
    #[error("dict_sqlite_lookup: {file}: SQL {step} failed{query}: {problem}")]
    Sqlite {
        /// The file of settings.
        file: String,
        /// "prepare", "step", "finalize"
        step: &'static str,
        /// ` for query '...'`, or nothing.
        query: String,
        /// What SQLite said.
        problem: String,
        /// The database, if it is not there.
        missing: Option<PathBuf>,
    },
    /// More values than `expansion_limit` allows.
    #[error("table {0}: query error")]
    ExpansionLimit(String),
    /// A static: value in braces that do not match.
    #[error("bad static:name syntax: {0}")]
    StaticSyntax(BraceError),
    /// Rules given in the name of a table, in braces that do not match.
    #[error("{kind} map: {error}")]
    RuleSyntax {
        /// "cidr"
        kind: String,
        /// What is wrong.
        error: BraceError,
    },
    /// A list that includes itself.
    #[error("{}: files are included in each other", .0.display())]
    IncludeLoop(PathBuf),
    /// An element of a list that is neither a name nor a network.
    #[error("{0}")]
    Network(#[from] NetworkError),
    /// A unix: table that is none.
    #[error("unknown table: {0}")]
    UnknownTable(String),
    /// An indexed table or a texthash: file.
    #[error("open database {}: {}", path.display(), reason(source))]
    OpenDatabase {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of text.
    #[error("open {}: {}", path.display(), reason(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading, writing, renaming: any later step.
    #[error("{verb} {}: {}", path.display(), reason(source))]
    File {
        /// "read", "write", "rename"
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The LMDB library refused.
    #[error("{verb} {table}: {source}")]
    Lmdb {
        /// "open", "read", "error updating"
        verb: &'static str,
        /// `lmdb:/etc/postfix/virtual`
        table: String,
        /// The library's message.
        source: lmdb::Error,
    },
    /// The file is no LMDB file, or cut off.
    #[error("open database {}: MDB_INVALID: File is not an LMDB file", path.display())]
    CorruptLmdb {
        /// The index.
        path: PathBuf,
        /// What it is made from.
        source_path: PathBuf,
    },
    /// The file is no constant database, or cut off.
    #[error("dict_cdbq_open: unable to init {}: Protocol error", path.display())]
    CorruptCdb {
        /// The index.
        path: PathBuf,
        /// What it is made from.
        source_path: PathBuf,
    },
    /// A Berkeley DB file without the text it was made from.
    #[error("{} is a Berkeley DB file, which is not read, and its source {} is missing", index.display(), source_path.display())]
    OnlyBerkeley {
        /// "hash", "btree"
        kind: &'static str,
        /// The .db file.
        index: PathBuf,
        /// The missing text.
        source_path: PathBuf,
    },
    /// fail: tables, and tables made of other tables when one of those fails.
    #[error("table {table}: {verb} error: Application error")]
    Application {
        /// `fail:x`
        table: String,
        /// "query", "sequence", "delete"
        verb: &'static str,
    },
    /// Files that a value names, and that can not be read.
    #[error("{0}")]
    FileValue(#[from] FileValueError),
    /// The same within the name of a table.
    #[error("{error}: \"{table}\"; need \"inline:{{name=filename...}}\"")]
    InlineFileValue {
        /// What is wrong.
        error: FileValueError,
        /// `inline:{a=nofile}`
        table: String,
    },
    /// A table that was to be changed and can not be.
    #[error("table {0}: delete operation is not supported")]
    NoDelete(String),
    /// A value or key that is not text.
    #[error("table {0}: query error")]
    NotText(String),
    /// An entry without a value: for Postfix that is a mistake, never "not found".
    #[error("lookup of {key} returns an empty string result; should return NO RESULT in case of NOT FOUND")]
    EmptyValue {
        /// The key.
        key: String,
    },
    /// A table that can only be read, opened for more.
    #[error("{0} map requires O_RDONLY access mode")]
    ReadOnly(String),
    /// A cdb: table to be changed.
    #[error(
        "dict_cdb_open: inappropriate open flags for cdb database - specify O_RDONLY or O_WRONLY|O_CREAT|O_TRUNC"
    )]
    CdbIsConstant,
    /// A type that nobody knows, for a table to be made.
    #[error("unsupported dictionary type: {0}. Is the postfix-{0} package installed?")]
    UnknownTypeToMake(String),
    /// A type that has no index to make.
    #[error("unsupported dictionary type: {0} does not support bulk-mode creation.")]
    NoBulkMode(String),
    /// A type whose entries can not be listed.
    #[error("table {0}: sequence operation is not supported")]
    NoSequence(String),
}

impl Trouble {
    /// A file that is not there (and nothing worse).
    pub(crate) fn is_missing_file(&self) -> bool {
        self.is_of_file(io::ErrorKind::NotFound)
    }

    /// A file that is there and must not be read.
    pub(crate) fn is_forbidden_file(&self) -> bool {
        self.is_of_file(io::ErrorKind::PermissionDenied)
    }

    fn is_of_file(&self, kind: io::ErrorKind) -> bool {
        match self {
            Self::OpenDatabase { source, .. } | Self::Open { source, .. } | Self::File { source, .. } => {
                source.kind() == kind
            }
            _ => false,
        }
    }

    /// What to do about it, for the log of a daemon; empty where the text says it already.
    pub fn remedy(&self) -> String {
        match self {
            Self::OpenDatabase { path, source } if source.kind() == io::ErrorKind::NotFound => {
                let kind = match path.extension().and_then(|extension| extension.to_str()) {
                    Some("lmdb") => "lmdb",
                    Some("cdb") => "cdb",
                    Some("db") => "hash",
                    _ => return "create it".to_owned(),
                };
                format!("make it with \"postmap {kind}:{}\"", path.with_extension("").display())
            }
            Self::OpenDatabase { .. } | Self::Open { .. } | Self::File { .. } => {
                "see to it that the mail system may read it".to_owned()
            }
            Self::Sqlite { missing: Some(database), .. } => {
                format!("there is no database {}: make it, or correct dbpath", database.display())
            }
            Self::CorruptLmdb { source_path, .. } => {
                format!("make it anew with \"postmap lmdb:{}\"", source_path.display())
            }
            Self::CorruptCdb { source_path, .. } => {
                format!("make it anew with \"postmap cdb:{}\"", source_path.display())
            }
            Self::OnlyBerkeley { kind, source_path, .. } => {
                format!("bring the source back and run \"postmap {kind}:{}\"", source_path.display())
            }
            Self::NoType(_) | Self::UnknownType(_) | Self::NotAvailable { .. } | Self::UnknownTable(_) => {
                "correct main.cf, \"postconf -m\" lists the types".to_owned()
            }
            _ => String::new(),
        }
    }
}

/// What the system said, without Rust's " (os error 2)".
pub fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::IsADirectory {
        return "Is a directory".to_owned();
    }
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
