//! What is noted of folders and of the store as a whole: annotations (RFC 5464), and what folders are for (RFC 6154).
//!
//! They lie in one file of our own beside `subscriptions`, which no other program looks at: a line an entry, the folder's name,
//! the entry's name and its value parted by TABs. The entries' names mean nothing here.

use std::io::Read;
use std::path::Path;

use sys::directory::Links;

use super::error::MailError;
use super::folders::Store;
use super::maildir::write_file;
use super::names::FolderName;
use super::{Layout, Settings};

pub(super) const FILE: &str = "pillarbox-attributes";
const LOCK: &str = "pillarbox-attributes.lock";
/// The file does not become larger, bytes.
const FILE_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// An annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Of which folder; none for the store as a whole.
    pub folder: Option<FolderName>,
    /// Its name, in lower case.
    pub entry: String,
    /// Its value.
    pub value: Vec<u8>,
}

impl Store {
    /// All annotations, in the order in which they were made.
    ///
    /// # Errors
    /// [`MailError::Io`]; [`MailError::Unsupported`] for an mbox.
    pub fn attributes(&self) -> Result<Vec<Attribute>, MailError> {
        can_have(&self.shared().settings)?;
        let trouble = |verb| MailError::io(verb, self.shared().root.join(FILE));
        let file = match self.shared().home.open_to_read(Path::new(FILE), Links::Refuse) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            outcome => outcome.map_err(trouble("open"))?,
        };
        let mut text = Vec::new();
        file.take(FILE_LIMIT_BYTES as u64).read_to_end(&mut text).map_err(trouble("read"))?;
        Ok(parse(&text))
    }

    /// Sets annotations of a folder, or of the store; those without a value go. All or none.
    ///
    /// # Errors
    /// [`MailError::TooManyAttributes`], [`MailError::Locked`], [`MailError::Io`]; [`MailError::Unsupported`] for an mbox.
    pub fn set_attributes(
        &self,
        folder: Option<&FolderName>,
        changes: &[(String, Option<Vec<u8>>)],
        now_us: u64,
    ) -> Result<(), MailError> {
        self.change_attributes(now_us, |all| {
            for (entry, value) in changes {
                set(all, folder, entry, value.as_deref());
            }
        })
    }

    /// The folder is gone, and what was noted of it.
    pub(super) fn forget_attributes(&self, name: &FolderName, now_us: u64) {
        self.follow_attributes(now_us, |all| all.retain(|one| one.folder.as_ref() != Some(name)));
    }

    /// The folder and all below it have another name now.
    pub(super) fn move_attributes(&self, from: &FolderName, to: &FolderName, now_us: u64) {
        self.follow_attributes(now_us, |all| {
            for folder in all.iter_mut().filter_map(|one| one.folder.as_mut()) {
                if folder == from || folder.is_below(from) {
                    *folder = folder.moved(from, to);
                }
            }
        });
    }

    /// What was done to folders is done: a failure here costs annotations only.
    fn follow_attributes(&self, now_us: u64, change: impl FnOnce(&mut Vec<Attribute>)) {
        if self.shared().home.stamp_of(Path::new(FILE)).is_err() {
            return;
        }
        if let Err(error) = self.change_attributes(now_us, change) {
            log::warn!("{error}");
        }
    }

    fn change_attributes(
        &self,
        now_us: u64,
        change: impl FnOnce(&mut Vec<Attribute>),
    ) -> Result<(), MailError> {
        can_have(&self.shared().settings)?;
        let _lock = self.lock(LOCK, now_us)?;
        let mut all = self.attributes()?;
        let before = all.clone();
        change(&mut all);
        if all == before {
            return Ok(());
        }
        let text = to_text(&all);
        if text.len() > FILE_LIMIT_BYTES {
            return Err(MailError::TooManyAttributes { limit_bytes: FILE_LIMIT_BYTES });
        }
        let shared = self.shared();
        let written = write_file(&*shared.settings.disk, &shared.home, FILE, &text);
        written.map(drop).map_err(MailError::io("write", shared.root.join(FILE)))
    }
}

