//! Which folders there are as one who watches sees it: what is the same under another name, and where changes show.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sys::directory::{Directory, Kind};

use super::attributes;
use super::error::MailError;
use super::folder::{WatchPlace, Watched};
use super::folders::{HIDDEN_SUBSCRIPTIONS, SUBSCRIPTIONS, Store};
use super::layout;
use super::mbox::tree;
use super::names::{FolderName, LEVELS_LIMIT};
use super::{Layout, Settings};

/// Directories of folders in which changes are looked for; folders in others are seen when something else changes.
const DIRECTORIES_LIMIT: usize = 2000;

/// What a folder is whatever its name: the directory or the file on its disk, and what the directory is called inside, for
/// a new one may get the number of one that has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderIdentity {
    device: u64,
    inode: u64,
    /// None: nobody has opened it yet.
    guid: Option<[u8; 16]>,
}

impl FolderIdentity {
    /// Is `later` the same folder? It may have been opened meanwhile.
    pub fn is_same(&self, later: &Self) -> bool {
        let guid = self.guid.is_none() || self.guid == later.guid;
        guid && (self.device, self.inode) == (later.device, later.inode)
    }
}

impl Store {
    /// All folders but INBOX, which always is, and what each of them is.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn identities(&self) -> Result<BTreeMap<FolderName, FolderIdentity>, MailError> {
        let home = &self.shared().home;
        let identity = |(name, path): (FolderName, PathBuf)| {
            // One that goes meanwhile is gone.
            let facts = home.facts_of(&path).ok()?;
            // That of an mbox is made from its name.
            let guid = if self.is_mbox() { None } else { self.guid_of(&path) };
            Some((name, FolderIdentity { device: facts.device, inode: facts.inode, guid }))
        };
        Ok(self.folders()?.into_iter().filter_map(identity).collect())
    }

    /// Where it shows that a folder changes, without a look whether it is there.
    ///
    /// # Errors
    /// [`MailError::BadName`], [`MailError::Unsupported`].
    pub fn watch_place_of(&self, name: &FolderName) -> Result<WatchPlace, MailError> {
        let path = match self.is_mbox() && name.is_inbox() {
            true => self.inbox().to_owned(),
            false => self.shared().root.join(self.path_of(name)?),
        };
        Ok(WatchPlace(match self.is_mbox() {
            true => Watched::File(path),
            false => Watched::Directories(vec![path.join("new"), path.join("cur")]),
        }))
    }

    /// Where it shows that folders come, go or get other names, that subscriptions change, or annotations.
    pub fn watch_place(&self) -> WatchPlace {
        let shared = self.shared();
        let layout = shared.settings.layout;
        let mut directories = vec![shared.root.clone()];
        if layout != Layout::MaildirPlusPlus {
            walk(&shared.settings, &shared.home, &shared.root, 0, &mut directories);
        }
        WatchPlace(Watched::Folders { layout, directories })
    }
}

