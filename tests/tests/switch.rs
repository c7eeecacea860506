//! The queue of the installed Postfix is taken over, and given back, with nothing converted.
#![allow(clippy::unwrap_used)]

use tests::programs::Programs;
use tests::{Builder, Suite};

const LETTER: &str = "From: other@example.com\nSubject: moved\n\nHello\n";

/// Everything is deferred while the first suite runs, for a reason that the second does not share.
fn deferring(programs: Programs) -> Suite {
    Builder::with(programs)
        .example_com()
        .main("virtual_alias_domains = lists.example\nvirtual_alias_maps = hash:$config_directory/virtual")
        .table("virtual", "gone@lists.example nobody@example.com\n")
        .main("defer_transports = virtual")
        .start()
}

fn queue_listing(suite: &Suite) -> String {
    suite.run("postqueue", &["-p"])
}

/// Two messages with their reasons, neither of them active.
fn is_at_rest(listing: &str) -> bool {
    listing.contains("2 Requests.")
        && listing.matches("(deferred transport)").count() == 2
        && !listing.contains('*')
}

/// Mail waits in the queue of `from`; `to` shows it, delivers it, and returns what can not be delivered.
fn moves(from: Programs, to: Programs) {
    let mut suite = deferring(from);
    let delivered = suite.send("other@example.com", &["user@example.com", "mbox@example.com"], LETTER);
    let returned = suite.send("other@example.com", &["gone@lists.example"], LETTER);
    let before =
        suite.until("both in deferred", || Some(queue_listing(&suite)).filter(|listing| is_at_rest(listing)));
    suite.stop();
    suite.switch_to(to);
    suite.start();
    assert_eq!(queue_listing(&suite), before, "the other's queue and reasons are shown the same");
    suite.append_main("defer_transports =");
    suite.reload();
    suite.run("postqueue", &["-f"]);
    suite.wait_log(&[&delivered, "to=<user@example.com>", "status=sent"]);
    suite.wait_log(&[&delivered, ": removed"]);
    suite.wait_log(&[&returned, ": sender non-delivery notification: "]);
    suite.wait_messages("user/", 1);
    suite.wait_messages("mbox", 1);
    let report = suite.wait_messages("other/", 1).remove(0);
    assert!(report.has_line("Original-Recipient: rfc822;gone@lists.example"), "{}", report.text);
    suite.until("an empty queue", || queue_listing(&suite).contains("Mail queue is empty").then_some(()));
    suite.stop();
}

#[test]
fn their_queue_is_delivered_by_us() {
    if !Programs::peer_can_run() {
        testkit::left_out("the original is not installed, or this is not root");
    } else {
        moves(Programs::peer(), Programs::ours());
    }
}

#[test]
fn our_queue_is_delivered_by_them() {
    if !Programs::peer_can_run() {
        testkit::left_out("the original is not installed, or this is not root");
    } else {
        moves(Programs::ours(), Programs::peer());
    }
}
