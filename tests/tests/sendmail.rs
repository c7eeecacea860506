//! What sendmail offers beyond handing a message in: reports on demand, return addresses of one's own, SMTP on
//! standard input.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};

use tests::programs::{Maker, Programs};
use tests::{Builder, Message, Suite};

const LETTER: &str = "Subject: letter\n\nSecret body\n";

fn suite() -> Suite {
    Builder::new().example_com().start()
}

fn report(suite: &Suite, mailbox: &str) -> Message {
    let report = suite.wait_messages(mailbox, 1).remove(0);
    assert_eq!(report.header("Return-Path").as_deref(), Some("<>"), "{}", report.text);
    assert_eq!(report.header("Subject").as_deref(), Some("Mail Delivery Status Report"));
    report
}

fn has_lines(report: &Message, lines: &[&str]) {
    for line in lines {
        assert!(report.has_line(line), "{line:?} is not in {}", report.text);
    }
}

#[test]
fn a_probe_tells_what_would_happen_and_delivers_nothing() {
    let suite = suite();
    let recipients = ["user@example.com", "mbox@example.com", "nobody@example.com", "x@elsewhere.example"];
    let told = suite.run("sendmail", &[&["-f", "third@example.com", "-bv"], &recipients[..]].concat());
    assert_eq!(told, "Mail Delivery Status Report will be mailed to <third@example.com>.\n");
    let report = report(&suite, "third/");
    for line in [
        ["to=<user@example.com>", "relay=virtual", "dsn=2.0.0, status=deliverable (delivers to maildir)"],
        ["to=<mbox@example.com>", "relay=virtual", "dsn=2.0.0, status=deliverable (delivers to mailbox)"],
        [
            "to=<nobody@example.com>",
            "dsn=5.1.1",
            "status=undeliverable (unknown user: \"nobody@example.com\")",
        ],
        ["to=<x@elsewhere.example>", "relay=none", "status=undeliverable (no outgoing mail in tests)"],
    ] {
        suite.wait_log(&line);
    }
    has_lines(
        &report,
        &[
            "<x@elsewhere.example>: no outgoing mail in tests",
            "<nobody@example.com>: delivery via virtual: unknown user: \"nobody@example.com\"",
            "<user@example.com>: delivery via virtual: delivers to maildir",
            "Final-Recipient: rfc822; user@example.com",
            "Original-Recipient: rfc822;user@example.com",
            "Action: deliverable",
            "Action: undeliverable",
            "Status: 5.7.1",
            "Diagnostic-Code: X-Postfix; delivery via virtual: delivers to maildir",
            "Content-Type: text/rfc822-headers",
            "Subject: probe",
        ],
    );
    assert!(suite.messages("user/").is_empty() && suite.messages("mbox").is_empty());
    suite.until("an empty queue", || {
        (suite.run("postqueue", &["-p"]) == "Mail queue is empty\n").then_some(())
    });
    suite.stop();
}

#[test]
fn a_recorded_delivery_is_reported_beside_what_else_is_said() {
    let suite = suite();
    let arguments = ["-f", "mbox@example.com", "-v", "user@example.com", "nobody@example.com"];
    let told = suite.run_with("sendmail", &arguments, LETTER);
    assert_eq!(told, "Mail Delivery Status Report will be mailed to <mbox@example.com>.\n");
    assert_eq!(suite.wait_messages("user/", 1)[0].body(), "Secret body\n");
    let reports = suite.wait_messages("mbox", 2);
    let of = |subject: &str| {
        let own = reports.iter().find(|report| report.header("Subject").as_deref() == Some(subject));
        own.unwrap_or_else(|| panic!("no {subject:?} in {reports:?}")).clone()
    };
    has_lines(&of("Undelivered Mail Returned to Sender"), &["Status: 5.1.1", "Action: failed"]);
    has_lines(
        &of("Mail Delivery Status Report"),
        &[
            "<nobody@example.com>: delivery via virtual: unknown user: \"nobody@example.com\"",
            "<user@example.com>: delivery via virtual: delivered to maildir",
            "Action: failed",
            "Action: delivered",
            "Status: 2.0.0",
        ],
    );
    suite.stop();
}

#[test]
fn only_the_first_attempt_of_a_recorded_delivery_is_reported() {
    let suite = Builder::new().example_com().main("defer_transports = virtual").start();
    suite.run_with("sendmail", &["-f", "mbox@mx.test.example", "-v", "user@example.com"], LETTER);
    let line = suite.wait_log(&[": sender delivery status notification: "]);
    let id = line.split("]: ").nth(1).unwrap().split(':').next().unwrap().to_owned();
    suite.wait_log(&[&id, "status=deferred (deferred transport)"]);
    suite.append_main("defer_transports =");
    suite.reload();
    suite.run("postqueue", &["-i", &id]);
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    let reports = suite.log().lines().filter(|line| line.contains("delivery status notification")).count();
    assert_eq!(reports, 1, "{}", suite.log());
    suite.stop();
}

