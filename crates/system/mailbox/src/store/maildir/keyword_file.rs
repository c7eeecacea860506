//! `dovecot-keywords` as a file.

use std::io::{self, Read};
use std::path::Path;

use sys::directory::Links;

use super::Maildir;
use super::list_file::write_file;
use crate::store::error::MailError;
use crate::store::filename::LETTERED_KEYWORDS;
use crate::store::keywords;
use crate::store::lock::{self, Wanted};

pub(super) const KEYWORDS: &str = "dovecot-keywords";
/// A file that is larger names no keywords.
const FILE_LIMIT_BYTES: u64 = 64 * 1024;

impl Maildir {
    /// Reads the names that letters stand for; those of our own beyond the letters stay.
    pub(super) fn read_keywords(&mut self, known: &mut Vec<String>) -> Result<(), MailError> {
        let trouble = self.trouble("read", KEYWORDS);
        let home = &self.enter()?.home;
        let file = match home.open_to_read(Path::new(KEYWORDS), Links::Refuse) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            outcome => outcome,
        };
        let mut text = Vec::new();
        let read = file.and_then(|file| file.take(FILE_LIMIT_BYTES).read_to_end(&mut text));
        read.map_err(trouble)?;
        let mut names = keywords::parse(&String::from_utf8_lossy(&text));
        if known.len() > LETTERED_KEYWORDS {
            names.resize(LETTERED_KEYWORDS, String::new());
            names.extend_from_slice(&known[LETTERED_KEYWORDS..]);
        }
        *known = names;
        Ok(())
    }

    /// Writes the names; the caller holds the lock of the Maildir.
    pub(super) fn write_keywords(&mut self, names: &[String], now_us: u64) -> Result<(), MailError> {
        let trouble = self.trouble("write", KEYWORDS);
        let (shared, path) = (self.shared.clone(), self.full_path());
        let home = &self.enter()?.home;
        let _lock = Wanted {
            settings: &shared.settings,
            directory: home,
            path: &path,
            name: "dovecot-keywords.lock",
            patience: shared.settings.lock_patience,
            stale_after: lock::STALE_AFTER,
            now_us,
        }
        .acquire()?;
        write_file(&*shared.settings.disk, home, KEYWORDS, keywords::to_text(names).as_bytes())
            .map(drop)
            .map_err(trouble)
    }
}
