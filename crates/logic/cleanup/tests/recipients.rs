//! Recipients: expanded, copied, each once. What is expected is what Postfix 3.7.11 wrote for the same input.

mod lab;

use cleanup::{Expanded, Recipient, Refusal, Verdict};
use lab::{Lab, log, recipients, records, to};
use std::cell::RefCell;
use std::collections::HashSet;

use lookup::{Found, Lookup, Memory, Part, Stop, Subject};
use proptest::prelude::*;

fn with_aliases(recipients: &[&str]) -> Lab {
    let mut lab = Lab::remote();
    lab.rewriting.virtual_alias_maps = "v".into();
    lab.tables = Memory::new().table(
        "v",
        &[
            ("both@a.b", "u0@e.f, u1@e.f"),
            ("self@a.b", "self@a.b, other@a.b"),
            ("loop1@a.b", "loop2@a.b"),
            ("loop2@a.b", "loop1@a.b"),
        ],
    );
    lab.recipients = recipients.iter().map(|recipient| to(recipient)).collect();
    lab
}

const MESSAGE: &str = "A: 1\n\nb\n";

#[test]
fn aliases_are_expanded_and_each_recipient_kept_once() {
    let finished = with_aliases(&["u1@e.f", "both@a.b", "U1@E.F", "both@a.b"]).run(MESSAGE);
    assert_eq!(recipients(&finished), ["u1@e.f", "u0@e.f", "u1@e.f"]);
    assert_eq!(finished.recipient_count, 3);
}

#[test]
fn without_original_recipients_fewer_differ() {
    let mut lab = with_aliases(&["u1@e.f", "both@a.b"]);
    lab.change = |settings| settings.enable_original_recipient = false;
    assert_eq!(recipients(&lab.run(MESSAGE)), ["u1@e.f", "u0@e.f"]);
}

#[test]
fn beyond_its_limit_the_filter_forgets() {
    let mut lab = with_aliases(&["a@x", "b@x", "a@x", "b@x"]);
    lab.change = |settings| settings.duplicate_filter_limit = 1;
    assert_eq!(recipients(&lab.run(MESSAGE)), ["a@x", "b@x", "b@x"]);
}

#[test]
fn an_alias_to_itself_is_kept() {
    assert_eq!(recipients(&with_aliases(&["self@a.b"]).run(MESSAGE)), ["self@a.b", "other@a.b"]);
}

#[test]
fn an_alias_without_end_defers_the_message() {
    let finished = with_aliases(&["loop1@a.b"]).run(MESSAGE);
    let refusal = Refusal { code: 451, text: "4.6.0 Alias expansion error".into() };
    assert_eq!(finished.verdict, Verdict::Reject(refusal));
    let expected = "QID: unreasonable virtual_alias_maps map nesting for loop1@a.b -- message not accepted, try again later";
    assert_eq!(log(&finished), [expected]);
}

#[test]
fn a_message_without_recipients_is_refused() {
    let refusal = Refusal { code: 550, text: "5.1.0 no recipients specified".into() };
    assert_eq!(with_aliases(&[]).run(MESSAGE).verdict, Verdict::Reject(refusal));
}

#[test]
fn a_sender_who_asked_hears_of_the_alias() {
    let mut lab = with_aliases(&[]);
    lab.recipients = vec![
        Recipient { notify: 2, ..to("both@a.b") },
        Recipient { notify: 6, dsn_original: "rfc822;o@x".into(), ..to("self@a.b") },
    ];
    let finished = lab.run(MESSAGE);
    let told = |address: &str, dsn: &str, notify| Expanded {
        original: address.into(),
        address: address.into(),
        dsn_original: dsn.into(),
        notify,
    };
    let expected = [told("both@a.b", "rfc822;both@a.b", 2), told("self@a.b", "rfc822;o@x", 6)];
    assert_eq!(finished.expanded, expected);
    let flags: Vec<_> = records(&finished).into_iter().filter(|line| line.starts_with("A notify")).collect();
    assert_eq!(flags, ["A notify_flags=1", "A notify_flags=1", "A notify_flags=4", "A notify_flags=4"]);
}

