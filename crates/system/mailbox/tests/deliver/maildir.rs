//! Maildir deliveries that go well.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mailbox::DeliverError;
use mailbox::disk::RealDisk;
use sys::locks::{self, Hold};

use crate::world::{CONTENT, HEAD, NAME, World, deliver, deliver_and_note};

#[test]
fn a_message_is_one_private_file_in_new() {
    let world = World::new();
    world.deliver("example.com/info/").unwrap();
    let files = world.files();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].strip_prefix("example.com/info/new/1795313871.V").unwrap();
    assert!(name.ends_with("M211098.vm"), "{name}");
    assert_eq!(world.new_messages("example.com/info"), [[HEAD, CONTENT].concat()]);
    let mode = |path: &str| fs::metadata(world.at(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files[0]), 0o600);
    for directory in ["example.com", "example.com/info", "example.com/info/cur", "example.com/info/tmp"] {
        assert_eq!(mode(directory), 0o700, "{directory}");
    }
}

#[test]
fn the_base_itself_may_be_a_maildir() {
    let world = World::new();
    world.deliver("/").unwrap();
    assert_eq!(world.new_messages("").len(), 1);
}

#[test]
fn a_maildir_that_was_moved_away_gets_nothing_more() {
    let world = World::new();
    let mut mailboxes = world.mailboxes(RealDisk);
    deliver(&mut mailboxes, "u/", 0).unwrap();
    fs::rename(world.at("u"), world.at("old")).unwrap();
    deliver(&mut mailboxes, "u/", 0).unwrap();
    fs::remove_dir_all(world.at("u")).unwrap();
    deliver(&mut mailboxes, "u/", 0).unwrap();
    assert_eq!((world.new_messages("u").len(), world.new_messages("old").len()), (1, 1));
}

#[test]
fn more_maildirs_than_stay_open_are_served() {
    let world = World::new();
    let mut mailboxes = world.mailboxes(RealDisk);
    for _ in 0..2 {
        for user in 0..230 {
            deliver(&mut mailboxes, &format!("u{user}/"), 0).unwrap();
        }
    }
    assert_eq!(world.files().len(), 460);
    let open = fs::read_dir("/proc/self/fd").unwrap().map(|entry| fs::read_link(entry.unwrap().path()));
    let here = open.filter(|path| path.as_ref().is_ok_and(|path| path.starts_with(world.at(""))));
    assert!(here.count() < 450);
}

#[test]
fn a_half_made_maildir_is_completed() {
    let world = World::new();
    fs::create_dir_all(world.at("u/tmp")).unwrap();
    world.deliver("u/").unwrap();
    assert!(world.at("u/cur").is_dir());
    assert_eq!(world.new_messages("u").len(), 1);
}

#[test]
fn a_temporary_file_left_by_a_crash_is_not_in_the_way() {
    let world = World::new();
    fs::create_dir_all(world.at("u/tmp")).unwrap();
    fs::write(world.at(&format!("u/tmp/{NAME}.vm")), "half").unwrap();
    fs::write(world.at("u/tmp/another"), "half").unwrap();
    world.deliver("u/").unwrap();
    assert_eq!(world.new_messages("u"), [[HEAD, CONTENT].concat()]);
    assert_eq!(fs::read_to_string(world.at("u/tmp/another")).unwrap(), "half");
    assert_eq!(world.files().len(), 2);
}

/// A delivery that died when the message had its second name, and before that was noted.
fn died_too_early(world: &World) -> String {
    world.deliver("u/").unwrap();
    let shown = world.files().remove(0);
    fs::hard_link(world.at(&shown), world.at(&format!("u/tmp/{NAME}.vm"))).unwrap();
    shown
}

#[test]
fn a_message_that_its_reader_has_moved_is_not_delivered_twice() {
    let world = World::new();
    let shown = died_too_early(&world);
    let seen = shown.replace("/new/", "/cur/") + ":2,S";
    fs::rename(world.at(&shown), world.at(&seen)).unwrap();
    let mut noted = 0;
    deliver_and_note(&mut world.mailboxes(RealDisk), "u/", 0, &mut || noted += 1).unwrap();
    assert_eq!((world.files(), noted), (vec![seen], 1));
}

#[test]
fn a_try_that_another_is_at_work_on_waits_and_then_takes_its_word() {
    let world = World::new();
    for directory in ["u/cur", "u/new", "u/tmp"] {
        fs::create_dir_all(world.at(directory)).unwrap();
    }
    let name = world.at(&format!("u/tmp/{NAME}.vm"));
    let other = fs::File::create(&name).unwrap();
    assert!(locks::try_flock(&other, Hold::Exclusive).unwrap());
    assert!(matches!(world.deliver("u/"), Err(DeliverError::Locked)));
    assert!(name.exists(), "nobody takes it away from under the other");
    fs::hard_link(&name, world.at("u/new/1")).unwrap();
    assert!(matches!(world.deliver("u/"), Err(DeliverError::Locked)));
    drop(other);
    world.deliver("u/").unwrap();
    assert_eq!(world.files(), ["u/new/1"]);
}

#[test]
fn a_second_name_elsewhere_is_no_delivery() {
    let world = World::new();
    let shown = died_too_early(&world);
    fs::rename(world.at(&shown), world.at("backup")).unwrap();
    world.deliver("u/").unwrap();
    assert_eq!(world.new_messages("u"), [[HEAD, CONTENT].concat()]);
    assert_eq!(world.files().len(), 2);
}

#[test]
fn a_message_over_the_limit_is_refused_for_good_and_leaves_nothing() {
    let world = World::new();
    let error = deliver(&mut world.mailboxes(RealDisk), "u/", 20).unwrap_err();
    assert!(matches!(error, DeliverError::TooLarge { limit_bytes: 20 }));
    assert_eq!(error.status().to_string(), "5.2.2");
    assert_eq!(world.files(), [""; 0]);
}
