//! A list that is longer than what the queue manager keeps in memory, and the letters behind it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use tests::{Builder, Suite};

const LETTER: &str = "From: a@b.example\nSubject: x\n\nx\n";
/// Recipients of the list.
const MEMBERS: usize = 900;

/// The list in pieces: room for 40 recipients, 10 of a message at least.
fn suite() -> Suite {
    let members: Vec<String> = (0..MEMBERS).map(|number| format!("user+{number}@example.com")).collect();
    Builder::new()
        .example_com()
        .main(
            "virtual_alias_domains = lists.example\n\
             virtual_alias_maps = hash:$config_directory/virtual\n\
             recipient_delimiter = +\n\
             qmgr_message_recipient_limit = 40\n\
             qmgr_message_recipient_minimum = 10\n\
             default_recipient_limit = 30\n\
             default_extra_recipient_limit = 10\n\
             default_recipient_refill_limit = 5\n\
             default_recipient_refill_delay = 1s\n\
             virtual_destination_concurrency_limit = 2\n\
             virtual_destination_recipient_limit = 2",
        )
        .table("virtual", &format!("all@lists.example {}\n", members.join(" ")))
        .start()
}

/// The recipients of a message that the log says were reached, in order.
fn reached(log: &str, id: &str) -> Vec<String> {
    let of_message = |line: &&str| line.contains(&format!(": {id}: to=<")) && line.contains("status=sent");
    let address = |line: &str| line.split("to=<").nth(1).unwrap().split('>').next().unwrap().to_owned();
    log.lines().filter(of_message).map(address).collect()
}

#[test]
fn everybody_is_reached_once_and_a_letter_overtakes() {
    let suite = suite();
    let list = suite.send("other@example.com", &["all@lists.example"], LETTER);
    suite.wait_log(&[&list, "status=sent"]);
    let letter = suite.send("other@example.com", &["third@example.com"], LETTER);
    suite.wait_log(&[&list, ": removed"]);
    let log = suite.log();
    let members = reached(&log, &list);
    assert_eq!(members.len(), MEMBERS);
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), MEMBERS, "each once");
    assert_eq!(suite.messages("user/").len(), MEMBERS);
    let line_of =
        |words: [&str; 2]| log.lines().position(|line| words.iter().all(|word| line.contains(word)));
    let overtook = line_of([&format!(": {letter}: to=<"), "status=sent"]);
    assert!(overtook < line_of([&format!(": {list}: "), ": removed"]), "{overtook:?}");
    assert_eq!(reached(&log, &letter), ["third@example.com"]);
    assert_eq!(suite.run("postqueue", &["-p"]), "Mail queue is empty\n");
    suite.stop();
}

#[test]
fn who_waits_of_a_long_list_is_tried_again_and_nobody_else() {
    let suite = suite();
    suite.append_main("transport_maps = inline:{{user+7@example.com = retry:4.2.0 not now}, {user+700@example.com = retry:4.2.0 not now}}");
    suite.reload();
    let list = suite.send("other@example.com", &["all@lists.example"], LETTER);
    suite.until("two that wait", || {
        let listing = suite.run("postqueue", &["-p"]);
        let waits = listing.contains(" 1 Request.") && !listing.contains(&format!("{list}*"));
        (waits && listing.contains("user+7@example.com") && listing.contains("user+700@example.com"))
            .then_some(())
    });
    assert_eq!(reached(&suite.log(), &list).len(), MEMBERS - 2);
    suite.append_main("transport_maps =");
    suite.reload();
    suite.run("postqueue", &["-f"]);
    suite.wait_log(&[&list, ": removed"]);
    let members = reached(&suite.log(), &list);
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), MEMBERS);
    assert_eq!(members.len(), MEMBERS, "each once");
    assert_eq!(suite.messages("user/").len(), MEMBERS);
    suite.stop();
}
