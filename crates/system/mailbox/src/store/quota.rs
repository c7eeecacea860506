//! How full a store is: `maildirsize`, as Maildir++ has it.
//!
//! The first line tells the limits, `<bytes>S,<messages>C`; the others are signed sums, the first of them that of all
//! messages when the file was made, the others what came and went since. It is made anew when it has become long.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sys::directory::{self, Directory, Links};

use super::error::MailError;
use super::folder::Quota;
use super::maildir::write_file;
use super::root::Root;
use super::{Layout, filename, layout};

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
    pub(crate) fn quota(&self, now_us: u64) -> Result<Quota, MailError> {
        if self.settings.layout == Layout::Mbox {
            return Err(MailError::Unsupported { what: "a quota" });
        }
        let trouble = MailError::io("count", &self.root);
        let known =
            self.read_sums().filter(|(sum, age_s)| !(self.is_over(*sum) && age_s(now_us) > RECOUNT_AFTER_S));
        let sum = match known {
            Some((sum, _)) => sum,
            None => self.recount().map_err(trouble)?,
        };
        Ok(Quota {
            used_bytes: u64::try_from(sum.bytes).unwrap_or(0),
            used_messages: u64::try_from(sum.messages).unwrap_or(0),
            limit_bytes: self.settings.quota_bytes,
            limit_messages: self.settings.quota_messages,
        })
    }

    /// Is there room for so much more?
    pub(crate) fn check_room(&self, bytes: u64, messages: u64, now_us: u64) -> Result<(), MailError> {
        let (limit_bytes, limit_messages) = (self.settings.quota_bytes, self.settings.quota_messages);
        if (limit_bytes == 0 && limit_messages == 0) || self.settings.layout == Layout::Mbox {
            return Ok(());
        }
        let used = self.quota(now_us)?;
        let over = |used: u64, more: u64, limit: u64| limit > 0 && used.saturating_add(more) > limit;
        if over(used.used_bytes, bytes, limit_bytes) || over(used.used_messages, messages, limit_messages) {
            return Err(MailError::OverQuota { limit_bytes, limit_messages });
        }
        Ok(())
    }

    /// Notes what came or went, where somebody keeps a sum.
    pub(crate) fn note_change(&self, bytes: i64, messages: i64) {
        if messages == 0 || self.settings.layout == Layout::Mbox {
            return;
        }
        let Ok(file) = self.home.open_to_write(Path::new(FILE), Links::Refuse) else { return };
        let Ok(stamp) = directory::stamp(&file) else { return };
        // Who loses a line by another's is counted again when the file has become long.
        let _ = self.settings.disk.write(&file, format!("{bytes} {messages}\n").as_bytes(), stamp.size);
    }

    /// Does anybody want to know what comes and goes?
    pub(crate) fn keeps_sum(&self) -> bool {
        self.home.stamp_of(Path::new(FILE)).is_ok()
    }

    fn is_over(&self, sum: Sum) -> bool {
        let over = |used: i64, limit: u64| limit > 0 && u64::try_from(used).unwrap_or(0) > limit;
        over(sum.bytes, self.settings.quota_bytes) || over(sum.messages, self.settings.quota_messages)
    }

    /// The sum that the file tells, and how old the file is at a moment; none when it is to be made anew.
    fn read_sums(&self) -> Option<(Sum, impl Fn(u64) -> u64 + use<>)> {
        let file = self.home.open_to_read(Path::new(FILE), Links::Refuse).ok()?;
        let stamp = directory::stamp(&file).ok().filter(|stamp| stamp.size <= FILE_LIMIT_BYTES)?;
        let mut text = String::new();
        file.take(FILE_LIMIT_BYTES).read_to_string(&mut text).ok()?;
        let sum = parse(&text, &self.limits_line())?;
        let modified_s = u64::try_from(stamp.modified_ns / 1_000_000_000).unwrap_or(0);
        Some((sum, move |now_us: u64| (now_us / 1_000_000).saturating_sub(modified_s)))
    }

    fn limits_line(&self) -> String {
        format!("{}S,{}C", self.settings.quota_bytes, self.settings.quota_messages)
    }

    /// Counts all messages, and writes the sum where there are limits.
    fn recount(&self) -> io::Result<Sum> {
        let mut sum = Sum::default();
        count(&self.home, &mut sum)?;
        for path in layout::folders(&self.settings, &self.home)?.values() {
            if let Ok(folder) = self.home.enter(path, self.settings.links) {
                count(&folder, &mut sum)?;
            }
        }
        if self.settings.quota_bytes > 0 || self.settings.quota_messages > 0 {
            let text = format!("{}\n{} {}\n", self.limits_line(), sum.bytes, sum.messages);
            if let Err(error) = write_file(&*self.settings.disk, &self.home, FILE, text.as_bytes()) {
                log::warn!("write {}: {error}", self.root.join(FILE).display());
            }
        }
        Ok(sum)
    }
}

/// None when the limits are others, or a line makes no sense.
fn parse(text: &str, limits: &str) -> Option<Sum> {
    let mut lines = text.lines();
    if lines.next()? != limits {
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
        assert_eq!(parse("9S,0C\n100 3\n-20 -1\n5 1\n", "9S,0C"), Some(Sum { bytes: 85, messages: 3 }));
        for text in ["8S,0C\n1 1\n", "9S,0C\nx\n", "9S,0C\n-1 -1\n", "", "9S,0C\n1 99999999999999999999\n"] {
            assert_eq!(parse(text, "9S,0C"), None, "{text}");
        }
    }
}
