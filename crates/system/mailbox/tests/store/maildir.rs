//! One folder: deliveries, flags, expunges, copies, and several who do that at a time.

use std::fs;

use mailbox::store::{Addition, FlagScope, Flags, How, MailError, Vanished};

use crate::world::{World, change, folder_name, shown, text, uids};

#[test]
fn new_mail_gets_uids_in_the_order_of_its_stamps() {
    let world = World::new();
    world.deliver("1700000002.M5P1.vm", "second\n");
    world.deliver("1700000001.M9P1.vm", "first\n");
    world.deliver("1700000002.V1I2M7.vm", "third\n");
    let inbox = world.inbox();
    assert_eq!(uids(&inbox), [1, 2, 3]);
    assert_eq!([1, 2, 3].map(|uid| text(&inbox, uid)), ["first\r\n", "second\r\n", "third\r\n"]);
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    let lines: Vec<_> = list.lines().collect();
    assert!(lines[0].starts_with("3 V") && lines[0].contains(" G"), "{list}");
    assert_eq!(lines[1..], ["1 :1700000001.M9P1.vm", "2 :1700000002.M5P1.vm", "3 :1700000002.V1I2M7.vm"]);
    let summary = inbox.read(|contents| contents.summary());
    assert_eq!((summary.recent, summary.unseen, summary.uid_next), (3, 3, 4));
    assert_eq!(inbox.claim_recent(world.now()).unwrap(), [1, 2, 3]);
    assert_eq!(inbox.claim_recent(world.now()).unwrap(), []);
    assert_eq!(world.names("cur")[0], "1700000001.M9P1.vm:2,");
    world.deliver("1600000000.M1P1.vm", "late\n");
    inbox.sync(world.now()).unwrap();
    assert_eq!(uids(&inbox), [1, 2, 3, 4]);
    assert!(!world.at("dovecot-uidlist.lock").exists());
}

#[test]
fn flags_and_keywords_are_in_the_names() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "x\n");
    world.deliver("2.M1P1.vm", "y\n");
    let inbox = world.inbox();
    let before = inbox.read(|contents| contents.summary().highest_modseq);
    let stored =
        inbox.store(&[1, 9], &change(How::Add, Flags::SEEN, &["$Work", "b"]), None, world.now()).unwrap();
    assert!(stored.modseq.unwrap() > before && stored.modified.is_empty());
    assert_eq!(shown(&inbox), ["1:Flags(S):$Work,b", "2:Flags():"]);
    assert_eq!(world.names("cur"), ["1.M1P1.vm:2,Sab"]);
    assert_eq!(fs::read_to_string(world.at("dovecot-keywords")).unwrap(), "0 $Work\n1 b\n");
    inbox.store(&[1], &change(How::Remove, Flags::NONE, &["$WORK", "none"]), None, world.now()).unwrap();
    inbox.store(&[1, 2], &change(How::Replace, Flags::FLAGGED, &["b"]), None, world.now()).unwrap();
    assert_eq!(shown(&inbox), ["1:Flags(F):b", "2:Flags(F):b"]);
    assert_eq!(world.names("cur"), ["1.M1P1.vm:2,Fb", "2.M1P1.vm:2,Fb"]);
    // Nothing to change is no change.
    let stored = inbox.store(&[1], &change(How::Add, Flags::FLAGGED, &[]), None, world.now()).unwrap();
    assert_eq!(stored.modseq, None);
    // Another process sees the same.
    let other = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!(shown(&other), shown(&inbox));
}

#[test]
fn what_was_changed_since_is_left_alone() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "x\n");
    world.deliver("2.M1P1.vm", "y\n");
    let inbox = world.inbox();
    let seen = inbox.read(|contents| contents.summary().highest_modseq);
    inbox.store(&[1], &change(How::Add, Flags::SEEN, &[]), None, world.now()).unwrap();
    let stored =
        inbox.store(&[1, 2], &change(How::Add, Flags::FLAGGED, &[]), Some(seen), world.now()).unwrap();
    assert_eq!(stored.modified, [1]);
    assert_eq!(shown(&inbox), ["1:Flags(S):", "2:Flags(F):"]);
}

#[test]
fn sessions_see_each_others_changes_and_their_own() {
    let world = World::new();
    let inbox = world.inbox();
    let one = world.append(&inbox, "Subject: a\r\n\r\nx\r\n", Flags::SEEN, &["k"]);
    let two = world.append(&inbox, "Subject: b\r\n\r\ny\r\n", Flags::NONE, &[]);
    let seen = inbox.read(|contents| contents.summary().highest_modseq);
    assert_eq!(inbox.expunge(&[one, 77], world.now()).unwrap(), [one]);
    inbox.store(&[two], &change(How::Add, Flags::DELETED, &[]), None, world.now()).unwrap();
    let three = world.append(&inbox, "z", Flags::NONE, &[]);
    let news = inbox.read(|contents| contents.changes_since(seen));
    assert_eq!(news.vanished, Vanished::These(vec![one]));
    assert_eq!(news.changed.iter().map(|message| message.uid).collect::<Vec<_>>(), [two, three]);
    assert!(matches!(inbox.open(one), Err(MailError::Gone(_))));
    assert_eq!(inbox.read(|contents| contents.changes_since(news.upto).changed.len()), 0);
    assert_eq!(inbox.received(&[two, one]).unwrap(), [Some(1_000_000_000), None]);
    assert_eq!(inbox.wire_sizes(&[two, three]).unwrap(), [Some(17), Some(1)]);
    assert!(inbox.saved(&[two]).unwrap()[0].unwrap() > 1_700_000_000);
}

