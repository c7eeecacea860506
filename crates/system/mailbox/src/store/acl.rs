//! Who may do what with a folder: the file `dovecot-acl` in its directory, and `dovecot-acl-list` in the root, which tells
//! Dovecot where others may look.
//!
//! What the rights mean is not known here; who uses the store asks before it acts.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use acl::{Acl, Lists};
use sys::directory::{self, Directory, Links};

use super::Layout;
use super::error::MailError;
use super::folders::{CONTROL, Store};
use super::lock::{self, FolderLock, Wanted};
use super::maildir::write_file;
use super::mbox::tree;
use super::names::FolderName;

const FILE: &str = "dovecot-acl";
const LOCK: &str = "dovecot-acl.lock";
const LIST: &str = "dovecot-acl-list";
const LIST_LOCK: &str = "dovecot-acl-list.lock";
const DIRECTORY_MODE: u32 = 0o700;
/// A larger file is not read, bytes.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;

impl Store {
    /// All that is said of a folder, which need not be there: by its own list, and by the administrator's.
    ///
    /// # Errors
    /// As [`Store::acl`], of either.
    pub fn rights(&self, name: &FolderName) -> Result<Lists, MailError> {
        let Some(global) = &self.shared().settings.global_acl else {
            return Ok(Lists { own: self.acl(name)?, global: None });
        };
        let own = self.acl(name)?;
        let said = global.of(&self.shown_name(name))?;
        let global = if said.is_none() && own == Acl::default() { global.default_list()? } else { said };
        Ok(Lists { own, global })
    }

    /// What is said of where folders are that lie in no other: the administrator alone says that.
    ///
    /// # Errors
    /// As [`Store::rights`].
    pub fn rights_at_top(&self) -> Result<Lists, MailError> {
        let global = match &self.shared().settings.global_acl {
            Some(global) => global.at_top()?,
            None => None,
        };
        Ok(Lists { own: Acl::default(), global })
    }

    /// Does the administrator's list name the folder, which need not be there?
    ///
    /// # Errors
    /// As [`Store::rights`].
    pub fn is_named_globally(&self, name: &FolderName) -> Result<bool, MailError> {
        match &self.shared().settings.global_acl {
            Some(global) => Ok(global.of(&self.shown_name(name))?.is_some()),
            None => Ok(false),
        }
    }

    /// As clients see it, in UTF-8.
    fn shown_name(&self, name: &FolderName) -> String {
        name.to_utf8(self.separator())
    }

    fn separator(&self) -> char {
        if self.shared().settings.layout == Layout::MaildirPlusPlus { '.' } else { '/' }
    }

    /// The folder's own list. Costs one open(2) where nothing is said of them.
    ///
    /// # Errors
    /// [`MailError::Damaged`] when the file can not be understood: then nobody knows who may do what. [`MailError::Io`].
    pub fn acl(&self, name: &FolderName) -> Result<Acl, MailError> {
        match self.acl_directory(name)? {
            Some(place) => Ok(self.read_acl(&place)?.map(|(acl, _)| acl).unwrap_or_default()),
            None => Ok(Acl::default()),
        }
    }

    /// Changes the rights of a folder that is there, and answers what `change` does. On `Ok` they survive a power cut.
    ///
    /// # Errors
    /// As [`Store::acl`]; [`MailError::Locked`]; [`MailError::Unsupported`] where there is no place to keep them.
    pub fn change_acl<R>(
        &self,
        name: &FolderName,
        now_us: u64,
        change: impl FnOnce(&mut Acl) -> R,
    ) -> Result<R, MailError> {
        let unsupported = MailError::Unsupported { what: "a list of rights" };
        let place = self.acl_directory(name)?.ok_or(unsupported)?;
        let here = self.acl_home(&place).map_err(self.acl_trouble("open", &place))?;
        let lock = self.acl_lock(&here, &place, now_us)?;
        let before = self.read_acl(&place)?.map(|(acl, _)| acl).unwrap_or_default();
        let mut acl = before.clone();
        let outcome = change(&mut acl);
        if acl != before {
            let written = write_file(&*self.shared().settings.disk, &here, FILE, acl.to_text().as_bytes());
            written.map_err(self.acl_trouble("write", &place))?;
        }
        drop(lock);
        if acl != before {
            self.list_acls(now_us);
        }
        Ok(outcome)
    }

