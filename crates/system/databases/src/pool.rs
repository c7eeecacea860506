//! Connections that are kept for many threads.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Limits};
use crate::rest::Rest;
use crate::source::Source;
use crate::trouble::Trouble;

/// Connections at a time, of one pool.
const CONNECTIONS_LIMIT: usize = 16;
/// A connection that was idle for longer is asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// Connections to one database. They are made when they are needed, and kept.
pub struct Pool {
    source: Source,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Connection, Instant)>,
    /// Those in use.
    busy: usize,
    /// After it could not be reached.
    rest: Rest,
}

impl Pool {
    /// Nobody connects before somebody asks.
    pub fn new(source: Source, limits: Limits) -> Self {
        Self { source, limits, state: Mutex::default() }
    }

    /// Which database it is.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Runs `ask` with a connection. It runs once, whatever happens: what it changed may have come through.
    ///
    /// # Errors
    /// What `ask` says; else why there is no connection: the same as last time, at once, while the database is left alone after
    /// that ([`Trouble::Connect`], [`Trouble::Late`]); [`Trouble::Busy`].
    pub fn with<T>(&self, ask: impl FnOnce(&mut Connection) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let place = self.enter()?;
        let mut connection = self.connection()?;
        let answer = ask(&mut connection);
        // What `ask` left half done is undone, else the next one would go on in it.
        let usable = match &answer {
            Ok(_) => true,
            Err(trouble) => !trouble.is_end() && connection.undo(),
        };
        if usable {
            self.state().idle.push((connection, Instant::now()));
        }
        drop(place);
        answer
    }

    fn enter(&self) -> Result<Place<'_>, Trouble> {
        let mut state = self.state();
        if state.busy >= CONNECTIONS_LIMIT {
            return Err(Trouble::Busy { name: self.source.name(), limit: CONNECTIONS_LIMIT });
        }
        state.busy += 1;
        Ok(Place { pool: self })
    }

    /// One that is idle and alive, else a new one.
    fn connection(&self) -> Result<Connection, Trouble> {
        loop {
            let idle = self.state().idle.pop();
            let Some((mut connection, since)) = idle else { return self.connect() };
            if since.elapsed() < TRUSTED || connection.is_alive() {
                return Ok(connection);
            }
        }
    }

    fn connect(&self) -> Result<Connection, Trouble> {
        self.state().rest.is_over(Instant::now())?;
        let opened = Connection::open(&self.source, self.limits);
        self.state().rest.note(&opened, Instant::now());
        opened
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who have a connection.
struct Place<'a> {
    pool: &'a Pool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.busy = state.busy.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_kept_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let dsn = format!("DBI:SQLite:dbname={}", folder.path().join("db").display());
        let pool = Pool::new(Source::parse(&dsn, "", "", "").unwrap(), Limits::default());
        pool.with(|connection| connection.batch("create temp table kept (a)")).unwrap();
        assert!(pool.with(|connection| connection.rows("select * from kept", &[])).is_ok());
        assert!(pool.with(|connection| connection.rows("select * from none", &[])).is_err());
        assert!(pool.with(|connection| connection.rows("select * from kept", &[])).is_ok());
        let half_done = pool.with(|connection| {
            connection.batch("begin; insert into kept values (1)")?;
            connection.batch("nonsense")
        });
        assert!(half_done.is_err());
        assert_eq!(pool.with(|connection| connection.rows("select * from kept", &[])), Ok(Vec::new()));
        let lost = Trouble::Lost { name: String::new(), problem: String::new() };
        assert_eq!(pool.with(|_| Err::<(), _>(lost.clone())), Err(lost));
        assert!(pool.with(|connection| connection.rows("select * from kept", &[])).is_err());
        assert_eq!(pool.state().busy, 0);
    }
}
