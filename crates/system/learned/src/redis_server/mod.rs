//! Tokens and messages in Redis, for many hosts: the keys and values of the original's store, so that either may use them.
//!
//! `w:` with the five bytes of a token is a hash of `s` and `h`, its counts; `s:` with a message's id is the letter of what it
//! was learned as; `v:NSPAM` and `v:NHAM` are the numbers of messages. No key says when a token was used: Redis itself removes
//! what nobody used for `bayes_token_ttl`.

mod address;
mod connections;
mod text;
mod wire;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use spam::learned::{Change, Class, Memory, Reputation, Tally, Token, TokenCounts};
use spam::rules::BayesStore;

use self::address::Address;
use self::connections::Connections;
use self::wire::{Commands, Reply};
use crate::complaint::Complaint;
use crate::trouble::Trouble;

/// A Redis server that keeps what was learned.
pub struct RedisServer {
    connections: Connections,
    token_seconds: Option<i64>,
    message_seconds: Option<i64>,
    complaint: Complaint,
}

impl RedisServer {
    /// Nobody connects before something is asked. With `expires` off (`bayes_auto_expire`) everything stays.
    ///
    /// # Errors
    /// [`Trouble::Dsn`].
    pub fn new(settings: &BayesStore, expires: bool) -> Result<Self, Trouble> {
        let seconds = |setting: i64| Some(setting).filter(|seconds| expires && *seconds > 0);
        Ok(Self {
            connections: Connections::new(Address::parse(&settings.dsn)?),
            token_seconds: seconds(settings.token_ttl),
            message_seconds: seconds(settings.seen_ttl),
            complaint: Complaint::default(),
        })
    }

    /// As the log names it.
    pub fn name(&self) -> String {
        self.connections.name()
    }

    /// Carries changes out, in one round trip, or two more where something is unlearned.
    ///
    /// # Errors
    /// [`Trouble::Away`], which the log has heard of: then some may have come through.
    pub fn apply(&self, changes: &[Change]) -> Result<(), Trouble> {
        // Where nobody is asked it is not known whether somebody is there.
        if changes.is_empty() {
            return Ok(());
        }
        let mut commands = Commands::default();
        changes.iter().for_each(|change| self.note(&mut commands, change));
        let unlearn = || changes.iter().try_for_each(|change| self.unlearn(change));
        self.complaint.hear(self.connections.ask(&commands).and_then(|_| unlearn()))
    }

    /// How many messages were learned.
    ///
    /// # Errors
    /// [`Trouble::Away`].
    pub fn counted(&self) -> Result<Tally, Trouble> {
        let numbers = self.connections.ask_one(&[b"MGET", b"v:NSPAM", b"v:NHAM"])?.list();
        let count = |index| numbers.get(index).and_then(Reply::number).unwrap_or(0);
        let count = |index| u64::try_from(count(index)).unwrap_or(0);
        Ok(Tally { spam: count(0), ham: count(1) })
    }

    /// What is changed without a look at what there was before.
    fn note(&self, commands: &mut Commands, change: &Change) {
        match change {
            Change::Messages { class, by } => {
                let key: &[u8] = if *class == Class::Spam { b"v:NSPAM" } else { b"v:NHAM" };
                commands.add(&[b"INCRBY", key, by.to_string().as_bytes()]);
            }
            Change::Tokens { tokens, class, by, .. } if *by > 0 => {
                let by = by.to_string();
                for token in tokens {
                    commands.add(&[b"HINCRBY", &token_key(token), field(*class), by.as_bytes()]);
                    self.stays(commands, token);
                }
            }
            Change::Used { tokens, .. } => tokens.iter().for_each(|token| self.stays(commands, token)),
            Change::Message { id, class } => note_message(commands, id, *class, self.message_seconds),
            Change::Tokens { .. } | Change::Score { .. } | Change::ForgetKey(_) | Change::ForgetKeys(_) => {}
        }
    }

