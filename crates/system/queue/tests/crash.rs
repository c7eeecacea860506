//! Stop at every step, fail at every step, cut the power after every step: what was promised is there, and what is there is whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;

use queue::{Queue, QueueError, QueueName, Settings};
use queue_format::record::{self, Kind};
use queue_format::{QueueId, SizeRecord};
use tempfile::TempDir;
use testkit::disk::{Fault, FaultyDisk};

const ENOENT: i32 = 2;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;

const NOW_US: u64 = 1_795_313_826_508_899;

/// A whole queue file with this many recipients.
fn message(recipients: usize) -> Vec<u8> {
    let mut rest = Vec::new();
    record::write(&mut rest, Kind::TIME, b"1795313826 508899");
    record::write(&mut rest, Kind::SENDER, b"a@client.example");
    for number in 0..recipients {
        record::write(&mut rest, Kind::RECIPIENT, format!("user{number}@example.com").as_bytes());
    }
    record::write(&mut rest, Kind::MESSAGE, b"");
    let content_offset = (97 + rest.len()) as u64;
    (0..50).for_each(|line| {
        queue_format::content::write_line(&mut rest, format!("line {line}").as_bytes(), 2048)
    });
    let message_bytes = (97 + rest.len()) as u64 - content_offset;
    record::write(&mut rest, Kind::EXTRACTED, b"");
    record::write(&mut rest, Kind::END, b"");
    let size = SizeRecord {
        message_bytes,
        content_offset,
        recipients: recipients as u64,
        content_bytes: message_bytes,
        ..SizeRecord::default()
    };
    let mut file = Vec::new();
    record::write(&mut file, Kind::SIZE, &size.encode());
    file.extend_from_slice(&rest);
    file
}

fn spool(fault: Fault, settings: Settings) -> (TempDir, Arc<FaultyDisk>, Queue) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["incoming", "active", "deferred", "hold", "corrupt", "bounce", "defer", "trace"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let disk = Arc::new(FaultyDisk::new(fault));
    let queue = Queue::open_on(disk.clone(), folder.path(), settings).unwrap();
    (folder, disk, queue)
}

fn put(queue: &Queue, bytes: &[u8]) -> Result<QueueId, QueueError> {
    let mut file = queue.create(NOW_US)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write(first)?;
    file.commit(second)
}

/// The same with a file that was kept for another message before.
fn put_in_reserved(queue: &Queue, bytes: &[u8]) -> Result<QueueId, QueueError> {
    let reserved = queue.reserve(NOW_US)?;
    let id = reserved.id(NOW_US + 1);
    assert_ne!(id, reserved.id(NOW_US), "two messages of one file have two ids");
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut file = reserved.into_file(id)?;
    file.write(first)?;
    file.commit(second)
}

/// How a message gets into the queue.
type Way = fn(&Queue, &[u8]) -> Result<QueueId, QueueError>;
const WAYS: [Way; 2] = [put, put_in_reserved];

/// The files that a queue manager would take: (folder, id, bytes).
fn ready(folder: &Path) -> Vec<(QueueName, QueueId, Vec<u8>)> {
    let queue = Queue::open(folder, Settings::default()).unwrap();
    let mut found = Vec::new();
    for name in [QueueName::Incoming, QueueName::Active, QueueName::Deferred, QueueName::Hold] {
        for entry in queue.scan(name).unwrap() {
            let entry = entry.unwrap();
            if let (Some(id), true) = (entry.id(), entry.facts().unwrap().is_ready()) {
                found.push((name, id, std::fs::read(&entry.path).unwrap()));
            }
        }
    }
    found
}

/// Runs `scenario` with a crash before each step until it gets through without one.
fn at_each_step(fault: impl Fn(usize) -> Fault, check: impl Fn(usize, &Path, &FaultyDisk, &Queue) -> bool) {
    for step in 0..100 {
        let (folder, disk, queue) = spool(fault(step), Settings::default());
        let through = check(step, folder.path(), &disk, &queue);
        if through && disk.steps() <= step {
            assert!(step > 3, "only {step} steps");
            return;
        }
    }
    panic!("no end");
}

