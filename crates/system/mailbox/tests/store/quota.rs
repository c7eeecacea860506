//! A mailbox with a limit.

use std::fs;

use mailbox::store::{Addition, FlagScope, Flags, MailError, Settings};

use crate::world::{World, folder_name};

fn used(world: &World) -> (u64, u64) {
    let quota = world.store.quota(world.now()).unwrap();
    (quota.used_bytes, quota.used_messages)
}

#[test]
fn the_sum_is_kept_as_messages_come_and_go() {
    let settings = Settings { quota_bytes: 100, quota_messages: 6, ..Settings::new("vm", 1) };
    let world = World::with(|root| fs::write(root.join("cur/1.M1P1.vm:2,"), "12345").unwrap(), settings);
    assert_eq!(used(&world), (5, 1));
    assert_eq!(fs::read_to_string(world.at("maildirsize")).unwrap(), "100S,6C\n5 1\n");
    world.store.create(&folder_name("A"), world.now()).unwrap();
    let (inbox, other) = (world.inbox(), world.folder("A"));
    let uid = world.append(&inbox, "0123456789\r\n", Flags::NONE, &[]);
    inbox.copy(&[uid], &other, FlagScope::ALL, world.now()).unwrap();
    assert_eq!(used(&world), (27, 3));
    inbox.move_to(&[uid], &other, FlagScope::ALL, world.now()).unwrap();
    assert_eq!(used(&world), (27, 3));
    inbox.expunge(&[1], world.now()).unwrap();
    assert_eq!(used(&world), (22, 2));
    fs::remove_file(world.at("maildirsize")).unwrap();
    assert_eq!(used(&world), (22, 2));
    // Too large, and nothing is left of it.
    let mut upload = inbox.upload(world.now()).unwrap();
    upload.write(&[b'x'; 79]).unwrap();
    let addition = Addition { upload, flags: Flags::NONE, keywords: vec![], received: 1 };
    let refused = inbox.append(vec![addition], world.now());
    assert!(matches!(refused, Err(MailError::OverQuota { limit_bytes: 100, limit_messages: 6 })));
    assert!(world.names("tmp").is_empty() && world.names("new").is_empty());
}
