//! The same Maildir, now in Dovecot's hands, now in ours: whoever looks sees the same.
//!
//! A program of its own: a process that is just being started holds the locks of the tests beside it.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)] // what other programs use
#[path = "store/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use mailbox::store::{FlagScope, Flags, How, Maildrop, Settings, Store, Stores};

use world::{change, exclusive, folder_name, text};

/// Dovecot refuses to read mail as root.
const MAIL_UID: u32 = 5999;

/// A user's mail and what is to be found in it.
struct Switch {
    root: tempfile::TempDir,
    now_us: u64,
    /// Folder, UID: flags and keywords, sorted.
    model: BTreeMap<String, BTreeMap<u32, Vec<String>>>,
    random: u64,
}

impl Switch {
    /// None where there is no Dovecot, and the log of the test says so.
    fn new(seed: u64) -> Option<Self> {
        if Command::new("doveadm").arg("--version").output().is_err() {
            testkit::left_out("doveadm is not installed (apt-get install dovecot-imapd)");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        let uid = match sys::ids::effective_uid() {
            0 => MAIL_UID,
            uid => uid,
        };
        let conf = format!(
            "base_dir = {0}/run\nstate_dir = {0}/state\nlog_path = {0}/log\nssl = no\nprotocols =\nfirst_valid_uid = 1\n\
             mail_uid = {uid}\nmail_gid = {uid}\nmail_location = maildir:{0}/m\nnamespace inbox {{\n inbox = yes\n separator = /\n}}\n",
            root.path().display()
        );
        fs::write(root.path().join("conf"), conf).unwrap();
        fs::create_dir(root.path().join("m")).unwrap();
        fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let model = BTreeMap::from([("INBOX".to_owned(), BTreeMap::new())]);
        let switch = Self { root, now_us: sys::clock::now_us() + 10_000_000, model, random: seed };
        switch.give_away();
        Some(switch)
    }

    fn mail(&self) -> PathBuf {
        self.root.path().join("m")
    }

    /// What we made as root is to belong to the user whom Dovecot serves.
    fn give_away(&self) {
        if sys::ids::effective_uid() == 0 {
            own(&self.mail());
        }
    }

    fn dovecot(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(self.root.path().join("conf")).args(arguments);
        command.env("USER", "tester").env("HOME", self.root.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A process of ours that has just started.
    fn ours(&mut self) -> (Arc<Store>, u64) {
        self.now_us += 2_000_000;
        (Stores::new(Settings::new("vm", std::process::id())).open(&self.mail()).unwrap(), self.now_us)
    }

    fn next(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 16).unwrap() % below
    }

    fn seen_by_us(&mut self, name: &str) -> BTreeMap<u32, Vec<String>> {
        let (store, now_us) = self.ours();
        let folder = store.folder(&folder_name(name), now_us).unwrap();
        folder.sync(now_us).unwrap();
        let seen = folder.read(|contents| {
            let one = |message: &mailbox::store::Message| {
                let mut words: Vec<String> = FLAGS
                    .iter()
                    .filter(|(flag, _)| message.flags.has(*flag))
                    .map(|(_, word)| (*word).to_owned())
                    .chain(message.keywords.iter().map(|index| contents.keywords()[index].clone()))
                    .collect();
                words.sort();
                (message.uid, words)
            };
            contents.messages().iter().map(one).collect()
        });
        self.give_away();
        seen
    }

    fn seen_by_dovecot(&self, name: &str) -> BTreeMap<u32, Vec<String>> {
        let listing = self.dovecot(&["-f", "tab", "fetch", "uid flags", "mailbox", name, "all"], "");
        let one = |line: &str| {
            let (uid, flags) = line.split_once('\t').unwrap();
            let mut words: Vec<String> =
                flags.split_whitespace().filter(|word| *word != "\\Recent").map(str::to_owned).collect();
            words.sort();
            (uid.parse().unwrap(), words)
        };
        listing.lines().skip(1).map(one).collect()
    }

    fn uid_validity(&self, name: &str) -> String {
        self.dovecot(&["-f", "tab", "mailbox", "status", "uidvalidity uidnext guid", name], "")
            .lines()
            .nth(1)
            .unwrap()
            .to_owned()
    }

    fn check(&mut self) {
        for (name, expected) in self.model.clone() {
            assert_eq!(self.seen_by_us(&name), expected, "{name}, by us");
            assert_eq!(self.seen_by_dovecot(&name), expected, "{name}, by Dovecot");
        }
    }

    fn pick(&mut self, name: &str) -> Option<u32> {
        let count = self.model[name].len();
        if count == 0 {
            return None;
        }
        let at = self.next(count);
        self.model[name].keys().nth(at).copied()
    }
}

fn own(path: &Path) {
    chown(path, Some(MAIL_UID), Some(MAIL_UID)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path()));
    }
}

