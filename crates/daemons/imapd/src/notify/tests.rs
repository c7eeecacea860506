//! What a client hears, told by a session on a mailbox that others change.

use std::sync::Arc;

use imap_protocol::session::{Answer, Done};
use imap_protocol::types::{Command, Condition, NotifyRequest, NotifySet, SelectOptions};
use mailbox::store::{Settings, Stores};

use super::*;
use crate::state::Site;

/// A mailbox with these folders, and a session in it.
struct World {
    _root: tempfile::TempDir,
    root: std::path::PathBuf,
    stores: Stores,
}

impl World {
    fn new(folders: impl IntoIterator<Item = String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_owned();
        let world = Self { _root: directory, root, stores: Stores::new(Settings::new("vm", 1)) };
        folders.into_iter().for_each(|name| world.add(&name));
        world
    }

    /// As another program would.
    fn add(&self, name: &str) {
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.root.join(format!(".{name}")).join(part)).unwrap();
        }
    }

    fn deliver(&self, folder: &str, file: &str) {
        let new = self.root.join(folder).join("new");
        std::fs::create_dir_all(&new).unwrap();
        std::fs::write(new.join(file), "Subject: x\n\nx\n").unwrap();
    }

    fn session(&self) -> State {
        let site = Site {
            separator: '.',
            special_uses: Vec::new(),
            notified_mailboxes: LIMIT,
            counts_rights: true,
            permits_anyone: false,
        };
        State::new(Arc::new(site), "me".to_owned(), self.stores.open(&self.root).unwrap())
    }
}

fn done(answer: Answer) -> Done {
    match answer {
        Answer::Done(done) => *done,
        other => panic!("{other:?}"),
    }
}

fn notify(state: &mut State, selected: Option<SelectedEvents>, groups: &[(MailboxFilter, Events)]) -> Done {
    let groups = groups
        .iter()
        .map(|(mailboxes, events)| EventGroup { mailboxes: mailboxes.clone(), events: *events })
        .collect();
    let set = NotifySet { status: false, selected, groups };
    done(state.run("a", Command::Notify(NotifyRequest::Set(set))))
}

fn select(state: &mut State, name: &str) {
    let mailbox = MailboxName::new(name).unwrap();
    let command = Command::Select { mailbox, options: SelectOptions::default(), read_only: false };
    assert_eq!(done(state.run("a", command)).reply.condition, Condition::Ok);
}

