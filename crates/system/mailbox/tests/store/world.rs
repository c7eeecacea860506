//! A user's mail in a directory of its own, and a clock that the test sets.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use mailbox::store::{
    Addition, DropSettings, FlagChange, FlagScope, Flags, Folder, FolderName, How, Settings, Store, Stores,
    Uid,
};

pub(crate) struct World {
    root: tempfile::TempDir,
    pub(crate) store: Arc<Store>,
    /// Microseconds since 1970. Ahead of the machine's clock, so that what is on the disk is settled.
    now_us: Cell<u64>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, Settings::new("vm", std::process::id()))
    }

    /// `prepare` what lies in the Maildir before it is opened.
    pub(crate) fn with(prepare: impl FnOnce(&std::path::Path), settings: Settings) -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(root.path().join("u").join(name)).unwrap();
        }
        prepare(&root.path().join("u"));
        let store = Stores::new(settings).open(&root.path().join("u")).unwrap();
        Self { root, store, now_us: Cell::new(sys::clock::now_us() + 10_000_000) }
    }

    /// The same mail as another process sees it that has just started.
    pub(crate) fn other_process(&self) -> Arc<Store> {
        Stores::new(Settings::new("vm", std::process::id())).open(&self.at("")).unwrap()
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join("u").join(path)
    }

    /// Two seconds later.
    pub(crate) fn now(&self) -> u64 {
        self.now_us.set(self.now_us.get() + 2_000_000);
        self.now_us.get()
    }

    pub(crate) fn inbox(&self) -> Arc<Folder> {
        self.folder("INBOX")
    }

    pub(crate) fn folder(&self, name: &str) -> Arc<Folder> {
        let folder = self.store.folder(&folder_name(name), self.now()).unwrap();
        folder.sync(self.now()).unwrap();
        folder
    }

    /// As a delivery agent does it.
    pub(crate) fn deliver(&self, file: &str, text: &str) {
        fs::write(self.at("tmp").join(file), text).unwrap();
        fs::rename(self.at("tmp").join(file), self.at("new").join(file)).unwrap();
    }

    pub(crate) fn append(&self, folder: &Folder, text: &str, flags: Flags, keywords: &[&str]) -> Uid {
        let mut upload = folder.upload(self.now()).unwrap();
        upload.write(text.as_bytes()).unwrap();
        let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
        folder
            .append(vec![Addition { upload, flags, keywords, received: 1_000_000_000 }], self.now())
            .unwrap()[0]
    }

    /// Names in a directory, sorted.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(directory)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A maildrop for one session at a time.
pub(crate) fn exclusive() -> DropSettings {
    DropSettings { exclusive: true, ..DropSettings::default() }
}

pub(crate) fn folder_name(name: &str) -> FolderName {
    FolderName::parse(name, '/').unwrap()
}

pub(crate) fn change(how: How, flags: Flags, keywords: &[&str]) -> FlagChange {
    let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
    FlagChange { how, flags, keywords, scope: FlagScope::ALL }
}

pub(crate) fn uids(folder: &Folder) -> Vec<Uid> {
    folder.read(|contents| contents.messages().iter().map(|message| message.uid).collect())
}

/// `uid:FLAGS:keywords` of each message.
pub(crate) fn shown(folder: &Folder) -> Vec<String> {
    folder.read(|contents| {
        let one = |message: &mailbox::store::Message| {
            let words: Vec<_> =
                message.keywords.iter().map(|index| contents.keywords()[index].as_str()).collect();
            format!("{}:{:?}:{}", message.uid, message.flags, words.join(","))
        };
        contents.messages().iter().map(one).collect()
    })
}

pub(crate) fn text(folder: &Folder, uid: Uid) -> String {
    let mut text = folder.open(uid).unwrap();
    let mut out = Vec::new();
    text.read_at(0, usize::MAX, &mut out).unwrap();
    assert_eq!(out.len() as u64, text.size_bytes());
    String::from_utf8(out).unwrap()
}
