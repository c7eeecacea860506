//! header_checks(5) and the rules about content. Log lines and replies are those of Postfix 3.7.11.

mod lab;

use cleanup::{Finished, LogClient, Refusal, Verdict};
use lab::{Lab, content, log, records};
use lookup::Memory;

/// Runs a message whose Subject has `action` in `header_checks`.
fn checked(action: &str) -> Finished {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.header_checks = "h".into();
    lab.tables = Memory::new().table("h", &[("Subject: s", action), ("X-Late: 1", "REJECT late")]);
    lab.envelope.log_client = Some(LogClient {
        origin: "localhost[127.0.0.1]".into(),
        protocol: "ESMTP".into(),
        helo: "h".into(),
        ..LogClient::default()
    });
    lab.run("Subject: s\nMessage-Id: <x@y>\n\nbody\n")
}

fn rejected(code: u16, text: &str) -> Verdict {
    Verdict::Reject(Refusal { code, text: text.into() })
}

/// The log line of an action.
fn noted(action: &str, text: &str) -> String {
    let about = "header Subject: s from localhost[127.0.0.1]; from=<a@client.example> to=<u@example.com>";
    format!("QID: {action}: {about} proto=ESMTP helo=<h>{text}")
}

#[test]
fn reject_refuses_with_status_and_text() {
    for (action, verdict) in [
        ("REJECT", rejected(550, "5.7.1 message content rejected")),
        ("reject no thanks", rejected(550, "5.7.1 no thanks")),
        ("REJECT 5.9.9 no", rejected(550, "5.9.9 no")),
        ("REJECT 4.3.2 later", rejected(451, "4.3.2 later")),
    ] {
        assert_eq!(checked(action).verdict, verdict, "{action}");
    }
    assert_eq!(log(&checked("REJECT no")), [noted("reject", ": 5.7.1 no")]);
}

#[test]
fn hold_and_discard_change_the_verdict() {
    assert_eq!(checked("HOLD why").verdict, Verdict::Hold);
    assert_eq!(log(&checked("HOLD why"))[0], noted("hold", ": why"));
    let discarded = checked("DISCARD");
    assert_eq!(
        (discarded.verdict.clone(), log(&discarded)),
        (Verdict::Discard, vec![noted("discard", "").as_str()])
    );
}

#[test]
fn filter_redirect_and_bcc_stand_behind_the_content() {
    let behind = |action| {
        let shown = records(&checked(action));
        let begin = shown.iter().position(|line| line == "X ").unwrap() + 1;
        shown[begin..shown.len() - 1].to_vec()
    };
    assert_eq!(behind("FILTER smtp:[127.0.0.1]:10025"), ["L smtp:[127.0.0.1]:10025"]);
    assert_eq!(behind("REDIRECT o@example.com"), ["> o@example.com"]);
    assert_eq!(behind("BCC o@example.com"), ["A notify_flags=1", "O o@example.com", "R o@example.com"]);
    assert_eq!(log(&checked("BCC o@example.com"))[0], noted("bcc", ": o@example.com"));
}

#[test]
fn text_is_added_replaced_or_taken_away() {
    let headers = |action| content(&checked(action))[..2].to_vec();
    assert_eq!(headers("PREPEND X-Pre: yes"), ["X-Pre: yes", "Subject: s"]);
    assert_eq!(headers("REPLACE X-Rep: r"), ["X-Rep: r", "Message-Id: <x@y>"]);
    assert_eq!(headers("STRIP text"), ["Message-Id: <x@y>", ""]);
    assert_eq!(headers("IGNORE"), ["Message-Id: <x@y>", ""]);
    assert_eq!(log(&checked("STRIP text"))[0], noted("strip", ": text"));
}

#[test]
fn warn_info_and_dunno_change_nothing() {
    for action in ["WARN w", "INFO w", "DUNNO", "OK"] {
        assert_eq!(content(&checked(action))[0], "Subject: s");
    }
    assert_eq!(log(&checked("WARN w"))[0], noted("warning", ": w"));
    assert_eq!(log(&checked("INFO w"))[0], noted("info", ": w"));
}

#[test]
fn pass_ends_all_checks() {
    let run = |action| {
        let mut lab = Lab::remote();
        lab.change = |settings| settings.header_checks = "h".into();
        lab.tables = Memory::new().table("h", &[("Subject: s", action), ("X-Late: 1", "REJECT late")]);
        lab.run("Subject: s\nX-Late: 1\n\nbody\n").verdict
    };
    assert_eq!(run("PASS"), Verdict::Queue);
    assert_eq!(run("WARN"), rejected(550, "5.7.1 late"));
}

#[test]
fn faulty_actions_are_told_and_do_nothing() {
    for (action, complaint) in [
        ("BOGUS x", "unknown command in header_checks map: BOGUS x"),
        ("FILTER", "missing FILTER command argument in header_checks map"),
        ("FILTER x", "bad FILTER command x in header_checks -- need transport:destination"),
        ("REDIRECT x", "bad REDIRECT target \"x\" in header_checks map -- need user@domain"),
        ("BCC x", "bad BCC address \"x\" in header_checks map -- need user@domain"),
        (
            "PREPEND x",
            "bad PREPEND header text \"x\" in header_checks map -- need \"headername: headervalue\"",
        ),
        ("REPLACE", "REPLACE action without text in header_checks map"),
    ] {
        let finished = checked(action);
        assert_eq!((log(&finished)[0], &finished.verdict), (complaint, &Verdict::Queue));
    }
}

