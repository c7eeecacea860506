//! A database as text, as `sa-learn --backup` of the original writes it, and back.

use std::io::{BufRead, Write};

use spam::learned::{Entry, heading, read_entry, write_entry};

use crate::bayes::Bayes;
use crate::database::{Change, Outcome};
use crate::store::Store;
use crate::trouble::Trouble;

/// Bytes of a line; longer ones are skipped.
const LINE_LIMIT_BYTES: usize = 4_096;

impl Bayes {
    /// Writes tokens and messages down.
    ///
    /// # Errors
    /// [`Trouble`]
    pub fn backup(&self, output: &mut dyn Write) -> Result<(), Trouble> {
        self.flush()?;
        for entry in heading(self.facts()?.tally) {
            output.write_all(write_entry(&entry).as_bytes())?;
        }
        let mut written = Ok(());
        let mut write = |entry: Entry| {
            if written.is_ok() {
                written = output.write_all(write_entry(&entry).as_bytes());
            }
        };
        self.each_token(|token, counts| write(Entry::Token(token, counts)))?;
        self.each_message(|id, class| write(Entry::Message(id.to_owned(), class)))?;
        Ok(written?)
    }
}

impl Store {
    /// Takes a backup in the place of all tokens and messages; returns how many tokens there are. `now` is in seconds
    /// since 1970.
    ///
    /// # Errors
    /// [`Trouble::Backup`], [`Trouble::Io`], [`Trouble::Database`]: then everything is as it was.
    pub fn restore(&self, input: &mut dyn BufRead, now: u32) -> Result<u64, Trouble> {
        self.flush()?;
        let mut change = self.database.change().map_err(self.database.trouble("restore"))?;
        change.clear().map_err(self.database.trouble("restore"))?;
        let mut restoring = Restoring { change, version: None, spam: None, ham: None };
        let mut line = Vec::new();
        while read_line(input, &mut line)? {
            let text = String::from_utf8_lossy(&line);
            if let Some(entry) = read_entry(text.trim_end(), restoring.version, now)? {
                restoring.take(entry).map_err(self.database.trouble("restore"))?;
            }
        }
        restoring.finish(self)
    }
}

/// Reads a line without its end; what is too long of it is skipped. False at the end.
pub(crate) fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE_LIMIT_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// A backup on its way in.
struct Restoring<'a> {
    change: Change<'a>,
    version: Option<u32>,
    spam: Option<u64>,
    ham: Option<u64>,
}

impl Restoring<'_> {
    fn take(&mut self, entry: Entry) -> Outcome<()> {
        match entry {
            Entry::Version(version) => self.version = Some(version),
            Entry::Spam(count) => self.spam = Some(count),
            Entry::Ham(count) => self.ham = Some(count),
            Entry::Token(token, counts) => self.change.token(&token, Some(counts))?,
            Entry::Message(id, class) => self.change.message(&id, Some(class))?,
        }
        Ok(())
    }

    fn finish(mut self, store: &Store) -> Result<u64, Trouble> {
        if self.version.is_none() {
            return Err(spam::learned::BackupError::NoVersion.into());
        }
        let (Some(spam), Some(ham)) = (self.spam, self.ham) else {
            return Err(spam::learned::BackupError::NoTally.into());
        };
        self.change.facts.tally.spam = spam;
        self.change.facts.tally.ham = ham;
        let tokens = self.change.facts.tokens;
        self.change.commit().map_err(store.database.trouble("restore"))?;
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spam::learned::{Class, Memory, Tally};

    const TEXT: &str = "v\t3\tdb_version # this must be the first line!!!\nv\t12\tnum_spam\nv\t34\tnum_nonspam\n\
        t\t1\t2\t50\t0001020304\nt\t3\t0\t60\t0001020305\ns\th\ta@example.com\ns\ts\tb@sa_generated\n";

    #[test]
    fn a_backup_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bayes.lmdb")).unwrap();
        assert_eq!(store.restore(&mut TEXT.as_bytes(), 1_000).unwrap(), 2);
        assert_eq!(store.tally(), Some(Tally { spam: 12, ham: 34 }));
        assert_eq!(store.learned_as("a@example.com"), Some(Class::Ham));
        let facts = store.facts().unwrap();
        assert_eq!((facts.tokens, facts.oldest, facts.newest), (2, 50, 60));
        let mut written = Vec::new();
        Bayes::Local(store).backup(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), TEXT);
    }

    #[test]
    fn a_bad_backup_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bayes.lmdb")).unwrap();
        store.restore(&mut TEXT.as_bytes(), 1_000).unwrap();
        assert!(store.restore(&mut "nonsense\n".as_bytes(), 1_000).is_err());
        assert!(store.restore(&mut "v\t3\tdb_version\nv\t1\tnum_spam\n".as_bytes(), 1_000).is_err());
        assert_eq!(store.tally(), Some(Tally { spam: 12, ham: 34 }));
    }
}