#[test]
fn every_recipient_has_a_return_address_of_its_own() {
    let suite = Builder::new().example_com().main("recipient_delimiter = +\n").start();
    let arguments = ["-f", "third@example.com", "-XV", "user@example.com", "nobody@example.com"];
    suite.run_with("sendmail", &arguments, LETTER);
    let sent = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(sent.header("Return-Path").as_deref(), Some("<third+user=example.com@example.com>"));
    let bounce = suite.wait_messages("third/", 1).remove(0);
    assert_eq!(bounce.header("Delivered-To").as_deref(), Some("third+nobody=example.com@example.com"));
    assert_eq!(bounce.header("To").as_deref(), Some("third+nobody=example.com@example.com"));
    has_lines(&bounce, &["Final-Recipient: rfc822; nobody@example.com", "Action: failed"]);
    has_lines(&bounce, &["X-Postfix-Sender: rfc822; third@example.com", "Return-Path: <third@example.com>"]);
    suite.stop();
}

#[test]
fn xverp_is_for_those_who_may() {
    let suite = Builder::new().example_com().main("smtpd_authorized_verp_clients = 127.0.0.1").start();
    let mut client = suite.connect();
    assert!(client.ehlo().text.contains("XVERP"));
    client.expect("MAIL FROM:<third@example.com> XVERP=!?", 501);
    client.expect("MAIL FROM:<> XVERP", 503);
    client.expect("MAIL FROM:<third@example.com> XVERP=-+", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    client.expect("RCPT TO:<other@example.com>", 250);
    client.data(LETTER);
    client.quit();
    for name in ["user", "other"] {
        let sent = suite.wait_messages(&format!("{name}/"), 1).remove(0);
        let expected = format!("<third-{name}+example.com@example.com>");
        assert_eq!(sent.header("Return-Path"), Some(expected));
    }
    suite.stop();
}

#[test]
fn with_verp_bounces_off_one_report_goes_to_the_sender() {
    let suite = Builder::new().example_com().main("disable_verp_bounces = yes").start();
    let arguments = ["-f", "third@example.com", "-XV+=", "a@example.com", "b@example.com"];
    suite.run_with("sendmail", &arguments, LETTER);
    let bounce = suite.wait_messages("third/", 1).remove(0);
    assert_eq!(bounce.header("To").as_deref(), Some("third@example.com"));
    has_lines(&bounce, &["Final-Recipient: rfc822; a@example.com", "Final-Recipient: rfc822; b@example.com"]);
    suite.stop();
}

/// `sendmail -bs`, with the greeting read.
struct Dialogue {
    child: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Dialogue {
    fn begin(suite: &Suite) -> Self {
        let mut command = suite.command("sendmail", &["-bs"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut dialogue = Self { child, input, output: BufReader::new(output) };
        assert_eq!(dialogue.reply(), "220 mx.test.example ESMTP Postfix");
        dialogue
    }

    /// The last line of a reply.
    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the end instead of a reply");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    fn say(&mut self, line: &str) -> String {
        self.input.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.reply()
    }
}

#[test]
fn smtp_on_standard_input_submits_for_its_user_without_asking_much() {
    if !sys::ids::is_root() {
        return testkit::left_out("an unprivileged suite has one user, and that is the owner");
    }
    let suite = suite();
    let mut dialogue = Dialogue::begin(&suite);
    dialogue.say("EHLO x");
    assert_eq!(dialogue.say("MAIL FROM:<a@b.example>"), "250 2.1.0 Ok");
    assert_eq!(dialogue.say("RCPT TO:<user@example.com>"), "250 2.1.5 Ok");
    assert_eq!(dialogue.say("RCPT TO:<relay@elsewhere.example>"), "250 2.1.5 Ok");
    assert_eq!(dialogue.say("DATA"), "354 End data with <CR><LF>.<CR><LF>");
    let queued = dialogue.say("Subject: bs\r\n\r\n..dot\r\nbody\r\n.");
    assert!(queued.starts_with("250 2.0.0 Ok: queued as "), "{queued}");
    assert_eq!(dialogue.say("VRFY user@example.com"), "252 2.0.0 user@example.com");
    assert_eq!(dialogue.say("XCLIENT NAME=x"), "550 5.7.0 Error: insufficient authorization");
    assert_eq!(dialogue.say("QUIT"), "221 2.0.0 Bye");
    assert!(dialogue.child.wait().unwrap().success());
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.body(), ".dot\nbody\n");
    let received: Vec<&str> = message.text.lines().filter(|line| line.starts_with("Received: ")).collect();
    assert_eq!(received[0], "Received: by mx.test.example (Postfix, from userid 0)");
    assert_eq!(received[1], "Received: from x (localhost [127.0.0.1])");
    suite.wait_log(&["connect from localhost[127.0.0.1]"]);
    suite.wait_log(&["client=localhost[127.0.0.1]"]);
    suite.wait_log(&["disconnect from localhost[127.0.0.1] ehlo=1 xclient=0/1 mail=1 rcpt=2 data=1"]);
    suite.stop();
}

#[test]
fn a_dialogue_that_breaks_off_leaves_nothing() {
    if !sys::ids::is_root() {
        return testkit::left_out("an unprivileged suite has one user, and that is the owner");
    }
    let suite = suite();
    let mut dialogue = Dialogue::begin(&suite);
    dialogue.say("HELO x");
    dialogue.say("MAIL FROM:<a@b.example>");
    dialogue.say("RCPT TO:<user@example.com>");
    dialogue.say("DATA");
    dialogue.input.write_all(b"Subject: half\r\n").unwrap();
    let Dialogue { mut child, input, .. } = dialogue;
    drop(input);
    child.wait().unwrap();
    suite.wait_log(&["lost connection after DATA", "from localhost[127.0.0.1]"]);
    let maildrop = || std::fs::read_dir(suite.queue().join("maildrop")).unwrap().count();
    suite.until("an empty maildrop", || (maildrop() == 0).then_some(()));
    assert!(suite.messages("user/").is_empty());
    suite.stop();
}

#[test]
fn the_owner_of_the_queue_serves_himself_with_all_restrictions() {
    if Programs::under_test().maker == Maker::Peer {
        return testkit::left_out("the original takes a configuration elsewhere from the superuser only");
    }
    let suite = suite();
    let mut command = suite.command("sendmail", &["-bs"]);
    let owner = suite.run("postconf", &["-h", "mail_owner"]);
    if sys::ids::is_root() {
        let user = sys::users::user(owner.trim()).unwrap().unwrap();
        std::os::unix::process::CommandExt::uid(&mut command, user.uid);
        std::os::unix::process::CommandExt::gid(&mut command, user.gid);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut dialogue = Dialogue { child, input, output: BufReader::new(output) };
    assert_eq!(dialogue.reply(), "220 mx.test.example ESMTP Postfix");
    dialogue.say("EHLO x");
    assert_eq!(dialogue.say("MAIL FROM:<a@b.example>"), "250 2.1.0 Ok");
    assert_eq!(
        dialogue.say("RCPT TO:<relay@elsewhere.example>"),
        "454 4.7.1 <relay@elsewhere.example>: Relay access denied"
    );
    assert_eq!(dialogue.say("RCPT TO:<user@example.com>"), "250 2.1.5 Ok");
    dialogue.say("DATA");
    assert!(dialogue.say("Subject: own\r\n\r\nx\r\n.").starts_with("250 2.0.0 Ok: queued as "));
    assert_eq!(dialogue.say("QUIT"), "221 2.0.0 Bye");
    assert!(dialogue.child.wait().unwrap().success());
    let message = suite.wait_messages("user/", 1).remove(0);
    assert!(message.header("Received").unwrap().starts_with("from x (localhost [127.0.0.1])"));
    suite.stop();
}

#[test]
fn command_lines_that_make_no_sense_say_so() {
    // Running, for the original waits for its log daemon.
    let suite = suite();
    for (arguments, complaint) in [
        (&["-n", "x"][..], "-n option not supported"),
        (&["-XVab", "x"], "-V requires two characters from -=+"),
        (&["-bv", "-t"], "-t option cannot be used with -bv"),
        (&["-bv", "-N", "success", "x"], "-N option cannot be used with -bv"),
        (&["-bz", "x"], "unsupported: -bz"),
        (&["-t", "-bp"], "-t can be used only in delivery mode"),
        (&["-oA", "x"], "-oA requires pathname"),
        (&["-qSx"], "-qS is not implemented"),
        (&["-qR"], "specify: -qRsitename"),
        (&["-X", "log", "x"], "unsupported: -Xl"),
        (&["-bd", "x"], "daemon mode requires no recipient"),
        (&["-bs", "x"], "stand-alone mode requires no recipient"),
        (&["-q", "x"], "flush queue mode requires no recipient"),
        (&["-qRx.example", "y"], "flush site requires no recipient"),
        (&["-f", "", "-XV", "x"], "(0): -V option requires non-null sender address"),
    ] {
        let output = suite.command("sendmail", arguments).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stderr).replace(&format!("({})", sys::ids::real_uid()), "(0)");
        assert_eq!(said, format!("sendmail: fatal: {complaint}\n"), "{arguments:?}");
        assert_eq!(output.status.code(), Some(75), "{arguments:?}");
    }
    suite.stop();
}
