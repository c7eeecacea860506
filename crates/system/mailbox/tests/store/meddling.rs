//! Another program that changes flags, without a lock as mutt does, before each step of a MOVE or an EXPUNGE: what it marked
//! on a message that was still there is not lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mailbox::store::{FlagScope, Flags, Folder, Settings, Store, Stores};

use crate::broken_disk::BrokenDisk;
use crate::world::{World, folder_name, shown};

const STEPS_LIMIT: usize = 200;

/// Gives the only file in `cur` these letters; false when it is not there.
fn rename(cur: &Path, letters: &str) -> bool {
    let Some(Ok(entry)) = fs::read_dir(cur).unwrap().next() else { return false };
    let name = entry.file_name().into_string().unwrap();
    let base = name.split(':').next().unwrap();
    fs::rename(cur.join(&name), cur.join(format!("{base}:2,{letters}"))).unwrap();
    true
}

/// The mail as a process sees it before whose change number `at` another program gives the message other letters; and
/// whether it was there to get them.
fn meddled(world: &World, at: usize, letters: &'static str) -> (BrokenDisk, Arc<Store>, Arc<AtomicBool>) {
    let (done, cur): (Arc<AtomicBool>, PathBuf) = (Arc::default(), world.at("cur"));
    let note = Arc::clone(&done);
    let disk = BrokenDisk::meddled(at, move || note.store(rename(&cur, letters), Ordering::SeqCst));
    let settings = Settings { disk: Arc::new(disk.clone()), ..Settings::new("vm", std::process::id()) };
    (disk, Stores::new(settings).open(&world.at("")).unwrap(), done)
}

fn folder(store: &Store, name: &str, now_us: u64) -> Arc<Folder> {
    let folder = store.folder(&folder_name(name), now_us).unwrap();
    folder.sync(now_us).unwrap();
    folder
}

/// A message with these flags and the keyword `one`; the folder knows the keyword `two`, too.
fn world(flags: Flags) -> World {
    let world = World::new();
    world.store.create(&folder_name("Work"), world.now()).unwrap();
    let inbox = world.inbox();
    world.append(&inbox, "text\r\n", flags, &["one"]);
    let other = world.append(&inbox, "text\r\n", flags, &["two"]);
    inbox.expunge(&[other], world.now()).unwrap();
    world
}

#[test]
fn a_flag_set_while_a_message_moves_moves_with_it() {
    for at in 0..STEPS_LIMIT {
        let world = world(Flags::SEEN);
        let (disk, store, done) = meddled(&world, at, "Fb");
        let now_us = world.now();
        let (inbox, work) = (folder(&store, "INBOX", now_us), folder(&store, "Work", now_us));
        assert_eq!(inbox.move_to(&[1], &work, FlagScope::ALL, now_us).unwrap().len(), 1, "step {at}");
        let marked = if done.load(Ordering::SeqCst) { "1:Flags(F):two" } else { "1:Flags(S):one" };
        let seen = (shown(&world.inbox()), shown(&world.folder("Work")));
        assert_eq!(seen, (vec![], vec![marked.to_owned()]), "step {at}");
        if !disk.was_reached() {
            assert!(at > 5, "{at}");
            return;
        }
    }
    panic!("more than {STEPS_LIMIT} steps");
}

#[test]
fn a_message_that_is_deleted_no_more_stays() {
    for at in 0..STEPS_LIMIT {
        let world = world(Flags::DELETED);
        let (disk, store, done) = meddled(&world, at, "S");
        let now_us = world.now();
        let gone = folder(&store, "INBOX", now_us).expunge_deleted(&[1], now_us).unwrap();
        let kept = done.load(Ordering::SeqCst);
        let seen = if kept { vec!["1:Flags(S):".to_owned()] } else { vec![] };
        assert_eq!((gone.is_empty(), shown(&world.inbox())), (kept, seen), "step {at}");
        if !disk.was_reached() {
            assert!(at > 2, "{at}");
            return;
        }
    }
    panic!("more than {STEPS_LIMIT} steps");
}

#[test]
fn a_message_with_another_name_is_removed() {
    for at in 0..STEPS_LIMIT {
        let world = world(Flags::SEEN);
        let (disk, store, _) = meddled(&world, at, "FS");
        let now_us = world.now();
        folder(&store, "INBOX", now_us).expunge(&[1], now_us).unwrap();
        assert_eq!(world.names("cur"), [""; 0], "step {at}");
        if !disk.was_reached() {
            return;
        }
    }
    panic!("more than {STEPS_LIMIT} steps");
}
