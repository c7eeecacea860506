//! Whoever dies while a message is delivered without a queue file: the message is there once, and is not waited for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use sys::signals::{self, SignalKind};
use tests::client::Client;
use tests::{Builder, Suite, processes};

/// The original has no direct delivery that could be disturbed.
fn is_peer() -> bool {
    let peer = std::env::var_os("SUITE_UNDER_TEST").is_some_and(|suite| suite == "peer");
    if peer {
        testkit::left_out("the original delivers from queue files only");
    }
    peer
}

/// A suite in which every process of the way has been used once. The first message may have come before the queue
/// manager was ready, and an smtpd that has met this tries no direct delivery for a while.
fn start(direct_delivery_milliseconds: u32) -> Suite {
    let main = format!("direct_delivery_milliseconds = {direct_delivery_milliseconds}");
    let suite = Builder::new().example_com().main(&main).start();
    suite.send("a@b.example", &["user@example.com"], "Subject: first\n\nx\n");
    suite.wait_messages("user/", 1);
    suite.renew("smtpd");
    suite
}

fn pids(suite: &Suite, program: &str) -> Vec<u32> {
    let pids: Vec<u32> =
        suite.processes().into_iter().filter(|pid| processes::program(*pid) == program).collect();
    assert!(!pids.is_empty(), "no {program} runs");
    pids
}

fn signal(suite: &Suite, program: &str, signal: SignalKind) {
    pids(suite, program).into_iter().for_each(|pid| signals::send(pid, signal).unwrap());
}

/// Sends a message without waiting for its answer; it is active then, in memory. Answers its id.
fn begin(suite: &Suite) -> (Client, String) {
    begin_for(suite, "user@example.com")
}

fn begin_for(suite: &Suite, recipient: &str) -> (Client, String) {
    let before = suite.log().len();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect(&format!("RCPT TO:<{recipient}>"), 250);
    client.expect("DATA", 354);
    client.write(b"Subject: second\r\n\r\nx\r\n.\r\n");
    let id = suite.until("an active message", || {
        let log = suite.log();
        let line = log[before..].lines().find(|line| line.contains("(queue active)"))?;
        let (before, _) = line.split_once(": from=<")?;
        before.rsplit(' ').next().map(str::to_owned)
    });
    (client, id)
}

/// Makes the queue file of a message in memory, as smtpd does, which does not get so far as to tell.
fn complete(suite: &Suite, id: &str) {
    let folders = pids(suite, "smtpd").into_iter().map(|pid| format!("/proc/{pid}/fd"));
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().flatten());
    let is_message =
        |link: &std::path::Path| link.to_str().is_some_and(|name| name.contains("memfd:message"));
    let mut files =
        files.map(|entry| entry.path()).filter(|path| fs::read_link(path).is_ok_and(|to| is_message(&to)));
    let records = fs::read(files.next().expect("a message in memory")).unwrap();
    let folder = suite.queue().join("incoming");
    let (made, path) = (folder.join("made"), folder.join(id));
    fs::write(&made, records).unwrap();
    let owner = fs::metadata(&folder).unwrap();
    chown(&made, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&made, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(made, path).unwrap();
}

fn is_in(suite: &Suite, folder: &str, id: &str) -> bool {
    suite.queue().join(folder).join(id).exists()
}

/// Waits until the message has left the queue, and counts its copies.
fn copies_in_the_end(suite: &Suite, id: &str) -> usize {
    copies_in(suite, id, "user/")
}

fn copies_in(suite: &Suite, id: &str, mailbox: &str) -> usize {
    let folders = ["incoming", "active"];
    suite.until("an empty queue", || (!folders.iter().any(|name| is_in(suite, name, id))).then_some(()));
    let second = |message: &tests::mail::Message| message.header("Subject").as_deref() == Some("second");
    suite.messages(mailbox).iter().filter(|message| second(message)).count()
}