/// Beside an mbox there is no directory of the user's own.
fn can_have(settings: &Settings) -> Result<(), MailError> {
    match settings.layout {
        Layout::Mbox => Err(MailError::Unsupported { what: "an annotation" }),
        _ => Ok(()),
    }
}

fn set(all: &mut Vec<Attribute>, folder: Option<&FolderName>, entry: &str, value: Option<&[u8]>) {
    let is_it = |one: &Attribute| one.folder.as_ref() == folder && one.entry == entry;
    match (all.iter_mut().find(|one| is_it(one)), value) {
        (Some(one), Some(value)) => one.value = value.to_vec(),
        (Some(_), None) => all.retain(|one| !is_it(one)),
        (None, Some(value)) => {
            all.push(Attribute { folder: folder.cloned(), entry: entry.to_owned(), value: value.to_vec() });
        }
        (None, None) => {}
    }
}

fn to_text(all: &[Attribute]) -> Vec<u8> {
    let mut text = Vec::new();
    for one in all {
        let folder = one.folder.as_ref().map(|folder| folder.to_text('/')).unwrap_or_default();
        text.extend(escape(folder.as_bytes()));
        text.push(b'\t');
        text.extend(escape(one.entry.as_bytes()));
        text.push(b'\t');
        text.extend(escape(&one.value));
        text.push(b'\n');
    }
    text
}

/// Lines that make no sense are passed over.
fn parse(text: &[u8]) -> Vec<Attribute> {
    text.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<Attribute> {
    let mut fields = line.split(|byte| *byte == b'\t').map(unescape);
    let folder = String::from_utf8(fields.next()?).ok()?;
    let entry = String::from_utf8(fields.next()?).ok()?;
    let value = fields.next()?;
    let folder = match folder.as_str() {
        "" => None,
        name => Some(FolderName::parse(name, '/').ok()?),
    };
    Some(Attribute { folder, entry, value })
}

/// `\` leads what would part fields or lines.
fn escape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            byte => out.push(*byte),
        }
    }
    out
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(other) => *other,
                None => b'\\',
            },
            byte => *byte,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Stores;

    fn name(text: &str) -> FolderName {
        FolderName::parse(text, '/').unwrap()
    }

    #[test]
    fn annotations_follow_their_folder() {
        let root = tempfile::tempdir().unwrap();
        let store = Stores::new(Settings::new("vm", 1)).open(root.path()).unwrap();
        let value = |text: &str| Some(text.as_bytes().to_vec());
        store.create(&name("a/b"), 1).unwrap();
        store.set_attributes(Some(&name("a/b")), &[("/x".into(), value("1\t\n\\"))], 1).unwrap();
        store.set_attributes(None, &[("/y".into(), value("2")), ("/z".into(), value("3"))], 1).unwrap();
        store.set_attributes(None, &[("/z".into(), None)], 1).unwrap();
        store.rename(&name("a"), &name("c"), 1).unwrap();
        let folders: Vec<_> = store.attributes().unwrap().into_iter().map(|one| one.folder).collect();
        assert_eq!(folders, [Some(name("c/b")), None]);
        assert_eq!(store.attributes().unwrap()[0].value, b"1\t\n\\");
        store.delete(&name("c/b"), 1).unwrap();
        assert_eq!(store.attributes().unwrap().len(), 1);
        let large = vec![b'x'; FILE_LIMIT_BYTES];
        assert!(store.set_attributes(None, &[("/l".into(), Some(large))], 1).is_err());
        assert_eq!(store.attributes().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5)) {
            let one = |(place, value): (usize, Vec<u8>)| Attribute {
                folder: (place % 2 == 0).then(|| name("a/b")),
                entry: format!("/{place}"),
                value,
            };
            let all: Vec<_> = values.into_iter().enumerate().map(one).collect();
            prop_assert_eq!(parse(&to_text(&all)), all);
        }

        #[test]
        fn any_file_is_read(text in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&text);
        }
    }
}
