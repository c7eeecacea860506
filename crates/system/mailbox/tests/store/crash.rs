//! A process that dies, or a disk that fails, at every step of a change: no message is lost, torn or shown twice, no UID
//! means another message than before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mailbox::store::{Addition, FlagScope, Flags, Folder, How, Layout, MailError, Settings, Store, Stores};

use crate::broken_disk::{BrokenDisk, Fault};
use crate::world::{change, folder_name, text};

const STEPS_LIMIT: usize = 400;
const LINE: &str = "From a@b Sun Nov 22 05:11:09 2026\n";

/// A store in a directory, opened afresh each time.
struct Place<'a> {
    path: &'a Path,
    layout: Layout,
    now_us: u64,
}

impl Place<'_> {
    fn store(&self, disk: Option<Arc<BrokenDisk>>) -> Arc<Store> {
        let base = Settings::new("vm", std::process::id());
        let mbox_locks =
            mailbox::mbox::LockSettings { attempts: 1, delay: Duration::ZERO, ..base.mbox_locks };
        let lock_patience = Duration::ZERO;
        let mut settings = Settings { layout: self.layout, lock_patience, mbox_locks, boot: [0; 16], ..base };
        if let Some(disk) = disk {
            settings.disk = disk;
        }
        Stores::new(settings).open(&self.path.join("u")).unwrap()
    }

    fn folder(&self, store: &Store, name: &str) -> Result<Arc<Folder>, MailError> {
        let folder = store.folder(&folder_name(name), self.now_us)?;
        folder.sync(self.now_us)?;
        Ok(folder)
    }

    /// UID and text of all messages, as a process sees them that starts now; true when every flag can be read, too.
    fn seen(&self, name: &str) -> BTreeMap<u32, String> {
        let folder = self.folder(&self.store(None), name).unwrap();
        let uids: Vec<u32> =
            folder.read(|contents| contents.messages().iter().map(|message| message.uid).collect());
        uids.into_iter().map(|uid| (uid, text(&folder, uid))).collect()
    }
}

fn append(folder: &Folder, text: &str, now_us: u64) -> Result<Vec<u32>, MailError> {
    let mut upload = folder.upload(now_us)?;
    upload.write(text.as_bytes())?;
    let addition = Addition { upload, flags: Flags::FLAGGED, keywords: vec!["k".into()], received: 5 };
    folder.append(vec![addition], now_us)
}

