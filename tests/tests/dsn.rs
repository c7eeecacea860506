//! Delivery status notifications (RFC 3461, 3464): what senders ask for, and what they get.
#![allow(clippy::unwrap_used)]

use tests::client::queue_id;
use tests::{Builder, Message, Suite};

const LETTER: &str = "From: user@example.com\nTo: x@y.example\nSubject: lost\n\nSecret body\n";

fn builder() -> Builder {
    Builder::new()
        .example_com()
        .main(
            "virtual_alias_domains = lists.example\n\
             virtual_alias_maps = hash:$config_directory/virtual\n\
             transport_maps = inline:{{deferred.example = retry:4.3.2 not today}}\n\
             relay_domains = deferred.example\n\
             delay_warning_time = 1s\n\
             minimal_backoff_time = 1s\n\
             maximal_backoff_time = 2s\n\
             queue_run_delay = 1s",
        )
        .table(
            "virtual",
            "one@lists.example other@example.com\n\
             several@lists.example other@example.com, nobody@example.com\n\
             later@lists.example a@deferred.example, b@deferred.example\n",
        )
        .aliases(
            "mailer-daemon: postmaster\n\
             postmaster: root\n\
             list: other@example.com, nobody@example.com\n\
             mixed: other@example.com, no-such-user\n\
             owned: other@example.com, nobody@example.com\n\
             owner-owned: third@example.com\n",
        )
}

/// Sends the letter with these parameters of MAIL, and of RCPT for each recipient; the queue id.
fn send(suite: &Suite, mail: &str, recipients: &[&str]) -> String {
    let mut client = suite.connect();
    client.ehlo();
    client.expect(format!("MAIL FROM:<user@example.com> {mail}").trim_end(), 250);
    for recipient in recipients {
        client.expect(&format!("RCPT TO:{recipient}"), 250);
    }
    let id = queue_id(&client.data(LETTER));
    client.quit();
    id
}

/// What a report says in its machine-readable part, in the order of the recipients' lines, without what differs from
/// run to run; then what is returned.
fn told(report: &Message) -> Vec<&str> {
    let names = ["Original-Envelope-Id", "Final-Recipient", "Original-Recipient", "Action", "Status"];
    let wanted = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        names.contains(&name)
            || matches!(*line, "Content-Type: message/rfc822" | "Content-Type: text/rfc822-headers")
    };
    for line in ["Reporting-MTA: dns; mx.test.example", "X-Postfix-Sender: rfc822; "] {
        assert!(report.text.lines().any(|own| own.starts_with(line)), "{line:?} is not in {}", report.text);
    }
    assert!(report.text.lines().any(|line| line.starts_with("Arrival-Date: ")), "{}", report.text);
    report.text.lines().filter(wanted).collect()
}

fn of_subject(reports: &[Message], subject: &str) -> Message {
    let own = reports.iter().find(|report| report.header("Subject").as_deref() == Some(subject));
    own.unwrap_or_else(|| panic!("no {subject:?} in {reports:?}")).clone()
}

const FAILED: &str = "Undelivered Mail Returned to Sender";
const SUCCEEDED: &str = "Successful Mail Delivery Report";

#[test]
fn success_of_a_virtual_alias_is_its_expansion() {
    let suite = builder().start();
    let id =
        send(&suite, "RET=FULL ENVID=QQ+2B1", &["<one@lists.example> NOTIFY=SUCCESS ORCPT=rfc822;a+2Bb@old"]);
    let line = suite.wait_log(&[&id, ": sender delivery status notification: "]);
    suite.wait_log(&[
        &id,
        "to=<other@example.com>, orig_to=<one@lists.example>, relay=virtual",
        "status=sent",
    ]);
    // What the suite itself writes is cleanup's work too.
    let report_id = line.rsplit(' ').next().unwrap();
    suite.wait_log(&["/cleanup[", report_id, ": message-id=<"]);
    let report = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(report.header("Subject").as_deref(), Some(SUCCEEDED));
    assert!(report.has_line("<one@lists.example>: alias expanded"), "{}", report.text);
    assert!(report.has_line("Diagnostic-Code: X-Postfix; alias expanded"), "{}", report.text);
    let expected = [
        "Original-Envelope-Id: QQ+1",
        "Final-Recipient: rfc822; one@lists.example",
        "Original-Recipient: rfc822;a+b@old",
        "Action: expanded",
        "Status: 2.0.0",
        "Content-Type: text/rfc822-headers",
    ];
    assert_eq!(told(&report), expected);
    suite.stop();
}

