//! Which directory a folder is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sys::directory::{Directory, Kind, Links};

use super::error::MailError;
use super::mbox::tree;
use super::mutf7;
use super::names::{BadName, FolderName, LEVELS_LIMIT};
use super::{Layout, Listed, Settings};

/// A folder that is being removed has this name, which is nobody's.
pub(crate) const TRASHED: &str = "..DOVECOT-TRASHED";
/// Directories that are looked at for a list of folders.
const DIRECTORIES_LIMIT: usize = 100_000;
/// Names in a tree of Maildirs that are no folders.
const RESERVED: [&str; 3] = ["cur", "new", "tmp"];

/// The directory of a folder below the store's root; empty for INBOX.
pub(crate) fn directory_of(settings: &Settings, name: &FolderName) -> Result<PathBuf, MailError> {
    if name.is_inbox() {
        return Ok(PathBuf::new());
    }
    let bad = |problem| MailError::BadName(BadName { name: name.to_string(), problem });
    let levels: Vec<String> = name.levels().iter().map(|level| on_disk(settings, level)).collect();
    match settings.layout {
        Layout::Mbox if levels.iter().any(|level| tree::is_reserved(level.as_bytes())) => {
            Err(bad("a level has a name that is reserved"))
        }
        Layout::Mbox => Ok(levels.iter().collect()),
        Layout::MaildirPlusPlus if levels.iter().any(|level| level.contains('.')) => {
            Err(bad("a level contains the dot that parts levels on disk"))
        }
        Layout::MaildirPlusPlus => Ok(format!(".{}", levels.join(".")).into()),
        Layout::MaildirTree if levels.iter().any(|level| is_reserved(level.as_bytes())) => {
            Err(bad("a level has a name that is reserved for the mailbox itself"))
        }
        Layout::MaildirTree => Ok(levels.iter().collect()),
    }
}

fn on_disk(settings: &Settings, level: &str) -> String {
    match settings.utf8_names {
        true => mutf7::decode(level).unwrap_or_else(|| level.to_owned()),
        false => level.to_owned(),
    }
}

pub(crate) fn from_disk(settings: &Settings, level: &[u8]) -> Option<String> {
    let level = std::str::from_utf8(level).ok()?;
    Some(if settings.utf8_names { mutf7::encode(level) } else { level.to_owned() })
}

pub(super) fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b".")
        || name.starts_with(b"dovecot")
        || name.starts_with(b"courier")
        || RESERVED.iter().any(|reserved| reserved.as_bytes() == name)
}

/// What there is beside INBOX.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// With their paths.
    pub(crate) folders: BTreeMap<FolderName, PathBuf>,
    /// Directories that are no folders, but may hold some.
    pub(crate) directories: Vec<FolderName>,
}

/// All folders but INBOX, with their paths.
pub(crate) fn folders(settings: &Settings, root: &Directory) -> io::Result<BTreeMap<FolderName, PathBuf>> {
    Ok(found(settings, root)?.folders)
}

/// All folders but INBOX, and directories that could be their parents.
pub(crate) fn found(settings: &Settings, root: &Directory) -> io::Result<Found> {
    let mut found = Found::default();
    match settings.layout {
        Layout::Mbox => return tree::found(settings, root),
        Layout::MaildirPlusPlus => {
            for name in
                directories(settings, root, |name| name.len() > 1 && name[0] == b'.' && name[1] != b'.')?
            {
                let levels = name[1..].split(|byte| *byte == b'.').map(|level| from_disk(settings, level));
                let folder = levels
                    .collect::<Option<Vec<_>>>()
                    .and_then(|levels| FolderName::from_levels(levels).ok());
                // A directory .INBOX is no folder: the name is taken.
                if let Some(folder) = folder.filter(|folder| !folder.is_inbox()) {
                    found.folders.insert(folder, OsStr::from_bytes(&name).into());
                }
            }
        }
        Layout::MaildirTree => walk(settings, root, Path::new(""), &mut Vec::new(), &mut found)?,
    }
    Ok(found)
}

/// The paths of all folders but INBOX.
pub(crate) fn folder_paths(settings: &Settings, root: &Directory) -> io::Result<Vec<PathBuf>> {
    Ok(folders(settings, root)?.into_values().collect())
}

fn walk(
    settings: &Settings,
    here: &Directory,
    path: &Path,
    levels: &mut Vec<String>,
    found: &mut Found,
) -> io::Result<()> {
    if levels.len() >= LEVELS_LIMIT || found.folders.len() + found.directories.len() >= DIRECTORIES_LIMIT {
        return Ok(());
    }
    for name in directories(settings, here, |name| !is_reserved(name))? {
        let Some(level) = from_disk(settings, &name) else { continue };
        let below = path.join(OsStr::from_bytes(&name));
        let Ok(directory) = here.enter(Path::new(OsStr::from_bytes(&name)), settings.links) else { continue };
        levels.push(level);
        if let Ok(folder) = FolderName::from_levels(levels.clone())
            && !folder.is_inbox()
        {
            match directory.facts_of(Path::new("cur")).map(|facts| facts.kind) {
                Ok(Kind::Directory) => drop(found.folders.insert(folder, below.clone())),
                _ => found.directories.push(folder),
            }
        }
        walk(settings, &directory, &below, levels, found)?;
        levels.pop();
    }
    Ok(())
}

