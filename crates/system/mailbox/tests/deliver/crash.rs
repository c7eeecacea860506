//! A process that dies, or a disk that fails, at every step of a delivery.

use std::fs;

use crate::broken_disk::{BrokenDisk, Fault};
use crate::world::{CONTENT, HEAD, World, deliver_and_note};

const STEPS_LIMIT: usize = 40;

fn whole() -> Vec<u8> {
    [HEAD, CONTENT].concat()
}

/// Runs `check` for a delivery with the fault at step 0, 1, 2, ... until one comes through whole, and tells
/// after how many that was. `check` hears whether the delivery was noted: then nobody tries again.
fn at_every_step(fault: Fault, path: &str, check: impl Fn(&World, usize, bool)) -> usize {
    for at in 0..STEPS_LIMIT {
        let world = World::new();
        fs::write(world.at("box"), "From x\n\nold\n\n").unwrap();
        let disk = BrokenDisk::new(at, fault);
        let mut noted = false;
        let outcome = deliver_and_note(&mut world.mailboxes(disk.clone()), path, 0, &mut || noted = true);
        assert_eq!(noted, outcome.is_ok(), "step {at}");
        check(&world, at, noted);
        if noted && !disk.was_reached() {
            return at;
        }
    }
    panic!("a delivery takes more than {STEPS_LIMIT} steps");
}

#[test]
fn a_maildir_has_the_message_once_and_whole_wherever_delivery_dies() {
    let steps = at_every_step(Fault::Dies, "d/u/", |world, at, noted| {
        let shown = world.new_messages("d/u");
        assert!(shown.iter().all(|message| *message == whole()), "step {at}");
        assert!(!noted || shown.len() == 1, "step {at}: noted means there");
        if !noted {
            world.deliver("d/u/").unwrap();
        }
        assert_eq!(world.new_messages("d/u"), [whole()], "step {at}: not delivered, or twice");
    });
    assert!(steps >= 13, "5 directories made and synced, create, write, sync, link, sync, unlink: {steps}");
}

#[test]
fn a_maildir_shows_nothing_of_a_delivery_that_failed() {
    for code in [5, 28, 30] {
        at_every_step(Fault::Fails(code), "d/u/", |world, at, delivered| {
            let shown = world.new_messages("d/u");
            assert_eq!(shown.len(), usize::from(delivered), "step {at}, error {code}");
            assert!(delivered || world.files().len() == 1, "step {at}: something is left in tmp");
        });
    }
}

#[test]
fn an_mbox_keeps_what_it_had_and_goes_on_at_once_wherever_delivery_dies() {
    let steps = at_every_step(Fault::Dies, "box", |world, at, _| {
        let left = fs::read_to_string(world.at("box")).unwrap();
        assert!(left.starts_with("From x\n\nold\n\n"), "step {at}");
        world.deliver("box").unwrap();
        let text = fs::read_to_string(world.at("box")).unwrap();
        let message = String::from_utf8(whole()).unwrap().replace("\nFrom ", "\n>From ") + "\n";
        assert!(text.ends_with(&format!("\n\n{message}")), "step {at}: {text}");
        assert_eq!(world.files(), ["box"], "step {at}: the dead one's lock file is gone");
    });
    assert!(steps >= 5, "lock, its content, write, sync, unlock: {steps}");
}

#[test]
fn an_mbox_is_as_it_was_after_a_delivery_that_failed() {
    for code in [5, 28, 122] {
        at_every_step(Fault::Fails(code), "box", |world, at, delivered| {
            let text = fs::read_to_string(world.at("box")).unwrap();
            assert_eq!(text == "From x\n\nold\n\n", !delivered, "step {at}: {text}");
        });
    }
}
