//! One connection, of whatever kind.

use std::time::Duration;

use crate::mysql_server::MySql;
use crate::postgres_server::Postgres;
use crate::source::{Kind, Source};
use crate::sqlite_file::Sqlite;
use crate::trouble::Trouble;
use crate::value::{Row, Value};

/// How long is waited, and how much is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to be made.
    pub connect: Duration,
    /// For an answer.
    pub answer: Duration,
    /// Rows of an answer.
    pub rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(10), rows: 1_000_000 }
    }
}

/// A connection to a database.
pub struct Connection {
    server: Server,
}

enum Server {
    MySql(MySql),
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`Trouble::Connect`], or [`Trouble::Late`].
    pub fn open(source: &Source, limits: Limits) -> Result<Self, Trouble> {
        let server = match source.kind {
            Kind::MySql => Server::MySql(MySql::open(source, limits)?),
            Kind::Postgres => Server::Postgres(Box::new(Postgres::open(source, limits)?)),
            Kind::Sqlite => Server::Sqlite(Sqlite::open(source, limits)?),
        };
        Ok(Self { server })
    }

    /// Which database it is; statements differ.
    pub fn kind(&self) -> Kind {
        match self.server {
            Server::MySql(_) => Kind::MySql,
            Server::Postgres(_) => Kind::Postgres,
            Server::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// The rows that `sql` finds, with `values` where `?` stands in it. Statements are prepared once a connection.
    ///
    /// # Errors
    /// [`Trouble`]; when [`Trouble::is_end`], the connection is of no more use.
    pub fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Trouble> {
        match &mut self.server {
            Server::MySql(server) => server.rows(sql, values),
            Server::Postgres(server) => server.rows(sql, values),
            Server::Sqlite(server) => server.rows(sql, values),
        }
    }

    /// The rows that `sql` finds, which holds all its values itself ([`Connection::quoted`]). Values are as the database writes
    /// them: texts, or NULL.
    ///
    /// # Errors
    /// As [`Connection::rows`].
    pub fn plain_rows(&mut self, sql: &str) -> Result<Vec<Row>, Trouble> {
        match &mut self.server {
            Server::MySql(server) => server.plain_rows(sql),
            Server::Postgres(server) => server.plain_rows(sql),
            Server::Sqlite(server) => server.rows(sql, &[]),
        }
    }

    /// Carries `sql` out, with `values` where `?` stands, and says how many rows it changed.
    ///
    /// # Errors
    /// As [`Connection::rows`].
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Trouble> {
        match &mut self.server {
            Server::MySql(server) => server.execute(sql, values),
            Server::Postgres(server) => server.execute(sql, values),
            Server::Sqlite(server) => server.execute(sql, values),
        }
    }

    /// Carries out statements that answer nothing and hold no places: `begin`, `commit`, a schema.
    ///
    /// # Errors
    /// As [`Connection::rows`].
    pub fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        match &mut self.server {
            Server::MySql(server) => server.batch(sql),
            Server::Postgres(server) => server.batch(sql),
            Server::Sqlite(server) => server.batch(sql),
        }
    }

    /// A text as a literal of this database, with its quotes. A NUL ends the text, as no database has it in one.
    pub fn quoted(&self, text: &str) -> String {
        let text = text.split('\0').next().unwrap_or_default();
        match &self.server {
            Server::MySql(server) => server.quoted(text),
            Server::Postgres(_) => crate::postgres_values::quoted(text),
            Server::Sqlite(_) => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// Ends a transaction that was begun, and says whether that went well.
    pub(crate) fn undo(&mut self) -> bool {
        match &mut self.server {
            Server::MySql(server) => server.batch("rollback").is_ok(),
            Server::Postgres(server) => server.batch("rollback").is_ok(),
            Server::Sqlite(server) => server.undo(),
        }
    }

    /// Is somebody there? Asked of a connection that was idle.
    pub(crate) fn is_alive(&mut self) -> bool {
        match &mut self.server {
            Server::MySql(server) => server.is_alive(),
            Server::Postgres(server) => server.batch("").is_ok(),
            Server::Sqlite(server) => server.is_current(),
        }
    }
}
