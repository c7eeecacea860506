//! A message from a TCP port into a mailbox.
#![allow(clippy::unwrap_used)]

use tests::{Builder, Suite};

const LETTER: &str = "From: sender@client.example\nTo: user@example.com\nSubject: one\n\nHello\n.dot\n";

#[test]
fn a_message_arrives_in_a_maildir() {
    let suite = Builder::new().example_com().start();
    let id = suite.send("sender@client.example", &["user@example.com"], LETTER);
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.header("Return-Path").as_deref(), Some("<sender@client.example>"));
    assert_eq!(message.header("X-Original-To").as_deref(), Some("user@example.com"));
    assert_eq!(message.header("Delivered-To").as_deref(), Some("user@example.com"));
    assert_eq!(message.body(), "Hello\n.dot\n");
    let received = message.header("Received").unwrap();
    assert!(received.contains(&format!("with ESMTP id {id}")), "{received}");
    suite.wait_log(&[&id, "to=<user@example.com>", "relay=virtual", "status=sent (delivered to maildir)"]);
    suite.wait_log(&[&id, ": removed"]);
    suite.stop();
}

#[test]
fn a_message_arrives_in_a_mailbox_file() {
    let suite = Builder::new().example_com().start();
    let letter = "Subject: one\n\nFrom here\n>From there\n";
    let first = suite.send("sender@client.example", &["mbox@example.com"], letter);
    suite.wait_log(&[&first, ": removed"]);
    suite.send("", &["mbox@example.com"], letter);
    let messages = suite.wait_messages("mbox", 2);
    assert_eq!(messages[0].header("Return-Path").as_deref(), Some("<sender@client.example>"));
    assert_eq!(messages[1].header("Return-Path").as_deref(), Some("<>"));
    assert_eq!(messages[0].body(), ">From here\n>From there\n\n");
    suite.stop();
}

#[test]
fn every_recipient_gets_a_copy_and_bcc_stays_hidden() {
    let suite = Builder::new().example_com().start();
    let letter = "From: s@x.example\nTo: user@example.com\nBcc: other@example.com\nSubject: two\n\nHi\n";
    suite.send("s@x.example", &["user@example.com", "other@example.com", "mbox@example.com"], letter);
    for mailbox in ["user/", "other/", "mbox"] {
        let message = suite.wait_messages(mailbox, 1).remove(0);
        assert_eq!(message.header("Subject").as_deref(), Some("two"));
        assert!(!message.text.contains("Bcc"), "{}", message.text);
    }
    suite.stop();
}

#[test]
fn an_extension_leads_to_the_mailbox_without_it() {
    let suite = Builder::new().example_com().start();
    suite.send("s@x.example", &["user+lists@example.com"], LETTER);
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.header("Delivered-To").as_deref(), Some("user+lists@example.com"));
    suite.stop();
}

#[test]
fn a_client_library_gets_its_mail_through() {
    use lettre::{Message, SmtpTransport, Transport};
    let suite = Builder::new().example_com().start();
    let letter = Message::builder()
        .from("Sender <sender@client.example>".parse().unwrap())
        .to("User <user@example.com>".parse().unwrap())
        .subject("from lettre")
        .body(String::from("Grüße\n"))
        .unwrap();
    let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(suite.port()).build();
    transport.send(&letter).unwrap();
    drop(transport);
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.header("Subject").as_deref(), Some("from lettre"));
    suite.stop();
}

#[test]
fn many_messages_in_one_session_all_arrive() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    for number in 0..20 {
        client.send("s@x.example", &["user@example.com"], &format!("Subject: {number}\n\n{number}\n"));
    }
    client.quit();
    let mut subjects: Vec<u32> = subjects(&suite, 20);
    subjects.sort_unstable();
    assert_eq!(subjects, (0..20).collect::<Vec<_>>());
    suite.stop();
}

fn subjects(suite: &Suite, count: usize) -> Vec<u32> {
    let messages = suite.wait_messages("user/", count);
    messages.iter().map(|message| message.header("Subject").unwrap().parse().unwrap()).collect()
}
