//! Where aliases(5) of this host lead, as the log tells it.

use tests::{Builder, Suite};

const ALIASES: &str = "\
circle: round\n\
round: circle\n\
phrases: \"A B\" <stranger1@mx.test.example>, some group: stranger2 (a comment);\n\
nothing: <>\n\
moves: stranger3\n\
outer: inner, stranger4\n\
inner: stranger5\n\
twice: stranger6, twice2\n\
twice2: stranger6\n";

fn suite() -> Suite {
    Builder::new()
        .example_com()
        .main("recipient_delimiter = +\npropagate_unmatched_extensions = canonical, virtual, alias")
        .aliases(ALIASES)
        .start()
}

/// Sends a letter to a name of this host; the lines about it, once it has its end.
fn fate(suite: &Suite, name: &str, letter: &str, end: &str) -> String {
    let id = suite.send("s@x.example", &[&format!("{name}@mx.test.example")], letter);
    suite.wait_log(&[&id, end]);
    suite.log().lines().filter(|line| line.contains(&id)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_circle_ends_at_the_name_that_postfix_names() {
    let suite = suite();
    let told = fate(&suite, "circle", "Subject: x\n\nx\n", ": removed");
    assert!(told.contains("to=<round@mx.test.example>, orig_to=<circle@mx.test.example>"), "{told}");
    assert!(told.contains("status=bounced (alias database loop for round)"), "{told}");
    suite.stop();
}

#[test]
fn phrases_groups_and_comments_are_no_addresses() {
    let suite = suite();
    let told = fate(&suite, "phrases", "Subject: x\n\nx\n", ": removed");
    assert_eq!(told.matches("unknown user:").count(), 2, "{told}");
    assert!(told.contains("to=<stranger1@mx.test.example>") && told.contains("to=<stranger2@"), "{told}");
    suite.stop();
}

#[test]
fn an_alias_to_nobody_puts_mail_off() {
    let suite = suite();
    let told = fate(&suite, "nothing", "Subject: x\n\nx\n", "status=");
    assert!(told.contains("dsn=4.3.0, status=deferred (alias database unavailable)"), "{told}");
    suite.wait_log(&["warning: no recipient in alias lookup result for nothing"]);
    suite.stop();
}

#[test]
fn an_extension_goes_over_to_what_stands_behind_the_alias() {
    let suite = suite();
    let told = fate(&suite, "moves+there", "Subject: x\n\nx\n", ": removed");
    assert!(told.contains("to=<stranger3+there@mx.test.example>, orig_to=<moves+there@"), "{told}");
    suite.stop();
}

#[test]
fn what_has_been_at_one_name_of_a_list_goes_on_to_the_others() {
    let suite = suite();
    let letter = "Delivered-To: inner@mx.test.example\nSubject: x\n\nx\n";
    let told = fate(&suite, "outer", letter, ": removed");
    assert!(told.contains("(mail forwarding loop for inner@mx.test.example)"), "{told}");
    assert!(told.contains("unknown user: \"stranger4\"") && !told.contains("stranger5"), "{told}");
    suite.stop();
}

#[test]
fn a_name_that_is_reached_twice_is_told_of_once() {
    let suite = suite();
    let told = fate(&suite, "twice", "Subject: x\n\nx\n", ": removed");
    assert_eq!(told.matches("unknown user: \"stranger6\"").count(), 1, "{told}");
    suite.stop();
}

#[test]
fn names_that_each_host_has_need_no_alias() {
    let suite = suite();
    for name in ["Postmaster", "MAILER-DAEMON"] {
        let told = fate(&suite, name, "Subject: x\n\nx\n", ": removed");
        assert!(told.contains("dsn=2.0.0, status=sent (discarded)"), "{told}");
        let warning = format!("warning: required alias not found: {}", name.to_lowercase());
        suite.wait_log(&[&warning]);
    }
    suite.stop();
}

#[test]
fn mail_for_strangers_waits_for_a_transport_that_is_missing() {
    let suite = Builder::new()
        .example_com()
        .main("local_recipient_maps =\nfallback_transport = discard:for strangers")
        .start();
    let told = fate(&suite, "stranger", "Subject: x\n\nx\n", "status=");
    let taken = match suite.maker() {
        tests::programs::Maker::Ours => "status=deferred (fallback_transport is not available",
        tests::programs::Maker::Peer => "status=sent (for strangers)",
    };
    assert!(told.contains(taken), "{told}");
    suite.stop();
}
