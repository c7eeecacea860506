//! Folders that are mbox files: which there are, and how they are made and removed. A directory is the parent of others.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sys::directory::{Directory, Kind, Links};

use crate::store::Settings;
use crate::store::error::MailError;
use crate::store::layout::Found;
use crate::store::names::{FolderName, LEVELS_LIMIT};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Files that are looked at for a list of folders.
const FILES_LIMIT: usize = 100_000;
/// What a lock file of another program ends with.
const LOCK: &[u8] = b".lock";

/// Is it the name of no mailbox? Hidden files are (`.subscriptions`, `.imap`), and files of other kinds that programs
/// leave there.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b".")
        || name.starts_with(b"dovecot")
        || name.starts_with(b"pillarbox.")
        || name.ends_with(LOCK)
}

/// All folders below `home` but INBOX, and the directories.
pub(crate) fn found(settings: &Settings, home: &Directory) -> io::Result<Found> {
    let mut found = Found::default();
    walk(settings, home, Path::new(""), &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn walk(
    settings: &Settings,
    here: &Directory,
    path: &Path,
    levels: &mut Vec<String>,
    found: &mut Found,
) -> io::Result<()> {
    let mut names = Vec::new();
    here.names(|name, _| {
        if !is_reserved(name) && names.len() + found.folders.len() < FILES_LIMIT {
            names.push(name.to_vec());
        }
    })?;
    for name in names {
        let below = Path::new(OsStr::from_bytes(&name));
        let Some(level) = crate::store::layout::from_disk(settings, &name) else { continue };
        levels.push(level);
        match here.facts_of(below).map(|facts| facts.kind) {
            Ok(Kind::File) => {
                if let Ok(folder) = FolderName::from_levels(levels.clone())
                    && !folder.is_inbox()
                {
                    found.folders.insert(folder, path.join(below));
                }
            }
            Ok(Kind::Directory) if levels.len() < LEVELS_LIMIT => {
                if let Ok(directory) = FolderName::from_levels(levels.clone())
                    && !directory.is_inbox()
                {
                    found.directories.push(directory);
                }
                if let Ok(directory) = here.enter(below, Links::Refuse) {
                    walk(settings, &directory, &path.join(below), levels, found)?;
                }
            }
            _ => {}
        }
        levels.pop();
    }
    Ok(())
}

/// Makes the empty file `path` below `home`, and the directories on the way.
///
/// # Errors
/// [`MailError::FolderExists`], [`MailError::Unsupported`] when a file is on the way, [`MailError::Io`].
pub(crate) fn create(
    settings: &Settings,
    home: &Directory,
    path: &Path,
    name: &FolderName,
) -> Result<(), MailError> {
    let make = |here: &Directory, file: &Path| settings.disk.create(here, file, FILE_MODE).map(drop);
    add(settings, home, path, make).map_err(|error| trouble("create", path, name, error))
}

/// As [`create`], a directory for folders to come.
pub(crate) fn create_directory(
    settings: &Settings,
    home: &Directory,
    path: &Path,
    name: &FolderName,
) -> Result<(), MailError> {
    let make = |here: &Directory, last: &Path| settings.disk.make(here, last, DIRECTORY_MODE);
    add(settings, home, path, make).map_err(|error| trouble("create", path, name, error))
}

/// Makes the directories on the way to `path`, has `make` make the last of it, and brings its name to the disk.
fn add(
    settings: &Settings,
    home: &Directory,
    path: &Path,
    make: impl FnOnce(&Directory, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let here = make_parents(settings, home, path)?;
    make(&here, Path::new(path.file_name().unwrap_or_default()))?;
    settings.disk.sync_directory(&here.enter_to_sync(Path::new("."), Links::Refuse)?)
}

/// What it means that a folder can not be put there.
pub(crate) fn trouble(verb: &'static str, path: &Path, name: &FolderName, error: io::Error) -> MailError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => MailError::FolderExists(name.clone()),
        io::ErrorKind::NotADirectory => MailError::Unsupported { what: "a folder below one that is a file" },
        _ => MailError::io(verb, path)(error),
    }
}

/// The directory of `path`, made with those on the way if need be.
pub(crate) fn make_parents(settings: &Settings, home: &Directory, path: &Path) -> io::Result<Directory> {
    let mut here = home.enter(Path::new("."), Links::Refuse)?;
    for name in path.parent().unwrap_or(Path::new("")) {
        match settings.disk.make(&here, Path::new(name), DIRECTORY_MODE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => outcome?,
        }
        here = here.enter(Path::new(name), Links::Refuse)?;
    }
    Ok(here)
}

/// Removes the file `path`. The directory it lay in stays, as it does with Dovecot.
pub(crate) fn remove(settings: &Settings, home: &Directory, path: &Path) -> io::Result<()> {
    settings.disk.remove(home, path)?;
    settings.disk.sync_directory(&home.enter_to_sync(Path::new("."), Links::Refuse)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Layout, Settings};

    #[test]
    fn files_are_folders_and_directories_their_parents() {
        let root = tempfile::tempdir().unwrap();
        let home = Directory::open(root.path()).unwrap();
        let settings = Settings { layout: Layout::Mbox, ..Settings::new("vm", 1) };
        let name = |text: &str| FolderName::parse(text, '/').unwrap();
        let make = |text: &str| create(&settings, &home, Path::new(text), &name(text));
        make("A/B/C").unwrap();
        make("x").unwrap();
        assert!(matches!(make("x"), Err(MailError::FolderExists(_))));
        assert!(matches!(make("x/y"), Err(MailError::Unsupported { .. })));
        for other in [".subscriptions", "x.lock", "inbox", "dovecot-uidvalidity"] {
            std::fs::write(root.path().join(other), "").unwrap();
        }
        std::fs::create_dir(root.path().join(".imap")).unwrap();
        create_directory(&settings, &home, Path::new("e/f"), &name("e/f")).unwrap();
        let shown =
            |names: Vec<FolderName>| -> Vec<String> { names.iter().map(|name| name.to_text('/')).collect() };
        let Found { folders, directories } = found(&settings, &home).unwrap();
        assert_eq!(shown(folders.into_keys().collect()), ["A/B/C", "x"]);
        let mut directories = shown(directories);
        directories.sort();
        assert_eq!(directories, ["A", "A/B", "e", "e/f"]);
        remove(&settings, &home, Path::new("A/B/C")).unwrap();
        assert!(root.path().join("A/B").is_dir());
    }
}
