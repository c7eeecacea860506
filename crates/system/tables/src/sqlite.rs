//! sqlite: — a query in an SQLite database, sqlite_table(5).

use crate::match_list::MatchList;
use crate::name::TableName;
use crate::open::OpenTable;
use crate::setting_file::SettingFile;
use crate::sight::Sight;
use crate::source::printable;
use crate::table::{Options, Table};
use crate::template::Template;
use crate::trouble::Trouble;
use lookup::Subject;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A query, and the database it is put to.
pub(crate) struct Sqlite {
    /// `sqlite:/etc/postfix/virtual.cf`
    table: String,
    settings: SettingFile,
    connection: Connection,
    database: PathBuf,
    /// Device and inode of the database; `None`: it was not there.
    identity: Option<(u64, u64)>,
    query: Template,
    result_format: Template,
    expansion_limit: usize,
    /// `domain`: keys of other domains are not looked for.
    domains: Option<MatchList>,
}

impl Sqlite {
    pub(crate) fn open(name: &TableName, options: &Options, sight: &Arc<Sight>) -> Result<Self, Trouble> {
        let settings = SettingFile::open("sqlite", &name.name)?;
        let database = PathBuf::from(settings.needed("dbpath")?);
        let query = template(&settings, "query", &query_text(&settings)?)?;
        let result_format = match settings.text("result_format") {
            None => "%s",
            Some(_) => settings.needed("result_format")?,
        };
        let result_format = template(&settings, "result", result_format)?;
        let expansion_limit = settings.number("expansion_limit")?;
        let open = |name: &str| Arc::new(OpenTable::one_of(TableName::parse_any(name), options, sight));
        let domains = settings.text("domain").filter(|list| !list.is_empty());
        let domains = domains.map(|list| MatchList::parse(list, &open)).transpose()?;
        let (connection, identity) = connect(&database)
            .map_err(|error| Trouble::SqliteOpen { table: name.to_string(), problem: message(&error) })?;
        let table = name.to_string();
        Ok(Self {
            table,
            settings,
            connection,
            database,
            identity,
            query,
            result_format,
            expansion_limit,
            domains,
        })
    }

    /// With `domain`, only whole addresses of these domains are looked for.
    fn concerns(&self, key: &str) -> Result<bool, Trouble> {
        let Some(domains) = &self.domains else { return Ok(true) };
        match key.rsplit_once('@') {
            Some((user, domain)) if !user.is_empty() => {
                domains.has(&Subject::Text(domain)).map_err(|failed| *failed.trouble)
            }
            _ => Ok(false),
        }
    }

    /// The values of the first column, as the result format has them, with commas between.
    fn ask(&self, query: &str, key: &str) -> Result<Option<String>, Trouble> {
        let refused = |step, error: &rusqlite::Error| self.refused(step, query, error);
        let mut statement =
            self.connection.prepare_cached(query).map_err(|error| refused("prepare", &error))?;
        let mut rows = statement.query([]).map_err(|error| refused("step", &error))?;
        let mut found = String::new();
        let mut count = 0;
        while let Some(row) = rows.next().map_err(|error| refused("finalize", &error))? {
            let value = row.get_ref(0).map(text).map_err(|error| refused("step", &error))?;
            let Some(value) = value else { continue };
            if value.is_empty() {
                log::warn!("table \"{}\": empty lookup result for: \"{key}\" -- ignored", self.table);
            }
            let Some(value) = self.result_format.fill(&value, key, str::to_owned) else { continue };
            count += 1;
            if self.expansion_limit > 0 && count > self.expansion_limit {
                let file = self.settings.name();
                log::warn!("dict_sqlite_lookup: {file}: Expansion limit exceeded for key '{key}'");
                return Err(Trouble::ExpansionLimit(self.table.clone()));
            }
            if !found.is_empty() {
                found.push(',');
            }
            found.push_str(&value);
        }
        Ok((count > 0).then_some(found))
    }

    fn refused(&self, step: &'static str, query: &str, error: &rusqlite::Error) -> Trouble {
        // A query that can not even be read is not shown: it is in the file.
        let query = if step == "prepare" { String::new() } else { format!(" for query '{query}'") };
        Trouble::Sqlite {
            file: self.settings.name().to_owned(),
            step,
            query,
            problem: message(error),
            missing: self.identity.is_none().then(|| self.database.clone()),
        }
    }
}

impl Table for Sqlite {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let Ok(key) = std::str::from_utf8(key) else { return Ok(None) };
        if !self.concerns(key)? {
            return Ok(None);
        }
        let Some(query) = self.query.fill(key, key, quoted) else { return Ok(None) };
        Ok(self.ask(&query, key)?.map(String::into_bytes))
    }

    fn database(&self) -> Option<&Path> {
        Some(&self.database)
    }

    /// What changes within the database is seen by the next query anyway.
    fn changed(&mut self, sight: &Sight) -> bool {
        let replaced = || identity(&self.database) != self.identity;
        self.settings.changed(sight) || (!sight.is_lost() && replaced())
    }
}

/// `query`, or what the older settings come to.
fn query_text(settings: &SettingFile) -> Result<String, Trouble> {
    if let Some(query) = settings.text("query").filter(|query| !query.is_empty()) {
        return Ok(query.to_owned());
    }
    let (table, select) = (settings.needed("table")?, settings.needed("select_field")?);
    let key = settings.needed("where_field")?;
    let more = settings.text("additional_conditions").unwrap_or_default();
    Ok(format!("SELECT {select} FROM {table} WHERE {key}='%s' {more}"))
}

fn template(settings: &SettingFile, what: &'static str, text: &str) -> Result<Template, Trouble> {
    let refused = || Trouble::Template { file: settings.name().to_owned(), what, text: text.to_owned() };
    Template::parse(text).ok_or_else(refused)
}

/// Opens the database for reading, and its file at once: later it may be out of sight. A missing one is empty; no file
/// is made.
fn connect(database: &Path) -> rusqlite::Result<(Connection, Option<(u64, u64)>)> {
    let Some(identity) = identity(database) else { return Ok((Connection::open_in_memory()?, None)) };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    // What this says does not matter yet: a file that is no database fails the first query.
    let _ = connection.query_row("PRAGMA schema_version", [], |_| Ok(()));
    Ok((connection, Some(identity)))
}

fn identity(database: &Path) -> Option<(u64, u64)> {
    let of = |metadata: Metadata| (metadata.dev(), metadata.ino());
    std::fs::metadata(database).ok().map(of)
}

/// A value as text; `None` for NULL.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(format!("{number:?}")),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Within single quotes, a quote is written twice.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// What the library says, with the end of line that Postfix puts behind it and shows as `?`.
fn message(error: &rusqlite::Error) -> String {
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    printable(format!("{text}\n").as_bytes())
}