#[test]
fn a_commit_is_whole_or_no_message() {
    let bytes = message(2);
    for way in WAYS {
        at_each_step(
            |at| Fault::Crash { at },
            |step, folder, _, queue| {
                let promised = way(queue, &bytes).is_ok();
                let found = ready(folder);
                assert!(found.len() >= usize::from(promised), "step {step}: promised and not there");
                assert!(found.iter().all(|(.., file)| *file == bytes), "step {step}");
                promised
            },
        );
    }
}

#[test]
fn a_reserved_file_is_no_message_until_its_message_is_whole() {
    let bytes = message(2);
    for errno in [None, Some(EIO), Some(ENOSPC)] {
        at_each_step(
            |at| errno.map_or(Fault::Crash { at }, |errno| Fault::Error { at, errno }),
            |step, folder, _, queue| {
                let use_reserved = || -> Result<QueueId, QueueError> {
                    let reserved = queue.reserve(NOW_US)?;
                    let id = reserved.id(NOW_US + 5);
                    reserved.into_file(id)?.commit(&bytes)
                };
                let promised = use_reserved();
                let found = ready(folder);
                assert!(found.iter().all(|(.., file)| *file == bytes), "step {step}");
                match &promised {
                    Ok(id) => assert_eq!((found.len(), &found[0].1), (1, id), "step {step}"),
                    Err(_) if errno.is_some() => assert!(found.is_empty(), "step {step}"),
                    Err(_) => {}
                }
                promised.is_ok()
            },
        );
    }
}

#[test]
fn a_message_on_hold_is_at_no_step_where_the_queue_manager_looks() {
    let bytes = message(2);
    at_each_step(
        |at| Fault::Crash { at },
        |step, folder, _, queue| {
            let put_on_hold = || -> Result<QueueId, QueueError> {
                let mut file = queue.create(NOW_US)?;
                file.hold()?;
                file.commit(&bytes)
            };
            let promised = put_on_hold().is_ok();
            let found = ready(folder);
            assert!(found.len() >= usize::from(promised), "step {step}: promised and not there");
            assert!(
                found.iter().all(|(name, _, file)| (*name, file) == (QueueName::Hold, &bytes)),
                "step {step}"
            );
            promised
        },
    );
}

#[test]
fn an_error_at_any_step_leaves_nothing_behind() {
    let bytes = message(2);
    for (errno, way) in
        [ENOSPC, EIO, EDQUOT, EROFS].into_iter().flat_map(|errno| WAYS.map(|way| (errno, way)))
    {
        at_each_step(
            |at| Fault::Error { at, errno },
            |step, folder, disk, queue| {
                let result = way(queue, &bytes);
                let files = std::fs::read_dir(folder.join("incoming")).unwrap().count();
                assert_eq!(files, usize::from(result.is_ok()), "step {step}: errno {errno}");
                assert!(result.is_ok() || disk.steps() > step, "fails without a fault: {result:?}");
                result.is_ok()
            },
        );
    }
}

#[test]
fn a_power_cut_after_the_promise_loses_nothing() {
    let bytes = message(2);
    for seed in 0..300 {
        let step = (seed % 9) as usize;
        let (folder, disk, queue) = spool(Fault::Crash { at: step }, Settings::default());
        let promised = WAYS[(seed / 9 % 2) as usize](&queue, &bytes).is_ok();
        disk.cut_power(seed).unwrap();
        let found = ready(folder.path());
        assert!(!promised || found.iter().any(|(.., file)| *file == bytes), "step {step} seed {seed}");
        for (name, id, file) in found {
            let readable = queue.load(name, &id, usize::MAX);
            assert!(file == bytes || readable.is_err() || !promised, "step {step} seed {seed}: torn");
        }
    }
}

