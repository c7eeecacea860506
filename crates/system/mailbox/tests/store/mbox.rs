//! A mailbox that is one file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mailbox::store::{
    Addition, FlagScope, Flags, Folder, FolderName, How, Layout, Limits, Location, MailError, Maildrop,
    Settings, Store, Stores, Vanished,
};

use crate::world::{change, exclusive, shown, text, uids};

const LINE: &str = "From a@b Sun Nov 22 05:11:09 2026\n";

struct Spool {
    root: tempfile::TempDir,
    now_us: std::cell::Cell<u64>,
}

fn settings() -> Settings {
    let base = Settings::new("vm", std::process::id());
    let mbox_locks = mailbox::mbox::LockSettings { attempts: 1, delay: Duration::ZERO, ..base.mbox_locks };
    Settings { layout: Layout::Mbox, mbox_locks, ..base }
}

impl Spool {
    fn new(text: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("box"), text).unwrap();
        Self { root, now_us: std::cell::Cell::new(sys::clock::now_us() + 10_000_000) }
    }

    fn now(&self) -> u64 {
        self.now_us.set(self.now_us.get() + 2_000_000);
        self.now_us.get()
    }

    fn store(&self) -> Arc<Store> {
        Stores::new(settings()).open(&self.root.path().join("box")).unwrap()
    }

    /// As a process that has just started.
    fn inbox(&self) -> Arc<Folder> {
        let folder = self.store().folder(&FolderName::inbox(), self.now()).unwrap();
        folder.sync(self.now()).unwrap();
        folder
    }

    fn text(&self) -> String {
        fs::read_to_string(self.root.path().join("box")).unwrap()
    }

    fn append(&self, folder: &Folder, text: &str, flags: Flags, keywords: &[&str]) -> u32 {
        let mut upload = folder.upload(self.now()).unwrap();
        upload.write(text.as_bytes()).unwrap();
        let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
        folder
            .append(vec![Addition { upload, flags, keywords, received: 1_000_000_000 }], self.now())
            .unwrap()[0]
    }

    /// What virtual(8) leaves behind.
    fn deliver(&self, body: &str) {
        let path = self.root.path().join("box");
        let text = format!("{}{LINE}Return-Path: <a@b>\nSubject: new\n\n{body}\n\n", self.text());
        fs::write(path, text).unwrap();
    }
}

fn two() -> String {
    format!("{LINE}Subject: one\n\nfirst\n\n{LINE}Subject: two\n\nsecond\n\n")
}

#[test]
fn messages_get_uids_that_stay_in_the_file() {
    let spool = Spool::new(&two());
    let inbox = spool.inbox();
    assert_eq!(uids(&inbox), [1, 2]);
    let summary = inbox.read(|contents| contents.summary());
    assert_eq!((summary.recent, summary.uid_next), (2, 3));
    assert!(
        spool.text().contains(&format!("X-IMAPbase: {} 0000000002\nX-UID: 1\n", summary.uid_validity)),
        "{}",
        spool.text()
    );
    assert_eq!(text(&inbox, 2), "Subject: two\r\n\r\nsecond\r\n");
    assert_eq!(inbox.claim_recent(spool.now()).unwrap(), [1, 2]);
    spool.deliver("third");
    inbox.sync(spool.now()).unwrap();
    assert_eq!(uids(&inbox), [1, 2, 3]);
    assert_eq!(text(&inbox, 3), "Return-Path: <a@b>\r\nSubject: new\r\n\r\nthird\r\n");
    assert_eq!(inbox.read(|contents| contents.summary().recent), 1);
    // Another process without the index counts the same.
    fs::remove_file(spool.root.path().join("pillarbox.index")).unwrap();
    let other = spool.inbox();
    assert_eq!(
        (shown(&other), other.read(|contents| contents.summary().uid_validity)),
        (shown(&inbox), summary.uid_validity)
    );
}