    /// The folder is gone: who makes one of its name is not bound by its rights.
    pub(super) fn forget_acl(&self, name: &FolderName, now_us: u64) {
        if self.is_mbox()
            && let Ok(Some(place)) = self.acl_directory(name)
        {
            let (disk, home) = (&self.shared().settings.disk, &self.shared().home);
            if let Err(error) = disk.remove(home, &place.join(FILE))
                && error.kind() != io::ErrorKind::NotFound
            {
                log::warn!("{}", self.acl_trouble("remove", &place)(error));
            }
            // What holds more stays, and the directory in the root, which is in use.
            for above in place.ancestors().take_while(|above| !above.as_os_str().is_empty()) {
                if above == Path::new(CONTROL) || disk.remove_directory(home, above).is_err() {
                    break;
                }
            }
        }
        self.follow_acls(now_us);
    }

    /// The folder has another name now. Beside mbox files its rights lie elsewhere; those of folders below it came along.
    ///
    /// # Errors
    /// [`MailError::Io`]
    pub(super) fn move_acl(&self, from: &FolderName, to: &FolderName, now_us: u64) -> Result<(), MailError> {
        if self.is_mbox()
            && let (Some(old), Some(new)) = (self.acl_directory(from)?, self.acl_directory(to)?)
        {
            let (disk, home) = (&self.shared().settings.disk, &self.shared().home);
            if home.stamp_of(&old.join(FILE)).is_ok() {
                let moved = self
                    .acl_home(&new)
                    .and_then(|target| disk.replace(home, &old.join(FILE), &target, Path::new(FILE)));
                moved.map_err(self.acl_trouble("rename", &old))?;
            }
        }
        self.follow_acls(now_us);
        Ok(())
    }

    /// The list is renewed where there is one.
    fn follow_acls(&self, now_us: u64) {
        let (control, _) = self.shared().control();
        if control.stamp_of(Path::new(LIST)).is_ok() {
            self.list_acls(now_us);
        }
    }

    /// Writes `dovecot-acl-list`: when the rights of which folders were changed, of those where others may look. Dovecot makes
    /// it anew where it does not fit, so that a failure here costs time only.
    fn list_acls(&self, now_us: u64) {
        let listed = self.acl_list_text().and_then(|text| {
            let (control, path) = self.shared().control();
            let _lock = self.acl_lock_file(control, path, LIST_LOCK, now_us)?;
            let written = write_file(&*self.shared().settings.disk, control, LIST, text.as_bytes());
            written.map(drop).map_err(MailError::io("write", path.join(LIST)))
        });
        if let Err(error) = listed {
            log::warn!("{error}");
        }
    }

    fn acl_list_text(&self) -> Result<String, MailError> {
        let separator = self.separator();
        let mut text = String::new();
        for name in self.folders()?.into_keys().chain([FolderName::inbox()]) {
            let Some(place) = self.acl_directory(&name)? else { continue };
            // One that can not be read lets nobody look.
            if let Ok(Some((acl, modified))) = self.read_acl(&place)
                && acl.lets_others_look()
            {
                text.push_str(&format!("{modified} {}\n", name.to_text(separator)));
            }
        }
        Ok(text)
    }