#[test]
fn appended_messages_have_their_sizes_in_their_names() {
    let world = World::new();
    let inbox = world.inbox();
    let additions = ["one\r\n", "two\nmore\r\n"].map(|text| {
        let mut upload = inbox.upload(world.now()).unwrap();
        upload.write(text.as_bytes()).unwrap();
        Addition { upload, flags: Flags::SEEN, keywords: vec![], received: 5 }
    });
    assert_eq!(inbox.append(additions.into(), world.now()).unwrap(), [1, 2]);
    let names = world.names("cur");
    assert!(names[0].ends_with(",S=4,W=5:2,S") && names[1].ends_with(",S=9,W=11:2,S"), "{names:?}");
    let dropped = inbox.upload(world.now()).unwrap();
    assert_eq!(world.names("tmp").len(), 1);
    drop(dropped);
    assert_eq!(world.names("tmp").len(), 0);
    let other = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!((uids(&other), text(&other, 2)), (vec![1, 2], "two\r\nmore\r\n".to_owned()));
    assert_eq!(other.received(&[1]).unwrap(), [Some(5)]);
}

#[test]
fn copies_keep_their_names_flags_and_keywords() {
    let world = World::new();
    world.store.create(&folder_name("A/B"), world.now()).unwrap();
    let (inbox, other) = (world.inbox(), world.folder("A/B"));
    world.append(&other, "first", Flags::NONE, &["x", "y"]);
    let one = world.append(&inbox, "one\r\n", Flags::FLAGGED, &["y"]);
    let two = world.append(&inbox, "two\r\n", Flags::NONE, &[]);
    let copied = inbox.copy(&[one, 99, two], &other, FlagScope::ALL, world.now()).unwrap();
    let pairs: Vec<_> = copied.iter().map(|copied| (copied.from, copied.to)).collect();
    assert_eq!(pairs, [(one, 2), (two, 3)]);
    assert_eq!(shown(&other), ["1:Flags():x,y", "2:Flags(F):y", "3:Flags():"]);
    assert_eq!(inbox.message_guid(one), other.message_guid(2));
    assert_eq!(other.received(&[2]).unwrap(), [Some(1_000_000_000)]);
    // Copied where it is already, it needs another name.
    let again = inbox.copy(&[one], &other, FlagScope::ALL, world.now()).unwrap();
    let itself = other.copy(&[2], &other, FlagScope::ALL, world.now()).unwrap();
    assert_eq!((again[0].to, itself[0].to), (4, 5));
    assert_eq!([2, 4, 5].map(|uid| text(&other, uid)), ["one\r\n"; 3]);
    let moved = inbox.move_to(&[one, two], &other, FlagScope::ALL, world.now()).unwrap();
    assert_eq!((moved.len(), uids(&inbox).len(), uids(&other).len()), (2, 0, 7));
    let fresh = world.other_process().folder(&folder_name("A/B"), world.now()).unwrap();
    fresh.sync(world.now()).unwrap();
    assert_eq!(shown(&fresh), shown(&other));
}

#[test]
fn a_message_that_comes_back_gets_no_name_that_the_list_still_has() {
    let world = World::new();
    world.store.create(&folder_name("A"), world.now()).unwrap();
    let (inbox, other) = (world.inbox(), world.folder("A"));
    let one = world.append(&inbox, "one\r\n", Flags::NONE, &[]);
    let away = inbox.move_to(&[one], &other, FlagScope::ALL, world.now()).unwrap();
    let back = other.move_to(&[away[0].to], &inbox, FlagScope::ALL, world.now()).unwrap();
    let list = std::fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    let names: Vec<&str> =
        list.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(_, name)| name).collect();
    assert_eq!((names.len(), back[0].to), (2, 2));
    assert_ne!(names[0], names[1]);
    let fresh = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    fresh.sync(world.now()).unwrap();
    assert_eq!((uids(&fresh), text(&fresh, 2)), (vec![2], "one\r\n".to_owned()));
}