const FLAGS: [(Flags, &str); 5] = [
    (Flags::SEEN, "\\Seen"),
    (Flags::ANSWERED, "\\Answered"),
    (Flags::FLAGGED, "\\Flagged"),
    (Flags::DRAFT, "\\Draft"),
    (Flags::DELETED, "\\Deleted"),
];

/// One step of either side.
impl Switch {
    fn add(&mut self, name: &str, ours: bool) {
        let uid = self.model[name].keys().last().map_or(0, |uid| *uid);
        if ours {
            let (store, now_us) = self.ours();
            let folder = store.folder(&folder_name(name), now_us).unwrap();
            let mut upload = folder.upload(now_us).unwrap();
            upload.write(b"Subject: ours\r\n\r\ntext\r\n").unwrap();
            let addition = mailbox::store::Addition {
                upload,
                flags: Flags::SEEN,
                keywords: vec!["Kept".into()],
                received: 1_000_000_000,
            };
            let new = folder.append(vec![addition], now_us).unwrap()[0];
            assert!(new > uid);
            self.model.get_mut(name).unwrap().insert(new, vec!["Kept".into(), "\\Seen".into()]);
            self.give_away();
        } else {
            self.dovecot(&["save", "-m", name], "Subject: theirs\n\ntext\n");
            let new = *self.seen_by_dovecot(name).keys().last().unwrap();
            assert!(new > uid);
            self.model.get_mut(name).unwrap().insert(new, vec![]);
        }
    }

    fn flag(&mut self, name: &str, ours: bool) {
        let Some(uid) = self.pick(name) else { return };
        let at = self.next(FLAGS.len() + 2);
        let (flag, word) = FLAGS.get(at).copied().unwrap_or((Flags::NONE, ["Work", "$Forwarded"][at % 2]));
        let add = self.next(3) > 0;
        if ours {
            let (store, now_us) = self.ours();
            let folder = store.folder(&folder_name(name), now_us).unwrap();
            let keywords: &[&str] = if flag.is_empty() { &[word] } else { &[] };
            let how = if add { How::Add } else { How::Remove };
            folder.store(&[uid], &change(how, flag, keywords), None, now_us).unwrap();
            self.give_away();
        } else {
            let verb = if add { "add" } else { "remove" };
            self.dovecot(&["flags", verb, word, "mailbox", name, "uid", &uid.to_string()], "");
        }
        let words = self.model.get_mut(name).unwrap().get_mut(&uid).unwrap();
        words.retain(|known| known != word);
        if add {
            words.push(word.to_owned());
            words.sort();
        }
    }

    fn expunge(&mut self, name: &str, ours: bool) {
        let Some(uid) = self.pick(name) else { return };
        if ours {
            let (store, now_us) = self.ours();
            let folder = store.folder(&folder_name(name), now_us).unwrap();
            assert_eq!(folder.expunge(&[uid], now_us).unwrap(), [uid]);
            self.give_away();
        } else {
            self.dovecot(&["expunge", "mailbox", name, "uid", &uid.to_string()], "");
        }
        self.model.get_mut(name).unwrap().remove(&uid);
    }

