//! How full a store is: `maildirsize`, as Maildir++ has it.
//!
//! The first line tells the limits, `<bytes>S,<messages>C`; the others are signed sums, the first of them that of all
//! messages when the file was made, the others what came and went since. It is made anew when it has become long.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sys::directory::{self, Directory, Links};

use super::error::MailError;
use super::folder::Quota;
use super::maildir::write_file;
use super::root::Root;
use super::{Layout, Limits, filename, layout};
use crate::disk::Disk;

const FILE: &str = "maildirsize";
/// A longer file is made anew, bytes.
const FILE_LIMIT_BYTES: u64 = 5120;
/// One who is over the limit by a sum that is older than this is counted again, seconds.
const RECOUNT_AFTER_S: u64 = 15 * 60;

/// Bytes and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    bytes: i64,
    messages: i64,
}

impl Root {
    /// What is used of how much; counted afresh where the file does not tell.
    pub(crate) fn quota(&self, inbox: &Path, now_us: u64) -> Result<Quota, MailError> {
        let trouble = MailError::io("count", &self.root);
        let sum = match self.settings.layout {
            Layout::Mbox => self.file_sizes(inbox),
            _ => self.with_ledger(|ledger| ledger.sum(now_us)),
        };
        let (sum, limits) = (sum.map_err(trouble)?, self.limits());
        Ok(Quota {
            used_bytes: u64::try_from(sum.bytes).unwrap_or(0),
            used_messages: u64::try_from(sum.messages).unwrap_or(0),
            limit_bytes: limits.bytes,
            limit_messages: limits.messages,
        })
    }

    /// Is there room for so much more? An mbox file is not looked at: its limit is kept where it is written.
    pub(crate) fn check_room(&self, bytes: u64, messages: u64, now_us: u64) -> Result<(), MailError> {
        if self.limits().is_none() || self.settings.layout == Layout::Mbox {
            return Ok(());
        }
        let room = self.with_ledger(|ledger| ledger.has_room(bytes, messages, now_us));
        match room.map_err(MailError::io("count", &self.root))? {
            true => Ok(()),
            false => {
                let Limits { bytes: limit_bytes, messages: limit_messages } = self.limits();
                Err(MailError::OverQuota { limit_bytes, limit_messages })
            }
        }
    }

    /// Notes what came or went, where somebody keeps a sum.
    pub(crate) fn note_change(&self, bytes: i64, messages: i64) {
        if messages != 0 && self.settings.layout != Layout::Mbox {
            self.with_ledger(|ledger| ledger.note(bytes, messages));
        }
    }

    /// Does anybody want to know what comes and goes?
    pub(crate) fn keeps_sum(&self) -> bool {
        self.home.stamp_of(Path::new(FILE)).is_ok()
    }

    fn with_ledger<R>(&self, use_it: impl FnOnce(&Ledger<'_>) -> R) -> R {
        let folders = || layout::folder_paths(&self.settings, &self.home);
        let (home, disk, links) = (&self.home, &*self.settings.disk, self.settings.links);
        use_it(&Ledger { home, disk, links, path: &self.root, limits: self.limits(), folders: &folders })
    }

    /// An mbox counts with all its bytes, and its messages are not counted.
    fn file_sizes(&self, inbox: &Path) -> io::Result<Sum> {
        let mut sum = Sum::default();
        if let Ok(facts) = std::fs::metadata(inbox) {
            sum.bytes = sum.bytes.saturating_add_unsigned(facts.len());
        }
        for path in layout::folders(&self.settings, &self.home)?.values() {
            if let Ok(stamp) = self.home.stamp_of(path) {
                sum.bytes = sum.bytes.saturating_add_unsigned(stamp.size);
            }
        }
        Ok(sum)
    }
}

/// The sum of a user's Maildir, and its file.
pub(crate) struct Ledger<'a> {
    /// The Maildir of INBOX, and its path, for messages.
    pub(crate) home: &'a Directory,
    pub(crate) path: &'a Path,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) links: Links,
    pub(crate) limits: Limits,
    /// The paths of the other folders.
    pub(crate) folders: &'a dyn Fn() -> io::Result<Vec<PathBuf>>,
}

