//! What goes through all that a user has taught: showing it, taking a backup in, removing what is old.

use std::collections::BTreeMap;
use std::io::BufRead;

use databases::{Connection, Trouble as Refusal};
use spam::learned::{BackupError, Class, Entry, Token, TokenCounts, read_entry};

use super::dialect::{begin, kept, put_messages, token_column};
use super::reading::{number, token};
use super::writing::{Totals, add};
use super::{BUNDLE_TOKENS, SqlUser};
use crate::backup::read_line;
use crate::database::Facts;
use crate::expiry::{DOUBLINGS, Expired, Expiry, PERIOD_SECONDS, TOKENS_KEPT, age_for};
use crate::trouble::Trouble;

impl SqlUser {
    /// Numbers about it.
    ///
    /// # Errors
    /// [`Trouble::Sql`], [`Trouble::Version`].
    pub fn facts(&self) -> Result<Facts, Trouble> {
        let tally = self.counted()?;
        let rows = self.server.ask(|connection| {
            let user = connection.quoted(&self.name);
            connection.plain_rows(&format!(
                "select token_count, oldest_token_age, newest_token_age, last_expire, last_atime_delta, last_expire_reduce \
                 from bayes_vars where username = {user}"
            ))
        })?;
        let Some(row) = rows.first() else { return Ok(Facts::default()) };
        let count = |column| number(row, column).max(0).unsigned_abs();
        let time = |column| u32::try_from(count(column)).unwrap_or(u32::MAX);
        Ok(Facts {
            tally,
            tokens: count(0),
            oldest: time(1),
            newest: time(2),
            last_expiry: time(3),
            last_expiry_age: time(4),
            last_expiry_count: count(5),
        })
    }

    /// Shows each token, in no order.
    ///
    /// # Errors
    /// [`Trouble::Sql`]
    pub fn each_token(&self, mut each: impl FnMut(Token, TokenCounts)) -> Result<(), Trouble> {
        let mut connection = self.server.upkeep()?;
        let Some(id) = self.known_id(&mut connection)? else { return Ok(()) };
        let column = token_column(connection.kind());
        let all = format!("select {column}, spam_count, ham_count, atime from bayes_token where id = {id}");
        let rows = connection.plain_rows(&all)?;
        rows.iter().filter_map(token).for_each(|(token, counts)| each(token, counts));
        Ok(())
    }

    /// Shows each message that was learned.
    ///
    /// # Errors
    /// [`Trouble::Sql`]
    pub fn each_message(&self, mut each: impl FnMut(&str, Class)) -> Result<(), Trouble> {
        let mut connection = self.server.upkeep()?;
        let Some(id) = self.known_id(&mut connection)? else { return Ok(()) };
        for row in connection.plain_rows(&format!("select msgid, flag from bayes_seen where id = {id}"))? {
            let text = |column: usize| row.get(column).and_then(databases::Value::text).unwrap_or_default();
            if let Some(class) = Class::of_letter(&text(1)) {
                each(&text(0), class);
            }
        }
        Ok(())
    }

    /// Forgets all tokens and messages of this user.
    ///
    /// # Errors
    /// [`Trouble::Sql`]; then everything is as it was.
    pub fn clear(&self) -> Result<(), Trouble> {
        let mut connection = self.server.upkeep()?;
        connection.batch(begin(connection.kind()))?;
        self.remove_all(&mut connection)?;
        Ok(connection.batch("commit")?)
    }

    fn remove_all(&self, connection: &mut Connection) -> Result<(), Refusal> {
        let Some(id) = self.known_id(connection)? else { return Ok(()) };
        for table in ["bayes_token", "bayes_seen", "bayes_vars"] {
            connection.batch(&format!("delete from {table} where id = {id}"))?;
        }
        Ok(())
    }

    /// Takes a backup in the place of all that this user has taught; returns how many tokens came. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Trouble::Backup`], [`Trouble::Io`], [`Trouble::Sql`]: then everything is as it was.
    pub fn restore(&self, input: &mut dyn BufRead, now: u32) -> Result<u64, Trouble> {
        self.counted()?;
        let mut connection = self.server.upkeep()?;
        connection.batch(begin(connection.kind()))?;
        self.remove_all(&mut connection)?;
        let id = self.own_id(&mut connection)?;
        let mut restoring = Restoring { id, ..Restoring::default() };
        let mut line = Vec::new();
        while read_line(input, &mut line)? {
            let text = String::from_utf8_lossy(&line);
            if let Some(entry) = read_entry(text.trim_end(), restoring.version, now)? {
                restoring.take(entry, &mut connection)?;
            }
        }
        // A connection that ends without a word undoes what it has begun.
        let tokens = restoring.finish(&mut connection)?;
        connection.batch("commit")?;
        Ok(tokens)
    }

