//! Mail that can not be delivered now, or never: who is told, and how.
#![allow(clippy::unwrap_used)]

use tests::programs::Maker;
use tests::{Builder, Message, Suite};

const LETTER: &str = "From: user@example.com\nTo: alias@lists.example\nSubject: lost\n\nSecret body\n";

/// `alias@lists.example` leads to a user who is not there; nothing at RCPT shows it.
fn with_dangling_alias() -> Builder {
    Builder::new()
        .example_com()
        .main("virtual_alias_domains = lists.example\nvirtual_alias_maps = hash:$config_directory/virtual")
        .table("virtual", "alias@lists.example nobody@example.com\nboss@mx.test.example other@example.com\n")
}

/// The one report in the sender's mailbox, checked for what every report has.
fn report(suite: &Suite, mailbox: &str, id: &str) -> Message {
    let report = suite.wait_messages(mailbox, 1).remove(0);
    let boundary = format!("--{id}.");
    for (header, value) in
        [("MIME-Version", "1.0"), ("From", "Mail Delivery System <MAILER-DAEMON@mx.test.example>")]
    {
        assert_eq!(report.header(header).as_deref(), Some(value), "{}", report.text);
    }
    let content_type = report.header("Content-Type").unwrap();
    assert!(
        content_type.starts_with("multipart/report; report-type=delivery-status; boundary="),
        "{content_type}"
    );
    assert_eq!(report.text.lines().filter(|line| line.starts_with(&boundary)).count(), 4, "{}", report.text);
    assert!(report.header("Message-Id").is_some() && report.header("Date").is_some());
    report
}

#[test]
fn an_unknown_user_behind_an_alias_is_reported_to_the_sender() {
    let suite = with_dangling_alias().start();
    let id = suite.send("user@example.com", &["alias@lists.example"], LETTER);
    let line = suite.wait_log(&[&id, ": sender non-delivery notification: "]);
    let report_id = line.rsplit(' ').next().unwrap();
    suite.wait_log(&[
        &id,
        "orig_to=<alias@lists.example>",
        "dsn=5.1.1, status=bounced (unknown user: \"nobody@example.com\")",
    ]);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_log(&[report_id, ": removed"]);
    let report = report(&suite, "user/", &id);
    assert_eq!(report.header("Return-Path").as_deref(), Some("<>"));
    assert_eq!(report.header("Subject").as_deref(), Some("Undelivered Mail Returned to Sender"));
    assert_eq!(report.header("To").as_deref(), Some("user@example.com"));
    assert_eq!(report.header("Auto-Submitted").as_deref(), Some("auto-replied"));
    for expected in [
        "<nobody@example.com> (expanded from <alias@lists.example>): unknown user:",
        "Reporting-MTA: dns; mx.test.example",
        &format!("X-Postfix-Queue-ID: {id}"),
        "X-Postfix-Sender: rfc822; user@example.com",
        "Final-Recipient: rfc822; nobody@example.com",
        "Original-Recipient: rfc822;alias@lists.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: X-Postfix; unknown user: \"nobody@example.com\"",
        "Content-Type: message/rfc822",
        "Return-Path: <user@example.com>",
        "Subject: lost",
        "Secret body",
    ] {
        assert!(
            report.text.lines().any(|line| line.starts_with(expected)),
            "{expected:?} is not in {}",
            report.text
        );
    }
    suite.stop();
}

#[test]
fn a_sender_who_wants_headers_or_nothing_gets_that() {
    let suite = with_dangling_alias().start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<user@example.com> RET=HDRS ENVID=QQ+2B1", 250);
    client.expect("RCPT TO:<alias@lists.example> NOTIFY=FAILURE ORCPT=rfc822;first+2Bx@old.example", 250);
    let id = tests::client::queue_id(&client.data(LETTER));
    client.expect("MAIL FROM:<user@example.com>", 250);
    client.expect("RCPT TO:<alias@lists.example> NOTIFY=NEVER", 250);
    let silent = tests::client::queue_id(&client.data(LETTER));
    client.quit();
    suite.wait_log(&[&silent, ": removed"]);
    let report = report(&suite, "user/", &id);
    assert!(report.has_line("Original-Envelope-Id: QQ+1"), "{}", report.text);
    assert!(report.has_line("Original-Recipient: rfc822;first+x@old.example"), "{}", report.text);
    assert!(report.has_line("Content-Type: text/rfc822-headers"), "{}", report.text);
    assert!(!report.text.contains("Secret body"));
    suite.stop();
}

