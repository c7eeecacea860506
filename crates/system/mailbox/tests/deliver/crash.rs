//! A process that dies, or a disk that fails, at every step of a delivery.

use std::fs;

use crate::broken_disk::{BrokenDisk, Fault};
use crate::world::{CONTENT, HEAD, World, deliver};

const STEPS_LIMIT: usize = 40;

fn whole() -> Vec<u8> {
    [HEAD, CONTENT].concat()
}

/// Runs `check` for a delivery with the fault at step 0, 1, 2, ... until one comes through whole, and tells
/// after how many that was.
fn at_every_step(fault: Fault, path: &str, check: impl Fn(&World, usize, bool)) -> usize {
    for at in 0..STEPS_LIMIT {
        let world = World::new();
        fs::write(world.at("box"), "From x\n\nold\n\n").unwrap();
        let disk = BrokenDisk::new(at, fault);
        let delivered = deliver(&mut world.mailboxes(&disk), path, 0).is_ok();
        check(&world, at, delivered);
        if delivered && !disk.was_reached() {
            return at;
        }
    }
    panic!("a delivery takes more than {STEPS_LIMIT} steps");
}

#[test]
fn a_maildir_shows_whole_messages_only_wherever_delivery_dies() {
    let steps = at_every_step(Fault::Dies, "d/u/", |world, at, delivered| {
        let shown = world.new_messages("d/u");
        assert!(shown.iter().all(|message| *message == whole()), "step {at}");
        assert!(!delivered || shown.len() == 1, "step {at}: delivered means there");
        world.deliver("d/u/").unwrap();
        assert_eq!(world.new_messages("d/u").len(), shown.len() + 1, "step {at}: the next try delivers");
    });
    assert!(steps >= 12, "5 directories made and synced, create, write, sync, rename, sync: {steps}");
}

#[test]
fn a_maildir_shows_nothing_of_a_delivery_that_failed() {
    for code in [5, 28, 30] {
        at_every_step(Fault::Fails(code), "d/u/", |world, at, delivered| {
            let shown = world.new_messages("d/u");
            assert_eq!(shown.len(), usize::from(delivered), "step {at}, error {code}");
            assert_eq!(world.files().len(), 1 + usize::from(delivered), "step {at}: nothing is left in tmp");
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