    /// Removes old tokens, if it is time. Only one host does so.
    ///
    /// # Errors
    /// [`Trouble::Sql`]
    pub fn expire(&self, expiry: Expiry) -> Result<Expired, Trouble> {
        let facts = self.facts()?;
        let kept = Expired { kept: facts.tokens, deleted: 0 };
        if !expiry.is_due(&facts) {
            return Ok(kept);
        }
        let mut connection = self.server.upkeep()?;
        let Some(id) = self.known_id(&mut connection)? else { return Ok(kept) };
        let claim = format!(
            "update bayes_vars set last_expire = {} where id = {id} and last_expire = {}",
            expiry.now, facts.last_expiry
        );
        if connection.execute(&claim, &[])? == 0 && !expiry.force {
            return Ok(kept);
        }
        let newest = facts.newest.min(expiry.now);
        let age = match expiry.wanted(&facts) {
            Some(wanted) => age_for(wanted, &ages(&mut connection, id, newest)?),
            None => None,
        };
        let Some(age) = age else { return Ok(kept) };
        connection.batch(begin(connection.kind()))?;
        let deleted = remove_old(&mut connection, id, (newest, age), &facts)?;
        connection.batch("commit")?;
        Ok(Expired { kept: facts.tokens.saturating_sub(deleted), deleted })
    }
}

/// How many tokens were not used for each doubling of the period.
fn ages(connection: &mut Connection, id: i64, newest: u32) -> Result<Vec<u64>, Refusal> {
    let older = |doubling: u32| newest.saturating_sub(PERIOD_SECONDS << doubling);
    let sums: Vec<String> = (0..=DOUBLINGS)
        .map(|doubling| format!("sum(case when atime < {} then 1 else 0 end)", older(doubling)))
        .collect();
    let sums = format!("select {} from bayes_token where id = {id}", sums.join(", "));
    let rows = connection.plain_rows(&sums)?;
    let count =
        |column: u32| rows.first().map_or(0, |row| number(row, column as usize).max(0).unsigned_abs());
    Ok((0..=DOUBLINGS).map(count).collect())
}

/// Removes tokens that were not used for longer than `age` before `newest`, unless too few would stay. How many went.
fn remove_old(
    connection: &mut Connection,
    id: i64,
    (newest, age): (u32, u32),
    facts: &Facts,
) -> Result<u64, Refusal> {
    // A message of the future would keep its tokens for ever.
    connection
        .batch(&format!("update bayes_token set atime = {newest} where id = {id} and atime > {newest}"))?;
    let old = format!("from bayes_token where id = {id} and atime < {}", newest.saturating_sub(age));
    let rows = connection.plain_rows(&format!("select count(*) {old}"))?;
    let count = rows.first().map_or(0, |row| number(row, 0).max(0).unsigned_abs());
    let (mut deleted, mut noted_age) = (0, 0);
    if facts.tokens.saturating_sub(count) >= TOKENS_KEPT {
        deleted = connection.execute(&format!("delete {old}"), &[])?;
        noted_age = age;
    }
    connection.batch(&format!(
        "update bayes_vars set token_count = token_count - {deleted}, last_atime_delta = {noted_age}, \
         last_expire_reduce = {deleted}, \
         oldest_token_age = coalesce((select min(atime) from bayes_token where id = {id}), oldest_token_age) where id = {id}"
    ))?;
    Ok(deleted)
}

/// A backup on its way in. What comes twice must be in a statement once.
#[derive(Default)]
struct Restoring {
    id: i64,
    version: Option<u32>,
    spam: Option<u64>,
    ham: Option<u64>,
    tokens: BTreeMap<Token, TokenCounts>,
    messages: BTreeMap<String, Class>,
    totals: Totals,
}

impl Restoring {
    fn take(&mut self, entry: Entry, connection: &mut Connection) -> Result<(), Refusal> {
        match entry {
            Entry::Version(version) => self.version = Some(version),
            Entry::Spam(count) => self.spam = Some(count),
            Entry::Ham(count) => self.ham = Some(count),
            Entry::Token(token, counts) => {
                let sum = self.tokens.entry(token).or_default();
                sum.spam = sum.spam.saturating_add(counts.spam);
                sum.ham = sum.ham.saturating_add(counts.ham);
                sum.used = sum.used.max(counts.used);
            }
            Entry::Message(id, class) => drop(self.messages.insert(kept(&id), class)),
        }
        if self.tokens.len() + self.messages.len() >= BUNDLE_TOKENS { self.write(connection) } else { Ok(()) }
    }

    fn write(&mut self, connection: &mut Connection) -> Result<(), Refusal> {
        let tokens: Vec<_> = std::mem::take(&mut self.tokens).into_iter().collect();
        add(connection, self.id, tokens, &mut self.totals)?;
        let messages = std::mem::take(&mut self.messages);
        if messages.is_empty() {
            return Ok(());
        }
        let statement = put_messages(connection, self.id, &messages);
        connection.batch(&statement)
    }

    fn finish(mut self, connection: &mut Connection) -> Result<u64, Trouble> {
        if self.version.is_none() {
            return Err(BackupError::NoVersion.into());
        }
        let (Some(spam), Some(ham)) = (self.spam, self.ham) else { return Err(BackupError::NoTally.into()) };
        self.write(connection)?;
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.totals.messages(Class::Spam, count(spam));
        self.totals.messages(Class::Ham, count(ham));
        self.totals.write(connection, self.id)?;
        Ok(self.totals.tokens.max(0).unsigned_abs())
    }
}