    fn copy(&mut self, from: &str, to: &str, ours: bool) {
        let Some(uid) = self.pick(from) else { return };
        let new = if ours {
            let (store, now_us) = self.ours();
            let [from, to] = [from, to].map(|name| store.folder(&folder_name(name), now_us).unwrap());
            from.sync(now_us).unwrap();
            let copied = from.copy(&[uid], &to, FlagScope::ALL, now_us).unwrap();
            assert_eq!(text(&from, uid), text(&to, copied[0].to));
            self.give_away();
            copied[0].to
        } else {
            self.dovecot(&["copy", to, "mailbox", from, "uid", &uid.to_string()], "");
            *self.seen_by_dovecot(to).keys().last().unwrap()
        };
        let words = self.model[from][&uid].clone();
        self.model.get_mut(to).unwrap().insert(new, words);
    }
}

#[test]
fn two_servers_in_turn_agree_on_everything() {
    for seed in [1, 7] {
        let Some(mut switch) = Switch::new(seed * 0x9e37_79b9) else { return };
        // Either side makes a folder.
        switch.dovecot(&["mailbox", "create", "theirs/deep"], "");
        let (store, now_us) = switch.ours();
        store.create(&folder_name("ours"), now_us).unwrap();
        switch.give_away();
        for name in ["theirs/deep", "ours"] {
            switch.model.insert(name.into(), BTreeMap::new());
        }
        let names = ["INBOX", "theirs/deep", "ours"];
        let mut validity = BTreeMap::new();
        for step in 0..70 {
            let ours = switch.next(2) == 0;
            let [from, to] = [0; 2].map(|_| names[switch.next(3)]);
            match switch.next(8) {
                0..3 => switch.add(from, ours),
                3..6 => switch.flag(from, ours),
                6 => switch.expunge(from, ours),
                _ => switch.copy(from, to, ours),
            }
            if step % 10 == 9 {
                switch.check();
                for name in names {
                    let now = switch.uid_validity(name);
                    let [_, _, v, guid] =
                        [0, 1, 2, 3].map(|at| now.split('\t').nth(at).unwrap_or("").to_owned());
                    let same = validity.entry(name).or_insert((v.clone(), guid.clone()));
                    assert_eq!(*same, (v, guid), "UIDVALIDITY and GUID of {name}");
                }
            }
        }
    }
}

#[test]
fn subscriptions_and_folders_go_both_ways() {
    let Some(mut switch) = Switch::new(3) else { return };
    switch.dovecot(&["mailbox", "create", "a/b", "ä & x"], "");
    switch.dovecot(&["mailbox", "subscribe", "a/b", "ä & x"], "");
    let (store, now_us) = switch.ours();
    let names: Vec<_> = store.list().unwrap().iter().map(|folder| folder.name.to_string()).collect();
    assert_eq!(names, ["INBOX", "ä & x", "a", "a/b"]);
    let subscribed: Vec<_> = store.subscriptions().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(subscribed, ["a/b", "ä & x"]);
    store.subscribe(&folder_name("a/b"), false, now_us).unwrap();
    store.subscribe(&folder_name("new"), true, now_us).unwrap();
    store.create(&folder_name("new"), now_us).unwrap();
    store.rename(&folder_name("a"), &folder_name("z"), now_us).unwrap();
    switch.give_away();
    let list = |arguments: &[&str]| {
        let mut names: Vec<String> = switch.dovecot(arguments, "").lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(list(&["mailbox", "list", "-s"]), ["new", "ä & x"]);
    assert_eq!(list(&["mailbox", "list"]), ["INBOX", "new", "z", "z/b", "ä & x"]);
}

#[test]
fn uidls_are_those_of_dovecot() {
    let Some(mut switch) = Switch::new(3) else { return };
    for _ in 0..3 {
        switch.dovecot(&["save", "-m", "INBOX"], "Subject: x\n\ny\n");
    }
    switch.dovecot(&["expunge", "mailbox", "INBOX", "uid", "2"], "");
    let v: u32 = switch
        .uid_validity("INBOX")
        .split('\t')
        .find_map(|word| word.parse().ok().filter(|v| *v > 1000))
        .unwrap();
    let (store, now_us) = switch.ours();
    let drop = Maildrop::open(&store, exclusive(), now_us).unwrap();
    let uidls: Vec<_> = drop.messages().iter().map(|message| message.uidl.clone()).collect();
    assert_eq!(uidls, [format!("00000001{v:08x}"), format!("00000003{v:08x}")]);
    assert!(drop.messages().iter().all(|message| message.size_bytes == 17));
}