#[test]
fn life_after_the_promise_loses_no_recipient() {
    let bytes = message(3);
    for seed in 0..600 {
        let step = (seed % 14) as usize;
        let (folder, disk, queue) = spool(Fault::None, Settings::default());
        let id = put(&queue, &bytes).unwrap();
        drop(queue);
        let disk_two = Arc::new(FaultyDisk::new(Fault::Crash { at: step }));
        let queue = Queue::open_on(disk_two.clone(), folder.path(), Settings::default()).unwrap();
        let delivered = deliver_one_defer_twice_deliver_all(&queue, &id);
        if seed % 2 == 0 {
            disk_two.cut_power(seed).unwrap();
        }
        drop(disk);
        let found = ready(folder.path());
        let open: Vec<String> = found
            .iter()
            .flat_map(|(name, id, _)| queue.load(*name, id, usize::MAX).unwrap().envelope.recipients)
            .filter(|recipient| !recipient.done)
            .map(|recipient| recipient.address)
            .collect();
        for number in 0..3 {
            let address = format!("user{number}@example.com");
            assert!(
                delivered.contains(&address) || open.contains(&address),
                "step {step} seed {seed}: {address} lost"
            );
        }
        assert!(found.len() <= 1, "step {step} seed {seed}: the message is there twice");
    }
}

/// What a queue manager does; stops at the first error, as a process does that has ended. Gives whom the agents have delivered to.
fn deliver_one_defer_twice_deliver_all(queue: &Queue, id: &QueueId) -> Vec<String> {
    let mut delivered = Vec::new();
    let mut live = || -> Result<(), QueueError> {
        queue.activate(QueueName::Incoming, id)?;
        let recipients = queue.load(QueueName::Active, id, usize::MAX)?.envelope.recipients;
        delivered.push(recipients[0].address.clone());
        queue.mark_done(QueueName::Active, id, &[recipients[0].offset])?;
        queue.defer(QueueName::Active, id, 1_795_314_126)?;
        queue.activate(QueueName::Deferred, id)?;
        queue.defer(QueueName::Active, id, 1_795_314_726)?;
        queue.activate(QueueName::Deferred, id)?;
        delivered.extend(recipients.into_iter().map(|recipient| recipient.address));
        queue.remove_logs(id)?;
        queue.remove(QueueName::Active, id)
    };
    let _ = live();
    delivered
}

#[test]
fn what_is_noted_of_a_message_goes_with_one_that_is_not_committed() {
    let (_folder, _, queue) = spool(Fault::None, Settings::default());
    let mut kept = queue.create(1_700_000_000_000_000).unwrap();
    kept.note_success(b"one\n").unwrap();
    let kept = kept.commit(&message(1)).unwrap();
    let mut dropped = queue.create(1_700_000_000_100_000).unwrap();
    dropped.note_success(b"two\n").unwrap();
    let id = dropped.id().clone();
    drop(dropped);
    let log = |id| queue.read_log(QueueName::Trace, id).unwrap();
    assert_eq!((log(&kept), log(&id)), (b"one\n".to_vec(), Vec::new()));
}

#[test]
fn who_is_being_delivered_to_is_seen_until_the_last_descriptor_closes() {
    let (_folder, _, queue) = spool(Fault::None, Settings::default());
    let id = put(&queue, &message(3)).unwrap();
    queue.activate(QueueName::Incoming, &id).unwrap();
    let recipients = queue.load(QueueName::Active, &id, usize::MAX).unwrap().envelope.recipients;
    let offsets: Vec<u64> = recipients.iter().map(|recipient| recipient.offset).collect();
    assert!(!queue.is_being_delivered(QueueName::Active, &id).unwrap());
    let agent = queue.open_to_deliver(&id).unwrap();
    let courier = agent.try_clone().unwrap();
    drop((agent, queue.open_to_deliver(&id).unwrap()));
    queue::cross_off(&courier, offsets[1]).unwrap();
    queue.move_message(QueueName::Active, QueueName::Incoming, &id).unwrap();
    assert!(queue.is_being_delivered(QueueName::Incoming, &id).unwrap());
    drop(courier);
    assert!(!queue.is_being_delivered(QueueName::Incoming, &id).unwrap());
    queue.activate(QueueName::Incoming, &id).unwrap();
    assert_eq!(queue.crossed_off(&id, &offsets).unwrap(), [offsets[1]]);
    let left = queue.load(QueueName::Active, &id, usize::MAX).unwrap().envelope.recipients;
    let open: Vec<u64> =
        left.iter().filter(|recipient| !recipient.done).map(|recipient| recipient.offset).collect();
    assert_eq!(open, [offsets[0], offsets[2]]);
}

