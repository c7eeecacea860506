//! Many folders: made, listed, renamed, removed, subscribed to.

use std::collections::BTreeSet;
use std::fs;

use mailbox::store::{Flags, FolderName, Layout, MailError, Settings, Stores};

use crate::world::{World, folder_name, uids};

fn listed(world: &World) -> Vec<String> {
    let mark = |folder: &mailbox::store::Listed| if folder.selectable { "" } else { "-" };
    world.store.list().unwrap().iter().map(|folder| format!("{}{}", mark(folder), folder.name)).collect()
}

fn make(world: &World, name: &str) {
    world.store.create(&folder_name(name), world.now()).unwrap();
}

#[test]
fn folders_come_and_go_as_dovecot_has_them() {
    let world = World::new();
    make(&world, "A/B");
    make(&world, "C");
    assert_eq!(listed(&world), ["INBOX", "-A", "A/B", "C"]);
    assert_eq!(world.names(".A.B"), ["cur", "maildirfolder", "new", "tmp"]);
    assert!(matches!(world.store.create(&folder_name("C"), 0), Err(MailError::FolderExists(_))));
    assert!(matches!(world.store.create(&folder_name("x.y"), 0), Err(MailError::BadName(_))));
    assert!(matches!(world.store.create(&FolderName::inbox(), 0), Err(MailError::FolderExists(_))));
    assert!(matches!(world.store.folder(&folder_name("A"), 0), Err(MailError::NotSelectable(_))));
    assert!(matches!(world.store.folder(&folder_name("none"), 0), Err(MailError::NoFolder(_))));
    assert!(matches!(world.store.delete(&folder_name("A"), 0), Err(MailError::NotSelectable(_))));
    assert!(matches!(world.store.delete(&FolderName::inbox(), 0), Err(MailError::Inbox)));
    make(&world, "A");
    world.append(&world.folder("A"), "x", Flags::SEEN, &[]);
    world.store.delete(&folder_name("A"), world.now()).unwrap();
    assert_eq!(listed(&world), ["INBOX", "-A", "A/B", "C"]);
    // What a crash left of a folder is in nobody's way.
    fs::create_dir_all(world.at("..DOVECOT-TRASHED/cur/deep")).unwrap();
    world.store.delete(&folder_name("C"), world.now()).unwrap();
    assert_eq!(listed(&world), ["INBOX", "-A", "A/B"]);
    assert!(!world.at("..DOVECOT-TRASHED").exists());
}

#[test]
fn deleting_and_creating_gives_another_uidvalidity() {
    let world = World::new();
    make(&world, "A");
    let first = world.folder("A").read(|contents| contents.summary());
    world.store.delete(&folder_name("A"), world.now()).unwrap();
    make(&world, "A");
    let second = world.folder("A").read(|contents| contents.summary());
    assert!(second.uid_validity > first.uid_validity && second.guid != first.guid);
}

#[test]
fn folders_below_are_renamed_too_and_sessions_go_on() {
    let world = World::new();
    make(&world, "A");
    make(&world, "A/B");
    make(&world, "AB");
    let folder = world.folder("A/B");
    let uid = world.append(&folder, "x", Flags::SEEN, &["k"]);
    let before = folder.read(|contents| contents.summary());
    world.store.rename(&folder_name("A"), &folder_name("X/Y"), world.now()).unwrap();
    assert_eq!(listed(&world), ["INBOX", "AB", "-X", "X/Y", "X/Y/B"]);
    world.append(&folder, "y", Flags::SEEN, &["k"]);
    folder.rest();
    folder.sync(world.now()).unwrap();
    assert_eq!(uids(&world.folder("X/Y/B")), [uid, uid + 1]);
    let other = world.other_process().folder(&folder_name("X/Y/B"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    let after = other.read(|contents| contents.summary());
    assert_eq!((after.uid_validity, after.guid), (before.uid_validity, before.guid));
    let rename = |from, to| world.store.rename(&folder_name(from), &folder_name(to), world.now());
    assert!(matches!(rename("X/Y", "AB"), Err(MailError::FolderExists(_))));
    assert!(matches!(rename("X/Y", "X/Y/Z"), Err(MailError::BadName(_))));
    assert!(matches!(rename("none", "Z"), Err(MailError::NoFolder(_))));
    assert!(matches!(rename("INBOX", "Z"), Err(MailError::Inbox)));
}

#[test]
fn a_tree_of_maildirs_is_another_layout() {
    let settings = Settings { layout: Layout::MaildirTree, ..Settings::new("vm", 1) };
    let world = World::with(|_| {}, settings);
    make(&world, "A/B.c");
    make(&world, "A");
    assert!(matches!(world.store.create(&folder_name("A/cur"), 0), Err(MailError::BadName(_))));
    assert_eq!(listed(&world), ["INBOX", "A", "A/B.c"]);
    world.append(&world.folder("A"), "x", Flags::SEEN, &[]);
    world.store.delete(&folder_name("A"), world.now()).unwrap();
    assert_eq!(listed(&world), ["INBOX", "-A", "A/B.c"]);
    world.store.rename(&folder_name("A"), &folder_name("D/E"), world.now()).unwrap();
    assert_eq!(listed(&world), ["INBOX", "-D", "-D/E", "D/E/B.c"]);
    world.store.delete(&folder_name("D/E/B.c"), world.now()).unwrap();
    assert!(!world.at("D/E/B.c").exists());
}

#[test]
fn subscriptions_are_kept_in_the_form_they_have() {
    let world = World::new();
    assert!(world.store.subscriptions().unwrap().is_empty());
    world.store.subscribe(&folder_name("A/B"), true, world.now()).unwrap();
    world.store.subscribe(&folder_name("inbox"), true, world.now()).unwrap();
    assert_eq!(fs::read_to_string(world.at("subscriptions")).unwrap(), "V\t2\n\nA\tB\nINBOX\n");
    world.store.subscribe(&folder_name("A/B"), false, world.now()).unwrap();
    assert_eq!(world.store.subscriptions().unwrap(), [FolderName::inbox()]);
    fs::write(world.at("subscriptions"), "A.B\n").unwrap();
    world.store.subscribe(&folder_name("C"), true, world.now()).unwrap();
    assert_eq!(fs::read_to_string(world.at("subscriptions")).unwrap(), "A.B\nC\n");
    fs::remove_file(world.at("subscriptions")).unwrap();
    fs::write(world.at("courierimapsubscribed"), "INBOX.Sent\nINBOX\n").unwrap();
    assert_eq!(world.store.subscriptions().unwrap(), [folder_name("Sent"), FolderName::inbox()]);
}

#[test]
fn folders_that_are_opened_at_once_get_uidvalidities_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let store = Stores::new(Settings::new("vm", 1)).open(home.path()).unwrap();
    let names: Vec<FolderName> = (0..8).map(|number| folder_name(&format!("box{number}"))).collect();
    names.iter().for_each(|name| store.create(name, 1_000_000).unwrap());
    let number = |name: &FolderName| {
        let folder = store.folder(name, 1_000_000).unwrap();
        folder.sync(1_000_000).unwrap();
        folder.read(|contents| contents.summary().uid_validity)
    };
    let numbers: BTreeSet<u32> = std::thread::scope(|scope| {
        let asked: Vec<_> = names.iter().map(|name| scope.spawn(|| number(name))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(numbers.len(), names.len());
}