#[test]
fn failure_of_one_of_several_is_told_beside_the_expansion() {
    let suite = builder().start();
    let id = send(&suite, "RET=HDRS ENVID=e", &["<several@lists.example> NOTIFY=SUCCESS,FAILURE,DELAY"]);
    let reports = suite.wait_messages("user/", 2);
    suite.wait_log(&[&id, ": removed"]);
    let expanded = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; several@lists.example",
        "Original-Recipient: rfc822;several@lists.example",
        "Action: expanded",
        "Status: 2.0.0",
        "Content-Type: text/rfc822-headers",
    ];
    assert_eq!(told(&of_subject(&reports, SUCCEEDED)), expanded);
    let failed = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; nobody@example.com",
        "Original-Recipient: rfc822;several@lists.example",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: text/rfc822-headers",
    ];
    assert_eq!(told(&of_subject(&reports, FAILED)), failed);
    suite.stop();
}

#[test]
fn several_recipients_are_told_of_together_each_as_it_was_asked() {
    let suite = builder().start();
    let recipients = [
        "<other@example.com> NOTIFY=SUCCESS ORCPT=rfc822;first@old",
        "<one@lists.example> NOTIFY=SUCCESS ORCPT=utf-8;s\\x{E4}cond@old",
        "<third@example.com> NOTIFY=NEVER",
        "<mbox@example.com> NOTIFY=FAILURE",
    ];
    let id = send(&suite, "", &recipients);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("mbox", 1);
    let report = suite.wait_messages("user/", 1).remove(0);
    let told = told(&report);
    let lines = |address: &str, original: &str, action: &str| {
        [
            format!("Final-Recipient: rfc822; {address}"),
            format!("Original-Recipient: {original}"),
            format!("Action: {action}"),
            "Status: 2.0.0".to_owned(),
        ]
    };
    // The alias comes first: it was noted before anything was delivered.
    let expected = [
        lines("one@lists.example", "utf-8;säcond@old", "expanded"),
        lines("other@example.com", "rfc822;first@old", "delivered"),
    ]
    .concat();
    assert_eq!(told[..told.len() - 1], expected);
    suite.stop();
}

#[test]
fn an_alias_of_this_system_is_expanded_and_its_members_failures_come_back() {
    let suite = builder().start();
    let id = send(&suite, "ENVID=e", &["<list@mx.test.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;l@old"]);
    let line = suite.wait_log(&[&id, "relay=local", "status=sent (forwarded as "]);
    let child = line.rsplit(' ').next().unwrap().trim_end_matches(')').to_owned();
    suite.wait_log(&[&child, "to=<other@example.com>, orig_to=<list@mx.test.example>", "status=sent"]);
    let reports = suite.wait_messages("user/", 2);
    let success = of_subject(&reports, SUCCEEDED);
    assert!(
        success.has_line("<list@mx.test.example>: delivery via local: alias expanded"),
        "{}",
        success.text
    );
    let expanded = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; list@mx.test.example",
        "Original-Recipient: rfc822;l@old",
        "Action: expanded",
        "Status: 2.0.0",
        "Content-Type: text/rfc822-headers",
    ];
    assert_eq!(told(&success), expanded);
    let failed = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; nobody@example.com",
        "Original-Recipient: rfc822;l@old",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: message/rfc822",
    ];
    assert_eq!(told(&of_subject(&reports, FAILED)), failed);
    suite.stop();
}

