//! Preferences of users in a database: a query whose rows are names and values.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// Rows of one user.
const ROW_LIMIT: usize = 10_000;

/// Why the preferences can not be had.
#[derive(Debug, thiserror::Error)]
#[error("{database}: {source}")]
pub struct PreferencesError {
    /// Which database.
    database: PathBuf,
    /// What it says.
    source: rusqlite::Error,
}

/// The first two columns of each row that `query` finds in the SQLite database at `path`; NULL is an empty text, and what is
/// beyond 10,000 rows is left out.
///
/// # Errors
/// [`PreferencesError`] when there is no such database, or the query is refused.
pub fn sqlite_preferences(path: &Path, query: &str) -> Result<Vec<(String, String)>, PreferencesError> {
    rows(path, query).map_err(|source| PreferencesError { database: path.to_owned(), source })
}

fn rows(path: &Path, query: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() >= ROW_LIMIT {
            break;
        }
        found.push((text(row.get_ref(0)?), text(row.get_ref(1)?)));
    }
    Ok(found)
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_names_and_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prefs");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "create table p (n text, v); insert into p values ('a', 5), ('b', null), ('c', 1.5)",
            )
            .unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let found = sqlite_preferences(&path, "select n, v from p order by n").unwrap();
        assert_eq!(found, [pair("a", "5"), pair("b", ""), pair("c", "1.5")]);
        let refused = sqlite_preferences(&path, "select x from y").unwrap_err().to_string();
        assert!(refused.contains("prefs: no such table"), "{refused}");
        assert!(sqlite_preferences(&folder.path().join("none"), "select 1, 2").is_err());
        assert!(sqlite_preferences(&path, "drop table p").is_err());
    }
}