    /// The rights in a directory, and when they were changed, seconds since 1970.
    fn read_acl(&self, place: &Path) -> Result<Option<(Acl, i64)>, MailError> {
        let links = self.shared().settings.links;
        let file = match self.shared().home.open_to_read(&place.join(FILE), links) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.acl_trouble("open", place)(error)),
        };
        let mut text = Vec::new();
        let read = (&file).take(FILE_LIMIT_BYTES + 1).read_to_end(&mut text);
        read.map_err(self.acl_trouble("read", place))?;
        let damaged = |problem: String| {
            let path = self.shared().root.join(place).join(FILE);
            MailError::Damaged { path, problem }
        };
        if text.len() as u64 > FILE_LIMIT_BYTES {
            return Err(damaged(format!("larger than {FILE_LIMIT_BYTES} bytes")));
        }
        let acl = Acl::parse(&text).map_err(|bad| damaged(bad.to_string()))?;
        let facts = directory::facts(&file).map_err(self.acl_trouble("stat", place))?;
        Ok(Some((acl, facts.modified)))
    }

    /// The directory below the root that the rights of a folder lie in; none: there is none. As Dovecot has it, those of an
    /// mbox file are in the directory of its name in `.imap` beside it.
    fn acl_directory(&self, name: &FolderName) -> Result<Option<PathBuf>, MailError> {
        if !self.is_mbox() {
            return self.path_of(name).map(Some);
        }
        if !self.has_folders() {
            return Ok(None);
        }
        let path = if name.is_inbox() { PathBuf::from("INBOX") } else { self.path_of(name)? };
        let above = path.parent().unwrap_or(Path::new(""));
        Ok(path.file_name().map(|file| above.join(CONTROL).join(file)))
    }

    /// The directory, made where it only holds what is not mail.
    fn acl_home(&self, place: &Path) -> io::Result<Directory> {
        let shared = self.shared();
        if !self.is_mbox() {
            return shared.home.enter(&Path::new(".").join(place), shared.settings.links);
        }
        let above = tree::make_parents(&shared.settings, &shared.home, place)?;
        let name = Path::new(place.file_name().unwrap_or_default());
        match shared.settings.disk.make(&above, name, DIRECTORY_MODE) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => above.enter(name, Links::Refuse),
        }
    }

    fn acl_lock(&self, here: &Directory, place: &Path, now_us: u64) -> Result<FolderLock, MailError> {
        self.acl_lock_file(here, &self.shared().root.join(place), LOCK, now_us)
    }

    fn acl_lock_file(
        &self,
        directory: &Directory,
        path: &Path,
        name: &str,
        now_us: u64,
    ) -> Result<FolderLock, MailError> {
        let settings = &self.shared().settings;
        let (patience, stale_after) = (settings.lock_patience, lock::STALE_AFTER);
        Wanted { settings, directory, path, name, patience, stale_after, now_us }.acquire()
    }

    fn acl_trouble(&self, verb: &'static str, place: &Path) -> impl FnOnce(io::Error) -> MailError + use<> {
        MailError::io(verb, self.shared().root.join(place).join(FILE))
    }
}

