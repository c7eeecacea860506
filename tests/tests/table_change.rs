//! Tables that change while the suite runs.

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
