//! All that a Redis server keeps, shown and taken back in.

use std::collections::HashSet;
use std::io::BufRead;
use std::time::{SystemTime, UNIX_EPOCH};

use spam::learned::{BackupError, Change, Class, Entry, Tally, Token, TokenCounts, read_entry};

use super::wire::{Commands, Reply};
use super::{RedisServer, field, note_message, scattered, token_key};
use crate::backup::read_line;
use crate::trouble::Trouble;

/// Keys that are asked for at once.
const BUNDLE_KEYS: usize = 1_000;

impl RedisServer {
    /// Shows each token, in no order. When it was used is not known: now, as the original shows it.
    ///
    /// # Errors
    /// [`Trouble::Away`].
    pub fn each_token(&self, mut each: impl FnMut(Token, TokenCounts)) -> Result<(), Trouble> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let used = u32::try_from(now).unwrap_or(u32::MAX);
        let token = |key: Vec<u8>| key.get(2..).and_then(|token| token.try_into().ok());
        let tokens: Vec<Token> = self.keys("w:*")?.into_iter().filter_map(token).collect();
        for bundle in tokens.chunks(BUNDLE_KEYS) {
            for (token, counts) in bundle.iter().zip(self.counts(bundle)?) {
                if let Some(counts) = counts {
                    each(*token, TokenCounts { used, ..counts });
                }
            }
        }
        Ok(())
    }

    /// Shows each message that was learned.
    ///
    /// # Errors
    /// [`Trouble::Away`].
    pub fn each_message(&self, mut each: impl FnMut(&str, Class)) -> Result<(), Trouble> {
        for bundle in self.keys("s:*")?.chunks(BUNDLE_KEYS) {
            let mut words: Vec<&[u8]> = vec![b"MGET"];
            words.extend(bundle.iter().map(Vec::as_slice));
            for (key, letter) in bundle.iter().zip(self.connections.ask_one(&words)?.list()) {
                if let Some(class) = letter.text().and_then(Class::of_letter) {
                    each(&String::from_utf8_lossy(key.get(2..).unwrap_or_default()), class);
                }
            }
        }
        Ok(())
    }

    /// Why nothing is removed when all was to be.
    pub fn why_not_cleared(&self) -> String {
        let database = self.connections.database();
        format!(
            "bayes: nothing is removed from {}, it may hold more than this; redis-cli -n {database} FLUSHDB empties it",
            self.name()
        )
    }

    /// Adds a backup to what there is, which should be nothing; returns how many tokens came.
    ///
    /// # Errors
    /// [`Trouble::Backup`], [`Trouble::Io`], [`Trouble::Away`]; what was read until then stays.
    pub fn restore(&self, input: &mut dyn BufRead, now: u32) -> Result<u64, Trouble> {
        let mut version = None;
        let (mut tally, mut tokens) = (Tally::default(), 0);
        let (mut line, mut commands) = (Vec::new(), Commands::default());
        while read_line(input, &mut line)? {
            let text = String::from_utf8_lossy(&line);
            match read_entry(text.trim_end(), version, now)? {
                Some(Entry::Version(number)) => version = Some(number),
                Some(Entry::Spam(count)) => tally.spam = count,
                Some(Entry::Ham(count)) => tally.ham = count,
                Some(Entry::Token(token, counts)) => {
                    tokens += 1;
                    self.take_token(&mut commands, &token, counts);
                }
                Some(Entry::Message(id, class)) => {
                    let seconds = self.message_seconds.map(|seconds| scattered(seconds, id.as_bytes()));
                    note_message(&mut commands, &id, Some(class), seconds);
                }
                None => {}
            }
            if commands.len() >= BUNDLE_KEYS {
                self.send(&mut commands)?;
            }
        }
        self.send(&mut commands)?;
        if version.is_none() {
            return Err(BackupError::NoVersion.into());
        }
        if tally == Tally::default() {
            return Err(BackupError::NoTally.into());
        }
        let count = |class, count| Change::Messages { class, by: i64::try_from(count).unwrap_or(i64::MAX) };
        self.apply(&[count(Class::Spam, tally.spam), count(Class::Ham, tally.ham)])?;
        Ok(tokens)
    }

    fn take_token(&self, commands: &mut Commands, token: &Token, counts: TokenCounts) {
        let key = token_key(token);
        for (class, count) in [(Class::Spam, counts.spam), (Class::Ham, counts.ham)] {
            if count > 0 {
                commands.add(&[b"HINCRBY", &key, field(class), count.to_string().as_bytes()]);
            }
        }
        if let Some(seconds) = self.token_seconds {
            commands.add(&[b"EXPIRE", &key, scattered(seconds, &key).to_string().as_bytes()]);
        }
    }

    fn send(&self, commands: &mut Commands) -> Result<(), Trouble> {
        self.connections.ask(&std::mem::take(commands)).map(drop)
    }

    /// All keys of a pattern, each once. Not KEYS: that would keep all other hosts waiting.
    fn keys(&self, pattern: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let (mut found, mut cursor) = (HashSet::new(), b"0".to_vec());
        let count = BUNDLE_KEYS.to_string();
        loop {
            let words: [&[u8]; 6] =
                [b"SCAN", &cursor, b"MATCH", pattern.as_bytes(), b"COUNT", count.as_bytes()];
            let mut answer = self.connections.ask_one(&words)?.list().into_iter();
            cursor = answer.next().and_then(Reply::bytes).unwrap_or_default();
            found.extend(
                answer.next().map(Reply::list).unwrap_or_default().into_iter().filter_map(Reply::bytes),
            );
            if cursor.is_empty() || cursor == b"0" {
                return Ok(found.into_iter().collect());
            }
        }
    }
}
