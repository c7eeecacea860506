//! Reports byte by byte, as Postfix 3.7.11 wrote them for the same log entries, but for our template's text.

use std::time::Duration;

use super::*;
use crate::Templates;

const CONTENT: &[u8] = b"Received: from client.example (localhost [127.0.0.1])\n\tby mx.example (Postfix)\n\
    From: u0@example.com\nSubject: one\n\nHello\n";

fn about<'a>() -> About<'a> {
    About {
        queue_id: "23701992130",
        myhostname: "mx.example",
        mail_name: "Postfix",
        sender: "user0@example.com",
        envelope_id: "",
        arrival_date: "Sun, 22 Nov 2026 02:16:48 +0000 (UTC)",
        retry_until: "Fri, 27 Nov 2026 02:16:48 +0000 (UTC)",
        encoding: "7bit",
        smtputf8: false,
        smtputf8_enable: true,
        message_id: "",
        size_bytes: 300,
        size_limit_bytes: 50_000,
        now_seconds: 1_795_313_808,
        content: Some(CONTENT),
    }
}

fn entry() -> LogEntry {
    LogEntry {
        recipient: "bad@dummy.example".into(),
        dsn_original_recipient: "rfc822;bad@dummy.example".into(),
        status: "5.1.1".into(),
        action: "failed".into(),
        diagnostic_type: "smtp".into(),
        diagnostic_text: "550-5.1.1 no such user here 550 5.1.1 second line of <reason> text".into(),
        mta_type: "dns".into(),
        mta_name: "127.0.0.1".into(),
        reason: "host 127.0.0.1[127.0.0.1] said: 550-5.1.1 no such user here 550 5.1.1 second line of \
                 <reason> text (in reply to RCPT TO command)"
            .into(),
        ..LogEntry::default()
    }
}

fn letter<'a>(reader: Reader, returned: Returned, entries: Vec<&'a LogEntry>) -> Letter<'a> {
    Letter { sender: String::new(), recipient: "user0@example.com".into(), reader, returned, entries }
}

fn written(letter: &Letter<'_>, about: &About<'_>, class: Class) -> String {
    let facts = Facts {
        myhostname: "mx.example",
        mydomain: "example",
        delay_warning_time: Duration::from_secs(4 * 3600),
        maximal_queue_lifetime: Duration::from_secs(5 * 86_400),
        smtputf8_enable: true,
        parameter: &|_| None,
    };
    let report = write(letter, about, Templates::built_in().of(class), &facts).unwrap();
    String::from_utf8(report.content).unwrap()
}

#[test]
fn a_full_non_delivery_report() {
    let entry = entry();
    let out = written(&letter(Reader::Sender, Returned::Full, vec![&entry]), &about(), Class::Failure);
    let text = Templates::built_in().failure.text.join("\n").replace("$myhostname", "mx.example");
    let expected = format!(
        "From: Mail Delivery System <MAILER-DAEMON>
Subject: Undelivered Mail Returned to Sender
To: user0@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary=\"23701992130.1795313808/mx.example\"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--23701992130.1795313808/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{text}

<bad@dummy.example>: host 127.0.0.1[127.0.0.1] said: 550-5.1.1 no such user
    here 550 5.1.1 second line of <reason> text (in reply to RCPT TO command)

--23701992130.1795313808/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 23701992130
X-Postfix-Sender: rfc822; user0@example.com
Arrival-Date: Sun, 22 Nov 2026 02:16:48 +0000 (UTC)

Final-Recipient: rfc822; bad@dummy.example
Original-Recipient: rfc822;bad@dummy.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 550-5.1.1 no such user here 550 5.1.1 second line of
    <reason> text

--23701992130.1795313808/mx.example
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <user0@example.com>
{content}
--23701992130.1795313808/mx.example--
",
        content = std::str::from_utf8(CONTENT).unwrap()
    );
    assert_eq!(out, expected);
}

#[test]
fn the_postmaster_gets_facts_and_headers() {
    let entry = LogEntry { original_recipient: "alias@x".into(), ..entry() };
    let out = written(&letter(Reader::Postmaster, Returned::Headers, vec![&entry]), &about(), Class::Failure);
    for line in [
        "Subject: Postmaster Copy: Undelivered Mail\n",
        "Auto-Submitted: auto-generated\n",
        "Content-Transfer-Encoding: 8bit\n\n\n<bad@dummy.example> (expanded from <alias@x>): host",
        "Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers\n",
        "Subject: one\n\n--23701992130",
    ] {
        assert!(out.contains(line), "{line:?} is not in {out}");
    }
    assert!(!out.contains("This is the mail system") && !out.contains("Hello"));
}

#[test]
fn a_delay_warning_says_until_when_it_is_tried() {
    let entry = LogEntry {
        diagnostic_type: String::new(),
        action: "delayed".into(),
        reason: "lab deferral".into(),
        ..entry()
    };
    let about = About { envelope_id: "AB+CD", message_id: "<m@x>", ..about() };
    let out = written(&letter(Reader::Sender, Returned::Headers, vec![&entry]), &about, Class::Delay);
    for line in [
        "To: user0@example.com\nReferences: <m@x>\nIn-Reply-To: <m@x>\nAuto-Submitted",
        "more than\n4 hour(s). Delivery",
        "Reporting-MTA: dns; mx.example\nOriginal-Envelope-Id: AB+CD\nX-Postfix-Queue-ID",
        "Action: delayed\n",
        "Diagnostic-Code: X-Postfix; lab deferral\nWill-Retry-Until: Fri, 27 Nov 2026 02:16:48 +0000 (UTC)\n\n--",
    ] {
        assert!(out.contains(line), "{line:?} is not in {out}");
    }
}

#[test]
fn smtputf8_mail_gets_global_types() {
    let entry = LogEntry { recipient: "badü@bücher.example".into(), ..entry() };
    let about = About { smtputf8: true, ..about() };
    let out = written(&letter(Reader::Sender, Returned::Full, vec![&entry]), &about, Class::Failure);
    for line in [
        "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n\nReporting-MTA",
        "X-Postfix-Sender: rfc822; user0@example.com\n",
        "Final-Recipient: utf-8; badü@bücher.example\n",
        "Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\nReturn-Path",
    ] {
        assert!(out.contains(line), "{line:?} is not in {out}");
    }
}

#[test]
fn without_smtputf8_the_encoding_is_that_of_the_message() {
    let entry = entry();
    let letter = letter(Reader::Sender, Returned::Full, vec![&entry]);
    let about = About { smtputf8_enable: false, encoding: "", ..about() };
    let out = written(&letter, &about, Class::Failure);
    assert!(out.contains("charset=us-ascii\n\n") && !out.contains("Content-Transfer-Encoding"), "{out}");
    let out = written(&letter, &About { encoding: "7bit", ..about }, Class::Failure);
    assert_eq!(out.matches("Content-Transfer-Encoding: 7bit").count(), 1, "{out}");
}

#[test]
fn a_large_message_comes_back_as_headers_and_a_lost_one_as_a_note() {
    let entry = entry();
    let letter = letter(Reader::Sender, Returned::Full, vec![&entry]);
    let large = written(&letter, &About { size_bytes: 50_001, ..about() }, Class::Failure);
    assert!(large.contains("text/rfc822-headers") && !large.contains("Hello"));
    let lost = About { content: None, size_bytes: 0, sender: "", arrival_date: "", ..about() };
    let lost = written(&letter, &lost, Class::Failure);
    assert!(
        lost.contains("\t--- Undelivered message unavailable ---\n\n--23701992130.1795313808/mx.example--\n")
    );
}
