//! Tokens and messages in a database of SQL, for many hosts: the tables of the original, so that either may use them.
//!
//! `bayes_vars` has a row for each user, whose id stands in `bayes_token` and `bayes_seen`; `bayes_global_vars` names the version.
//! No id is kept in memory: another host may remove a user at any time.

mod dialect;
mod reading;
mod upkeep;
mod writing;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use databases::{Connection, Limits, Pool, Source, SourceError, Trouble as Refusal};
use spam::learned::{Change, Class, Memory, Reputation, Tally, Token, TokenCounts};
use spam::rules::BayesStore;

use crate::complaint::Complaint;
use crate::trouble::Trouble;

/// A check waits no longer than this for one answer.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(10), rows: 1_000_000 };
/// What goes through all that a user has taught takes longer.
const UPKEEP_LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(600), rows: 20_000_000 };
/// Tokens of one statement.
const BUNDLE_TOKENS: usize = 5_000;
/// How often a change is tried that the database gave up for the sake of another one (SQLSTATE 40001, 40P01).
const TRIES: u32 = 5;
/// Whose data it is when nobody is named.
const NOBODY: &str = "GLOBALBAYES";

/// A database, and the connections to it.
pub struct SqlServer {
    pool: Pool,
    override_username: String,
    complaint: Complaint,
}

/// What one user has taught, in such a database.
#[derive(Clone)]
pub struct SqlUser {
    server: Arc<SqlServer>,
    name: String,
}

impl SqlServer {
    /// Nobody connects before something is asked. `login` asks where `bayes_sql_username` names nobody.
    ///
    /// # Errors
    /// [`Trouble::Source`], [`Trouble::Dsn`], [`Trouble::Authorized`].
    pub fn new(settings: &BayesStore, login: &str) -> Result<Self, Trouble> {
        if settings.username_authorized {
            return Err(Trouble::Authorized);
        }
        let source = Source::parse(&settings.dsn, &settings.username, &settings.password, login);
        let source = source.map_err(|error| match error {
            // What was meant for another module may hold a password.
            SourceError::Form(_) => {
                Trouble::Dsn { problem: "write DBI:driver:... (driver mysql, MariaDB, Pg or SQLite)" }
            }
            other => Trouble::Source(other),
        })?;
        Ok(Self {
            pool: Pool::new(source, LIMITS),
            override_username: settings.override_username.clone(),
            complaint: Complaint::default(),
        })
    }

    /// As the log names it.
    pub fn name(&self) -> String {
        self.pool.source().name()
    }

    /// The data of a user, or of whom the settings name in the place of all.
    pub fn user(self: &Arc<Self>, user: &str) -> SqlUser {
        let named = [self.override_username.as_str(), user, NOBODY];
        let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or(NOBODY);
        SqlUser { server: Arc::clone(self), name: name.to_owned() }
    }

    /// Asks; to ask again does no harm where a connection that was kept has ended meanwhile.
    fn ask<T>(&self, ask: impl Fn(&mut Connection) -> Result<T, Refusal>) -> Result<T, Trouble> {
        match self.pool.with(&ask) {
            Err(Refusal::Lost { .. }) => Ok(self.pool.with(&ask)?),
            answer => Ok(answer?),
        }
    }

    /// A connection for work that takes longer.
    fn upkeep(&self) -> Result<Connection, Trouble> {
        Ok(Connection::open(self.pool.source(), UPKEEP_LIMITS)?)
    }
}

impl SqlUser {
    /// As the log names it.
    pub fn name(&self) -> String {
        format!("{}, user {}", self.server.name(), self.name)
    }

    /// Carries changes out, all of them or none.
    ///
    /// # Errors
    /// [`Trouble::Sql`], which the log has heard of.
    pub fn apply(&self, changes: &[Change]) -> Result<(), Trouble> {
        if changes.is_empty() {
            return Ok(());
        }
        self.server.complaint.hear(self.carry_out(changes))
    }

    fn hear<T>(&self, answer: Result<T, Trouble>) -> Option<T> {
        self.server.complaint.hear(answer).ok()
    }
}

impl Memory for SqlUser {
    fn tally(&self) -> Option<Tally> {
        self.hear(self.counted())
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        let known = self.hear(self.counts(tokens)).unwrap_or_default();
        tokens.iter().map(|token| known.get(token).copied()).collect()
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        self.hear(self.class_of(message_id)).flatten()
    }

    /// Senders are kept elsewhere.
    fn reputation(&self, _: &str) -> Option<Reputation> {
        None
    }
}
