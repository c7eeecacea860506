//! Messages in files, folders and mailboxes, one after another, as the tools of SpamAssassin find them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::site::reason;

/// Bytes of one message.
const MESSAGE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;
/// How deep folders lie in folders.
const DEPTH_LIMIT: usize = 64;
/// How compressed files begin, and what unpacks them.
const COMPRESSED: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP", "lzip"),
    (b"\x89LZO\x00\x0d", "lzop"),
];
/// The date on the line between two messages of an mbox: `S` is anything but a blank, `d` a digit, `.` anything.
const DATES: [&[u8]; 2] = [b"SSS SSS .d .d:dd:dd dddd", b".d-dd-dddd_dd:dd:dd_"];

/// How messages lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A folder is a folder of messages, a name with `.mbox` in it an mbox, anything else one message.
    #[default]
    Detect,
    /// One message.
    File,
    /// A folder of files, or a Maildir.
    Directory,
    /// Many messages, each behind a `From ` line.
    Mbox,
}

impl Format {
    /// The format of this name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "" | "detect" => Self::Detect,
            "file" | "single" => Self::File,
            "dir" => Self::Directory,
            "mbox" => Self::Mbox,
            _ => return None,
        })
    }
}

/// What is done with each message; an error ends the walk.
pub type Visit<'a, E> = dyn FnMut(Vec<u8>) -> Result<(), E> + 'a;

/// Walks over messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Walk {
    /// Larger messages are passed over; `None` for no limit but our own.
    pub size_limit_bytes: Option<u64>,
}

/// What went wrong on the way, which goes on all the same.
pub type Complaints = Vec<String>;

impl Walk {
    /// Visits each message at `place`; `-` is standard input.
    ///
    /// # Errors
    /// What `visit` returns.
    pub fn visit<E>(
        &self,
        place: &Path,
        format: Format,
        complaints: &mut Complaints,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let standard_input = place == Path::new("-");
        let format = match format {
            Format::Detect if standard_input => Format::File,
            Format::Detect if place.is_dir() => Format::Directory,
            Format::Detect if place.to_string_lossy().to_ascii_lowercase().contains(".mbox") => Format::Mbox,
            Format::Detect => Format::File,
            told => told,
        };
        match format {
            Format::Mbox if standard_input => self.mbox(&mut io::stdin().lock(), place, complaints, visit),
            Format::Mbox => self.mboxes(place, complaints, visit),
            Format::Directory => self.directory(place, 0, complaints, visit),
            _ if standard_input => self.message(&mut io::stdin().lock(), place, complaints, visit),
            _ => self.file(place, complaints, visit),
        }
    }

    fn message<E>(
        &self,
        from: &mut dyn Read,
        place: &Path,
        complaints: &mut Complaints,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let limit = self.size_limit_bytes.unwrap_or(MESSAGE_LIMIT_BYTES);
        let mut message = Vec::new();
        match from.take(limit + 1).read_to_end(&mut message) {
            Err(error) => complaints.push(format!("{}: {}", place.display(), reason(&error))),
            Ok(size) if size as u64 > limit => {
                complaints.push(format!("skipping large message: {}, limit {limit} bytes", place.display()));
            }
            Ok(_) => return visit(message),
        }
        Ok(())
    }

    fn file<E>(&self, path: &Path, complaints: &mut Complaints, visit: &mut Visit<'_, E>) -> Result<(), E> {
        match open(path) {
            Ok(mut file) => self.message(&mut file, path, complaints, visit),
            Err(error) => {
                complaints.push(no_access(path, &error));
                Ok(())
            }
        }
    }

    fn directory<E>(
        &self,
        path: &Path,
        depth: usize,
        complaints: &mut Complaints,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let maildir = ["new", "cur", "tmp"].iter().all(|name| path.join(name).is_dir());
        let names = if maildir {
            // What is marked as deleted is not there any more.
            let kept = |name: &str| !name.starts_with('.') && !flags(name).contains('T');
            let mut names = entries(&path.join("new"), kept, complaints);
            names.extend(entries(&path.join("cur"), kept, complaints));
            names
        } else {
            entries(path, |name| !name.starts_with([',', '.']), complaints)
        };
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            names.into_iter().partition(|name| name.is_dir());
        for file in files {
            self.file(&file, complaints, visit)?;
        }
        for folder in folders.into_iter().filter(|_| depth < DEPTH_LIMIT) {
            self.directory(&folder, depth + 1, complaints, visit)?;
        }
        Ok(())
    }

    /// An mbox, or all of a folder.
    fn mboxes<E>(&self, path: &Path, complaints: &mut Complaints, visit: &mut Visit<'_, E>) -> Result<(), E> {
        let files = if path.is_dir() {
            let plain = |name: &str| !name.starts_with('.') && !name.contains(char::is_whitespace);
            entries(path, plain, complaints).into_iter().filter(|name| name.is_file()).collect()
        } else {
            vec![path.to_owned()]
        };
        for file in files {
            match open(&file) {
                Ok(opened) => self.mbox(&mut BufReader::new(opened), &file, complaints, visit)?,
                Err(error) => complaints.push(no_access(&file, &error)),
            }
        }
        Ok(())
    }

