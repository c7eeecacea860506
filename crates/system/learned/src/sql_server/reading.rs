//! What a check asks.

use std::collections::HashMap;

use databases::{Connection, Row, Trouble as Refusal};
use spam::learned::{Class, Tally, Token, TokenCounts};

use super::dialect::{message_id, token_column, token_of, tokens as literals};
use super::{BUNDLE_TOKENS, SqlUser};
use crate::trouble::Trouble;

/// The only version that is known here.
const VERSION: &str = "3";

impl SqlUser {
    /// How many messages were learned. Who has learned none is in no table.
    ///
    /// # Errors
    /// [`Trouble::Sql`], [`Trouble::Version`].
    pub fn counted(&self) -> Result<Tally, Trouble> {
        let rows = self.server.ask(|connection| {
            let user = connection.quoted(&self.name);
            connection.plain_rows(&format!(
                "select g.value, v.spam_count, v.ham_count from bayes_global_vars g \
                 left join bayes_vars v on v.username = {user} where g.variable = 'VERSION'"
            ))
        })?;
        let first = rows.first();
        let version = first.and_then(|row| row.first()?.text()).unwrap_or_default();
        if version != VERSION {
            return Err(Trouble::Version { name: self.server.name(), version });
        }
        let count = |column| first.map_or(0, |row| number(row, column)).max(0).unsigned_abs();
        Ok(Tally { spam: count(1), ham: count(2) })
    }

    /// The counts of those tokens that are known: one question for as many as a message usually has.
    pub(super) fn counts(&self, tokens: &[Token]) -> Result<HashMap<Token, TokenCounts>, Trouble> {
        let mut known = HashMap::new();
        for bundle in tokens.chunks(BUNDLE_TOKENS) {
            let rows = self.server.ask(|connection| {
                let (kind, id) = (connection.kind(), self.id(connection));
                let (column, tokens) = (token_column(kind), literals(kind, bundle));
                connection.plain_rows(&format!(
                    "select {column}, spam_count, ham_count, atime from bayes_token where id = {id} and token in ({tokens})"
                ))
            })?;
            known.extend(rows.iter().filter_map(token));
        }
        Ok(known)
    }

    pub(super) fn class_of(&self, message: &str) -> Result<Option<Class>, Trouble> {
        let rows = self.server.ask(|connection| {
            let (id, message) = (self.id(connection), message_id(connection, message));
            connection
                .plain_rows(&format!("select flag from bayes_seen where id = {id} and msgid = {message}"))
        })?;
        let letter = rows.first().and_then(|row| row.first()?.text());
        Ok(letter.and_then(|letter| Class::of_letter(&letter)))
    }

    /// The user's id, as part of a statement.
    fn id(&self, connection: &Connection) -> String {
        format!("(select id from bayes_vars where username = {})", connection.quoted(&self.name))
    }

    /// The user's id; `None` when he has taught nothing yet.
    pub(super) fn known_id(&self, connection: &mut Connection) -> Result<Option<i64>, Refusal> {
        let id = self.id(connection);
        let rows = connection.plain_rows(&format!("select id from bayes_vars where id = {id}"))?;
        Ok(rows.first().map(|row| number(row, 0)))
    }
}

/// The number in a column; there is none in NULL.
pub(super) fn number(row: &Row, column: usize) -> i64 {
    row.get(column).and_then(databases::Value::integer).unwrap_or(0)
}

/// A token with its counts, of the columns in which they are asked for. One that was forgotten half way is none.
pub(super) fn token(row: &Row) -> Option<(Token, TokenCounts)> {
    let token = token_of(&row.first()?.text()?)?;
    let word = |column| u32::try_from(number(row, column).clamp(0, i64::from(u32::MAX))).unwrap_or(0);
    let counts = TokenCounts { spam: word(1), ham: word(2), used: word(3) };
    (counts.spam > 0 || counts.ham > 0).then_some((token, counts))
}
