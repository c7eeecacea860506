//! A base directory with mailboxes, and one message for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mailbox::deliver::Rules;
use mailbox::disk::{Disk, RealDisk};
use mailbox::mbox::LockSettings;
use mailbox::{Copy, DeliverError, Mailboxes, Place, QuotaRule};
use sys::directory::Links;

pub(crate) const HEAD: &[u8] = b"Return-Path: <s@x>\nDelivered-To: r@y\n";
pub(crate) const CONTENT: &[u8] = b"Subject: test\n\nFrom here on\nthe body\n";
/// All deliveries here are tries at this one, or come after it.
pub(crate) const NAME: &str = "1795313871.QE13879EA1AFR812";
pub(crate) const NOW_US: u64 = 1_795_313_871_211_098;

/// As Postfix's defaults, but nobody waits.
pub(crate) const LOCKS: LockSettings = LockSettings {
    fcntl: true,
    flock: true,
    dotlock: true,
    attempts: 1,
    delay: Duration::ZERO,
    stale_after: Duration::from_secs(500),
};

pub(crate) struct World {
    root: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("base")).unwrap();
        fs::create_dir(root.path().join("outside")).unwrap();
        Self { root }
    }

    /// A path below the mailbox base.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join("base").join(path)
    }

    /// The mailboxes as a process that has just started sees them.
    pub(crate) fn mailboxes<D: Disk>(&self, disk: D) -> Mailboxes<D> {
        Mailboxes::with_disk(&self.at(""), rules(), disk).unwrap()
    }

    pub(crate) fn deliver(&self, path: &str) -> Result<(), DeliverError> {
        deliver(&mut self.mailboxes(RealDisk), path, 0)
    }

    /// All regular files below the base, relative, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.at(""), &mut found);
        let mut names: Vec<String> =
            found.iter().map(|path| path.strip_prefix(self.at("")).unwrap().display().to_string()).collect();
        names.sort();
        names
    }

    /// The content of the files in the `new` directory of a Maildir.
    pub(crate) fn new_messages(&self, maildir: &str) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.at(maildir).join("new")) else { return Vec::new() };
        entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }
}

pub(crate) fn rules() -> Rules {
    let owner = Some(sys::ids::effective_uid());
    Rules { links: Links::Refuse, owner, host: "vm".into(), process: std::process::id() }
}

pub(crate) fn deliver<D: Disk>(
    mailboxes: &mut Mailboxes<D>,
    path: &str,
    limit_bytes: u64,
) -> Result<(), DeliverError> {
    deliver_and_note(mailboxes, path, limit_bytes, &mut || {})
}

/// As [`deliver`]; `note` is what makes the delivery count.
pub(crate) fn deliver_and_note<D: Disk>(
    mailboxes: &mut Mailboxes<D>,
    path: &str,
    limit_bytes: u64,
    note: &mut dyn FnMut(),
) -> Result<(), DeliverError> {
    let place = Place::parse(path).unwrap();
    deliver_copy(mailboxes, &copy(&place, limit_bytes), note)
}

pub(crate) fn copy(place: &Place, limit_bytes: u64) -> Copy<'_> {
    let quota = QuotaRule::default();
    Copy { place, name: NAME, head: HEAD, limit_bytes, quota, locks: &LOCKS, in_doubt: "", now_us: NOW_US }
}

pub(crate) fn deliver_copy<D: Disk>(
    mailboxes: &mut Mailboxes<D>,
    copy: &Copy<'_>,
    note: &mut dyn FnMut(),
) -> Result<(), DeliverError> {
    mailboxes.deliver(copy, &mut &CONTENT[..], note)
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