#[test]
fn nobody_is_told_about_a_report_that_can_not_be_delivered_unless_the_postmaster_wants_it() {
    let suite = with_dangling_alias().start();
    let id = suite.send("", &["alias@lists.example"], LETTER);
    suite.wait_log(&[&id, ": removed"]);
    assert!(!suite.log().contains("notification:"), "{}", suite.log());
    suite.stop();

    let suite =
        with_dangling_alias().main("notify_classes = 2bounce\n2bounce_notice_recipient = boss").start();
    let id = suite.send("", &["alias@lists.example"], LETTER);
    suite.wait_log(&[&id, ": postmaster non-delivery notification: "]);
    let report = report(&suite, "other/", &id);
    assert_eq!(report.header("Return-Path").as_deref(), Some("<double-bounce@mx.test.example>"));
    assert_eq!(report.header("Subject").as_deref(), Some("Postmaster Copy: Undelivered Mail"));
    assert!(report.text.contains("Secret body"));
    suite.stop();
}

#[test]
fn a_success_report_comes_to_those_who_ask() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<user@example.com>", 250);
    client.expect("RCPT TO:<other@example.com> NOTIFY=SUCCESS", 250);
    let id = tests::client::queue_id(&client.data(LETTER));
    client.quit();
    suite.wait_log(&[&id, ": sender delivery status notification: "]);
    let report = report(&suite, "user/", &id);
    assert_eq!(report.header("Subject").as_deref(), Some("Successful Mail Delivery Report"));
    for line in ["Action: delivered", "Status: 2.0.0", "Content-Type: text/rfc822-headers"] {
        assert!(report.has_line(line), "{line:?} is not in {}", report.text);
    }
    assert!(report.text.contains("<other@example.com>: delivery via virtual: delivered to maildir"));
    suite.stop();
}

#[test]
fn a_bad_uid_makes_mail_wait_and_once_repaired_it_arrives_once() {
    let suite = Builder::new()
        .example_com()
        .main("virtual_uid_maps = hash:$config_directory/vuid")
        .table("vuid", "other@example.com 1\n")
        .start();
    let id = suite.send("other@example.com", &["user@example.com"], LETTER);
    suite.wait_log(&[
        &id,
        "to=<user@example.com>",
        "dsn=4.3.5, status=deferred (mail system configuration error)",
    ]);
    // The log tells of it first, then it is noted why, then the message leaves the active queue.
    suite.until("the deferred message and why it waits", || {
        let listing = suite.run("postqueue", &["-p"]);
        let waits = listing.contains("1 Request.") && !listing.contains(&format!("{id}*"));
        (waits && listing.contains("(mail system configuration error)\n")).then_some(())
    });
    let id_of_mail = suite.root().metadata().map(|_| mailbox_id()).unwrap();
    suite.write_table("vuid", &format!("user@example.com {id_of_mail}\nother@example.com {id_of_mail}\n"));
    suite.run("postqueue", &["-f"]);
    suite.wait_log(&[&id, "status=sent"]);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    assert!(suite.messages("other/").is_empty(), "no report for mail that arrived");
    assert!(suite.run("postqueue", &["-p"]).contains("Mail queue is empty"));
    suite.stop();
}

fn mailbox_id() -> u32 {
    if sys::ids::is_root() { 5001 } else { sys::ids::effective_uid() }
}

#[test]
fn a_sender_is_warned_when_mail_waits() {
    let suite = Builder::new()
        .example_com()
        .main("virtual_uid_maps = inline:{other@example.com=$test_id}")
        .main("delay_warning_time = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s")
        .start();
    let id = suite.send("other@example.com", &["user@example.com"], LETTER);
    suite.wait_log(&[&id, ": sender delay notification: "]);
    let report = report(&suite, "other/", &id);
    assert_eq!(report.header("Subject").as_deref(), Some("Delayed Mail (still being retried)"));
    for line in ["Action: delayed", "Status: 4.3.5", "Content-Type: text/rfc822-headers"] {
        assert!(report.has_line(line), "{line:?} is not in {}", report.text);
    }
    assert!(report.text.lines().any(|line| line.starts_with("Will-Retry-Until: ")));
    suite.stop();
}

#[test]
fn mail_for_a_transport_that_is_not_there_yet_waits() {
    let builder =
        Builder::new().example_com().main("relay_domains = far.example\nrelay_transport = lmtp:far");
    let suite = builder.start();
    if suite.maker() == Maker::Peer {
        return suite.stop();
    }
    let id = suite.send("user@example.com", &["someone@far.example"], LETTER);
    suite.wait_log(&[
        &id,
        "relay=none",
        "dsn=4.3.0, status=deferred (mail transport unavailable in this version: ",
    ]);
    suite.until("the message in the queue", || {
        suite.run("postqueue", &["-p"]).contains("1 Request.").then_some(())
    });
    assert!(suite.messages("user/").is_empty(), "no report for mail that waits");
    suite.stop();
}