#[test]
fn automatic_copies_stand_where_postfix_puts_them() {
    let mut lab = with_aliases(&["u1@e.f"]);
    lab.change = |settings| {
        settings.always_bcc = "always".into();
        settings.sender_bcc_maps = "s".into();
        settings.recipient_bcc_maps = "r".into();
    };
    lab.tables = lab
        .tables
        .table("s", &[("a@client.example", "sb@x")])
        .table("r", &[("u1@e.f", "rb@x"), ("rb@x", "no@x")]);
    let finished = lab.run(MESSAGE);
    let kept: Vec<_> = records(&finished)
        .into_iter()
        .filter(|line| ["S ", "R ", "M ", "X "].iter().any(|kind| line.starts_with(kind)))
        .collect();
    let expected =
        ["S a@client.example", "R sb@x", "R u1@e.f", "R rb@x", "M ", "X ", "R always@mx.lab.example"];
    assert_eq!(kept, expected);
}

#[test]
fn nobody_becomes_the_mailer_daemon() {
    assert_eq!(recipients(&with_aliases(&[""]).run(MESSAGE)), ["MAILER-DAEMON@mx.lab.example"]);
}

#[test]
fn envelope_addresses_are_mapped() {
    let mut lab = Lab::remote();
    lab.rewriting.canonical_maps = "c".into();
    lab.tables = Memory::new()
        .table("c", &[("a@client.example", "n@client.example"), ("u@example.com", "w@example.com")]);
    let finished = lab.run(MESSAGE);
    assert_eq!(
        (finished.sender.as_str(), recipients(&finished)),
        ("n@client.example", vec!["w@example.com".to_owned()])
    );
}

proptest! {
    #[test]
    fn any_bytes_make_a_queue_file(content in prop::collection::vec(prop_oneof![
        Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'-'), Just(b'T'), Just(b'o'), Just(b'<'), Just(b','), any::<u8>(),
    ], 0..200), local: bool, recipient in "\\PC{0,12}") {
        let mut lab = if local { Lab::new() } else { Lab::remote() };
        lab.recipients = vec![to(&recipient)];
        let finished = lab.run_bytes(&content);
        prop_assert_eq!(&finished.verdict, &Verdict::Queue);
        let shown = records(&finished);
        prop_assert_eq!(shown.last().map(String::as_str), Some("E "));
    }
}

/// Tables whose every answer has to be waited for once.
struct Slow {
    tables: Memory,
    asked: RefCell<HashSet<String>>,
}

impl Slow {
    fn ask<T>(&self, question: String, answer: Result<T, Stop>) -> Result<T, Stop> {
        if self.asked.borrow_mut().insert(question) { Err(Stop::Wait) } else { answer }
    }
}

impl Lookup for Slow {
    fn find(&self, maps: &str, key: &str, part: Part) -> Result<Option<Found>, Stop> {
        self.ask(format!("{maps} {key}"), self.tables.find(maps, key, part))
    }

    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        self.ask(format!("{list} {subject:?}"), self.tables.listed(list, subject))
    }
}

#[test]
fn waiting_for_answers_makes_no_difference() {
    let lab = || {
        let mut lab = with_aliases(&["both@a.b", "u1@e.f", "self@a.b"]);
        lab.envelope.rewrite_context = rewriting::Context::Local;
        lab.rewriting.canonical_maps = "c".into();
        lab.change = |settings| {
            settings.header_checks = "h".into();
            settings.body_checks = "h".into();
            settings.always_bcc = "both@a.b".into();
        };
        let canonical = [("a@client.example", "n@x"), ("f@mx.lab.example", "g@x")];
        let checks = [("Subject: s", "PREPEND X: 1"), ("drop", "IGNORE"), ("Date: d", "BCC c@x")];
        lab.tables = lab.tables.table("c", &canonical).table("h", &checks);
        lab
    };
    const CONTENT: &str = "From: f\nSubject: s\nDate: d\nTo: t, f\n\ndrop\nkeep\n";
    let direct = lab().run(CONTENT);
    let slow = Slow { tables: lab().tables, asked: RefCell::default() };
    let mut cleanup = lab().begin();
    cleanup.content(CONTENT.as_bytes());
    let mut waits = 0;
    let waited = loop {
        match cleanup.finish("QID", &slow) {
            Ok(finished) => break finished,
            Err(stop) => assert_eq!(stop, Stop::Wait),
        }
        waits += 1;
    };
    assert_eq!(waits, slow.asked.borrow().len());
    assert_eq!(waited, direct);
}
