//! Mailboxes that other programs left.

use std::fs;
use std::path::Path;

use mailbox::store::{Flags, Maildrop, Settings};

use crate::world::{World, exclusive, folder_name, shown, uids};

fn message(root: &Path, name: &str) {
    fs::write(root.join(name), "Subject: x\n\ny\n").unwrap();
}

#[test]
fn a_maildir_of_dovecot_is_as_it_left_it() {
    let prepare = |root: &Path| {
        message(root, "cur/1795325504.M321826P15676.vm,S=14,W=17:2,");
        message(root, "cur/1795325504.M332917P15676.vm,S=14,W=17:2,Sa");
        message(root, "new/1795325509.M1P15676.vm");
        fs::write(root.join("dovecot-keywords"), "0 $Work\n").unwrap();
        fs::write(
            root.join("dovecot-uidlist"),
            "3 V1795325504 N3 G62176913407e026b3c3d000083ecc375\n\
             1 :1795325504.M321826P15676.vm,S=14,W=17\n\
             7 :1795325504.M332917P15676.vm,S=14,W=17\n",
        )
        .unwrap();
    };
    let world = World::with(prepare, Settings::new("vm", 1));
    let inbox = world.inbox();
    assert_eq!(shown(&inbox), ["1:Flags():", "7:Flags(S):$Work", "8:Flags():"]);
    let summary = inbox.read(|contents| contents.summary());
    assert_eq!((summary.uid_validity, summary.uid_next, summary.guid[0]), (1_795_325_504, 9, 0x62));
    // Above whatever Dovecot counted.
    assert!(summary.highest_modseq > 1 << 40);
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(list.starts_with("3 V1795325504 N3 G62176913407e026b3c3d000083ecc375\n1 :"), "{list}");
    assert!(list.ends_with("\n8 :1795325509.M1P15676.vm\n"), "{list}");
}

#[test]
fn a_maildir_of_courier_keeps_uids_uidls_and_subscriptions() {
    let prepare = |root: &Path| {
        message(root, "cur/1.M1P1.vm,S=14:2,S");
        message(root, "cur/2.M1P1.vm:2,");
        fs::write(root.join("courierimapuiddb"), "1 1000000001 8\n5 1.M1P1.vm,S=14\n7 2.M1P1.vm\n").unwrap();
        fs::write(root.join("courierpop3dsizelist"), "/2 2 9\n1.M1P1.vm,S=14 17 5:9\n2.M1P1.vm 17 0:0\n")
            .unwrap();
    };
    let world = World::with(prepare, Settings::new("vm", 1));
    assert_eq!(uids(&world.inbox()), [5, 7]);
    let drop = Maildrop::open(&world.store, exclusive(), world.now()).unwrap();
    let uidls: Vec<_> = drop.messages().iter().map(|message| message.uidl.as_str()).collect();
    assert_eq!(uidls, ["UID5-9", "2.M1P1.vm"]);
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(
        list.starts_with("3 V1000000001 N8 G") && list.contains("\n5 PUID5-9 :1.M1P1.vm,S=14\n"),
        "{list}"
    );
}

#[test]
fn a_damaged_list_costs_only_the_uids_on_the_damaged_lines() {
    let prepare = |root: &Path| {
        for file in ["1.M1P1.vm", "2.M1P1.vm", "3.M1P1.vm"] {
            message(root, &format!("cur/{file}:2,"));
        }
        fs::write(
            root.join("dovecot-uidlist"),
            "3 V5 N1\n10 :1.M1P1.vm\n\0\0\0\0\0\0\0\0\0\0\0\n12 :3.M1P1.vm\n",
        )
        .unwrap();
    };
    let world = World::with(prepare, Settings::new("vm", 1));
    assert_eq!(uids(&world.inbox()), [10, 12, 15]);
    let list = fs::read_to_string(world.at("dovecot-uidlist")).unwrap();
    assert!(list.starts_with("3 V5 N16 G") && list.contains("\n15 :2.M1P1.vm\n"), "{list}");
}

#[test]
fn many_folders_of_one_user_are_independent() {
    let world = World::new();
    for name in ["A", "B"] {
        world.store.create(&folder_name(name), world.now()).unwrap();
        world.append(&world.folder(name), "x", Flags::SEEN, &["k"]);
    }
    let validity = |name| world.folder(name).read(|contents| contents.summary().uid_validity);
    assert_ne!(validity("A"), validity("B"));
}
