//! MySQL and MariaDB.

use std::io;
use std::time::Duration;

use mysql::consts::ColumnFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, Error, OptsBuilder, Params, QueryResult, SslOpts};

use crate::connection::Limits;
use crate::source::Source;
use crate::trouble::Trouble;
use crate::value::{Row, Value};

/// Prepared statements that are kept.
const STATEMENTS_LIMIT: usize = 64;
/// The character set `binary`: what a column of it holds need not be text.
const BINARY_CHARACTER_SET: u16 = 63;

/// A connection.
pub(crate) struct MySql {
    connection: Conn,
    name: String,
    limits: Limits,
}

impl MySql {
    pub(crate) fn open(source: &Source, limits: Limits) -> Result<Self, Trouble> {
        let name = source.name();
        let options = OptsBuilder::new()
            .ip_or_hostname(source.host.clone())
            .tcp_port(source.port.unwrap_or(3306))
            .socket(source.socket.as_ref().map(|path| path.display().to_string()))
            .prefer_socket(false)
            .user(Some(source.user.clone()))
            .pass(Some(source.password.clone()))
            .db_name(Some(source.database.clone()))
            .tcp_connect_timeout(Some(limits.connect))
            .read_timeout(Some(limits.answer))
            .write_timeout(Some(limits.answer))
            .stmt_cache_size(Some(STATEMENTS_LIMIT))
            .ssl_opts(tls(source))
            .init(vec!["SET NAMES utf8mb4"]);
        match Conn::new(options) {
            Ok(connection) => Ok(Self { connection, name, limits }),
            Err(error) if is_late(&error) => Err(Trouble::Late { name, limit: limits.answer }),
            Err(error) => Err(Trouble::Connect { name, problem: error.to_string() }),
        }
    }

    pub(crate) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Trouble> {
        let (name, limits) = (self.name.clone(), self.limits);
        let result = self.connection.exec_iter(sql, parameters(values));
        result
            .map_err(|error| trouble(&name, limits.answer, &error))
            .and_then(|found| collect(found, &name, limits))
    }

    pub(crate) fn plain_rows(&mut self, sql: &str) -> Result<Vec<Row>, Trouble> {
        let (name, limits) = (self.name.clone(), self.limits);
        let result = self.connection.query_iter(sql);
        result
            .map_err(|error| trouble(&name, limits.answer, &error))
            .and_then(|found| collect(found, &name, limits))
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Trouble> {
        let done = self.connection.exec_drop(sql, parameters(values));
        done.map_err(|error| trouble(&self.name, self.limits.answer, &error))?;
        Ok(self.connection.affected_rows())
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        let done = self.connection.query_drop(sql);
        done.map_err(|error| trouble(&self.name, self.limits.answer, &error))
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.connection.ping().is_ok()
    }

    /// A server may be told that a backslash is nothing special (`NO_BACKSLASH_ESCAPES`).
    pub(crate) fn quoted(&self, text: &str) -> String {
        let text = text.replace('\'', "''");
        let plain = self.connection.no_backslash_escape();
        format!("'{}'", if plain { text } else { text.replace('\\', "\\\\") })
    }
}

/// Encrypted where the source says so; the server's certificate counts only where the source says that, too.
fn tls(source: &Source) -> Option<SslOpts> {
    if !source.encrypted {
        return None;
    }
    let options = SslOpts::default();
    Some(match &source.authorities {
        Some(path) => options
            .with_root_cert_path(Some(path.clone()))
            .with_danger_skip_domain_validation(!source.verified),
        None => options
            .with_danger_accept_invalid_certs(!source.verified)
            .with_danger_skip_domain_validation(!source.verified),
    })
}

fn parameters(values: &[Value]) -> Params {
    if values.is_empty() {
        return Params::Empty;
    }
    Params::Positional(values.iter().map(parameter).collect())
}

fn parameter(value: &Value) -> mysql::Value {
    match value {
        Value::Null => mysql::Value::NULL,
        Value::Integer(number) => mysql::Value::Int(*number),
        Value::Real(number) => mysql::Value::Double(*number),
        Value::Text(text) => mysql::Value::Bytes(text.clone().into_bytes()),
        Value::Bytes(bytes) => mysql::Value::Bytes(bytes.clone()),
    }
}

fn collect<T: mysql::prelude::Protocol>(
    found: QueryResult<'_, '_, '_, T>,
    name: &str,
    limits: Limits,
) -> Result<Vec<Row>, Trouble> {
    let binary: Vec<bool> = found.columns().as_ref().iter().map(is_binary).collect();
    let mut rows = Vec::new();
    for row in found {
        let row = row.map_err(|error| trouble(name, limits.answer, &error))?;
        if rows.len() >= limits.rows {
            return Err(Trouble::TooMany { name: name.to_owned(), limit: limits.rows });
        }
        let columns = row.unwrap_raw().into_iter().zip(&binary);
        rows.push(
            columns.map(|(value, binary)| value.map_or(Value::Null, |value| of(value, *binary))).collect(),
        );
    }
    Ok(rows)
}

fn is_binary(column: &mysql::Column) -> bool {
    column.character_set() == BINARY_CHARACTER_SET && column.flags().contains(ColumnFlags::BINARY_FLAG)
}

fn of(value: mysql::Value, binary: bool) -> Value {
    match value {
        mysql::Value::NULL => Value::Null,
        mysql::Value::Bytes(bytes) if binary => Value::Bytes(bytes),
        mysql::Value::Bytes(bytes) => Value::of_bytes(bytes),
        mysql::Value::Int(number) => Value::Integer(number),
        mysql::Value::UInt(number) => {
            i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
        }
        // The shortest text of a number of 32 bits, as the server writes it.
        mysql::Value::Float(number) => Value::Real(number.to_string().parse().unwrap_or(f64::from(number))),
        mysql::Value::Double(number) => Value::Real(number),
        other @ (mysql::Value::Date(..) | mysql::Value::Time(..)) => {
            Value::Text(other.as_sql(true).trim_matches('\'').to_owned())
        }
    }
}

fn is_late(error: &Error) -> bool {
    let late =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    match error {
        Error::IoError(error) => late(error),
        Error::CodecError(error) => {
            std::error::Error::source(error).and_then(|cause| cause.downcast_ref()).is_some_and(late)
        }
        _ => false,
    }
}

fn trouble(name: &str, limit: Duration, error: &Error) -> Trouble {
    let name = name.to_owned();
    match error {
        _ if is_late(error) => Trouble::Late { name, limit },
        Error::MySqlError(refusal) => {
            Trouble::Refused { name, problem: refusal.message.clone(), state: Some(refusal.state.clone()) }
        }
        Error::IoError(_) | Error::CodecError(_) | Error::TlsError(_) => {
            Trouble::Lost { name, problem: error.to_string() }
        }
        _ => Trouble::Refused { name, problem: error.to_string(), state: None },
    }
}