/// Everything may have changed: what is told?
fn told(state: &mut State, subjects: &[Subject]) -> String {
    let mut text = String::new();
    let mut changed = Changed { subjects: subjects.iter().cloned().collect(), overflow: false };
    loop {
        match state.changes(std::mem::take(&mut changed), false) {
            Answer::MoreChanges(bytes) => text += &String::from_utf8(bytes).unwrap(),
            Answer::Changes(bytes) => return text + &String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn folder(name: &str) -> Subject {
    Subject::Folder(FolderName::parse(name, '.').unwrap())
}

/// So many mailboxes are watched here.
const LIMIT: usize = 10;

const MESSAGES: Events = Events {
    messages: MessageEvents::NewAndGone,
    names: false,
    subscriptions: false,
    mailbox_metadata: false,
    server_metadata: false,
};
const NAMES: Events = Events { messages: MessageEvents::Nothing, names: true, ..MESSAGES };

fn selected(delayed: bool) -> Option<SelectedEvents> {
    Some(SelectedEvents { delayed, flags: true, fetch: vec![FetchItem::Uid] })
}

#[test]
fn who_asks_for_too_much_hears_that_and_then_nothing() {
    let world = World::new((1..LIMIT).map(|number| format!("f{number}")));
    let mut state = world.session();
    let all = [(MailboxFilter::Personal, MESSAGES)];
    // With INBOX they are as many as may be.
    assert_eq!(notify(&mut state, None, &all).reply.condition, Condition::Ok);
    assert_eq!(state.take_watch_list().unwrap().len(), LIMIT + 1);
    world.add("more");
    assert!(told(&mut state, &[Subject::Folders]).starts_with("* OK [NOTIFICATIONOVERFLOW] "));
    world.deliver(".f1", "1.M1P1.vm");
    assert_eq!(told(&mut state, &[folder("f1")]), "");
    assert_eq!(state.take_watch_list().unwrap(), []);
    let refused = notify(&mut state, selected(false), &all);
    assert_eq!(refused.reply.code, Some(Code::NotificationOverflow));
    assert!(!refused.hears);
}

#[test]
fn what_can_not_be_watched_ends_it() {
    let world = World::new([]);
    let mut state = world.session();
    notify(&mut state, None, &[(MailboxFilter::Personal, MESSAGES)]);
    let changed = Changed { subjects: BTreeSet::new(), overflow: true };
    let Answer::Changes(bytes) = state.changes(changed, false) else { panic!("more") };
    assert!(bytes.starts_with(b"* OK [NOTIFICATIONOVERFLOW] "));
    assert!(!state.hears());
}

#[test]
fn folders_come_go_and_change_their_names() {
    let world = World::new(["a", "a.b", "a.b.c", "z"].map(str::to_owned));
    let mut state = world.session();
    let top = vec![MailboxName::new("a").unwrap()];
    notify(&mut state, None, &[(MailboxFilter::Subtree(top), NAMES)]);
    assert_eq!(told(&mut state, &[Subject::Folders]), "");
    // What lies below goes along, and is not told of.
    std::fs::rename(world.root.join(".a.b"), world.root.join(".a.x")).unwrap();
    std::fs::rename(world.root.join(".a.b.c"), world.root.join(".a.x.c")).unwrap();
    assert_eq!(
        told(&mut state, &[Subject::Folders]),
        "* LIST (\\HasChildren) \".\" a.x (\"OLDNAME\" (a.b))\r\n"
    );
    // A parent is affected, whether it is there or not.
    world.add("a.new.deep");
    std::fs::remove_dir_all(world.root.join(".a.x.c")).unwrap();
    assert_eq!(
        told(&mut state, &[Subject::Folders]),
        "* LIST (\\NonExistent \\HasChildren) \".\" a.new\r\n* LIST (\\HasNoChildren) \".\" a.new.deep\r\n\
         * LIST (\\HasNoChildren) \".\" a.x\r\n* LIST (\\NonExistent \\HasNoChildren) \".\" a.x.c\r\n"
    );
    // Others are not heard of.
    std::fs::remove_dir_all(world.root.join(".z")).unwrap();
    world.add("y");
    assert_eq!(told(&mut state, &[Subject::Folders]), "");
}

#[test]
fn a_mailbox_that_is_unselected_is_told_of_as_others_are() {
    let world = World::new(["a", "b"].map(str::to_owned));
    let mut state = world.session();
    notify(&mut state, selected(true), &[(MailboxFilter::Personal, MESSAGES)]);
    select(&mut state, "a");
    let list = state.take_watch_list().unwrap();
    assert!(list.iter().any(|(subject, _)| *subject == Subject::Selected));
    assert!(!list.iter().any(|(subject, _)| *subject == folder("a")));
    world.deliver(".a", "1.M1P1.vm");
    assert_eq!(told(&mut state, &[folder("a")]), "* 1 EXISTS\r\n* 1 RECENT\r\n* 1 FETCH (UID 1)\r\n");
    world.deliver(".b", "2.M1P1.vm");
    assert_eq!(told(&mut state, &[folder("b")]), "* STATUS b (MESSAGES 1 UIDNEXT 2 UNSEEN 1)\r\n");
    select(&mut state, "b");
    assert_eq!(told(&mut state, &[folder("a"), folder("b")]), "");
    world.deliver(".a", "3.M1P1.vm");
    assert_eq!(told(&mut state, &[folder("a")]), "* STATUS a (MESSAGES 2 UIDNEXT 3 UNSEEN 2)\r\n");
}

#[test]
fn messages_vanish_at_once_or_in_commands() {
    for delayed in [true, false] {
        let world = World::new([]);
        let mut state = world.session();
        world.deliver("", "1.M1P1.vm");
        select(&mut state, "INBOX");
        notify(&mut state, selected(delayed), &[]);
        for file in std::fs::read_dir(world.root.join("cur")).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        let expunge = "* 1 EXPUNGE\r\n* 0 RECENT\r\n";
        let at_once = told(&mut state, &[Subject::Selected]);
        assert_eq!(at_once, if delayed { "" } else { expunge });
        let later = done(state.run("a", Command::Noop)).untagged;
        assert_eq!(later, if delayed { expunge.as_bytes() } else { b"" });
    }
}

#[test]
fn many_new_messages_come_in_pieces() {
    let world = World::new([]);
    let mut state = world.session();
    select(&mut state, "INBOX");
    let section = imap_protocol::types::Section::default();
    let whole = FetchItem::Section { section, partial: None, peek: true };
    let fetch = vec![FetchItem::Uid, whole];
    notify(&mut state, Some(SelectedEvents { delayed: false, flags: false, fetch }), &[]);
    for number in 1..=20 {
        let text = "x".repeat(50_000);
        std::fs::write(world.root.join("new").join(format!("{number}.M1P1.vm")), text).unwrap();
    }
    let Answer::MoreChanges(first) = state.changes(Changed::default(), false) else { panic!("all at once") };
    assert!(first.len() < 500_000, "{}", first.len());
    let rest = told(&mut state, &[]);
    let all = String::from_utf8(first).unwrap() + &rest;
    let numbers: Vec<_> = all.lines().filter(|line| line.contains("FETCH")).map(|line| &line[..5]).collect();
    assert_eq!(numbers.len(), 20);
    assert!(all.starts_with("* 20 EXISTS\r\n"));
}

#[test]
fn a_search_that_is_kept_up_to_date_sends_what_comes_to_it() {
    let world = World::new([]);
    let mut state = world.session();
    select(&mut state, "INBOX");
    let result = imap_protocol::types::SearchResult { update: true, ..Default::default() };
    let request = imap_protocol::types::SearchRequest {
        uid: true,
        result: Some(result),
        fetch: vec![FetchItem::Uid, FetchItem::Size],
        key: imap_protocol::types::SearchKey::All,
    };
    state.run("s", Command::Search(request));
    notify(&mut state, selected(false), &[]);
    world.deliver("", "1.M1P1.vm");
    // What both ask for is sent once.
    assert_eq!(
        told(&mut state, &[]),
        "* 1 EXISTS\r\n* 1 RECENT\r\n* ESEARCH (TAG \"s\") UID ADDTO (0 1)\r\n* 1 FETCH (UID 1 RFC822.SIZE 17)\r\n"
    );
}
