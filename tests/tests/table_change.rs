//! Tables that change while the suite runs.

use testkit::left_out;
use tests::programs::Maker;
use tests::{Builder, Client, Suite};

const LETTER: &str = "Subject: new\n\nHello\n";

/// Once a table is rebuilt, the next lookup uses it. The original looks again when the next client comes.
fn next_client(suite: &Suite, client: Client) -> Client {
    match suite.maker() {
        Maker::Ours => client,
        Maker::Peer => {
            client.quit();
            let mut client = suite.connect();
            client.ehlo();
            client
        }
    }
}

#[test]
fn a_mailbox_that_is_added_gets_mail_without_restart() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<s@x.example>", 250);
    client.expect("RCPT TO:<new@example.com>", 550);
    client.expect("RSET", 250);
    suite.write_table("vmailbox", "new@example.com new/\n");
    let mut client = next_client(&suite, client);
    client.send("s@x.example", &["new@example.com"], LETTER);
    client.expect("MAIL FROM:<s@x.example>", 250);
    client.expect("RCPT TO:<user@example.com>", 550);
    client.quit();
    suite.wait_messages("new/", 1);
    suite.stop();
}

#[test]
fn a_mailbox_that_moves_gets_its_mail_at_the_new_place() {
    let suite = Builder::new().example_com().start();
    let id = suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.wait_log(&[&id, ": removed"]);
    suite.write_table("vmailbox", "user@example.com moved/\n");
    let id = suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.wait_log(&[&id, ": removed"]);
    assert_eq!((suite.messages("user/").len(), suite.messages("moved/").len()), (1, 1));
    suite.stop();
}

/// What asks tables, in a chroot.
const CHROOTED: &str = "\
127.0.0.1:@PORT@ inet n - y - - smtpd
pickup    unix  n - y 60    1 pickup
cleanup   unix  n - y -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
rewrite   unix  - - y -     - trivial-rewrite
bounce    unix  - - y -     0 bounce
defer     unix  - - y -     0 bounce
trace     unix  - - y -     0 bounce
proxymap  unix  - - n -     - proxymap
error     unix  - - y -     - error
retry     unix  - - y -     - error
local     unix  - n n -     - local
virtual   unix  - n n -     - virtual
anvil     unix  - - y -     1 anvil
postlog   unix-dgram n - n - 1 postlogd
";

#[test]
fn a_process_that_can_not_see_the_new_table_makes_way_and_drops_nobody() {
    if !sys::ids::is_root() {
        return left_out("only root can change a process's root folder");
    }
    let suite = Builder::new().example_com().master_cf(CHROOTED).start();
    let mut old = suite.connect();
    old.ehlo();
    old.expect("MAIL FROM:<s@x.example>", 250);
    old.expect("RCPT TO:<user@example.com>", 250);
    suite.write_table("vmailbox", "user@example.com user/\nnew@example.com new/\n");
    suite.send("s@x.example", &["new@example.com"], LETTER);
    suite.wait_log(&["smtpd[", "vmailbox", "has changed -- restarting"]);
    old.data(LETTER);
    old.quit();
    suite.wait_messages("new/", 1);
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn an_agent_that_can_not_see_the_new_table_leaves_its_work_to_a_fresh_one() {
    if !sys::ids::is_root() {
        return left_out("only root can change a process's root folder");
    }
    let suite = Builder::new()
        .example_com()
        .master_cf(&CHROOTED.replace("virtual   unix  - n n", "virtual   unix  - n y"))
        .start();
    if suite.maker() == Maker::Peer {
        left_out("the original's agent reaches no mailbox from a chroot");
        return suite.stop();
    }
    for round in 0..3 {
        suite.write_table("vmailbox", &format!("user@example.com user{round}/\n"));
        let id = suite.send("s@x.example", &["user@example.com"], LETTER);
        suite.wait_log(&[&id, ": removed"]);
        assert_eq!(suite.messages(&format!("user{round}/")).len(), 1, "{}", suite.log_end());
    }
    suite.wait_log(&["virtual[", "vmailbox", "has changed -- restarting"]);
    suite.stop();
}

#[test]
fn a_table_that_only_root_may_read_is_followed() {
    use std::os::unix::fs::PermissionsExt;
    if !sys::ids::is_root() {
        return left_out("only root can read what others must not");
    }
    let suite = Builder::new().example_com().start();
    let close = || {
        for index in ["vmailbox.lmdb", "vmailbox.db"].map(|name| suite.config().join(name)) {
            if index.exists() {
                std::fs::set_permissions(index, PermissionsExt::from_mode(0o600)).expect("chmod");
            }
        }
    };
    close();
    suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.write_table("vmailbox", "user@example.com user/\nnew@example.com new/\n");
    close();
    suite.until("the new mailbox is known", || {
        let mut client = suite.connect();
        client.ehlo();
        client.expect("MAIL FROM:<s@x.example>", 250);
        let known = client.say("RCPT TO:<new@example.com>").code == 250;
        client.quit();
        known.then_some(())
    });
    suite.stop();
}
