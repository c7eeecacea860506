//! Messages that are delivered while their clients wait: without a queue file when all goes well, through the queue
//! when not, and in either case safe before the client is answered.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use sys::signals::{self, SignalKind};
use tests::{Builder, Suite, processes};

/// The time of the last change in `active/`, in nanoseconds: every message in the queue passes there.
fn changed(suite: &Suite) -> i128 {
    let facts = std::fs::metadata(suite.queue().join("active")).unwrap();
    i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec())
}

fn is_peer() -> bool {
    std::env::var_os("SUITE_UNDER_TEST").is_some_and(|suite| suite == "peer")
}

/// Sends a signal to every process of this program.
fn signal(suite: &Suite, program: &str, signal: SignalKind) {
    let pids: Vec<u32> =
        suite.processes().into_iter().filter(|pid| processes::program(*pid) == program).collect();
    assert!(!pids.is_empty(), "no {program} runs");
    for pid in pids {
        signals::send(pid, signal).unwrap();
    }
}

#[test]
fn a_message_that_is_delivered_at_once_needs_no_queue_file() {
    let suite = Builder::new().example_com().main("direct_delivery_milliseconds = 100000").start();
    // The first may come before the queue manager has looked at what was left in the queue.
    let first = suite.send("a@b.example", &["other@example.com"], "Subject: first\n\nx\n");
    suite.wait_log(&[&first, ": removed"]);
    suite.renew("smtpd");
    let before = changed(&suite);
    let id = suite.send("a@b.example", &["user@example.com", "mbox@example.com"], "Subject: direct\n\nx\n");
    suite.wait_log(&[&id, ": removed"]);
    assert_eq!(suite.wait_messages("user/", 1)[0].header("Subject").as_deref(), Some("direct"));
    suite.wait_messages("mbox", 1);
    assert!(is_peer() || changed(&suite) == before, "a queue file was made\n{}", suite.log_end());
    suite.stop();
}

#[test]
fn with_the_parameter_at_zero_every_message_goes_through_the_queue() {
    let suite = Builder::new().example_com().main("direct_delivery_milliseconds = 0").start();
    let before = changed(&suite);
    let id = suite.send("a@b.example", &["user@example.com"], "Subject: queued\n\nx\n");
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    assert!(changed(&suite) > before);
    suite.stop();
}

#[test]
fn what_can_not_be_delivered_gets_a_queue_file_and_its_sender_a_report() {
    let suite = Builder::new()
        .example_com()
        .main("direct_delivery_milliseconds = 100000\nvirtual_mailbox_limit = 20000\nmessage_size_limit = 20000\nmailbox_size_limit = 20000")
        .start();
    let filling = format!("Subject: filling\n\n{}", "0123456789012345678901234567890123456789\n".repeat(300));
    suite.send("user@example.com", &["mbox@example.com"], &filling);
    suite.wait_messages("mbox", 1);
    let id = suite.send("user@example.com", &["mbox@example.com", "other@example.com"], &filling);
    suite.wait_log(&[&id, "to=<mbox@example.com>", "status=bounced"]);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("other/", 1);
    let report = suite.wait_messages("user/", 1).remove(0);
    assert!(report.text.contains("Final-Recipient: rfc822; mbox@example.com"), "{}", report.text);
    suite.stop();
}

#[test]
fn a_client_does_not_wait_for_an_agent_that_is_slow() {
    let suite = Builder::new().example_com().main("direct_delivery_milliseconds = 100").start();
    suite.send("a@b.example", &["user@example.com"], "Subject: first\n\nx\n");
    suite.wait_messages("user/", 1);
    suite.renew("smtpd");
    signal(&suite, "virtual", SignalKind::SIGSTOP);
    let before = changed(&suite);
    let id = suite.send("a@b.example", &["user@example.com"], "Subject: second\n\nx\n");
    suite.until("the message in the queue", || (changed(&suite) > before).then_some(()));
    signal(&suite, "virtual", SignalKind::SIGCONT);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 2);
    suite.stop();
}

#[test]
fn mail_that_comes_in_faster_than_it_goes_out_is_taken_slowly() {
    let pause = Duration::from_secs(2);
    let suite = Builder::new()
        .example_com()
        .main("direct_delivery_milliseconds = 100\nqmgr_message_active_limit = 1\nin_flow_delay = 2s")
        .start();
    suite.send("a@b.example", &["user@example.com"], "Subject: first\n\nx\n");
    suite.wait_messages("user/", 1);
    suite.renew("smtpd");
    signal(&suite, "virtual", SignalKind::SIGSTOP);
    let slow = (1..30).find(|_| {
        let begun = Instant::now();
        suite.send("a@b.example", &["user@example.com"], "Subject: more\n\nx\n");
        begun.elapsed() >= pause
    });
    signal(&suite, "virtual", SignalKind::SIGCONT);
    assert!(slow.is_some() || is_peer(), "{}", suite.log_end());
    suite.wait_messages("user/", 1 + slow.unwrap_or(29));
    suite.stop();
}

#[test]
fn a_queue_manager_that_dies_costs_no_message() {
    let suite = Builder::new().example_com().main("direct_delivery_milliseconds = 1000").start();
    suite.send("a@b.example", &["user@example.com"], "Subject: first\n\nx\n");
    suite.wait_messages("user/", 1);
    suite.renew("smtpd");
    signal(&suite, "virtual", SignalKind::SIGSTOP);
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    client.expect("DATA", 354);
    client.write(b"Subject: second\r\n\r\nx\r\n.\r\n");
    suite.until("an active message", || {
        (suite.log().matches("(queue active)").count() > 1 || is_peer()).then_some(())
    });
    signal(&suite, "qmgr", SignalKind::SIGKILL);
    assert_eq!(client.reply().code, 250);
    signal(&suite, "virtual", SignalKind::SIGCONT);
    suite.until("the message", || {
        let messages = suite.messages("user/");
        messages.iter().any(|message| message.header("Subject").as_deref() == Some("second")).then_some(())
    });
    suite.stop();
}