    /// Nothing falls below zero: what would is removed.
    fn unlearn(&self, change: &Change) -> Result<(), Trouble> {
        let Change::Tokens { tokens, class, by: by @ ..0, .. } = change else { return Ok(()) };
        let (field, by) = (field(*class), by.to_string());
        let mut commands = Commands::default();
        for token in tokens {
            commands.add(&[b"HINCRBY", &token_key(token), field, by.as_bytes()]);
        }
        let left = self.connections.ask(&commands)?;
        let mut commands = Commands::default();
        for (token, count) in tokens.iter().zip(left) {
            if count.number().is_none_or(|count| count <= 0) {
                commands.add(&[b"HDEL", &token_key(token), field]);
            } else {
                self.stays(&mut commands, token);
            }
        }
        self.connections.ask(&commands).map(drop)
    }

    fn stays(&self, commands: &mut Commands, token: &Token) {
        if let Some(seconds) = self.token_seconds {
            commands.add(&[b"EXPIRE", &token_key(token), seconds.to_string().as_bytes()]);
        }
    }

    fn counts(&self, tokens: &[Token]) -> Result<Vec<Option<TokenCounts>>, Trouble> {
        let mut commands = Commands::default();
        for token in tokens {
            commands.add(&[b"HMGET", &token_key(token), b"s", b"h"]);
        }
        Ok(self.connections.ask(&commands)?.into_iter().map(counts_of).collect())
    }

    fn class_of(&self, message_id: &str) -> Result<Option<Class>, Trouble> {
        let letter = self.connections.ask_one(&[b"GET", message_key(message_id).as_bytes()])?;
        Ok(letter.text().and_then(Class::of_letter))
    }
}

fn note_message(commands: &mut Commands, id: &str, class: Option<Class>, seconds: Option<i64>) {
    let key = message_key(id);
    let letter = class.map(|class| class.letter().to_string());
    match (letter, seconds.map(|seconds| seconds.to_string())) {
        (Some(letter), Some(seconds)) => {
            commands.add(&[b"SETEX", key.as_bytes(), seconds.as_bytes(), letter.as_bytes()]);
        }
        (Some(letter), None) => commands.add(&[b"SET", key.as_bytes(), letter.as_bytes()]),
        (None, _) => commands.add(&[b"DEL", key.as_bytes()]),
    }
}

impl Memory for RedisServer {
    fn tally(&self) -> Option<Tally> {
        self.complaint.hear(self.counted()).ok()
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        let mut found = self.complaint.hear(self.counts(tokens)).unwrap_or_default();
        found.resize(tokens.len(), None);
        found
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        self.complaint.hear(self.class_of(message_id)).ok().flatten()
    }

    /// Senders are not kept here.
    fn reputation(&self, _: &str) -> Option<Reputation> {
        None
    }
}

fn token_key(token: &Token) -> Vec<u8> {
    [b"w:", token.as_slice()].concat()
}

fn message_key(id: &str) -> String {
    format!("s:{id}")
}

fn field(class: Class) -> &'static [u8] {
    match class {
        Class::Spam => b"s",
        Class::Ham => b"h",
    }
}

/// Of the answer to HMGET.
fn counts_of(reply: Reply) -> Option<TokenCounts> {
    let numbers = reply.list();
    let count = |index| numbers.get(index).and_then(Reply::number).unwrap_or(0).clamp(0, i64::from(u32::MAX));
    let count = |index| u32::try_from(count(index)).unwrap_or(0);
    let counts = TokenCounts { spam: count(0), ham: count(1), used: 0 };
    (counts.spam > 0 || counts.ham > 0).then_some(counts)
}

/// Lives from 0.7 to 1.7 times as long as `seconds`, so that what comes together does not go together.
fn scattered(seconds: i64, key: &[u8]) -> i64 {
    let dice = BuildHasherDefault::<DefaultHasher>::default().hash_one(key) % 1000;
    seconds.saturating_mul(700 + i64::try_from(dice).unwrap_or(0)) / 1000
}
