//! Where UIDVALIDITY numbers come from, as Dovecot has it: the file `dovecot-uidvalidity` holds the last one in
//! hexadecimal, and an empty file `dovecot-uidvalidity.<hex>` is renamed to the next, which only one can do at a time.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sys::directory::{Directory, Links};

use super::maildir::write_file;
use crate::disk::Disk;

pub(crate) const FILE: &str = "dovecot-uidvalidity";
/// How often others may come first.
const ATTEMPTS: usize = 20;
const COUNTER_MODE: u32 = 0o444;

/// A number above all that were given out below `home` before.
pub(crate) fn next(disk: &dyn Disk, home: &Directory, now_us: u64) -> io::Result<u32> {
    let begin = u32::try_from(now_us / 1_000_000).unwrap_or(u32::MAX - 1).max(1);
    for _ in 0..ATTEMPTS {
        let Some((counter, last)) = find_counter(home)? else {
            let number = read_file(home).map_or(begin, |last| begin.max(last.saturating_add(1)));
            return make(disk, home, number).map(|()| number);
        };
        let number = last.max(read_file(home).unwrap_or(0)).saturating_add(1);
        match disk.rename(home, &counter, home, &counter_name(number)) {
            Ok(()) => return note(disk, home, number).map(|()| number),
            // Another was faster: look again.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(begin)
}

fn counter_name(number: u32) -> PathBuf {
    format!("{FILE}.{number:08x}").into()
}

/// The counter file with the highest number.
fn find_counter(home: &Directory) -> io::Result<Option<(PathBuf, u32)>> {
    let mut highest: Option<u32> = None;
    home.names(|name, _| {
        let number = std::str::from_utf8(name)
            .ok()
            .and_then(|name| name.strip_prefix(FILE)?.strip_prefix('.'))
            .filter(|digits| digits.len() == 8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        highest = highest.max(number);
    })?;
    Ok(highest.map(|number| (counter_name(number), number)))
}

fn read_file(home: &Directory) -> Option<u32> {
    let file = home.open_to_read(Path::new(FILE), Links::Refuse).ok()?;
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    u32::from_str_radix(text.trim_end(), 16).ok()
}

fn make(disk: &dyn Disk, home: &Directory, number: u32) -> io::Result<()> {
    match disk.create(home, &counter_name(number), COUNTER_MODE) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    note(disk, home, number)
}

/// Writes the number down. There is no lock: where another process does the same at this moment, its number is as good, and
/// the counter's name is what counts.
fn note(disk: &dyn Disk, home: &Directory, number: u32) -> io::Result<()> {
    match write_file(disk, home, FILE, format!("{number:08x}").as_bytes()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {
            Ok(())
        }
        outcome => outcome.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn numbers_only_grow_and_the_files_are_those_of_dovecot() {
        let root = tempfile::tempdir().unwrap();
        let home = Directory::open(root.path()).unwrap();
        let now_us = 0x6b02_7e40 * 1_000_000;
        assert_eq!(next(&RealDisk, &home, now_us).unwrap(), 0x6b02_7e40);
        assert_eq!(next(&RealDisk, &home, now_us).unwrap(), 0x6b02_7e41);
        assert_eq!(next(&RealDisk, &home, 0).unwrap(), 0x6b02_7e42);
        assert_eq!(std::fs::read_to_string(root.path().join(FILE)).unwrap(), "6b027e42");
        assert!(root.path().join("dovecot-uidvalidity.6b027e42").exists());
        std::fs::remove_file(root.path().join("dovecot-uidvalidity.6b027e42")).unwrap();
        assert_eq!(next(&RealDisk, &home, 5_000_000).unwrap(), 0x6b02_7e43);
    }
}
