//! A maildrop.

use std::fs;

use mailbox::store::{DropSettings, Flags, MailError, Maildrop, Settings};

use crate::world::{World, exclusive, shown};

#[test]
fn one_session_at_a_time_has_the_maildrop() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "a\nb\n");
    world.deliver("2.M1P1.vm", "c\n");
    let open = || Maildrop::open(&world.store, exclusive(), world.now());
    let first = open().unwrap();
    assert!(matches!(open(), Err(MailError::InUse)));
    let other = world.other_process();
    assert!(matches!(Maildrop::open(&other, exclusive(), world.now()), Err(MailError::InUse)));
    assert!(Maildrop::open(&other, DropSettings::default(), world.now()).is_ok());
    world.deliver("3.M1P1.vm", "d\n");
    let listed: Vec<_> = first.messages().iter().map(|message| (message.uid, message.size_bytes)).collect();
    assert_eq!(listed, [(1, 6), (2, 3)]);
    first.update(&[1], &[1, 2], world.now()).unwrap();
    let second = open().unwrap();
    assert_eq!(second.messages().len(), 2);
    assert_eq!((second.last_seen(), second.messages()[0].seen), (1, true));
    assert_eq!(shown(&world.inbox()), ["2:Flags(S):", "3:Flags():"]);
    drop(second);
    assert!(open().is_ok() && !world.at("dovecot-pop3-session.lock").exists());
}

#[test]
fn uidls_and_their_order_come_from_the_list_first() {
    let list = "3 V1234567890 N9 G000102030405060708090a0b0c0d0e0f\n1 Pold :1.M1P1.vm\n2 O1 :2.M1P1.vm\n4 Pold O2 :4.M1P1.vm\n";
    let prepare = |root: &std::path::Path| {
        for file in ["1.M1P1.vm", "2.M1P1.vm", "4.M1P1.vm"] {
            fs::write(root.join("cur").join(format!("{file}:2,S")), "x\n").unwrap();
        }
        fs::write(root.join("dovecot-uidlist"), list).unwrap();
    };
    let world = World::with(prepare, Settings::new("vm", 1));
    let uidls = || {
        let drop = Maildrop::open(&world.store, exclusive(), world.now()).unwrap();
        drop.messages().iter().map(|message| message.uidl.clone()).collect::<Vec<_>>()
    };
    assert_eq!(uidls(), ["00000002499602d2", "old", "old-2"]);
    // They stay when the list is written anew.
    let inbox = world.inbox();
    for _ in 0..60 {
        let uid = world.append(&inbox, "x", Flags::SEEN, &[]);
        inbox.expunge(&[uid], world.now()).unwrap();
    }
    let now = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(now != list && now.contains("\n1 Pold :") && now.contains("\n4 Pold O2 :"), "{now}");
    assert_eq!(uidls(), ["00000002499602d2", "old", "old-2"]);
}

#[test]
fn what_pop3_deletes_may_stay_for_imap() {
    let world = World::new();
    world.deliver("1.M1P1.vm", "a\n");
    world.deliver("2.M1P1.vm", "b\n");
    let flag = "$POP3Deleted";
    let settings =
        DropSettings { hidden_keyword: flag.to_lowercase(), keeps_deleted: true, ..DropSettings::default() };
    let open = || Maildrop::open(&world.store, settings.clone(), world.now()).unwrap();
    open().update(&[1], &[], world.now()).unwrap();
    assert_eq!(open().messages().iter().map(|message| message.uid).collect::<Vec<_>>(), [2]);
    assert_eq!(shown(&world.inbox()), ["1:Flags():$pop3deleted", "2:Flags():"]);
    let all = Maildrop::open(&world.store, DropSettings::default(), world.now()).unwrap();
    assert_eq!(all.messages().len(), 2);
}
