//! Another program that changes the same Maildir at the same time, faster than clocks and inode numbers can tell.

use std::fs::{self, File};

use mailbox::store::{FlagScope, Flags};

use crate::world::{World, folder_name, shown, uids};

/// Writes the list of UIDs as Dovecot does.
fn write_list(world: &World, text: &str) {
    fs::write(world.at("dovecot-uidlist.tmp"), text).unwrap();
    fs::rename(world.at("dovecot-uidlist.tmp"), world.at("dovecot-uidlist")).unwrap();
}

/// The list goes away and another one comes that is longer, mostly with the same inode number.
fn written_anew_twice(resting: bool) {
    let world = World::new();
    world.deliver("1.M1P1.vm", "text\n");
    let inbox = world.inbox();
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    if resting {
        inbox.rest();
    }
    for second in 5..=7 {
        world.deliver(&format!("{second}.M1P1.vm"), "text\n");
    }
    // The first of the two sets the inode number free that the second gets.
    write_list(&world, &list);
    let header = list.lines().next().unwrap().replace(" N", " N9 X");
    write_list(&world, &format!("{header}\n6 :5.M1P1.vm\n7 :6.M1P1.vm\n8 :7.M1P1.vm\n"));
    fs::remove_file(world.at("new/1.M1P1.vm")).unwrap();
    inbox.sync(world.now()).unwrap();
    assert_eq!(uids(&inbox), [6, 7, 8]);
    let uid = world.append(&inbox, "text", Flags::NONE, &[]);
    assert_eq!(uid, 9);
    let fresh = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    fresh.sync(world.now()).unwrap();
    assert_eq!(shown(&fresh), shown(&inbox));
}

#[test]
fn a_list_written_anew_twice_is_not_taken_for_one_that_grew() {
    written_anew_twice(false);
}

#[test]
fn a_list_written_anew_twice_while_nobody_looked_is_not_taken_for_one_that_grew() {
    written_anew_twice(true);
}

#[test]
fn a_list_written_anew_in_its_place_is_not_taken_for_one_that_grew() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "text\n");
    let inbox = world.inbox();
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    let header = list.lines().next().unwrap();
    fs::write(world.at("dovecot-uidlist"), format!("{header} Pxyz\n4 :0.M1P1.vm\n5 :1.M1P1.vm\n")).unwrap();
    inbox.sync(world.now()).unwrap();
    assert_eq!(uids(&inbox), [5]);
}

#[test]
fn a_message_renamed_within_a_tick_of_the_clock_is_copied() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "text\n");
    let inbox = world.inbox();
    world.store.create(&folder_name("Work"), world.now()).unwrap();
    let work = world.folder("Work");
    inbox.claim_recent(world.now()).unwrap();
    // The directory looks as before.
    let cur = File::open(world.at("cur")).unwrap();
    let before = cur.metadata().unwrap().modified().unwrap();
    fs::rename(world.at("cur/1.M1P1.vm:2,"), world.at("cur/1.M1P1.vm:2,S")).unwrap();
    cur.set_modified(before).unwrap();
    let moved = inbox.move_to(&[1], &work, FlagScope::ALL, world.now()).unwrap();
    assert_eq!(moved.len(), 1);
    assert_eq!((shown(&inbox), shown(&work)), (vec![], vec!["1:Flags(S):".to_owned()]));
}