#[test]
fn flags_and_keywords_are_written_where_there_is_room() {
    let spool = Spool::new(&two());
    let inbox = spool.inbox();
    let length = spool.text().len();
    let change_flags = change(How::Add, Flags::SEEN | Flags::FLAGGED, &[]);
    let stored = inbox.store(&[1], &change_flags, None, spool.now()).unwrap();
    assert!(stored.modseq.is_some());
    assert_eq!(spool.text().len(), length);
    assert!(spool.text().contains("Status: R \nX-Status: F   \n"), "{}", spool.text());
    inbox.store(&[1], &change(How::Add, Flags::NONE, &["Work"]), None, spool.now()).unwrap();
    assert!(spool.text().contains("X-Keywords: Work "), "{}", spool.text());
    assert_eq!(shown(&spool.inbox()), ["1:Flags(FS):Work", "2:Flags():"]);
    // More than there is room for.
    let many: Vec<String> = (0..20).map(|number| format!("keyword{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    inbox.store(&[2], &change(How::Replace, Flags::DELETED, &many), None, spool.now()).unwrap();
    assert!(spool.text().len() > length);
    assert_eq!(shown(&spool.inbox()), shown(&inbox));
    assert_eq!(text(&inbox, 1), "Subject: one\r\n\r\nfirst\r\n");
}

#[test]
fn expunged_messages_leave_the_others_as_they_were() {
    let spool = Spool::new(&two());
    let inbox = spool.inbox();
    spool.deliver("third");
    let seen = inbox.read(|contents| contents.summary().highest_modseq);
    assert_eq!(inbox.expunge(&[1, 9], spool.now()).unwrap(), [1]);
    assert_eq!(uids(&inbox), [2, 3]);
    assert_eq!(inbox.read(|contents| contents.changes_since(seen).vanished), Vanished::These(vec![1]));
    let other = spool.inbox();
    assert_eq!((uids(&other), text(&other, 3).ends_with("\r\n\r\nthird\r\n")), (vec![2, 3], true));
    assert_eq!(spool.append(&other, "Subject: four\r\nX-UID: 99\r\n\r\nx", Flags::ANSWERED, &["k"]), 4);
    // As with Dovecot, the last line has its end.
    assert_eq!(text(&other, 4), "Subject: four\r\n\r\nx\r\n");
    inbox.sync(spool.now()).unwrap();
    assert_eq!(shown(&inbox), ["2:Flags():", "3:Flags():", "4:Flags(R):k"]);
    other.expunge(&[2, 3, 4], spool.now()).unwrap();
    assert_eq!(spool.text(), "");
    assert_eq!(spool.append(&spool.inbox(), "x", Flags::NONE, &[]), 5);
}

#[test]
fn a_body_may_look_like_another_message() {
    let spool = Spool::new("");
    let inbox = spool.inbox();
    let body = format!("Subject: x\r\n\r\na\r\n\r\n{}\r\nb\r\n", LINE.trim_end());
    let uid = spool.append(&inbox, &body, Flags::SEEN, &[]);
    spool.deliver("next");
    inbox.sync(spool.now()).unwrap();
    assert_eq!(uids(&inbox), [uid, uid + 1]);
    inbox.store(&[uid + 1], &change(How::Add, Flags::SEEN, &[]), None, spool.now()).unwrap();
    assert_eq!(text(&spool.inbox(), uid), body);
}

#[test]
fn the_message_of_uw_imapd_is_hidden_and_kept() {
    let pseudo = format!(
        "{LINE}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1234567 0000000009 Old\nStatus: RO\n\nThis text is part of the internal format.\n\n"
    );
    let numbered = two()
        .replace("Subject: one", "Subject: one\nX-UID: 4")
        .replace("Subject: two", "Subject: two\nX-UID: 9\nX-Keywords: Old");
    let spool = Spool::new(&format!("{pseudo}{numbered}"));
    let inbox = spool.inbox();
    assert_eq!(shown(&inbox), ["4:Flags():", "9:Flags():Old"]);
    assert_eq!(inbox.read(|contents| contents.summary().uid_validity), 1_234_567);
    inbox.expunge(&[4], spool.now()).unwrap();
    assert!(
        spool.text().contains("FOLDER INTERNAL DATA\nX-IMAP: 1234567 0000000009 Old\n"),
        "{}",
        spool.text()
    );
    assert_eq!(uids(&spool.inbox()), [9]);
}

#[test]
fn what_others_remove_is_noticed() {
    let spool = Spool::new(&two());
    let inbox = spool.inbox();
    spool.deliver("third");
    spool.deliver("fourth");
    inbox.sync(spool.now()).unwrap();
    // Another reader throws the third away, which has no UID in the file.
    let text_now = spool.text();
    let at = text_now.find(&format!("{LINE}Return-Path")).unwrap();
    let next = at + 1 + text_now[at + 1..].find(LINE).unwrap();
    fs::write(spool.root.path().join("box"), format!("{}{}", &text_now[..at], &text_now[next..])).unwrap();
    inbox.sync(spool.now()).unwrap();
    assert_eq!(uids(&inbox), [1, 2, 4]);
    assert!(text(&inbox, 4).ends_with("fourth\r\n"));
    fs::write(spool.root.path().join("box"), "this is no mbox\n").unwrap();
    assert!(matches!(inbox.sync(spool.now()), Err(MailError::NoMbox { .. })));
}

#[test]
fn pop3_reads_it_too() {
    let spool = Spool::new(&two());
    let store = spool.store();
    let drop = Maildrop::open(&store, exclusive(), spool.now()).unwrap();
    let sizes: Vec<_> = drop.messages().iter().map(|message| message.size_bytes).collect();
    assert_eq!(sizes, [23, 24]);
    drop.update(&[1], &[2], spool.now()).unwrap();
    assert_eq!(shown(&spool.inbox()), ["2:Flags(S):"]);
    assert!(!Path::new(&spool.root.path().join("box.lock")).exists());
}

#[test]
fn folders_beside_an_mbox_are_files_in_a_directory_of_their_own() {
    let spool = Spool::new(&format!("{LINE}Subject: x\n\nbody\n"));
    let name = |text: &str| FolderName::parse(text, '/').unwrap();
    let location = Location {
        inbox: spool.root.path().join("box"),
        layout: Layout::Mbox,
        folders: Some(spool.root.path().join("mail")),
        utf8_names: false,
        limits: Limits { bytes: 1000, messages: 0 },
    };
    let open = || Stores::new(settings()).open_at(&location).unwrap();
    let store = open();
    store.create(&name("A/B"), spool.now()).unwrap();
    assert!(matches!(store.create(&name("A/B"), spool.now()), Err(MailError::FolderExists(_))));
    assert!(matches!(store.folder(&name("A"), spool.now()), Err(MailError::NotSelectable(_))));
    assert!(matches!(store.folder(&name("none"), spool.now()), Err(MailError::NoFolder(_))));
    let (inbox, below) = (FolderName::inbox(), name("A/B"));
    let inbox = store.folder(&inbox, spool.now()).unwrap();
    inbox.sync(spool.now()).unwrap();
    let target = store.folder(&below, spool.now()).unwrap();
    target.sync(spool.now()).unwrap();
    inbox.move_to(&[1], &target, FlagScope::ALL, spool.now()).unwrap();
    assert_eq!((uids(&inbox), text(&target, 1)), (vec![], "Subject: x\r\n\r\nbody\r\n".to_owned()));
    store.subscribe(&below, true, spool.now()).unwrap();
    store.rename(&below, &name("C"), spool.now()).unwrap();
    // Another process finds the same, and what is no mail lies apart.
    let other = open();
    let listed = other.list().unwrap();
    assert_eq!(listed.iter().map(|folder| folder.name.to_text('/')).collect::<Vec<_>>(), ["INBOX", "A", "C"]);
    let moved = other.folder(&name("C"), spool.now()).unwrap();
    moved.sync(spool.now()).unwrap();
    assert_eq!(uids(&moved), [1]);
    assert_eq!(other.subscriptions().unwrap(), [below]);
    let quota = other.quota(spool.now()).unwrap();
    assert!(quota.used_bytes > 0 && quota.limit_bytes == 1000, "{quota:?}");
    let drop = Maildrop::open(&other, exclusive(), spool.now()).unwrap();
    assert!(spool.root.path().join("mail/.imap/dovecot-pop3-session.lock").exists());
    drop.update(&[], &[], spool.now()).unwrap();
    other.delete(&name("C"), spool.now()).unwrap();
    let mut left: Vec<_> =
        fs::read_dir(spool.root.path().join("mail")).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".imap", ".subscriptions", "A"]);
}