#[test]
fn what_others_rename_and_remove_is_noticed() {
    let world = World::new();
    for second in 1..=4 {
        world.deliver(&format!("{second}.M1P1.vm"), "text\n");
    }
    let inbox = world.inbox();
    inbox.claim_recent(world.now()).unwrap();
    let seen = inbox.read(|contents| contents.summary().highest_modseq);
    fs::rename(world.at("cur/1.M1P1.vm:2,"), world.at("cur/1.M1P1.vm:2,RSz")).unwrap();
    fs::remove_file(world.at("cur/2.M1P1.vm:2,")).unwrap();
    assert_eq!(text(&inbox, 1), "text\r\n");
    inbox.sync(world.now()).unwrap();
    assert_eq!(uids(&inbox), [1, 3, 4]);
    let news = inbox.read(|contents| contents.changes_since(seen));
    assert_eq!((news.changed.len(), news.vanished), (1, Vanished::These(vec![2])));
    assert!(news.changed[0].flags.has(Flags::SEEN | Flags::ANSWERED));
    // A letter that nobody gave a name stays in the file's.
    inbox.store(&[1], &change(How::Remove, Flags::SEEN, &[]), None, world.now()).unwrap();
    assert!(world.at("cur/1.M1P1.vm:2,Rz").exists());
    // What comes back is another message.
    fs::write(world.at("cur/2.M1P1.vm:2,"), "again\n").unwrap();
    inbox.sync(world.now()).unwrap();
    assert_eq!(uids(&inbox), [1, 3, 4, 5]);
    let other = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!((uids(&other), text(&other, 5)), (vec![1, 3, 4, 5], "again\r\n".into()));
}

#[test]
fn two_processes_agree_on_uids() {
    let world = World::new();
    let inbox = world.inbox();
    let other = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    for round in 0..10 {
        world.append(if round % 2 == 0 { &inbox } else { &other }, "x", Flags::NONE, &[]);
        world.deliver(&format!("{}.M1P1.vm", round + 1), "text\n");
        if round % 3 == 0 { &inbox } else { &other }.sync(world.now()).unwrap();
        if round % 4 == 3 {
            inbox.expunge(&[round], world.now()).unwrap();
            other.store(&[round + 1], &change(How::Add, Flags::SEEN, &["k"]), None, world.now()).unwrap();
        }
    }
    inbox.sync(world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!(shown(&inbox), shown(&other));
    assert_eq!(uids(&inbox).len(), 18);
    assert_eq!(inbox.read(|contents| contents.summary().uid_next), 21);
}

#[test]
fn a_list_that_is_mostly_dead_is_written_anew() {
    let world = World::new();
    for second in 1..=40 {
        world.deliver(&format!("{second}.M1P1.vm"), "text\n");
    }
    let inbox = world.inbox();
    let validity = inbox.read(|contents| contents.summary().uid_validity);
    inbox.expunge(&(2..=40).collect::<Vec<_>>(), world.now()).unwrap();
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(list.lines().count() == 2 && list.contains(" N41 "), "{list}");
    world.deliver("50.M1P1.vm", "text\n");
    let other = world.other_process().folder(&folder_name("INBOX"), world.now()).unwrap();
    other.sync(world.now()).unwrap();
    assert_eq!(uids(&other), [1, 41]);
    assert_eq!(other.read(|contents| contents.summary().uid_validity), validity);
}

#[test]
fn a_list_that_goes_missing_is_made_again_while_somebody_knows() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "text\n");
    world.deliver("2.M1P1.vm", "text\n");
    let inbox = world.inbox();
    inbox.expunge(&[1], world.now()).unwrap();
    let before = inbox.read(|contents| contents.summary());
    fs::remove_file(world.at("dovecot-uidlist")).unwrap();
    inbox.sync(world.now()).unwrap();
    let after = inbox.read(|contents| contents.summary());
    assert_eq!((uids(&inbox), after.uid_validity, after.guid), (vec![2], before.uid_validity, before.guid));
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(list.contains(" N3 ") && list.ends_with("\n2 :2.M1P1.vm\n"), "{list}");
}

#[test]
fn another_uidvalidity_begins_anew() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "text\n");
    let inbox = world.inbox();
    let before = inbox.read(|contents| contents.summary());
    fs::write(world.at("dovecot-uidlist"), "3 V77 N10 G000102030405060708090a0b0c0d0e0f\n5 :1.M1P1.vm\n")
        .unwrap();
    inbox.sync(world.now()).unwrap();
    let after = inbox.read(|contents| contents.summary());
    assert_eq!((uids(&inbox), after.uid_validity, after.uid_next), (vec![5], 77, 10));
    assert!(after.highest_modseq > before.highest_modseq && after.guid[15] == 15);
}

#[test]
fn a_folder_deleted_under_a_session_is_told() {
    let world = World::new();
    world.store.create(&folder_name("A"), world.now()).unwrap();
    let folder = world.folder("A");
    world.store.delete(&folder_name("A"), world.now()).unwrap();
    assert!(folder.sync(world.now()).is_err());
    assert!(matches!(world.store.folder(&folder_name("A"), world.now()), Err(MailError::NoFolder(_))));
}