#[test]
fn long_ids_and_hash_folders_are_those_of_postfix() {
    let settings = Settings::new("deferred, incoming", 2, true);
    let (folder, _, queue) = spool(Fault::None, settings);
    let id = put(&queue, &message(1)).unwrap();
    assert!(id.is_long(), "{id}");
    let hash = format!("{:05X}", NOW_US % 1_000_000);
    let expected = folder.path().join("incoming").join(&hash[0..1]).join(&hash[1..2]).join(id.as_str());
    assert!(expected.is_file(), "{}", expected.display());
    queue.activate(QueueName::Incoming, &id).unwrap();
    assert!(folder.path().join("active").join(id.as_str()).is_file());
    queue.defer(QueueName::Active, &id, 1_795_314_126).unwrap();
    let entries: Vec<_> = queue.scan(QueueName::Deferred).unwrap().map(Result::unwrap).collect();
    assert_eq!((entries[0].id().as_ref(), entries[0].depth), (Some(&id), 2));
    assert_eq!(entries[0].facts().unwrap().modified_seconds, 1_795_314_126);
}

#[test]
fn a_hash_folder_that_somebody_else_has_just_made_does_not_make_a_message_gone() {
    let (folder, _, queue) = spool(Fault::None, Settings::default());
    let id = put(&queue, &message(1)).unwrap();
    queue.activate(QueueName::Incoming, &id).unwrap();
    std::fs::create_dir(queue.path(QueueName::Deferred, &id).parent().unwrap()).unwrap();
    // As the rename would find it that came first.
    let disk = Arc::new(FaultyDisk::new(Fault::Error { at: 0, errno: ENOENT }));
    let queue = Queue::open_on(disk, folder.path(), Settings::default()).unwrap();
    queue.move_message(QueueName::Active, QueueName::Deferred, &id).unwrap();
    assert!(queue.facts(QueueName::Deferred, &id).is_ok());
}

#[test]
fn two_files_of_one_microsecond_get_two_names() {
    let (_folder, _, queue) = spool(Fault::None, Settings::default());
    let first = queue.create(NOW_US).unwrap();
    let second = queue.create(NOW_US).unwrap();
    assert_ne!(first.id(), second.id());
}

#[test]
fn a_file_that_is_not_finished_is_removed() {
    let (folder, _, queue) = spool(Fault::None, Settings::default());
    let mut file = queue.create(NOW_US).unwrap();
    file.write(b"C").unwrap();
    drop(file);
    assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn a_file_that_was_kept_for_nothing_is_removed_and_its_id_tells_its_inode() {
    let (folder, _, queue) = spool(Fault::None, Settings::default());
    let reserved = queue.reserve(NOW_US).unwrap();
    let inode = std::fs::read_dir(folder.path().join("incoming")).unwrap().next().unwrap().unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&inode.metadata().unwrap());
    assert_eq!(reserved.id(NOW_US), QueueId::short((NOW_US % 1_000_000) as u32, inode));
    assert_eq!(ready(folder.path()), []);
    drop(reserved);
    assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn recipients_are_read_in_portions() {
    let (_folder, _, queue) = spool(Fault::None, Settings::default());
    let id = put(&queue, &message(2500)).unwrap();
    let loaded = queue.load(QueueName::Incoming, &id, 1000).unwrap();
    let mut all: Vec<_> = loaded.envelope.recipients;
    let mut more = loaded.more.unwrap();
    assert_eq!(all.len(), 1000);
    // What stands behind the recipients is known with the first portion.
    let whole = queue.load(QueueName::Incoming, &id, usize::MAX).unwrap().envelope;
    assert!(whole.content_offset > 0);
    assert_eq!(loaded.envelope.content_offset, whole.content_offset);
    assert_eq!(loaded.envelope.extracted_offset, whole.extracted_offset);
    while !more.is_done() {
        all.extend(more.read(700).unwrap());
    }
    let addresses: Vec<_> = all.into_iter().map(|recipient| recipient.address).collect();
    assert_eq!(addresses, (0..2500).map(|number| format!("user{number}@example.com")).collect::<Vec<_>>());
}
