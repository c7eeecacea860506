//! The set-ups of the virtual hosting manual, in the spelling of 2002 and in that of today.
#![allow(clippy::unwrap_used)]

use tests::{Builder, Suite};

const LETTER: &str = "Subject: readme\n\nHello\n";

/// What all examples share: where mailboxes are, and whose.
const MAILBOXES: &str = "virtual_mailbox_base = $test_mail
virtual_mailbox_maps = hash:$config_directory/vmailbox
virtual_minimum_uid = 1
virtual_uid_maps = hash:$config_directory/vuid
virtual_gid_maps = hash:$config_directory/vgid";

/// Adds the uid and gid tables for these addresses.
fn owned(builder: Builder, addresses: &[&str]) -> Builder {
    let id = if sys::ids::is_root() { 5001 } else { sys::ids::effective_uid() };
    let rows: String = addresses.iter().map(|address| format!("{address} {id}\n")).collect();
    builder
        .main(MAILBOXES)
        .folders(&["virtual1", "virtual2", "virtual3"])
        .table("vuid", &rows)
        .table("vgid", &rows)
}

fn arrives(suite: &Suite, recipient: &str, mailbox: &str) {
    let id = suite.send("s@x.example", &[recipient], LETTER);
    suite.wait_log(&[&id, "status=sent"]);
    suite.wait_log(&[&id, ": removed"]);
    let messages = suite.messages(mailbox);
    let last =
        messages.iter().rev().find(|message| message.header("X-Original-To").as_deref() == Some(recipient));
    assert!(last.is_some(), "nothing for {recipient} in {mailbox}: {messages:?}\n{}", suite.log_end());
}

fn refused(suite: &Suite, recipient: &str, why: &str) {
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<s@x.example>", 250);
    let answer = client.expect(&format!("RCPT TO:<{recipient}>"), 550);
    assert_eq!(answer.text, format!("5.1.1 <{recipient}>: Recipient address rejected: {why}"));
    client.quit();
}

/// Example 1: no local delivery agent; every local address has a virtual mailbox.
fn example_1(domains: &str) {
    let rows = "test@virtual1.example virtual1/test/\nvirt@virtual1.example virtual1/virt\n\
                test@virtual2.example virtual2/test\n@virtual3.example virtual3/all/\n";
    let addresses =
        ["test@virtual1.example", "virt@virtual1.example", "test@virtual2.example", "@virtual3.example"];
    let suite = owned(Builder::new(), &addresses)
        .main(domains)
        .main("local_transport = virtual\nlocal_recipient_maps = $virtual_mailbox_maps")
        .table("vmailbox", rows)
        .start();
    arrives(&suite, "test@virtual1.example", "virtual1/test/");
    arrives(&suite, "virt@virtual1.example", "virtual1/virt");
    arrives(&suite, "test+ext@virtual2.example", "virtual2/test");
    arrives(&suite, "anyone@virtual3.example", "virtual3/all/");
    refused(&suite, "nobody@virtual1.example", "User unknown in local recipient table");
    suite.stop();
}

#[test]
fn all_local_mail_by_the_virtual_agent() {
    example_1("mydestination = $myhostname, virtual1.example, virtual2.example, virtual3.example");
}

#[test]
fn all_local_mail_by_the_virtual_agent_named_as_in_2002() {
    example_1(
        "mydestination = $myhostname virtual1.example virtual2.example virtual3.example\n\
         local_transport = virtual:\nvirtual_mailbox_lock = fcntl",
    );
}

/// Example 2: the local agent for system users, the virtual agent for the rest.
fn example_2(spelling: &str, domain_rows: &str) {
    let addresses = ["test@virtual1.example", "virt@virtual2.example"];
    let rows = "test@virtual1.example virtual1/test/\nvirt@virtual2.example virtual2/virt\n";
    let suite = owned(Builder::new(), &addresses)
        .main("local_recipient_maps = unix:passwd.byname $alias_maps")
        .main(spelling)
        .aliases("postmaster: root\nteam: test@virtual1.example, virt@virtual2.example\n")
        .table("vmailbox", &format!("{domain_rows}{rows}"))
        .start();
    arrives(&suite, "test@virtual1.example", "virtual1/test/");
    arrives(&suite, "virt@virtual2.example", "virtual2/virt");
    refused(&suite, "nobody@virtual1.example", "User unknown in virtual mailbox table");
    refused(&suite, "no-such-user@mx.test.example", "User unknown in local recipient table");
    let id = suite.send("s@x.example", &["team@mx.test.example"], LETTER);
    suite.wait_log(&[&id, "relay=local", "status=sent (forwarded as "]);
    suite.wait_messages("virtual1/test/", 2);
    suite.wait_messages("virtual2/virt", 2);
    suite.stop();
}

#[test]
fn local_and_virtual_side_by_side() {
    example_2("virtual_mailbox_domains = virtual1.example, virtual2.example", "");
}

#[test]
fn local_and_virtual_side_by_side_with_domains_among_the_mailboxes() {
    example_2("", "virtual1.example whatever\nvirtual2.example whatever\n");
}

/// Example 3: many users, the domains in a table of their own, and an old address that is forwarded.
fn example_3(spelling: &str, alias_rows: &str) {
    let addresses = ["info@virtual1.example", "sales@virtual1.example", "info@virtual2.example"];
    let rows = "info@virtual1.example virtual1/info\nsales@virtual1.example virtual1/sales/\n\
                info@virtual2.example virtual2/info/\n";
    let suite = owned(Builder::new(), &addresses)
        .main("virtual_mailbox_domains = hash:$config_directory/vdomains")
        .main(spelling)
        .table("vdomains", "virtual1.example 20021125\nvirtual2.example 20021125\n")
        .table("vmailbox", rows)
        .table("virtual", alias_rows)
        .start();
    arrives(&suite, "info@virtual1.example", "virtual1/info");
    arrives(&suite, "info@virtual2.example", "virtual2/info/");
    arrives(&suite, "old@virtual1.example", "virtual1/sales/");
    arrives(&suite, "anyone@alias.example", "virtual2/info/");
    refused(&suite, "nobody@virtual2.example", "User unknown in virtual mailbox table");
    suite.stop();
}

const ALIASES: &str =
    "old@virtual1.example sales@virtual1.example\nanyone@alias.example info@virtual2.example\n";

#[test]
fn many_users_and_domains_in_tables() {
    example_3(
        "virtual_alias_maps = hash:$config_directory/virtual\nvirtual_alias_domains = alias.example",
        ALIASES,
    );
}

#[test]
fn many_users_and_domains_in_tables_named_as_in_2002() {
    example_3("virtual_maps = hash:$config_directory/virtual", &format!("alias.example anything\n{ALIASES}"));
}

#[test]
fn uids_below_the_minimum_wait_until_it_is_repaired() {
    let suite = Builder::new()
        .main(MAILBOXES)
        .main("virtual_mailbox_domains = virtual1.example\nvirtual_minimum_uid = 100000")
        .table("vmailbox", "test@virtual1.example test/\n")
        .table("vuid", "test@virtual1.example 99\n")
        .table("vgid", "test@virtual1.example 99\n")
        .start();
    let id = suite.send("s@x.example", &["test@virtual1.example"], LETTER);
    suite.wait_log(&["bad uid 99 in virtual_uid_maps"]);
    suite.wait_log(&[&id, "dsn=4.3.5, status=deferred (mail system configuration error)"]);
    assert!(suite.messages("test/").is_empty());
    suite.stop();
}