#[test]
fn a_member_of_this_system_that_is_not_there_is_named() {
    let suite = builder().start();
    let id = send(&suite, "", &["<mixed@mx.test.example>"]);
    suite.wait_log(&[
        &id,
        "to=<no-such-user@mx.test.example>, orig_to=<mixed@mx.test.example>",
        "dsn=5.1.1, status=bounced (unknown user: \"no-such-user\")",
    ]);
    let report = suite.wait_messages("user/", 1).remove(0);
    let expected = [
        "Final-Recipient: rfc822; no-such-user@mx.test.example",
        "Original-Recipient: rfc822;mixed@mx.test.example",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: message/rfc822",
    ];
    assert_eq!(told(&report), expected);
    suite.stop();
}

#[test]
fn a_list_with_an_owner_is_where_success_ends_and_failures_go_there() {
    let suite = builder().start();
    let id = send(
        &suite,
        "RET=HDRS ENVID=e",
        &["<owned@mx.test.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;l@old"],
    );
    suite.wait_log(&[&id, "status=sent (forwarded as "]);
    let delivered = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; owned@mx.test.example",
        "Original-Recipient: rfc822;l@old",
        "Action: delivered",
        "Status: 2.0.0",
        "Content-Type: text/rfc822-headers",
    ];
    assert_eq!(told(&suite.wait_messages("user/", 1)[0]), delivered);
    let failed = [
        "Original-Envelope-Id: e",
        "Final-Recipient: rfc822; nobody@example.com",
        "Original-Recipient: rfc822;nobody@example.com",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: text/rfc822-headers",
    ];
    let to_owner = suite.wait_messages("third/", 1).remove(0);
    assert_eq!(told(&to_owner), failed);
    assert!(to_owner.has_line("X-Postfix-Sender: rfc822; owner-owned@mx.test.example"), "{}", to_owner.text);
    suite.stop();
}

#[test]
fn never_is_never_also_for_a_list_with_an_owner() {
    let suite = builder().start();
    let mut ids = Vec::new();
    for recipient in ["<owned@mx.test.example>", "<list@mx.test.example>", "<several@lists.example>"] {
        let id = send(&suite, "", &[&format!("{recipient} NOTIFY=NEVER")]);
        suite.wait_log(&[&id, ": removed"]);
        ids.push(id);
    }
    for id in &ids[..2] {
        let line = suite.wait_log(&[id, "status=sent (forwarded as "]);
        let child = line.rsplit(' ').next().unwrap().trim_end_matches(')');
        suite.wait_log(&[child, "status=bounced (unknown user: \"nobody@example.com\")"]);
        suite.wait_log(&[child, ": removed"]);
    }
    assert!(!suite.log().contains("notification:"), "{}", suite.log());
    suite.stop();
}

#[test]
fn of_a_delay_those_hear_who_want_to() {
    let suite = builder().start();
    let id = send(
        &suite,
        "RET=FULL ENVID=e",
        &[
            "<later@lists.example> NOTIFY=DELAY ORCPT=rfc822;l@old",
            "<later@lists.example> NOTIFY=SUCCESS,FAILURE",
        ],
    );
    suite.wait_log(&[&id, ": sender delay notification: "]);
    let reports = suite.wait_messages("user/", 2);
    let report = of_subject(&reports, "Delayed Mail (still being retried)");
    assert!(report.text.lines().any(|line| line.starts_with("Will-Retry-Until: ")), "{}", report.text);
    let mut told = told(&report);
    assert_eq!(
        (told.remove(0), told.pop()),
        ("Original-Envelope-Id: e", Some("Content-Type: text/rfc822-headers"))
    );
    let mut recipients: Vec<&[&str]> = told.chunks(4).collect();
    recipients.sort_unstable();
    let lines = |address| [address, "Original-Recipient: rfc822;l@old", "Action: delayed", "Status: 4.3.2"];
    let expected =
        ["Final-Recipient: rfc822; a@deferred.example", "Final-Recipient: rfc822; b@deferred.example"]
            .map(lines);
    assert_eq!(recipients, expected);
    suite.stop();
}

