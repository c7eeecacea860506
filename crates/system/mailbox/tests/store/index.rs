//! The index: what it remembers, and that nothing but time is lost with it.

use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use mailbox::store::{CacheKind, Flags, Folder, How, Settings, Stores, Vanished};

use crate::world::{World, change, folder_name, shown, text, uids};

const KIND: CacheKind = CacheKind(1);

fn reopened(world: &World) -> Arc<Folder> {
    let folder = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    folder.sync(world.now()).unwrap();
    folder
}

/// A folder with some history; answers a modification sequence in the middle of it.
fn history(world: &World) -> u64 {
    let inbox = world.inbox();
    for number in 0..8 {
        world.append(&inbox, &format!("Subject: {number}\r\n\r\ntext\r\n"), Flags::NONE, &["a"]);
    }
    inbox.store(&[2, 3], &change(How::Add, Flags::SEEN, &["b"]), None, world.now()).unwrap();
    let middle = inbox.read(|contents| contents.summary().highest_modseq);
    inbox.expunge(&[1, 4], world.now()).unwrap();
    inbox.store(&[5], &change(How::Add, Flags::FLAGGED, &[]), None, world.now()).unwrap();
    inbox.cache(&[(2, KIND, b"two"), (5, KIND, &[7; 9000])]);
    middle
}

fn cached(folder: &Folder, uids: &[u32], kind: CacheKind) -> Vec<Option<Vec<u8>>> {
    let known = folder.cached(uids, kind);
    (0..uids.len()).map(|place| known.get(place).map(<[u8]>::to_vec)).collect()
}

#[test]
fn another_process_goes_on_where_the_last_ended() {
    let world = World::new();
    let middle = history(&world);
    let before = world.inbox().read(|contents| contents.changes_since(middle));
    let other = reopened(&world);
    assert_eq!(other.read(|contents| contents.changes_since(middle)), before);
    assert_eq!(before.vanished, Vanished::These(vec![1, 4]));
    assert_eq!(cached(&other, &[2, 3, 5], KIND), [Some(b"two".to_vec()), None, Some(vec![7; 9000])]);
    assert_eq!(cached(&other, &[2], CacheKind(2)), [None]);
    // Changes of the one reach the other with the same modification sequence.
    let stored = other.store(&[6], &change(How::Add, Flags::SEEN, &[]), None, world.now()).unwrap();
    other.expunge(&[7], world.now()).unwrap();
    let inbox = world.inbox();
    assert_eq!(inbox.read(|contents| contents.message(6).unwrap().modseq), stored.modseq.unwrap());
    let both = [&inbox, &other].map(|folder| folder.read(|contents| contents.changes_since(middle)));
    assert_eq!(both[0], both[1]);
    assert_eq!(cached(&other, &[7, 2], KIND)[1], Some(b"two".to_vec()));
}

#[test]
fn keywords_without_a_letter_outlive_the_process() {
    let world = World::new();
    let inbox = world.inbox();
    let words: Vec<String> = (0..30).map(|number| format!("k{number}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let uid = world.append(&inbox, "x", Flags::NONE, &words);
    inbox.store(&[uid], &change(How::Remove, Flags::NONE, &["k3", "k28"]), None, world.now()).unwrap();
    let other = reopened(&world);
    assert_eq!(shown(&other), shown(&inbox));
    assert!(shown(&other)[0].contains("k29") && !shown(&other)[0].contains("k28"));
}

#[test]
fn removing_it_costs_what_no_file_tells() {
    let world = World::new();
    let middle = history(&world);
    let before = (shown(&world.inbox()), world.inbox().read(|contents| contents.summary()));
    fs::remove_file(world.at("pillarbox.index")).unwrap();
    let other = reopened(&world);
    let after = other.read(|contents| contents.summary());
    assert_eq!(shown(&other), before.0);
    assert!(after.highest_modseq > before.1.highest_modseq);
    assert_eq!(
        (after.uid_validity, after.uid_next, after.guid),
        (before.1.uid_validity, before.1.uid_next, before.1.guid)
    );
    let news = other.read(|contents| contents.changes_since(middle));
    assert_eq!((news.vanished, news.changed.len()), (Vanished::AllMissing, 6));
    // The process that had it open goes on with the new one.
    let inbox = world.inbox();
    inbox.store(&[8], &change(How::Add, Flags::SEEN, &[]), None, world.now()).unwrap();
    other.sync(world.now()).unwrap();
    let both = [&inbox, &other].map(|folder| folder.read(|contents| contents.changes_since(middle)));
    assert_eq!(both[0], both[1]);
}

#[test]
fn damage_costs_no_message_no_flag_and_no_process() {
    let world = World::new();
    history(&world);
    let expected = shown(&world.inbox());
    let whole = fs::read(world.at("pillarbox.index")).unwrap();
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 20) as usize % below
    };
    for round in 0..300 {
        let mut damaged = whole.clone();
        match round % 4 {
            0 => damaged.truncate(next(whole.len())),
            1 => (0..40).for_each(|_| damaged[next(whole.len())] = next(256) as u8),
            2 => {
                let from = next(whole.len());
                let to = (from + next(9000)).min(whole.len());
                damaged[from..to].fill(next(256) as u8);
            }
            // Where a page tells what it is.
            _ => damaged[next(whole.len() / 4096) * 4096 + next(64)] ^= 1 << next(8),
        }
        fs::write(world.at("pillarbox.index"), &damaged).unwrap();
        let folder = reopened(&world);
        assert_eq!(shown(&folder), expected, "round {round}");
        assert!(matches!(folder.cached(&[2], KIND).get(0), None | Some(b"two")), "round {round}");
        folder.cache(&[(3, KIND, b"three")]);
        assert_eq!(text(&folder, 2), "Subject: 1\r\n\r\ntext\r\n");
    }
}

#[test]
fn a_file_changed_while_it_is_open_is_begun_anew_by_the_next_who_opens_it() {
    let world = World::new();
    history(&world);
    let inbox = world.inbox();
    let expected = shown(&inbox);
    let file = fs::OpenOptions::new().write(true).open(world.at("pillarbox.index")).unwrap();
    file.write_all_at(&[0xff; 4096], 0).unwrap();
    inbox.rest();
    inbox.sync(world.now()).unwrap();
    assert_eq!(shown(&reopened(&world)), expected);
    let uid = world.append(&inbox, "x", Flags::SEEN, &[]);
    assert!(uids(&reopened(&world)).contains(&uid));
}

#[test]
fn it_lies_elsewhere_on_request() {
    let elsewhere = tempfile::tempdir().unwrap();
    let settings =
        Settings { index_directory: Some(elsewhere.path().join("deep")), ..Settings::new("vm", 1) };
    let world = World::with(|_| {}, settings.clone());
    history(&world);
    assert!(!world.at("pillarbox.index").exists());
    let directories: Vec<_> = fs::read_dir(elsewhere.path().join("deep")).unwrap().collect();
    assert_eq!(directories.len(), 1);
    let other = Stores::new(settings).open(&world.at("")).unwrap();
    let other = other.folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!(cached(&other, &[2], KIND), [Some(b"two".to_vec())]);
}

#[test]
fn deleting_a_folder_forgets_it() {
    let world = World::new();
    world.store.create(&folder_name("A"), world.now()).unwrap();
    let folder = world.folder("A");
    world.append(&folder, "x", Flags::SEEN, &[]);
    folder.cache(&[(1, KIND, b"kept")]);
    world.store.delete(&folder_name("A"), world.now()).unwrap();
    assert_eq!(cached(&folder, &[1], KIND), [None]);
}
