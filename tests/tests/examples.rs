//! `main.cf.example` and `master.cf.example` do what they say, with the tables that stand in their comments.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use tests::{Builder, Suite};

const LETTER: &str = "From: a@client.example\nTo: you@example.net\nSubject: hello\n\nHello\n";

/// A suite with both examples, in directories of its own.
fn start() -> Suite {
    let main_cf = example("main.cf.example");
    let (mailboxes, aliases) = tables(&main_cf);
    let suite = Builder::new().table("vmailbox", &mailboxes).table("virtual", &aliases).write();
    let path = suite.config().join("main.cf");
    let basic = fs::read_to_string(&path).unwrap();
    fs::write(&path, with_example(&basic, &moved(&main_cf))).unwrap();
    let port = format!("\n127.0.0.1:{} inet", suite.port());
    let master_cf = example("master.cf.example").replace("\nsmtp        inet", &port);
    fs::write(suite.config().join("master.cf"), master_cf).unwrap();
    suite.start();
    suite
}

/// The example with the test's paths and ids.
fn moved(main_cf: &str) -> String {
    let here = [
        ("/etc/postfix", "$config_directory"),
        ("/etc/aliases", "$config_directory/aliases"),
        ("/var/mail/vhosts", "$test_mail"),
        ("static:5000", "static:$test_id"),
    ];
    here.iter().fold(main_cf.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What the example sets, and what a test needs besides: not both, for each name set twice costs a warning.
fn with_example(basic: &str, example: &str) -> String {
    let name = |line: &str| line.split_once(" =").map(|(name, _)| name.to_owned());
    let set: Vec<_> = example.lines().filter_map(name).collect();
    let rest = basic.lines().filter(|line| name(line).is_none_or(|name| !set.contains(&name)));
    rest.chain(example.lines()).fold(String::new(), |text, line| text + line + "\n")
}

fn example(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name)).unwrap()
}

/// The entries in the comments of `main_cf`: addresses with a mailbox, and addresses with another address.
fn tables(main_cf: &str) -> (String, String) {
    let entries = main_cf.lines().filter_map(|line| line.strip_prefix("#     ")).filter(|entry| {
        let mut words = entry.split_whitespace();
        words.next().is_some_and(|word| word.contains('@')) && words.count() == 1
    });
    let (mailboxes, aliases): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.contains('/'));
    assert!(mailboxes.len() >= 3 && aliases.len() >= 2, "{mailboxes:?} {aliases:?}");
    (mailboxes.join("\n") + "\n", aliases.join("\n") + "\n")
}

#[test]
fn mail_reaches_the_mailboxes_of_the_example() {
    let suite = start();
    suite.send("a@client.example", &["info@example.net"], LETTER);
    suite.wait_messages("example.net/info/", 1);
    suite.send("a@client.example", &["sales@example.net"], LETTER);
    suite.wait_messages("example.net/sales", 1);
    suite.send("a@client.example", &["postmaster@example.org", "info+news@example.org"], LETTER);
    suite.wait_messages("example.org/info/", 2);
    suite.stop();
}

#[test]
fn strangers_and_unknown_users_are_refused() {
    let suite = start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@client.example>", 250);
    client.expect("RCPT TO:<nobody@example.net>", 550);
    client.expect("RCPT TO:<info@example.net>", 250);
    client.expect("VRFY info@example.net", 502);
    client.quit();
    suite.stop();
}