fn walk(settings: &Settings, here: &Directory, path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let mut names: Vec<OsString> = Vec::new();
    let listed = here.names(|name, kind| {
        if matches!(kind, Some(Kind::Directory) | None) && is_level(settings.layout, name) {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    });
    // What can not be listed has no folders.
    if listed.is_err() || depth >= LEVELS_LIMIT {
        return;
    }
    for name in names {
        if found.len() >= DIRECTORIES_LIMIT {
            return;
        }
        if let Ok(below) = here.enter(Path::new(&name), settings.links) {
            let path = path.join(&name);
            found.push(path.clone());
            walk(settings, &below, &path, depth + 1, found);
        }
    }
}

/// May a directory of this name be a level of a folder's name?
fn is_level(layout: Layout, name: &[u8]) -> bool {
    match layout {
        Layout::MaildirPlusPlus => name.len() > 1 && name[0] == b'.' && name[1] != b'.',
        Layout::MaildirTree => !layout::is_reserved(name),
        Layout::Mbox => !tree::is_reserved(name),
    }
}

/// Has a change of this entry to do with which folders there are, or with what is noted of them?
pub(super) fn concerns_folders(layout: Layout, name: &OsStr) -> bool {
    let name = name.as_bytes();
    let noted = [SUBSCRIPTIONS, HIDDEN_SUBSCRIPTIONS, attributes::FILE];
    // A mere parent becomes a folder when it gets this.
    let becomes_folder = layout == Layout::MaildirTree && name == b"cur";
    becomes_folder || is_level(layout, name) || noted.iter().any(|own| own.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Stores, Watcher};

    fn name(text: &str) -> FolderName {
        FolderName::parse(text, '/').unwrap()
    }

    fn store(layout: Layout) -> (tempfile::TempDir, std::sync::Arc<Store>) {
        let root = tempfile::tempdir().unwrap();
        let inbox = if layout == Layout::Mbox { root.path().join("inbox") } else { root.path().join("mail") };
        let settings = Settings { layout, ..Settings::new("vm", 1) };
        let folders = (layout == Layout::Mbox).then(|| root.path().join("folders"));
        let limits = crate::store::Limits::default();
        let location = crate::store::Location { inbox, layout, folders, utf8_names: false, limits };
        let store = Stores::new(settings).open_at(&location).unwrap();
        (root, store)
    }

    #[test]
    fn a_folder_is_the_same_under_another_name() {
        for layout in [Layout::MaildirPlusPlus, Layout::MaildirTree, Layout::Mbox] {
            let (_root, store) = store(layout);
            store.create(&name("a/b"), 1).unwrap();
            let before = store.identities().unwrap()[&name("a/b")];
            store.rename(&name("a/b"), &name("c"), 1).unwrap();
            store.create(&name("a/b"), 1).unwrap();
            store.folder(&name("c"), 1).unwrap().sync(1).unwrap();
            let after = store.identities().unwrap();
            assert_eq!(after.len(), 2, "{layout:?}");
            assert!(before.is_same(&after[&name("c")]), "{layout:?}");
            assert!(!before.is_same(&after[&name("a/b")]), "{layout:?}");
            let place = store.watch_place_of(&name("c")).unwrap();
            assert_eq!(place, store.folder(&name("c"), 1).unwrap().watch_place());
            if layout != Layout::Mbox {
                // A directory that comes in its place is another folder, whatever its number.
                let later = FolderIdentity { guid: None, ..after[&name("c")] };
                assert!(!after[&name("c")].is_same(&later));
            }
        }
    }

    #[test]
    fn folders_subscriptions_and_annotations_show_and_mail_does_not() {
        for layout in [Layout::MaildirPlusPlus, Layout::MaildirTree, Layout::Mbox] {
            let (_root, store) = store(layout);
            store.create(&name("x/y"), 1).unwrap();
            let mut watcher = Watcher::new().unwrap();
            let key = watcher.watch(&store.watch_place()).unwrap();
            let mut told = |what: &str| {
                let changed = watcher.changed().unwrap();
                assert!(changed == [key] || changed.is_empty(), "{layout:?} {what}");
                !changed.is_empty()
            };
            let folder = store.folder(&name("x/y"), 1).unwrap();
            folder.sync(1).unwrap();
            told("the first look makes files");
            folder.sync(2_000_000).unwrap();
            let mut upload = folder.upload(3_000_000).unwrap();
            upload.write(b"Subject: x\n\nx\n").unwrap();
            let flags = crate::store::Flags::NONE;
            let addition = crate::store::Addition { upload, flags, keywords: Vec::new(), received: 5 };
            folder.append(vec![addition], 3_000_000).unwrap();
            assert!(!told("a message"), "{layout:?}");
            store.subscribe(&name("x/y"), true, 1).unwrap();
            assert!(told("a subscription"), "{layout:?}");
            store.create(&name("x/z"), 1).unwrap();
            assert!(told("a folder"), "{layout:?}");
            store.rename(&name("x/z"), &name("x/w"), 1).unwrap();
            assert!(told("a name"), "{layout:?}");
            store.delete(&name("x/w"), 1).unwrap();
            assert!(told("a folder that goes"), "{layout:?}");
            if layout != Layout::Mbox {
                store.set_attributes(None, &[("/shared/a".into(), Some(b"x".to_vec()))], 1).unwrap();
                assert!(told("an annotation"), "{layout:?}");
            }
        }
    }
}
