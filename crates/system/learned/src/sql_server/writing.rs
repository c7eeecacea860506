//! What a lesson changes.

use std::collections::BTreeMap;

use databases::{Connection, Kind, Trouble as Refusal};
use spam::learned::{Change, Class, Token, TokenCounts};

use super::dialect::{begin, message_id, put_messages, put_tokens, tokens as literals};
use super::reading::number;
use super::{BUNDLE_TOKENS, SqlUser, TRIES};
use crate::trouble::Trouble;

/// What changes in the user's row, which is written last: so everybody locks tokens before it.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) spam: i64,
    pub(super) ham: i64,
    pub(super) tokens: i64,
    pub(super) oldest: Option<u32>,
    pub(super) newest: Option<u32>,
}

impl Totals {
    pub(super) fn messages(&mut self, class: Class, by: i64) {
        match class {
            Class::Spam => self.spam += by,
            Class::Ham => self.ham += by,
        }
    }

    pub(super) fn time(&mut self, used: u32) {
        if used > 0 {
            self.oldest = Some(self.oldest.map_or(used, |oldest| oldest.min(used)));
            self.newest = Some(self.newest.map_or(used, |newest| newest.max(used)));
        }
    }

    /// The assignments; none where nothing changes.
    fn assignments(&self) -> Vec<String> {
        let added = |column: &str, by: i64| {
            let sum = format!("{column} + ({by})");
            (by != 0).then(|| format!("{column} = case when {sum} < 0 then 0 else {sum} end"))
        };
        let limited = |column: &str, sign: &str, time: Option<u32>| {
            time.map(|time| {
                format!("{column} = case when {column} {sign} {time} then {time} else {column} end")
            })
        };
        [
            added("spam_count", self.spam),
            added("ham_count", self.ham),
            added("token_count", self.tokens),
            limited("newest_token_age", "<", self.newest),
            limited("oldest_token_age", ">", self.oldest),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn write(&self, connection: &mut Connection, id: i64) -> Result<(), Refusal> {
        let assignments = self.assignments();
        if assignments.is_empty() {
            return Ok(());
        }
        connection.batch(&format!("update bayes_vars set {} where id = {id}", assignments.join(", ")))
    }
}

impl SqlUser {
    pub(super) fn carry_out(&self, changes: &[Change]) -> Result<(), Trouble> {
        // Where tokens only proved useful nothing has to be of a piece.
        if let [Change::Used { tokens, used }] = changes {
            return Ok(self.server.pool.with(|connection| self.touch(connection, tokens, *used))?);
        }
        let mut tries = 1;
        loop {
            let done = self.server.pool.with(|connection| {
                connection.batch(begin(connection.kind()))?;
                self.change(connection, changes)?;
                connection.batch("commit")
            });
            match done {
                Err(refusal) if tries < TRIES && is_worth_another(&refusal) => tries += 1,
                done => return Ok(done?),
            }
        }
    }

    fn change(&self, connection: &mut Connection, changes: &[Change]) -> Result<(), Refusal> {
        let id = self.own_id(connection)?;
        let mut totals = Totals::default();
        for change in changes {
            match change {
                Change::Messages { class, by } => totals.messages(*class, *by),
                Change::Tokens { tokens, class, by, used } if *by > 0 => {
                    let by = u32::try_from(*by).unwrap_or(u32::MAX);
                    let rows = tokens.iter().map(|token| (*token, counts(*class, by, *used))).collect();
                    add(connection, id, rows, &mut totals)?;
                }
                Change::Tokens { tokens, class, by, .. } => {
                    totals.tokens -= take_away(connection, id, tokens, (*class, *by))?;
                }
                Change::Used { tokens, used } => self.touch(connection, tokens, *used)?,
                Change::Message { id: message, class: Some(class) } => {
                    let row = BTreeMap::from([(message.clone(), *class)]);
                    let statement = put_messages(connection, id, &row);
                    connection.batch(&statement)?;
                }
                Change::Message { id: message, class: None } => {
                    let message = message_id(connection, message);
                    connection
                        .batch(&format!("delete from bayes_seen where id = {id} and msgid = {message}"))?;
                }
                Change::Score { .. } | Change::ForgetKey(_) | Change::ForgetKeys(_) => {}
            }
        }
        totals.write(connection, id)
    }

    /// The user's id; he gets one if he has none.
    pub(super) fn own_id(&self, connection: &mut Connection) -> Result<i64, Refusal> {
        if let Some(id) = self.known_id(connection)? {
            return Ok(id);
        }
        let user = connection.quoted(&self.name);
        connection.batch(&format!("insert into bayes_vars (username) values ({user})"))?;
        Ok(self.known_id(connection)?.unwrap_or(0))
    }

    /// Tokens proved useful at this time.
    fn touch(&self, connection: &mut Connection, tokens: &[Token], used: u32) -> Result<(), Refusal> {
        let Some(id) = self.known_id(connection)? else { return Ok(()) };
        let kind = connection.kind();
        for bundle in sorted(tokens).chunks(BUNDLE_TOKENS) {
            let tokens = literals(kind, bundle);
            connection.batch(&format!(
                "update bayes_token set atime = {used} where id = {id} and token in ({tokens}) and atime < {used}"
            ))?;
        }
        connection.batch(&format!(
            "update bayes_vars set newest_token_age = {used} where id = {id} and newest_token_age < {used}"
        ))
    }
}

/// Two changes were at the same rows, or two hosts met the same user for the first time: the one that gave way comes again.
fn is_worth_another(refusal: &Refusal) -> bool {
    let Refusal::Refused { state, .. } = refusal else { return false };
    refusal.is_duplicate() || matches!(state.as_deref(), Some("40001" | "40P01"))
}

fn counts(class: Class, by: u32, used: u32) -> TokenCounts {
    match class {
        Class::Spam => TokenCounts { spam: by, ham: 0, used },
        Class::Ham => TokenCounts { spam: 0, ham: by, used },
    }
}

/// In one order, for who locks rows in another one locks out others.
fn sorted(tokens: &[Token]) -> Vec<Token> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens
}

/// Adds counts to tokens, each of which is there once.
pub(super) fn add(
    connection: &mut Connection,
    id: i64,
    mut rows: Vec<(Token, TokenCounts)>,
    totals: &mut Totals,
) -> Result<(), Refusal> {
    rows.sort_unstable_by_key(|(token, _)| *token);
    rows.iter().for_each(|(_, counts)| totals.time(counts.used));
    for bundle in rows.chunks(BUNDLE_TOKENS) {
        totals.tokens += add_bundle(connection, id, bundle)?;
    }
    Ok(())
}

/// How many of them are new.
fn add_bundle(connection: &mut Connection, id: i64, rows: &[(Token, TokenCounts)]) -> Result<i64, Refusal> {
    let kind = connection.kind();
    let statement = put_tokens(kind, id, rows);
    let all = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let first = |rows: Vec<databases::Row>| rows.first().map_or(0, |row| number(row, 0));
    match kind {
        Kind::Postgres => Ok(connection.plain_rows(&statement)?.iter().map(|row| number(row, 0)).sum()),
        // A new row counts once, one that was there twice.
        Kind::MySql => {
            connection.batch(&statement)?;
            Ok(2 * all - first(connection.plain_rows("select row_count()")?))
        }
        // Nobody else writes meanwhile.
        Kind::Sqlite => {
            let names: Vec<Token> = rows.iter().map(|(token, _)| *token).collect();
            let tokens = literals(kind, &names);
            let known = format!("select count(*) from bayes_token where id = {id} and token in ({tokens})");
            let known = first(connection.plain_rows(&known)?);
            connection.batch(&statement)?;
            Ok(all - known)
        }
    }
}

/// Takes counts away, none below zero; tokens whose counts are both zero go. How many went.
fn take_away(
    connection: &mut Connection,
    id: i64,
    tokens: &[Token],
    (class, by): (Class, i64),
) -> Result<i64, Refusal> {
    let column = match class {
        Class::Spam => "spam_count",
        Class::Ham => "ham_count",
    };
    let (kind, by) = (connection.kind(), by.unsigned_abs());
    let mut gone = 0;
    for bundle in sorted(tokens).chunks(BUNDLE_TOKENS) {
        let these = format!("id = {id} and token in ({})", literals(kind, bundle));
        connection.batch(&format!(
            "update bayes_token set {column} = case when {column} > {by} then {column} - {by} else 0 end where {these}"
        ))?;
        let removed = format!("delete from bayes_token where {these} and spam_count <= 0 and ham_count <= 0");
        gone += i64::try_from(connection.execute(&removed, &[])?).unwrap_or(0);
    }
    Ok(gone)
}