/// There is no such file, or something on the way is no directory.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use acl::{Change, Identifier, Rights};

    use super::*;
    use crate::store::{Location, Settings, Stores};

    /// Each kind of store, where the rights of `a/b` and of INBOX lie, and where the list is.
    const KINDS: [(Layout, [&str; 2], &str, &str); 3] = [
        (Layout::MaildirPlusPlus, [".a.b/dovecot-acl", "dovecot-acl"], "dovecot-acl-list", "a.b"),
        (Layout::MaildirTree, ["a/b/dovecot-acl", "dovecot-acl"], "dovecot-acl-list", "a/b"),
        (
            Layout::Mbox,
            ["f/a/.imap/b/dovecot-acl", "f/.imap/INBOX/dovecot-acl"],
            "f/.imap/dovecot-acl-list",
            "a/b",
        ),
    ];

    fn name(text: &str) -> FolderName {
        FolderName::parse(text, '/').unwrap()
    }

    fn store(root: &Path, layout: Layout) -> std::sync::Arc<Store> {
        let (inbox, folders) = match layout {
            Layout::Mbox => (root.join("mbox"), Some(root.join("f"))),
            _ => (root.to_owned(), None),
        };
        let limits = crate::store::Limits::default();
        let location = Location { inbox, layout, folders, utf8_names: false, limits };
        Stores::new(Settings::new("vm", 1)).open_at(&location).unwrap()
    }

    fn let_look(store: &Store, folder: &FolderName) {
        let joe = Identifier::from_imap(b"joe").unwrap();
        let rights = Rights::from_imap("lr").unwrap();
        store.change_acl(folder, 1, |acl| acl.set(&joe, Change::Replace, rights, "me")).unwrap().unwrap();
    }

    #[test]
    fn rights_lie_where_dovecot_has_them() {
        for (layout, [folder, inbox], list, listed) in KINDS {
            let root = tempfile::tempdir().unwrap();
            let store = store(root.path(), layout);
            store.create(&name("a/b"), 1).unwrap();
            assert_eq!(store.acl(&name("a/b")).unwrap(), Acl::default());
            let_look(&store, &name("a/b"));
            let_look(&store, &FolderName::inbox());
            for file in [folder, inbox] {
                assert_eq!(std::fs::read_to_string(root.path().join(file)).unwrap(), "user=joe lr\n");
            }
            let text = std::fs::read_to_string(root.path().join(list)).unwrap();
            let names: Vec<&str> =
                text.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name).collect();
            assert_eq!(names, [listed, "INBOX"], "{layout:?}");
        }
    }

    #[test]
    fn rights_follow_their_folder() {
        for (layout, _, list, _) in KINDS {
            let root = tempfile::tempdir().unwrap();
            let store = store(root.path(), layout);
            store.create(&name("a/b"), 1).unwrap();
            let_look(&store, &name("a/b"));
            store.rename(&name("a/b"), &name("a/c"), 1).unwrap();
            store.rename(&name("a"), &name("d"), 1).unwrap();
            assert!(store.acl(&name("d/c")).unwrap().lets_others_look(), "{layout:?}");
            let text = std::fs::read_to_string(root.path().join(list)).unwrap();
            assert!(text.trim_end().ends_with('c') && text.lines().count() == 1, "{text}");
            store.delete(&name("d/c"), 1).unwrap();
            store.create(&name("d/c"), 1).unwrap();
            store.create(&name("a/b"), 1).unwrap();
            for folder in ["d/c", "a/b"] {
                assert_eq!(store.acl(&name(folder)).unwrap(), Acl::default(), "{layout:?}");
            }
            assert_eq!(std::fs::read_to_string(root.path().join(list)).unwrap(), "");
        }
    }

    #[test]
    fn a_file_that_is_not_understood_is_named_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), Layout::MaildirPlusPlus);
        let path = root.path().join("dovecot-acl");
        std::fs::write(&path, "owner lr\nbogus\n").unwrap();
        let error = store.change_acl(&FolderName::inbox(), 1, |_| ()).unwrap_err().to_string();
        assert!(error.contains("dovecot-acl: line 2: unknown identifier \"bogus\""), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "owner lr\nbogus\n");
        std::fs::write(&path, vec![b'#'; FILE_LIMIT_BYTES as usize + 1]).unwrap();
        assert!(matches!(store.acl(&FolderName::inbox()), Err(MailError::Damaged { .. })));
    }

    #[test]
    fn an_mbox_without_folders_has_no_place_for_rights() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings { layout: Layout::Mbox, ..Settings::new("vm", 1) };
        let store = Stores::new(settings).open(&root.path().join("mbox")).unwrap();
        assert_eq!(store.acl(&FolderName::inbox()).unwrap(), Acl::default());
        let changed = store.change_acl(&FolderName::inbox(), 1, |_| ());
        assert!(matches!(changed, Err(MailError::Unsupported { .. })));
    }
}