/// A change of a mailbox that may stop anywhere.
type Act = fn(&Place<'_>, &Store) -> Result<(), MailError>;

/// What may be true afterwards, given what was seen before and whether the change said it was done.
type Check = fn(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, done: bool, step: &str);

/// Runs `act` with the fault at step 0, 1, 2, ... until it comes through without meeting it; tells after how many.
fn at_every_step(layout: Layout, fault: Fault, act: Act, check: Check) -> usize {
    for at in 0..STEPS_LIMIT {
        let root = tempfile::tempdir().unwrap();
        let mut place = Place { path: root.path(), layout, now_us: sys::clock::now_us() + 10_000_000 };
        prepare(&place);
        let before = place.seen("INBOX");
        assert_eq!(before.len(), 3);
        let disk = Arc::new(BrokenDisk::new(at, fault));
        let done = act(&place, &place.store(Some(disk.clone()))).is_ok();
        place.now_us += 10_000_000;
        let step = format!("step {at}, {fault:?}, done {done}");
        let after = place.seen("INBOX");
        check(&before, &after, done, &step);
        // And the mailbox is good for the next change.
        let folder = place.folder(&place.store(None), "INBOX").unwrap();
        let new = append(&folder, "Subject: later\r\n\r\nx\r\n", place.now_us).unwrap();
        assert!(!after.contains_key(&new[0]), "{step}");
        let end = place.seen("INBOX");
        // A torn message at the end of an mbox gets the end of a line.
        let whole =
            |(uid, text): (&u32, &String)| end.get(uid).is_some_and(|now| now.starts_with(text.as_str()));
        assert!(end.len() == after.len() + 1 && after.iter().all(whole), "{step}: {after:?} {end:?}");
        if done && !disk.was_reached() {
            return at;
        }
    }
    panic!("more than {STEPS_LIMIT} steps");
}

fn prepare(place: &Place<'_>) {
    if place.layout == Layout::Mbox {
        let one = |number: usize| format!("{LINE}Subject: {number}\n\ntext {number}\n\n");
        fs::write(place.path.join("u"), (1..=3).map(one).collect::<String>()).unwrap();
        return;
    }
    let store = place.store(None);
    store.create(&folder_name("other"), place.now_us).unwrap();
    let inbox = place.folder(&store, "INBOX").unwrap();
    for number in 1..=3 {
        append(&inbox, &format!("Subject: {number}\r\n\r\ntext {number}\r\n"), place.now_us).unwrap();
    }
    // A delivery that nobody has seen yet would get its UID at the first look.
    fs::write(place.path.join("u/tmp/1.M1P1.vm"), "x").unwrap();
}

fn kept(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, step: &str) {
    assert!(before.iter().all(|(uid, text)| after.get(uid) == Some(text)), "{step}: {before:?} {after:?}");
}

fn append_one(place: &Place<'_>, store: &Store) -> Result<(), MailError> {
    let inbox = place.folder(store, "INBOX")?;
    append(&inbox, "Subject: new\r\n\r\nwhole\r\n", place.now_us).map(drop)
}

fn appended(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, done: bool, step: &str) {
    kept(before, after, step);
    let new: Vec<_> = after.iter().filter(|(uid, _)| !before.contains_key(uid)).collect();
    assert!(new.len() <= 1 && (!done || new.len() == 1), "{step}: {after:?}");
    // An mbox may end with a part of it, as after a delivery that died.
    assert!(
        new.iter().all(|(_, text)| "Subject: new\r\n\r\nwhole\r\n".starts_with(text.as_str())) || !done,
        "{step}: {after:?}"
    );
}

fn flag(place: &Place<'_>, store: &Store) -> Result<(), MailError> {
    let inbox = place.folder(store, "INBOX")?;
    inbox.store(&[1, 2, 3], &change(How::Add, Flags::SEEN, &["new"]), None, place.now_us).map(drop)
}

fn flagged(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, _done: bool, step: &str) {
    assert_eq!(before, after, "{step}");
}

fn expunge(place: &Place<'_>, store: &Store) -> Result<(), MailError> {
    place.folder(store, "INBOX")?.expunge(&[1, 3], place.now_us).map(drop)
}

fn expunged(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, done: bool, step: &str) {
    assert!(after.iter().all(|(uid, text)| before.get(uid) == Some(text)), "{step}: {after:?}");
    assert!(after.contains_key(&2) && (!done || after.len() == 1), "{step}: {after:?}");
}

fn rewrite_list(place: &Place<'_>, store: &Store) -> Result<(), MailError> {
    let inbox = place.folder(store, "INBOX")?;
    // Enough dead records that the list is written anew.
    let mut additions = Vec::new();
    for _ in 0..17 {
        let upload = inbox.upload(place.now_us)?;
        additions.push(Addition { upload, flags: Flags::NONE, keywords: vec![], received: 5 });
    }
    let uids = inbox.append(additions, place.now_us)?;
    inbox.expunge(&uids, place.now_us).map(drop)
}

fn rewritten(before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>, done: bool, step: &str) {
    kept(before, after, step);
    assert!(after.len() <= 20 && (!done || after.len() == 3), "{step}: {after:?}");
}

fn move_away(place: &Place<'_>, store: &Store) -> Result<(), MailError> {
    let (inbox, other) = (place.folder(store, "INBOX")?, place.folder(store, "other")?);
    inbox.move_to(&[1, 2], &other, FlagScope::ALL, place.now_us).map(drop)
}

#[test]
fn a_maildir_is_whole_wherever_a_change_dies() {
    let steps = at_every_step(Layout::MaildirPlusPlus, Fault::Dies, append_one, appended);
    assert!(steps >= 8, "{steps}");
    at_every_step(Layout::MaildirPlusPlus, Fault::Dies, flag, flagged);
    at_every_step(Layout::MaildirPlusPlus, Fault::Dies, expunge, expunged);
    at_every_step(Layout::MaildirPlusPlus, Fault::Dies, rewrite_list, rewritten);
}

#[test]
fn a_maildir_is_whole_whichever_step_fails() {
    for code in [5, 28] {
        at_every_step(Layout::MaildirPlusPlus, Fault::Fails(code), append_one, appended);
        at_every_step(Layout::MaildirPlusPlus, Fault::Fails(code), flag, flagged);
        at_every_step(Layout::MaildirPlusPlus, Fault::Fails(code), expunge, expunged);
    }
}

#[test]
fn an_mbox_is_whole_wherever_a_change_dies() {
    for act in [(append_one as Act, appended as Check), (flag, flagged), (expunge, expunged)] {
        at_every_step(Layout::Mbox, Fault::Dies, act.0, act.1);
        at_every_step(Layout::Mbox, Fault::Fails(28), act.0, act.1);
    }
}

#[test]
fn a_message_on_the_move_is_in_one_folder_at_least() {
    for at in 0..STEPS_LIMIT {
        let root = tempfile::tempdir().unwrap();
        let mut place = Place {
            path: root.path(),
            layout: Layout::MaildirPlusPlus,
            now_us: sys::clock::now_us() + 10_000_000,
        };
        prepare(&place);
        let before = place.seen("INBOX");
        let disk = Arc::new(BrokenDisk::new(at, Fault::Dies));
        let done = move_away(&place, &place.store(Some(disk.clone()))).is_ok();
        place.now_us += 10_000_000;
        let (inbox, other) = (place.seen("INBOX"), place.seen("other"));
        for text in before.values() {
            let count = inbox.values().chain(other.values()).filter(|there| *there == text).count();
            assert!(count >= 1 && (!done || count == 1), "step {at}");
        }
        if done && !disk.was_reached() {
            assert_eq!((inbox.len(), other.len()), (1, 2));
            return;
        }
    }
    panic!("more than {STEPS_LIMIT} steps");
}
