//! A file of SQLite.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, OpenFlags, Row as Found, ToSql, params_from_iter};

use crate::connection::Limits;
use crate::source::Source;
use crate::trouble::Trouble;
use crate::value::{Row, Value};

/// A database that is open.
pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// Device and inode of the file.
    identity: Option<(u64, u64)>,
    limits: Limits,
}

impl Sqlite {
    pub(crate) fn open(source: &Source, limits: Limits) -> Result<Self, Trouble> {
        let path = PathBuf::from(&source.database);
        let how = if source.read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        let opened = Connection::open_with_flags(&path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| connection.busy_timeout(limits.answer).map(|()| connection));
        match opened {
            Ok(connection) => Ok(Self { connection, identity: identity(&path), path, limits }),
            Err(error) => Err(Trouble::Connect { name: source.name(), problem: message(&error) }),
        }
    }

    pub(crate) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Trouble> {
        let limit = self.limits.rows;
        let found = self.ask(sql, values).map_err(|error| self.refused(&error))?;
        if found.len() > limit {
            return Err(Trouble::TooMany { name: self.path.display().to_string(), limit });
        }
        Ok(found)
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Trouble> {
        let done = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)));
        done.map(|count| count as u64).map_err(|error| self.refused(&error))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        self.connection.execute_batch(sql).map_err(|error| self.refused(&error))
    }

    /// SQLite complains where nothing was begun.
    pub(crate) fn undo(&mut self) -> bool {
        self.connection.is_autocommit() || self.batch("rollback").is_ok()
    }

    /// Is it still the file of that name?
    pub(crate) fn is_current(&self) -> bool {
        self.identity.is_some() && identity(&self.path) == self.identity
    }

    fn ask(&self, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(values_of(row, columns)?);
            if found.len() > self.limits.rows {
                break;
            }
        }
        Ok(found)
    }

    fn refused(&self, error: &Error) -> Trouble {
        let name = self.path.display().to_string();
        // What a database of servers says of a row that is there already.
        let duplicate = error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation);
        let state = duplicate.then(|| "23000".to_owned());
        Trouble::Refused { name, problem: message(error), state }
    }
}

fn values_of(row: &Found<'_>, columns: usize) -> rusqlite::Result<Row> {
    (0..columns).map(|at| row.get_ref(at).map(value)).collect()
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::of_bytes(bytes.to_vec()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|facts| (facts.dev(), facts.ino()))
}

/// What the library says, without its own words around it.
fn message(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Connection, Limits, Source, Trouble, Value};

    fn source(path: &std::path::Path) -> Source {
        Source::parse(&format!("DBI:SQLite:dbname={}", path.display()), "", "", "").unwrap()
    }

    #[test]
    fn rows_hold_what_was_put_in() {
        let folder = tempfile::tempdir().unwrap();
        let source = source(&folder.path().join("db"));
        let mut connection = Connection::open(&source, Limits::default()).unwrap();
        connection.batch("create table t (a integer unique, b, c); create table u (x)").unwrap();
        let row = [Value::Integer(7), Value::from("it's"), Value::Bytes(vec![0, 255])];
        assert_eq!(connection.execute("insert into t values (?, ?, ?)", &row).unwrap(), 1);
        let again = connection.execute("insert into t values (?, ?, ?)", &row).unwrap_err();
        assert!(again.is_duplicate() && !again.is_end(), "{again}");
        assert_eq!(connection.rows("select * from t where b = ?", &row[1..2]).unwrap(), [row.to_vec()]);
        let literal = format!("select {}", connection.quoted("o'x\\"));
        assert_eq!(connection.plain_rows(&literal).unwrap(), [[Value::from("o'x\\")]]);
    }

    #[test]
    fn reading_makes_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let missing = Connection::open(&source(&path).for_reading(), Limits::default());
        assert!(matches!(missing, Err(Trouble::Connect { .. })) && !path.exists());
        Connection::open(&source(&path), Limits::default()).unwrap().batch("create table t (a)").unwrap();
        let mut reader = Connection::open(&source(&path).for_reading(), Limits::default()).unwrap();
        assert!(reader.execute("insert into t values (1)", &[]).is_err());
        let error = reader.rows("select x from y", &[]).unwrap_err().to_string();
        assert!(error.ends_with("db: no such table: y"), "{error}");
    }

    #[test]
    fn too_many_rows_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { rows: 2, ..Limits::default() };
        let mut connection = Connection::open(&source(&folder.path().join("db")), limits).unwrap();
        assert_eq!(connection.rows("select 1 union select 2", &[]).unwrap().len(), 2);
        let three = connection.rows("select 1 union select 2 union select 3", &[]);
        assert!(matches!(three, Err(Trouble::TooMany { limit: 2, .. })));
    }
}