#[test]
fn sendmail_asks_in_the_same_words() {
    let suite = builder().start();
    let options = ["-f", "user@example.com", "-N", "success,failure", "-V", "my+id", "-R", "hdrs"];
    suite.run_with("sendmail", &[&options[..], &["several@lists.example"]].concat(), LETTER);
    let reports = suite.wait_messages("user/", 2);
    for (subject, address, action, status) in [
        (SUCCEEDED, "several@lists.example", "expanded", "2.0.0"),
        (FAILED, "nobody@example.com", "failed", "5.1.1"),
    ] {
        let expected = [
            "Original-Envelope-Id: my+id".to_owned(),
            format!("Final-Recipient: rfc822; {address}"),
            "Original-Recipient: rfc822;several@lists.example".to_owned(),
            format!("Action: {action}"),
            format!("Status: {status}"),
            "Content-Type: text/rfc822-headers".to_owned(),
        ];
        assert_eq!(told(&of_subject(&reports, subject)), expected);
    }
    suite.stop();
}

#[test]
fn a_probe_of_an_alias_names_each_of_its_members() {
    let suite = builder().start();
    suite.run("sendmail", &["-f", "user@example.com", "-bv", "mixed@mx.test.example"]);
    let report = suite.wait_messages("user/", 1).remove(0);
    let told = told(&report);
    let expected = [
        "Final-Recipient: rfc822; other@example.com",
        "Original-Recipient: rfc822;mixed@mx.test.example",
        "Action: deliverable",
        "Status: 2.0.0",
        "Final-Recipient: rfc822; no-such-user@mx.test.example",
        "Original-Recipient: rfc822;mixed@mx.test.example",
        "Action: undeliverable",
        "Status: 5.1.1",
    ];
    let mut members: Vec<&[&str]> = told.chunks_exact(4).collect();
    members.sort_unstable();
    let mut wanted: Vec<&[&str]> = expected.chunks_exact(4).collect();
    wanted.sort_unstable();
    assert_eq!(members, wanted);
    suite.stop();
}

#[test]
fn who_is_not_offered_dsn_can_not_ask_for_it() {
    let suite = builder().main("smtpd_discard_ehlo_keywords = dsn").start();
    let mut client = suite.connect();
    assert!(!client.ehlo().text.lines().any(|line| line == "DSN"));
    for parameter in ["RET=HDRS", "ENVID=x"] {
        let reply = client.expect(&format!("MAIL FROM:<a@b.example> {parameter}"), 501);
        assert_eq!(reply.text, "5.7.1 DSN support is disabled");
    }
    client.expect("MAIL FROM:<a@b.example>", 250);
    for parameter in ["NOTIFY=NEVER", "ORCPT=rfc822;a@b"] {
        let reply = client.expect(&format!("RCPT TO:<user@example.com> {parameter}"), 501);
        assert_eq!(reply.text, "5.7.1 DSN support is disabled");
    }
    client.quit();
    suite.stop();
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let suite = builder().start();
    let mut client = suite.connect();
    client.ehlo();
    for parameter in ["RET=SOME", "ENVID=", "ENVID=+C3+A4", "ENVID=+2", "RET=FULL RET=FULL"] {
        client.expect(&format!("MAIL FROM:<a@b.example> {parameter}"), 501);
    }
    client.expect("MAIL FROM:<a@b.example>", 250);
    for parameter in [
        "NOTIFY=NEVER,SUCCESS",
        "NOTIFY=",
        "ORCPT=rfc822",
        "ORCPT=;a@b",
        "ORCPT=rfc822;a+2",
        "ORCPT=utf-8;\\x{E4",
        "ORCPT=utf-8;\\x{110000}",
    ] {
        let reply = client.say(&format!("RCPT TO:<user@example.com> {parameter}"));
        assert_eq!(reply.code, 501, "{parameter}: {reply:?}");
    }
    for parameter in ["ORCPT=rfc822;a+FFb", "ORCPT=utf-8;\\x{1F600}@x", "ORCPT=rfc822;"] {
        client.expect(&format!("RCPT TO:<user@example.com> {parameter}"), 250);
    }
    client.quit();
    suite.stop();
}