    /// What stands before the first `From ` line belongs to no message.
    fn mbox<E>(
        &self,
        from: &mut dyn BufRead,
        place: &Path,
        complaints: &mut Complaints,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let limit = self.size_limit_bytes.unwrap_or(MESSAGE_LIMIT_BYTES);
        let mut message: Option<Vec<u8>> = None;
        let mut finish = |message: Vec<u8>, complaints: &mut Complaints| {
            if message.len() as u64 <= limit {
                return visit(message);
            }
            complaints.push(format!("skipping large message: {}, limit {limit} bytes", place.display()));
            Ok(())
        };
        loop {
            let mut line = Vec::new();
            match from.take(MESSAGE_LIMIT_BYTES).read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    complaints.push(format!("{}: {}", place.display(), reason(&error)));
                    break;
                }
            }
            if is_separator(&line) {
                if let Some(whole) = message.replace(line) {
                    finish(whole, complaints)?;
                }
            } else if let Some(message) = message.as_mut().filter(|message| message.len() as u64 <= limit) {
                message.extend_from_slice(&line);
            }
        }
        message.map_or(Ok(()), |whole| finish(whole, complaints))
    }
}

/// The flags of a Maildir file's name.
fn flags(name: &str) -> &str {
    name.split_once(":2,").map_or("", |(_, flags)| flags)
}

fn no_access(path: &Path, error: &io::Error) -> String {
    format!("archive-iterator: no access to {}: {}", path.display(), reason(error))
}

/// What is in a folder, sorted by name.
fn entries(path: &Path, wanted: impl Fn(&str) -> bool, complaints: &mut Complaints) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let mut names: Vec<PathBuf> = entries
                .flatten()
                .filter(|entry| wanted(&entry.file_name().to_string_lossy()))
                .map(|entry| entry.path())
                .collect();
            names.sort();
            names
        }
        Err(error) => {
            complaints.push(no_access(path, &error));
            Vec::new()
        }
    }
}

/// A file, unpacked when it is compressed.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(Box::new(file));
    }
    let mut begin = Vec::new();
    (&mut file).take(8).read_to_end(&mut begin)?;
    if let Some((_, program)) = COMPRESSED.iter().find(|(magic, _)| begin.starts_with(magic)) {
        let unpacked = Command::new(program)
            .arg("-cd")
            .arg(path)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        return Ok(Box::new(io::Cursor::new(unpacked.stdout)));
    }
    Ok(Box::new(io::Cursor::new(begin).chain(file)))
}

/// Does a message of an mbox begin here? (The default of `mbox_format_from_regex`.)
pub(crate) fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let sender = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let blanks = rest[sender..].iter().take_while(|byte| **byte == b' ').count();
    let date = &rest[sender + blanks.min(2)..];
    let fits = |pattern: &[u8]| {
        date.len() >= pattern.len()
            && pattern.iter().zip(date).all(|(expected, found)| match expected {
                b'S' => !found.is_ascii_whitespace(),
                b'd' => found.is_ascii_digit(),
                b'.' => *found != b'\n',
                byte => byte == found,
            })
    };
    sender > 0 && blanks > 0 && DATES.iter().any(|pattern| fits(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(place: &Path, format: Format, walk: Walk) -> (Vec<String>, Complaints) {
        let (mut found, mut complaints) = (Vec::new(), Complaints::new());
        let mut keep = |message: Vec<u8>| -> Result<(), ()> {
            found.push(String::from_utf8(message).unwrap());
            Ok(())
        };
        walk.visit(place, format, &mut complaints, &mut keep).unwrap();
        (found, complaints)
    }

    #[test]
    fn messages_of_an_mbox_are_separated_by_dates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mbox");
        let one = "From a@b  Sun Nov 22 08:00:00 2026\nA: 1\n\nFrom here on\n";
        let two = "From c Sun Nov  1 08:00:00 2026\nA: 2\n\nx\n";
        fs::write(&path, format!("garbage\n{one}{two}")).unwrap();
        assert_eq!(all(&path, Format::Detect, Walk::default()).0, [one, two]);
        assert_eq!(all(&path, Format::File, Walk::default()).0.len(), 1);
        let small = Walk { size_limit_bytes: Some(two.len() as u64) };
        let (found, complaints) = all(&path, Format::Mbox, small);
        assert_eq!((found.as_slice(), complaints.len()), (&[two.to_owned()][..], 1));
    }

    #[test]
    fn folders_and_maildirs() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["new", "cur", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("new/1"), "one").unwrap();
        fs::write(folder.path().join("cur/2:2,S"), "two").unwrap();
        fs::write(folder.path().join("cur/3:2,ST"), "gone").unwrap();
        fs::write(folder.path().join("tmp/4"), "half").unwrap();
        assert_eq!(all(folder.path(), Format::Detect, Walk::default()).0, ["one", "two"]);
        let plain = folder.path().join("cur");
        assert_eq!(all(&plain, Format::Detect, Walk::default()).0, ["two", "gone"]);
        let (found, complaints) = all(&folder.path().join("none"), Format::Detect, Walk::default());
        assert_eq!((found.len(), complaints.len()), (0, 1));
    }
}
