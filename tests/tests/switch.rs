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

/// The lines of the listing, in no order, once both messages are deferred and say why.
fn settled(suite: &Suite) -> Option<Vec<String>> {
    let listing = queue_listing(suite);
    let mut lines: Vec<String> = listing.lines().map(str::to_owned).collect();
    lines.sort();
    let reasons = lines.iter().filter(|line| line.contains("(deferred transport)")).count();
    (listing.contains("2 Requests.") && reasons == 2).then_some(lines)
}

/// Mail waits in the queue of `from`; `to` shows it, delivers it, and returns what can not be delivered.
fn moves(from: Programs, to: Programs) {
    let mut suite = deferring(from);
    let delivered = suite.send("other@example.com", &["user@example.com", "mbox@example.com"], LETTER);
    let returned = suite.send("other@example.com", &["gone@lists.example"], LETTER);
    let before = suite.until("both in deferred, with reasons", || settled(&suite));
    suite.stop();
    suite.switch_to(to);
    suite.start();
    // What was due is tried at once; then it waits again, and is shown as it was.
    suite
        .until("the other's queue with its reasons", || settled(&suite).filter(|listing| *listing == before));
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
    if Programs::peer_can_run() {
        moves(Programs::peer(), Programs::ours());
    }
}

#[test]
fn our_queue_is_delivered_by_them() {
    if Programs::peer_can_run() {
        moves(Programs::ours(), Programs::peer());
    }
}
