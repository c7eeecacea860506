//! mbox deliveries that go well, or are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mailbox::disk::RealDisk;
use mailbox::{Copy, DeliverError, Place};
use sys::locks::{self, Hold};

use crate::world::{HEAD, World, copy, deliver, deliver_copy};

const QUOTED: &str = "Subject: test\n\n>From here on\nthe body\n\n";

fn one() -> String {
    String::from_utf8(HEAD.to_vec()).unwrap() + QUOTED
}

#[test]
fn messages_follow_each_other_behind_an_empty_line() {
    let world = World::new();
    world.deliver("box").unwrap();
    world.deliver("box").unwrap();
    assert_eq!(world.files(), ["box"]);
    assert_eq!(fs::read_to_string(world.at("box")).unwrap(), one() + &one());
    assert_eq!(fs::metadata(world.at("box")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_message_cut_off_by_a_crash_does_not_swallow_the_next() {
    let world = World::new();
    fs::write(world.at("box"), "From x\n\ncut o").unwrap();
    world.deliver("box").unwrap();
    assert_eq!(fs::read_to_string(world.at("box")).unwrap(), "From x\n\ncut o\n\n".to_owned() + &one());
}

#[test]
fn a_message_in_doubt_is_looked_for_among_the_last_ones() {
    let tries = |mbox: &str, in_doubt: &str| {
        let world = World::new();
        fs::write(world.at("box"), mbox).unwrap();
        let place = Place::parse("box").unwrap();
        let head = b"From x  a later time\nDelivered-To: r@y\n";
        let again = Copy { head, in_doubt, ..copy(&place, 0) };
        let mut noted = 0;
        deliver_copy(&mut world.mailboxes(RealDisk), &again, &mut || noted += 1).unwrap();
        assert_eq!(noted, 1);
        fs::read_to_string(world.at("box")).unwrap() == mbox
    };
    let there = format!("From x  a time\nDelivered-To: r@y\n{QUOTED}");
    let mark = "Subject: test";
    assert!(tries(&there, mark));
    assert!(tries(&format!("From z\n\nbefore\n\n{there}From z\n\nafter\n\n"), mark));
    assert!(!tries(&there, ""), "nobody doubts");
    assert!(!tries(&there, "another id"), "equal messages may be two");
    assert!(!tries(&there[..there.len() - 3], mark), "cut off");
    assert!(!tries(&there.replace("r@y", "q@y"), mark), "for another recipient");
    assert!(!tries(&there.replace("r@y", "q@y"), mark), "for another recipient");
    assert!(!tries(&format!("{there}From z\n\n{}\n\n", "x".repeat(1 << 20)), mark), "too far away");
}

/// A message as it is appended, at this time.
fn at(time: &str) -> String {
    format!("From s@x  {time}\nDelivered-To: r@y\n{QUOTED}")
}

/// What a mailbox holds after a try at a message, when something was left there.
fn after(left: &str, in_doubt: &str) -> String {
    let world = World::new();
    fs::write(world.at("box"), left).unwrap();
    let place = Place::parse("box").unwrap();
    let head = b"From s@x  later\nDelivered-To: r@y\n";
    let copy = Copy { head, in_doubt, ..copy(&place, 0) };
    deliver_copy(&mut world.mailboxes(RealDisk), &copy, &mut || {}).unwrap();
    fs::read_to_string(world.at("box")).unwrap()
}

const OLD: &str = "From z  a time\nTo: old\n\nbefore\n\n";

#[test]
fn wherever_a_power_cut_tears_a_message_the_next_one_stands_for_itself() {
    let torn = at("a time").replace("test", "torn");
    for length in 0..=torn.len() {
        let left = OLD.to_owned() + &torn[..length];
        let text = after(&left, "");
        let (before, last) = text.rsplit_once(&at("later")).unwrap();
        assert_eq!((before.trim_end(), last), (left.trim_end(), ""), "{length}");
        assert!(before.ends_with("\n\n"), "{length}: {before:?}");
    }
}

#[test]
fn what_a_power_cut_left_of_a_message_goes_when_it_is_tried_again() {
    let torn = at("a time");
    for old in ["", OLD] {
        for length in 0..torn.len() {
            let left = old.to_owned() + &torn[..length];
            assert_eq!(after(&left, "Subject: test"), old.to_owned() + &at("later"), "{length}");
        }
        let whole = old.to_owned() + &torn;
        assert_eq!(after(&whole, "Subject: test"), whole);
        for other in [torn.replace("the body", "another"), torn.replace("s@x", "t@x")] {
            let other = old.to_owned() + &other[..other.len() - 4];
            assert!(after(&other, "Subject: test").starts_with(&other), "it is no part of this message");
        }
    }
}

#[test]
fn a_full_mailbox_is_as_it_was() {
    let world = World::new();
    fs::write(world.at("box"), [b'x'; 1900]).unwrap();
    let error = deliver(&mut world.mailboxes(RealDisk), "box", 1950).unwrap_err();
    assert_eq!(
        (error.status().to_string(), error.to_string()),
        ("5.2.2".into(), "error writing message: File too large".into())
    );
    assert_eq!(fs::read(world.at("box")).unwrap(), [b'x'; 1900]);
    assert_eq!(world.files(), ["box"], "the lock file is gone");
}

#[test]
fn a_locked_mailbox_is_left_alone() {
    let world = World::new();
    fs::write(world.at("box"), "").unwrap();
    type Try = fn(&fs::File) -> std::io::Result<bool>;
    let fcntl: Try = |file| locks::try_fcntl(file, Hold::Exclusive);
    let flock: Try = |file| locks::try_flock(file, Hold::Exclusive);
    for lock in [fcntl, flock] {
        let reader = fs::OpenOptions::new().read(true).write(true).open(world.at("box")).unwrap();
        assert!(lock(&reader).unwrap());
        let error = world.deliver("box").unwrap_err();
        assert!(matches!(error, DeliverError::Locked));
        assert_eq!(
            error.to_string(),
            "unable to lock for exclusive access: Resource temporarily unavailable"
        );
    }
    fs::write(world.at("box.lock"), "").unwrap();
    let error = world.deliver("box").unwrap_err();
    let lock = world.at("box.lock");
    assert_eq!(error.to_string(), format!("unable to create lock file {}: File exists", lock.display()));
    assert_eq!(
        (error.status().to_string(), fs::read(world.at("box")).unwrap()),
        ("4.2.0".into(), Vec::new())
    );
}

#[test]
fn directories_are_not_made_for_an_mbox() {
    let world = World::new();
    let error = world.deliver("no/such/box").unwrap_err();
    let lock = world.at("no/such/box.lock");
    assert_eq!(
        error.to_string(),
        format!("unable to create lock file {}: No such file or directory", lock.display())
    );
    assert_eq!(error.status().to_string(), "4.2.0");
}
