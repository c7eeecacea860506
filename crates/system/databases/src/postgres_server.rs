//! PostgreSQL.

use std::collections::HashMap;
use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage, Statement};

use crate::connection::Limits;
use crate::placeholders::numbered;
use crate::postgres_values::value;
use crate::source::Source;
use crate::trouble::Trouble;
use crate::value::{Row, Value};

/// Prepared statements that are kept.
const STATEMENTS_LIMIT: usize = 64;

/// A connection, and the loop that it lives in: this runs while an answer is awaited.
pub(crate) struct Postgres {
    runtime: Runtime,
    client: Client,
    statements: HashMap<String, Statement>,
    name: String,
    limits: Limits,
}

impl Postgres {
    pub(crate) fn open(source: &Source, limits: Limits) -> Result<Self, Trouble> {
        let name = source.name();
        let refused = |problem: String| Trouble::Connect { name: name.clone(), problem };
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| refused(error.to_string()))?;
        let config = config(source, limits);
        let connected = runtime.block_on(async { timeout(limits.connect, config.connect(NoTls)).await });
        let (client, connection) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(refused(told(&error))),
            Err(_) => return Err(Trouble::Late { name, limit: limits.connect }),
        };
        // What ends it is told to whoever asks next.
        runtime.spawn(async move { drop(connection.await) });
        Ok(Self { runtime, client, statements: HashMap::new(), name, limits })
    }

    pub(crate) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Trouble> {
        let statement = self.prepared(sql)?;
        let found = self.wait(self.client.query(&statement, &parameters(values)))?;
        self.within(found.len())?;
        Ok(found.iter().map(|row| (0..row.len()).map(|at| value(row, at)).collect()).collect())
    }

    pub(crate) fn plain_rows(&mut self, sql: &str) -> Result<Vec<Row>, Trouble> {
        let messages = self.wait(self.client.simple_query(sql))?;
        self.within(messages.len())?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows
            .map(|row| (0..row.len()).map(|at| row.get(at).map_or(Value::Null, Value::from)).collect())
            .collect())
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Trouble> {
        let statement = self.prepared(sql)?;
        self.wait(self.client.execute(&statement, &parameters(values)))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        self.wait(self.client.batch_execute(sql))
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.client.prepare(&numbered(sql)))?;
        if self.statements.len() >= STATEMENTS_LIMIT {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn within(&self, count: usize) -> Result<(), Trouble> {
        let limit = self.limits.rows;
        if count > limit.saturating_add(1) {
            return Err(Trouble::TooMany { name: self.name.clone(), limit });
        }
        Ok(())
    }

    fn wait<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
        let limit = self.limits.answer;
        let name = self.name.clone();
        match self.runtime.block_on(async { timeout(limit, asked).await }) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(trouble(name, &error)),
            Err(_) => Err(Trouble::Late { name, limit }),
        }
    }
}

fn config(source: &Source, limits: Limits) -> Config {
    let mut config = Config::new();
    config.user(&source.user).dbname(&source.database).connect_timeout(limits.connect);
    if !source.password.is_empty() {
        config.password(&source.password);
    }
    match (&source.socket, &source.host) {
        (Some(folder), _) => config.host_path(folder),
        (None, host) => config.host(host.as_deref().unwrap_or("localhost")),
    };
    config.port(source.port.unwrap_or(5432));
    config.application_name("pillarbox");
    config
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

/// What the server says, else what the library does, with its cause.
fn told(error: &Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return refusal.message().to_owned();
    }
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn trouble(name: String, error: &Error) -> Trouble {
    let problem = told(error);
    match error.code() {
        // Class 57: the server is shut down, or ends this connection.
        Some(code) if code.code().starts_with("57P") => Trouble::Lost { name, problem },
        Some(code) => Trouble::Refused { name, problem, state: Some(code.code().to_owned()) },
        None if error.is_closed() => Trouble::Lost { name, problem },
        None if error.source_is_io() => Trouble::Lost { name, problem },
        None => Trouble::Refused { name, problem, state: None },
    }
}

/// Whether the system, not the server, made an error.
trait SourceIsIo {
    fn source_is_io(&self) -> bool;
}

impl SourceIsIo for Error {
    fn source_is_io(&self) -> bool {
        std::error::Error::source(self).is_some_and(|cause| cause.is::<std::io::Error>())
    }
}