fn directories(
    settings: &Settings,
    here: &Directory,
    wanted: impl Fn(&[u8]) -> bool,
) -> io::Result<Vec<Vec<u8>>> {
    let (mut sure, mut unsure) = (Vec::new(), Vec::new());
    here.names(|name, kind| match kind {
        _ if !wanted(name) || sure.len() + unsure.len() >= DIRECTORIES_LIMIT => {}
        Some(Kind::Directory) => sure.push(name.to_vec()),
        None => unsure.push(name.to_vec()),
        Some(Kind::Link) if settings.links == Links::Follow => unsure.push(name.to_vec()),
        Some(_) => {}
    })?;
    unsure.retain(|name| here.enter(Path::new(OsStr::from_bytes(name)), settings.links).is_ok());
    sure.append(&mut unsure);
    Ok(sure)
}

/// The list of a user's folders and directories: those that are there, and the parents that they imply.
pub(crate) fn list(layout: Layout, found: Found) -> Vec<Listed> {
    let mut all: BTreeMap<FolderName, Listed> = BTreeMap::new();
    let entry = |name: FolderName| Listed {
        name,
        selectable: false,
        has_children: false,
        is_directory: false,
        is_leaf: false,
    };
    let folders = found.folders.into_keys().map(|name| (name, true));
    for (name, selectable) in folders.chain(found.directories.into_iter().map(|name| (name, false))) {
        let mut above = name.parent();
        while let Some(parent) = above {
            above = parent.parent();
            all.entry(parent.clone()).or_insert_with(|| entry(parent)).has_children = true;
        }
        let listed = all.entry(name.clone()).or_insert_with(|| entry(name));
        (listed.selectable, listed.is_directory) = (selectable, !selectable);
        listed.is_leaf = selectable && layout == Layout::Mbox;
    }
    let mut inbox = all.remove(&FolderName::inbox()).unwrap_or_else(|| entry(FolderName::inbox()));
    inbox.selectable = true;
    std::iter::once(inbox).chain(all.into_values()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FolderName {
        FolderName::parse(text, '/').unwrap()
    }

    fn listed(settings: &Settings, root: &Path) -> Vec<String> {
        let found = found(settings, &Directory::open(root).unwrap()).unwrap();
        list(settings.layout, found)
            .into_iter()
            .map(|folder| {
                let mark = match (folder.selectable, folder.is_directory) {
                    (true, _) => "",
                    (_, true) => "/",
                    _ => "-",
                };
                format!("{mark}{}{}", folder.name, if folder.has_children { "+" } else { "" })
            })
            .collect()
    }

    #[test]
    fn directories_with_dots_are_folders() {
        let root = tempfile::tempdir().unwrap();
        for path in
            ["cur", ".A.B", ".A.B.C", ".&AOQ-x", ".INBOX", "..DOVECOT-TRASHED", ".x..y", "plain", ".INBOX.z"]
        {
            std::fs::create_dir(root.path().join(path)).unwrap();
        }
        std::fs::write(root.path().join(".file"), "").unwrap();
        let settings = Settings::new("vm", 1);
        assert_eq!(listed(&settings, root.path()), ["INBOX+", "äx", "-A+", "A/B+", "A/B/C", "INBOX/z"]);
        assert_eq!(directory_of(&settings, &name("A/ä")).ok(), Some(".A.ä".into()));
        assert!(directory_of(&settings, &name("a.b")).is_err());
        assert_eq!(directory_of(&settings, &FolderName::inbox()).unwrap(), Path::new(""));
        let utf8 = Settings { utf8_names: true, ..settings };
        assert_eq!(directory_of(&utf8, &name("&AOQ-/b")).ok(), Some(".ä.b".into()));
    }

    #[test]
    fn directories_in_directories_are_folders() {
        let root = tempfile::tempdir().unwrap();
        for path in ["cur", "A/B/cur", "A/x.y/cur", ".hidden/cur", "dovecot-x/cur", "empty"] {
            std::fs::create_dir_all(root.path().join(path)).unwrap();
        }
        let settings = Settings { layout: Layout::MaildirTree, ..Settings::new("vm", 1) };
        assert_eq!(listed(&settings, root.path()), ["INBOX", "/A+", "A/B", "A/x.y", "/empty"]);
        assert!(directory_of(&settings, &name("a/cur")).is_err());
        assert_eq!(directory_of(&settings, &name("a/b.c")).ok(), Some("a/b.c".into()));
    }
}