impl Ledger<'_> {
    /// What is used; counted afresh where the file does not tell.
    fn sum(&self, now_us: u64) -> io::Result<Sum> {
        let known =
            self.read().filter(|(sum, age_s)| !(self.is_over(*sum) && age_s(now_us) > RECOUNT_AFTER_S));
        known.map_or_else(|| self.recount(), |(sum, _)| Ok(sum))
    }

    /// Is there room for so much more?
    pub(crate) fn has_room(&self, bytes: u64, messages: u64, now_us: u64) -> io::Result<bool> {
        let used = self.sum(now_us)?;
        let fits = |used: i64, more: u64, limit: u64| {
            limit == 0 || u64::try_from(used).unwrap_or(0).saturating_add(more) <= limit
        };
        let Limits { bytes: limit_bytes, messages: limit_messages } = self.limits;
        Ok(fits(used.bytes, bytes, limit_bytes) && fits(used.messages, messages, limit_messages))
    }

    /// Notes what came or went, where there is a file.
    pub(crate) fn note(&self, bytes: i64, messages: i64) {
        let Ok(file) = self.home.open_to_write(Path::new(FILE), Links::Refuse) else { return };
        let Ok(stamp) = directory::stamp(&file) else { return };
        // Who loses a line by another's is counted again when the file has become long.
        let _ = self.disk.write(&file, format!("{bytes} {messages}\n").as_bytes(), stamp.size);
    }

    fn is_over(&self, sum: Sum) -> bool {
        let over = |used: i64, limit: u64| limit > 0 && u64::try_from(used).unwrap_or(0) > limit;
        over(sum.bytes, self.limits.bytes) || over(sum.messages, self.limits.messages)
    }

    /// The sum that the file tells, and how old the file is at a moment; none when it is to be made anew.
    fn read(&self) -> Option<(Sum, impl Fn(u64) -> u64 + use<>)> {
        let file = self.home.open_to_read(Path::new(FILE), Links::Refuse).ok()?;
        let stamp = directory::stamp(&file).ok().filter(|stamp| stamp.size <= FILE_LIMIT_BYTES)?;
        let mut text = String::new();
        file.take(FILE_LIMIT_BYTES).read_to_string(&mut text).ok()?;
        let sum = parse(&text, self.limits)?;
        let modified_s = u64::try_from(stamp.modified_ns / 1_000_000_000).unwrap_or(0);
        Some((sum, move |now_us: u64| (now_us / 1_000_000).saturating_sub(modified_s)))
    }

    /// Counts all messages, and writes the sum where there are limits.
    fn recount(&self) -> io::Result<Sum> {
        let mut sum = Sum::default();
        count(self.home, &mut sum)?;
        for path in (self.folders)()? {
            if let Ok(folder) = self.home.enter(&path, self.links) {
                count(&folder, &mut sum)?;
            }
        }
        if !self.limits.is_none() {
            let text = format!("{}\n{} {}\n", self.limits.to_line(), sum.bytes, sum.messages);
            if let Err(error) = write_file(self.disk, self.home, FILE, text.as_bytes()) {
                log::warn!("write {}: {error}", self.path.join(FILE).display());
            }
        }
        Ok(sum)
    }
}

/// None when the limits are others, or a line makes no sense.
fn parse(text: &str, limits: Limits) -> Option<Sum> {
    let mut lines = text.lines();
    if Limits::parse(lines.next()?) != Ok(limits) {
        return None;
    }
    let mut sum = Sum::default();
    for line in lines {
        let (bytes, messages) = line.trim().split_once(' ')?;
        sum.bytes = sum.bytes.checked_add(bytes.parse().ok()?)?;
        sum.messages = sum.messages.checked_add(messages.trim().parse().ok()?)?;
    }
    (sum.bytes >= 0 && sum.messages >= 0).then_some(sum)
}

/// Adds the messages of a Maildir.
fn count(home: &Directory, sum: &mut Sum) -> io::Result<()> {
    for name in ["new", "cur"] {
        let Ok(directory) = home.enter(Path::new(name), Links::Refuse) else { continue };
        let mut unsized_names = Vec::new();
        directory.names(|name, _| match filename::size_on_disk(name) {
            _ if name.first() == Some(&b'.') => {}
            Some(bytes) => sum.add(bytes),
            None => unsized_names.push(name.to_vec()),
        })?;
        for name in unsized_names {
            if let Ok(stamp) = directory.stamp_of(Path::new(OsStr::from_bytes(&name))) {
                sum.add(stamp.size);
            }
        }
    }
    Ok(())
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add_unsigned(bytes);
        self.messages += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_added_up_while_they_make_sense() {
        let limits = Limits { bytes: 9, messages: 0 };
        for text in ["9S,0C\n100 3\n-20 -1\n5 1\n", "9S\n 85 3\n"] {
            assert_eq!(parse(text, limits), Some(Sum { bytes: 85, messages: 3 }), "{text}");
        }
        for text in ["8S,0C\n1 1\n", "9S,0C\nx\n", "9S,0C\n-1 -1\n", "", "9S,0C\n1 99999999999999999999\n"] {
            assert_eq!(parse(text, limits), None, "{text}");
        }
    }
}
