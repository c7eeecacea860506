//! A user's folders: made, listed, renamed, removed, subscribed to.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use sys::directory::{Directory, Kind, Links};

use super::error::MailError;
use super::folder::{Folder, Quota};
use super::kept::KeptFolders;
use super::layout::{self, TRASHED};
use super::lock::{self, FolderLock, Wanted};
use super::mbox::{guid_of, tree};
use super::names::{BadName, FolderName};
use super::root::Root;
use super::subscriptions::Subscriptions;
use super::{Layout, Limits, Listed, Settings, courier, locked, maildir};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
pub(super) const SUBSCRIPTIONS: &str = "subscriptions";
pub(super) const HIDDEN_SUBSCRIPTIONS: &str = ".subscriptions";
/// Beside mbox files, what is not mail lies in this directory, as Dovecot has it.
pub(super) const CONTROL: &str = ".imap";
/// A larger file of subscriptions is not read, bytes.
const SUBSCRIPTIONS_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// All folders of one user.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Root>,
    /// Folders that are open.
    open: Mutex<HashMap<FolderName, Weak<Folder>>>,
    kept: Mutex<KeptFolders>,
    /// The Maildir or the file.
    inbox: PathBuf,
    /// There may be others beside INBOX.
    has_folders: bool,
}

impl Store {
    /// `folders`: with mbox, where the other folders are.
    pub(super) fn new(settings: Settings, path: &Path, folders: Option<&Path>) -> Result<Self, MailError> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let (root, control) = match (settings.layout, folders) {
            (Layout::Mbox, Some(folders)) => (folders, Some(folders.join(CONTROL))),
            (Layout::Mbox, None) => (parent, None),
            _ => (path, None),
        };
        let opened = |path: PathBuf| made(&path).map(|directory| (path, directory));
        let control = control.map(opened).transpose()?;
        if settings.layout == Layout::Mbox {
            made(parent)?;
        }
        let has_folders = settings.layout != Layout::Mbox || folders.is_some();
        let shared = Arc::new(Root::new(settings, opened(root.to_owned())?, control));
        let (open, kept) = (Mutex::default(), Mutex::default());
        Ok(Self { shared, open, kept, inbox: path.to_owned(), has_folders })
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        self.shared.set_limits(limits);
    }

    /// All folders with their parents, INBOX first, the others sorted.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn list(&self) -> Result<Vec<Listed>, MailError> {
        Ok(layout::list(self.shared.settings.layout, self.found()?))
    }

    fn found(&self) -> Result<layout::Found, MailError> {
        if !self.has_folders {
            return Ok(layout::Found::default());
        }
        layout::found(&self.shared.settings, &self.shared.home).map_err(self.trouble("read", Path::new("")))
    }

    /// Is it a directory for folders, and none itself?
    fn is_directory(&self, name: &FolderName) -> Result<bool, MailError> {
        Ok(self.found()?.directories.contains(name))
    }

    /// Can there be directories that are no folders?
    pub fn has_directories(&self) -> bool {
        self.has_folders && self.shared.settings.layout != Layout::MaildirPlusPlus
    }

    /// Makes a directory for folders to come; see [`Store::has_directories`].
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_directory(&self, name: &FolderName) -> Result<(), MailError> {
        let path = self.path_of(name)?;
        if name.is_inbox() {
            return Err(MailError::FolderExists(name.clone()));
        }
        tree::create_directory(&self.shared.settings, &self.shared.home, &path, name)
    }

    pub(super) fn folders(&self) -> Result<BTreeMap<FolderName, PathBuf>, MailError> {
        Ok(self.found()?.folders)
    }

    /// Which directory or file below the root a folder is.
    pub(super) fn path_of(&self, name: &FolderName) -> Result<PathBuf, MailError> {
        if !self.has_folders && !name.is_inbox() {
            return Err(MailError::Unsupported { what: "a folder beside INBOX" });
        }
        layout::directory_of(&self.shared.settings, name)
    }

    pub(super) fn has_folders(&self) -> bool {
        self.has_folders
    }

    pub(super) fn is_mbox(&self) -> bool {
        self.shared.settings.layout == Layout::Mbox
    }

    /// Makes a folder. Parents need not exist.
    ///
    /// # Errors
    /// [`MailError::FolderExists`], [`MailError::BadName`], [`MailError::Unsupported`], [`MailError::Io`].
    pub fn create(&self, name: &FolderName, _now_us: u64) -> Result<(), MailError> {
        let path = self.path_of(name)?;
        if name.is_inbox() {
            return Err(MailError::FolderExists(name.clone()));
        }
        if self.is_mbox() {
            return tree::create(&self.shared.settings, &self.shared.home, &path, name);
        }
        self.make_folder(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => MailError::FolderExists(name.clone()),
            _ => self.trouble("create", &path)(error),
        })
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let settings = &self.shared.settings;
        let mut here = self.shared.home.enter(Path::new("."), Links::Refuse)?;
        let mut names = path.iter().peekable();
        while let Some(name) = names.next() {
            let name = Path::new(name);
            match settings.disk.make(&here, name, DIRECTORY_MODE) {
                // In a tree of Maildirs, a mere parent can become a folder.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && names.peek().is_some() => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let there =
                        here.facts_of(&name.join("cur")).is_ok() || settings.layout != Layout::MaildirTree;
                    if there {
                        return Err(error);
                    }
                }
                outcome => outcome?,
            }
            here = here.enter(name, settings.links)?;
        }
        maildir::make(&*settings.disk, &here)?;
        if settings.layout == Layout::MaildirPlusPlus {
            // What tells delivery agents that this is a folder of a Maildir and not the Maildir.
            settings.disk.create(&here, Path::new("maildirfolder"), FILE_MODE)?;
        }
        settings.disk.sync_directory(&self.shared.home.enter_to_sync(Path::new("."), Links::Refuse)?)
    }

    /// Removes a folder with its messages; folders below it stay.
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::NotSelectable`] for a mere parent, [`MailError::Inbox`], [`MailError::Io`].
    pub fn delete(&self, name: &FolderName, now_us: u64) -> Result<(), MailError> {
        if name.is_inbox() {
            return Err(MailError::Inbox);
        }
        let folders = self.folders()?;
        let Some(path) = folders.get(name) else { return self.delete_empty(name, folders.keys()) };
        if let Some(folder) = locked(&self.open).remove(name).and_then(|folder| folder.upgrade()) {
            locked(&self.kept).forget(&folder);
        }
        let guid = self.guid_of(path);
        let outcome = match self.shared.settings.layout {
            Layout::MaildirTree => self.delete_in_tree(path),
            Layout::MaildirPlusPlus => self.delete_directory(path),
            Layout::Mbox => tree::remove(&self.shared.settings, &self.shared.home, path),
        };
        outcome.map_err(self.trouble("remove", path))?;
        if let Some(guid) = guid {
            self.shared.index.forget(guid);
        }
        self.forget_attributes(name, now_us);
        self.forget_acl(name, now_us);
        Ok(())
    }

    /// What is no folder can still be an empty directory.
    fn delete_empty<'a>(
        &self,
        name: &FolderName,
        folders: impl Iterator<Item = &'a FolderName>,
    ) -> Result<(), MailError> {
        if !self.is_directory(name)? {
            return Err(self.absent(name, folders));
        }
        let path = self.path_of(name)?;
        self.shared.settings.disk.remove_directory(&self.shared.home, &path).map_err(|error| {
            match error.kind() {
                io::ErrorKind::DirectoryNotEmpty => MailError::HasChildren(name.clone()),
                _ => self.trouble("remove", &path)(error),
            }
        })
    }

    /// What names the folder in the index.
    pub(super) fn guid_of(&self, path: &Path) -> Option<[u8; 16]> {
        if self.is_mbox() {
            return Some(guid_of(&self.shared.root.join(path)));
        }
        let here = self.shared.home.enter(path, self.shared.settings.links).ok()?;
        maildir::guid_of(&here).map(|(_, guid)| guid)
    }

    /// What is not there may still be the parent of others.
    fn absent<'a>(&self, name: &FolderName, mut folders: impl Iterator<Item = &'a FolderName>) -> MailError {
        match folders.any(|folder| folder.is_below(name)) {
            true => MailError::NotSelectable(name.clone()),
            false => MailError::NoFolder(name.clone()),
        }
    }

    /// In one step it is no folder any more; then it is removed.
    fn delete_directory(&self, path: &Path) -> io::Result<()> {
        let (disk, home) = (&self.shared.settings.disk, &self.shared.home);
        let trashed = Path::new(TRASHED);
        if home.facts_of(trashed).is_ok() {
            remove_tree(&**disk, home, trashed, 0)?;
        }
        disk.replace(home, path, home, trashed)?;
        disk.sync_directory(&home.enter_to_sync(Path::new("."), Links::Refuse)?)?;
        remove_tree(&**disk, home, trashed, 0)
    }

    /// The directory holds folders beside its own messages: it goes only if nothing is left.
    fn delete_in_tree(&self, path: &Path) -> io::Result<()> {
        let (disk, home) = (&self.shared.settings.disk, &self.shared.home);
        let here = home.enter(path, self.shared.settings.links)?;
        let mut own = Vec::new();
        here.names(|name, kind| {
            let name = Path::new(OsStr::from_bytes(name)).to_owned();
            if kind != Some(Kind::Directory) || ["cur", "new", "tmp"].iter().any(|own| name == Path::new(own))
            {
                own.push(name);
            }
        })?;
        // Without cur/ it is no folder any more.
        own.sort_by_key(|name| name != Path::new("cur"));
        for name in own {
            remove_tree(&**disk, &here, &name, 0)?;
        }
        match disk.remove_directory(home, path) {
            Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives a folder and all below it another name. UIDs stay.
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::FolderExists`], [`MailError::BadName`], [`MailError::Inbox`] (as Dovecot
    /// has it for Maildir), [`MailError::Io`].
    pub fn rename(&self, from: &FolderName, to: &FolderName, now_us: u64) -> Result<(), MailError> {
        if from.is_inbox() {
            return Err(MailError::Inbox);
        }
        if to.is_below(from) {
            return Err(BadName { name: to.to_string(), problem: "it lies below the folder itself" }.into());
        }
        let target = self.path_of(to)?;
        let folders = self.folders()?;
        let moved: Vec<_> = folders.iter().filter(|(name, _)| *name == from || name.is_below(from)).collect();
        let is_taken = to.is_inbox() || self.is_taken(&folders, from, to) || self.is_directory(to)?;
        let is_missing = moved.is_empty() && !self.is_directory(from)?;
        // In Dovecot's order, which is another where folders lie in directories.
        match (is_missing, is_taken) {
            (true, true) if self.has_directories() => return Err(MailError::FolderExists(to.clone())),
            (true, _) => return Err(MailError::NoFolder(from.clone())),
            (_, true) => return Err(MailError::FolderExists(to.clone())),
            (false, false) => {}
        }
        self.move_directories(from, to, &target, &moved)?;
        let mut open = locked(&self.open);
        for (name, _) in moved {
            let new_name = name.moved(from, to);
            if let Some(folder) = open.remove(name) {
                if let Some(folder) = folder.upgrade() {
                    folder.moved(layout::directory_of(&self.shared.settings, &new_name)?);
                }
                open.insert(new_name, folder);
            }
        }
        drop(open);
        self.move_attributes(from, to, now_us);
        self.move_acl(from, to, now_us)
    }

    /// A mere parent's name is free, as long as nothing that comes along meets a folder there.
    fn is_taken(&self, folders: &BTreeMap<FolderName, PathBuf>, from: &FolderName, to: &FolderName) -> bool {
        if self.shared.settings.layout == Layout::MaildirTree {
            return folders.contains_key(to) || folders.keys().any(|folder| folder.is_below(to));
        }
        let moved = folders.keys().filter(|name| *name == from || name.is_below(from));
        folders.contains_key(to) || moved.into_iter().any(|name| folders.contains_key(&name.moved(from, to)))
    }

    fn move_directories(
        &self,
        from: &FolderName,
        to: &FolderName,
        target: &Path,
        moved: &[(&FolderName, &PathBuf)],
    ) -> Result<(), MailError> {
        let (settings, home) = (&self.shared.settings, &self.shared.home);
        let rename = |path: &Path, target: &Path| {
            settings.disk.replace(home, path, home, target).map_err(self.trouble("rename", path))
        };
        if settings.layout != Layout::MaildirPlusPlus {
            let parents = tree::make_parents(settings, home, target);
            parents.map_err(|error| tree::trouble("create", target, to, error))?;
            rename(&layout::directory_of(settings, from)?, target)?;
        } else {
            // One by one; after a crash some have the new name. None is lost.
            for (name, path) in moved {
                rename(path, &layout::directory_of(settings, &name.moved(from, to))?)?;
            }
        }
        let synced = home
            .enter_to_sync(Path::new("."), Links::Refuse)
            .and_then(|home| settings.disk.sync_directory(&home));
        synced.map_err(self.trouble("sync", Path::new("")))
    }

    /// The names subscribed to, in the order of the file. A folder that is gone may still be among them.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn subscriptions(&self) -> Result<Vec<FolderName>, MailError> {
        Ok(self.read_subscriptions()?.names().cloned().collect())
    }

    /// Subscribes or unsubscribes. The folder need not exist.
    ///
    /// # Errors
    /// [`MailError::Io`], [`MailError::Locked`].
    pub fn subscribe(&self, name: &FolderName, subscribed: bool, now_us: u64) -> Result<(), MailError> {
        let file = self.subscriptions_file();
        let _lock = self.lock(&format!("{file}.lock"), now_us)?;
        let mut subscriptions = self.read_subscriptions()?;
        if !subscriptions.set(name, subscribed) {
            return Ok(());
        }
        let (disk, home) = (&self.shared.settings.disk, &self.shared.home);
        let written = maildir::write_file(&**disk, home, file, subscriptions.to_text().as_bytes());
        written.map(drop).map_err(self.trouble("write", Path::new(file)))
    }

    /// Where every other name is that of a mailbox, the file is hidden, as Dovecot has it.
    fn subscriptions_file(&self) -> &'static str {
        if self.is_mbox() { HIDDEN_SUBSCRIPTIONS } else { SUBSCRIPTIONS }
    }

    fn read_subscriptions(&self) -> Result<Subscriptions, MailError> {
        use std::io::Read;
        let separator = if self.shared.settings.layout == Layout::MaildirPlusPlus { '.' } else { '/' };
        let name = Path::new(self.subscriptions_file());
        let file = match self.shared.home.open_to_read(name, Links::Refuse) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let lines = courier::subscriptions(&self.shared.home);
                let text = lines.map(|lines| lines.join("\n")).unwrap_or_default();
                let courier = Subscriptions::parse(&text, separator);
                return Ok(if text.is_empty() { Subscriptions::empty() } else { courier });
            }
            Err(error) => return Err(self.trouble("open", name)(error)),
        };
        let mut text = Vec::new();
        let read = file.take(SUBSCRIPTIONS_LIMIT_BYTES).read_to_end(&mut text);
        read.map_err(self.trouble("read", name))?;
        Ok(Subscriptions::parse(&String::from_utf8_lossy(&text), separator))
    }

    /// Opens a folder, or hands out the one that is open. What it holds is known after [`Folder::sync`].
    ///
    /// # Errors
    /// [`MailError::NoFolder`], [`MailError::NotSelectable`], [`MailError::Io`].
    pub fn folder(&self, name: &FolderName, _now_us: u64) -> Result<Arc<Folder>, MailError> {
        let path = self.path_of(name)?;
        let mut open = locked(&self.open);
        if let Some(folder) = open.get(name).and_then(Weak::upgrade) {
            if !self.is_mbox()
                && let Err(error) = self.see_to(name, &path)
            {
                // Somebody has removed it.
                locked(&self.kept).forget(&folder);
                return Err(error);
            }
            locked(&self.kept).keep(&folder);
            return Ok(folder);
        }
        let folder = Arc::new(if self.is_mbox() {
            let path = self.mbox_path(name, &path)?;
            Folder::mbox(&self.shared, &path).map_err(self.trouble("open", &path))?
        } else {
            self.see_to(name, &path)?;
            Folder::maildir(&self.shared, path)
        });
        open.retain(|_, folder| folder.strong_count() > 0);
        open.insert(name.clone(), Arc::downgrade(&folder));
        locked(&self.kept).keep(&folder);
        Ok(folder)
    }

    /// How many messages its folders know of that are kept.
    pub(super) fn known_messages(&self) -> usize {
        locked(&self.kept).known_messages()
    }

    /// Is its directory still the one of that name?
    pub(super) fn is_in_place(&self) -> bool {
        let now = Directory::open(&self.shared.root).and_then(|now| now.own_stamp());
        let then = self.shared.home.own_stamp();
        matches!((now, then), (Ok(now), Ok(then)) if (now.device, now.inode) == (then.device, then.inode))
    }

    /// The file of a folder; INBOX need not be there.
    fn mbox_path(&self, name: &FolderName, path: &Path) -> Result<PathBuf, MailError> {
        if name.is_inbox() {
            return Ok(self.inbox.clone());
        }
        match self.shared.home.facts_of(path) {
            Ok(facts) if facts.kind == Kind::File => Ok(self.shared.root.join(path)),
            Ok(_) => Err(MailError::NotSelectable(name.clone())),
            // Or what should be the directory it lies in is a file.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(MailError::NoFolder(name.clone()))
            }
            Err(error) => Err(self.trouble("open", path)(error)),
        }
    }

    /// Is the folder there, with all its directories? What INBOX lacks is made.
    fn see_to(&self, name: &FolderName, path: &Path) -> Result<(), MailError> {
        let here = match self.shared.home.enter(&Path::new(".").join(path), self.shared.settings.links) {
            Ok(here) => here,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.absent(name, self.folders()?.keys()));
            }
            Err(error) => return Err(self.trouble("open", path)(error)),
        };
        let is_there =
            |name: &str| here.facts_of(Path::new(name)).is_ok_and(|facts| facts.kind == Kind::Directory);
        if is_there("cur") && is_there("new") && is_there("tmp") {
            return Ok(());
        }
        if self.shared.settings.layout == Layout::MaildirTree && !name.is_inbox() && !is_there("cur") {
            return Err(MailError::NotSelectable(name.clone()));
        }
        maildir::make(&*self.shared.settings.disk, &here).map_err(self.trouble("create", path))
    }

    /// What is used of how much (`maildirsize`, or counted afresh).
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn quota(&self, now_us: u64) -> Result<Quota, MailError> {
        self.shared.quota(&self.inbox, now_us)
    }

    /// Gets the lock file `name` in the root; nobody waits long for these.
    pub(super) fn lock(&self, name: &str, now_us: u64) -> Result<FolderLock, MailError> {
        let settings = &self.shared.settings;
        Wanted {
            settings,
            directory: &self.shared.home,
            path: &self.shared.root,
            name,
            patience: settings.lock_patience,
            stale_after: lock::STALE_AFTER,
            now_us,
        }
        .acquire()
    }

    pub(super) fn inbox(&self) -> &Path {
        &self.inbox
    }

    pub(super) fn shared(&self) -> &Arc<Root> {
        &self.shared
    }

    fn trouble(&self, verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MailError + use<> {
        MailError::io(verb, self.shared.root.join(path))
    }
}

/// Opens a directory, made if it was missing.
fn made(path: &Path) -> Result<Directory, MailError> {
    let make = || DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
    let opened = match Directory::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make().and_then(|()| Directory::open(path)),
        outcome => outcome,
    };
    opened.map_err(MailError::io("open", path))
}

/// Directories in directories that are followed when a folder is removed.
const DEPTH_LIMIT: usize = 8;

/// Removes a file, or a directory with all that is in it.
fn remove_tree(
    disk: &dyn crate::disk::Disk,
    parent: &Directory,
    name: &Path,
    depth: usize,
) -> io::Result<()> {
    let facts = match parent.facts_of(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        outcome => outcome?,
    };
    if facts.kind != Kind::Directory {
        return disk.remove(parent, name);
    }
    if depth >= DEPTH_LIMIT {
        return Err(io::ErrorKind::DirectoryNotEmpty.into());
    }
    let here = parent.enter(name, Links::Refuse)?;
    let mut names: Vec<PathBuf> = Vec::new();
    here.names(|name, _| names.push(Path::new(OsStr::from_bytes(name)).into()))?;
    for name in names {
        remove_tree(disk, &here, &name, depth + 1)?;
    }
    disk.remove_directory(parent, name)
}