#[test]
fn a_queue_file_whose_maker_died_before_it_could_tell_is_taken_at_once() {
    if is_peer() {
        return;
    }
    let suite = start(10_000);
    signal(&suite, "virtual", SignalKind::SIGSTOP);
    let (_client, id) = begin(&suite);
    complete(&suite, &id);
    signal(&suite, "smtpd", SignalKind::SIGKILL);
    suite.until("the file in active/", || is_in(&suite, "active", &id).then_some(()));
    signal(&suite, "virtual", SignalKind::SIGCONT);
    assert_eq!(copies_in_the_end(&suite, &id), 1, "{}", suite.log_end());
    suite.stop();
}

#[test]
fn a_maker_that_died_before_it_heard_of_the_delivery_costs_no_second_copy() {
    if is_peer() {
        return;
    }
    let suite = start(10_000);
    signal(&suite, "virtual", SignalKind::SIGSTOP);
    let (_client, id) = begin(&suite);
    complete(&suite, &id);
    signal(&suite, "smtpd", SignalKind::SIGSTOP);
    signal(&suite, "virtual", SignalKind::SIGCONT);
    suite.wait_log(&[&id, ": removed"]);
    signal(&suite, "smtpd", SignalKind::SIGKILL);
    assert_eq!(copies_in_the_end(&suite, &id), 1, "{}", suite.log_end());
    suite.stop();
}

#[test]
fn a_copy_made_after_its_message_got_a_queue_file_is_crossed_off_there() {
    if is_peer() {
        return;
    }
    let suite = start(100);
    // The couriers too.
    signal(&suite, "spawnd", SignalKind::SIGSTOP);
    let (mut client, id) = begin(&suite);
    assert_eq!(client.reply().code, 250);
    suite.until("the file in active/", || is_in(&suite, "active", &id).then_some(()));
    signal(&suite, "qmgr", SignalKind::SIGSTOP);
    signal(&suite, "spawnd", SignalKind::SIGCONT);
    suite.wait_log(&[&id, "status=sent"]);
    signal(&suite, "qmgr", SignalKind::SIGKILL);
    assert_eq!(copies_in_the_end(&suite, &id), 1, "{}", suite.log_end());
    suite.stop();
}

#[test]
fn who_delivers_when_the_queue_manager_dies_goes_on_and_no_queue_file_is_made() {
    if is_peer() {
        return;
    }
    let suite = start(3_000);
    signal(&suite, "spawnd", SignalKind::SIGSTOP);
    let (mut client, id) = begin(&suite);
    signal(&suite, "qmgr", SignalKind::SIGKILL);
    signal(&suite, "spawnd", SignalKind::SIGCONT);
    assert_eq!(client.reply().code, 250);
    assert_eq!(copies_in_the_end(&suite, &id), 1, "{}", suite.log_end());
    assert_eq!(suite.log().matches(&format!("{id}: from=")).count(), 1, "{}", suite.log_end());
    suite.stop();
}

#[test]
fn an_agent_that_comes_late_leaves_alone_what_the_next_queue_manager_delivers() {
    if is_peer() {
        return;
    }
    for (recipient, mailbox) in [("user@example.com", "user/"), ("mbox@example.com", "mbox")] {
        let suite = start(100);
        // The couriers too: one has a job by now that it has not begun.
        signal(&suite, "spawnd", SignalKind::SIGSTOP);
        let (mut client, id) = begin_for(&suite, recipient);
        assert_eq!(client.reply().code, 250);
        suite.until("the file in active/", || is_in(&suite, "active", &id).then_some(()));
        signal(&suite, "qmgr", SignalKind::SIGKILL);
        suite.until("the next queue manager", || {
            (suite.log().matches(&format!("{id}: from=")).count() > 1).then_some(())
        });
        signal(&suite, "spawnd", SignalKind::SIGCONT);
        assert_eq!(copies_in(&suite, &id, mailbox), 1, "{}", suite.log_end());
        suite.stop();
    }
}
