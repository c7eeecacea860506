//! `notify_classes`: what the postmaster hears of sessions with trouble.

use tests::{Builder, Message, Suite};

fn suite(classes: &str) -> Suite {
    let recipients =
        "error_notice_recipient = other@example.com\nbounce_notice_recipient = third@example.com";
    Builder::new().example_com().main(&format!("notify_classes = {classes}\n{recipients}")).start()
}

fn transcript(message: &Message) -> Vec<&str> {
    assert_eq!(message.header("Return-Path").as_deref(), Some("<double-bounce@mx.test.example>"));
    let subject = message.header("Subject").unwrap_or_default();
    assert_eq!(subject, "Postfix SMTP server: errors from unknown[127.0.0.1]");
    assert_eq!(message.header("To").as_deref(), Some("Postmaster <other@example.com>"));
    let from = message.header("From").unwrap_or_default();
    assert_eq!(from, "Mail Delivery System <MAILER-DAEMON@mx.test.example>");
    message.body().lines().filter(|line| !line.starts_with(" Out: 250")).collect()
}

#[test]
fn a_session_with_errors_is_told_with_all_that_was_said() {
    let suite = suite("policy, protocol");
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<x@elsewhere.example>", 454);
    client.expect("NONSENSE here", 500);
    client.quit();
    let notice = suite.wait_messages("other/", 1).remove(0);
    let expected = [
        "Transcript of session follows.",
        "",
        " Out: 220 mx.test.example ESMTP Postfix",
        " In:  EHLO client.test.example",
        " In:  MAIL FROM:<a@b.example>",
        " In:  RCPT TO:<x@elsewhere.example>",
        " Out: 454 4.7.1 <x@elsewhere.example>: Relay access denied",
        " In:  NONSENSE here",
        " Out: 500 5.5.2 Error: command not recognized",
        " In:  QUIT",
        " Out: 221 2.0.0 Bye",
        "",
        "",
        "For other details, see the local mail logfile",
    ];
    assert_eq!(transcript(&notice), expected);
    suite.stop();
}

#[test]
fn an_unknown_recipient_is_for_the_reader_of_bounces_and_the_reason_of_an_early_end_is_told() {
    let suite = suite("bounce");
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<nobody@example.com>", 550);
    drop(client);
    let notice = suite.wait_messages("third/", 1).remove(0);
    let lines = transcript(&notice);
    assert!(lines.contains(&"     in virtual mailbox table"), "{lines:?}");
    assert!(lines.contains(&"Session aborted, reason: lost connection"), "{lines:?}");
    suite.stop();
}

#[test]
fn what_was_not_asked_for_or_came_right_is_not_told() {
    let suite = suite("resource, software");
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<nobody@example.com>", 550);
    client.quit();
    suite.append_main("notify_classes = policy, protocol, bounce");
    suite.reload();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("NONSENSE", 500);
    client.send("a@b.example", &["user@example.com"], "Subject: x\n\nx\n");
    client.quit();
    suite.wait_messages("user/", 1);
    let mut client = suite.connect();
    client.expect("NONSENSE", 500);
    client.quit();
    // The only one: about the last session.
    suite.wait_messages("other/", 1);
    assert!(suite.messages("third/").is_empty());
    suite.stop();
}

#[test]
fn an_address_that_mail_would_come_back_from_is_for_the_reader_of_bounces() {
    for lines in [
        ["MAIL FROM:<x@refused.example>", "RCPT TO:<user@example.com>"],
        ["MAIL FROM:<>", "RCPT TO:<x@refused.example>"],
        ["MAIL FROM:<>", "RCPT TO:<x@deferred.example>"],
    ] {
        let recipients =
            "bounce_notice_recipient = third@example.com\nerror_notice_recipient = other@example.com";
        let suite = Builder::new()
            .example_com()
            .main(&format!("notify_classes = policy, bounce\n{recipients}"))
            .main("relay_domains = refused.example, deferred.example\nsmtpd_reject_unlisted_sender = yes")
            .main(
                "transport_maps = \
                 inline:{{refused.example = error:5.1.2 gone}, {deferred.example = retry:4.3.2 later}}",
            )
            .start();
        let mut client = suite.connect();
        client.ehlo();
        client.expect(lines[0], 250);
        assert!(client.say(lines[1]).code >= 400);
        client.quit();
        transcript(&suite.wait_messages("third/", 1)[0]);
        assert!(suite.messages("other/").is_empty());
        suite.stop();
    }
}

#[test]
fn a_session_that_is_watched_is_in_the_log() {
    let suite = Builder::new().example_com().main("debug_peer_list = 127.0.0.1").start();
    let mut client = suite.connect();
    client.ehlo();
    client.quit();
    suite.wait_log(&[": > unknown[127.0.0.1]: 220 mx.test.example ESMTP"]);
    suite.wait_log(&[": < unknown[127.0.0.1]: EHLO "]);
    suite.wait_log(&[": > unknown[127.0.0.1]: 250-mx.test.example"]);
    suite.wait_log(&[": < unknown[127.0.0.1]: QUIT"]);
    suite.stop();
}