const NESTED: &str = "MIME-Version: 1.0\nX: p\nContent-Type: multipart/mixed; boundary=b\n\npre\n--b\nX: m\nContent-Type: message/rfc822\n\n\
                      X: n\nContent-ID: n\n\nin\n--b--\n";

/// The lines that stay when each check strips what it sees.
fn stripped(change: fn(&mut cleanup::Settings)) -> Vec<String> {
    let mut lab = Lab::remote();
    lab.change = change;
    lab.tables = Memory::new().table(
        "t",
        &[
            ("X: p", "IGNORE"),
            ("X: m", "IGNORE"),
            ("X: n", "IGNORE"),
            ("Content-ID: n", "IGNORE"),
            ("pre", "IGNORE"),
        ],
    );
    content(&lab.run(NESTED))
}

#[test]
fn each_kind_of_header_has_its_own_checks() {
    let gone = |change: fn(&mut cleanup::Settings)| {
        let left = stripped(change);
        ["X: p", "X: m", "X: n", "Content-ID: n", "pre"]
            .into_iter()
            .filter(|line| !left.iter().any(|own| own == line))
            .collect::<Vec<_>>()
    };
    assert_eq!(gone(|settings| settings.header_checks = "t".into()), ["X: p"]);
    assert_eq!(gone(|settings| settings.mime_header_checks = "t".into()), ["X: m", "Content-ID: n"]);
    assert_eq!(gone(|settings| settings.nested_header_checks = "t".into()), ["X: n"]);
    assert_eq!(gone(|settings| settings.body_checks = "t".into()), ["pre"]);
}

#[test]
fn body_checks_end_at_their_limit_in_each_part() {
    let mut lab = Lab::remote();
    lab.change = |settings| {
        settings.body_checks = "t".into();
        settings.body_checks_size_limit = 6;
    };
    lab.tables = Memory::new()
        .table("t", &[("gone", "IGNORE"), ("add", "PREPEND before"), ("swap", "REPLACE swapped")]);
    let lines = content(&lab.run("A: 1\n\ngone\nswap\ngone\n"));
    assert_eq!(lines, ["A: 1", "", "swapped", "gone"]);
}

#[test]
fn no_header_body_checks_switches_them_off() {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.header_checks = "h".into();
    lab.tables = Memory::new().table("h", &[("subject: s", "REJECT")]);
    lab.envelope.options.checks = false;
    assert_eq!(lab.run("Subject: s\n\n").verdict, Verdict::Queue);
}

#[test]
fn a_table_that_fails_defers_the_message() {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.header_checks = "h".into();
    lab.tables = Memory::new().table("h", &[]).broken("h");
    let finished = lab.run("Subject: s\n\n");
    assert_eq!(finished.verdict, rejected(451, "4.3.0 Error: queue file write error"));
    assert_eq!(
        log(&finished),
        ["QID: header_checks map lookup problem -- message not accepted, try again later"]
    );
}

fn strict(message: &str) -> Verdict {
    let mut lab = Lab::remote();
    lab.change = |settings| {
        settings.strict_7bit_headers = true;
        settings.strict_8bitmime_body = true;
        settings.strict_mime_encoding_domain = true;
        settings.mime.nesting = 1;
    };
    lab.run(message).verdict
}

#[test]
fn strict_rules_refuse_what_mime_forbids() {
    let header = rejected(550, "5.6.0 improper use of 8-bit data in message header");
    assert_eq!(strict("To: \u{e9}\n\nX\n"), header);
    assert_eq!(
        strict("To: a\n\n\u{e9}\n"),
        rejected(550, "5.6.0 improper use of 8-bit data in message body")
    );
    assert_eq!(strict("Content-Transfer-Encoding: 8bit\n\n\u{e9}\n"), Verdict::Queue);
    let encoded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nabc\n";
    assert_eq!(strict(encoded), rejected(550, "5.6.0 invalid message/* or multipart/* encoding domain"));
    let deep: String = (0..4)
        .map(|level| format!("Content-Type: multipart/mixed; boundary={level}\n\n--{level}\n"))
        .collect();
    assert_eq!(strict(&deep), rejected(550, "5.6.0 MIME nesting exceeds safety limit"));
}

#[test]
fn characters_are_stripped_or_refused() {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.message_strip_characters = cleanup::ByteSet::parse("\\007");
    assert_eq!(content(&lab.run("A: \u{7}1\n\nx\u{7}y\n")), ["A: 1", "", "xy"]);
    let mut lab = Lab::remote();
    lab.change = |settings| settings.message_reject_characters = cleanup::ByteSet::parse("\\0");
    let finished = lab.run("A: 1\n\nx\0\n");
    assert_eq!(finished.verdict, rejected(550, "5.7.1 disallowed character"));
}

#[test]
fn loops_and_size_are_limited() {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.hopcount_limit = 2;
    let finished = lab.run("Received: a\nReceived: b\n\n");
    assert_eq!(finished.verdict, rejected(554, "5.4.0 Error: too many hops"));
    assert_eq!(log(&finished), ["QID: message rejected: hopcount exceeded"]);
    let mut lab = Lab::remote();
    lab.change = |settings| settings.message_size_limit = 1000;
    let finished = lab.run(&format!("A: 1\n\n{}", "x\n".repeat(1000)));
    assert_eq!(finished.verdict, rejected(552, "5.3.4 Error: message file too big"));
}
