//! Limits for each client: what it hears, and what the log tells.

use tests::{Builder, Reply, Suite};

fn suite(limits: &str) -> Suite {
    Builder::new().example_com().main(&format!("smtpd_client_event_limit_exceptions =\n{limits}")).start()
}

fn reply(code: u16, text: &str) -> Reply {
    Reply { code, text: text.to_owned() }
}

#[test]
fn a_client_has_so_many_connections_at_a_time() {
    let suite = suite("smtpd_client_connection_count_limit = 2\nanvil_status_update_time = 1s");
    let first = suite.connect();
    let second = suite.connect();
    let too_many = reply(421, "4.7.0 mx.test.example Error: too many connections from 127.0.0.1");
    assert_eq!(suite.connect().banner, too_many);
    suite.wait_log(&["warning: Connection concurrency limit exceeded: 3 from ", "[127.0.0.1] for service "]);
    // Before a client that comes too early can be the fourth.
    suite.wait_log(&["/anvil[", "]: statistics: max connection count 3 for (", ":127.0.0.1) at "]);
    first.quit();
    drop(second);
    suite.until("room for another connection", || {
        let mut client = suite.connect();
        (client.banner.code == 220).then(|| client.expect("QUIT", 221))
    });
    suite.wait_log(&["/anvil[", "]: statistics: max cache size 1 at "]);
    suite.stop();
}

#[test]
fn a_client_has_so_many_messages_and_recipients_in_a_time() {
    let suite = suite("smtpd_client_message_rate_limit = 2\nsmtpd_client_recipient_rate_limit = 3");
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    for _ in 0..3 {
        client.expect("RCPT TO:<user@example.com>", 250);
    }
    let recipients = reply(450, "4.7.1 Error: too many recipients from 127.0.0.1");
    assert_eq!(client.say("RCPT TO:<user@example.com>"), recipients);
    client.expect("RSET", 250);
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RSET", 250);
    // Another connection of the same client, whichever process serves it.
    let mut other = suite.connect();
    other.ehlo();
    let messages = reply(450, "4.7.1 Error: too much mail from 127.0.0.1");
    assert_eq!(other.say("MAIL FROM:<a@b.example>"), messages);
    suite.wait_log(&["warning: Recipient address rate limit exceeded: 4 from ", "[127.0.0.1] for service "]);
    suite.wait_log(&["warning: Message delivery request rate limit exceeded: 3 from "]);
    client.quit();
    other.quit();
    suite.stop();
}

#[test]
fn exceptions_are_not_counted_and_connections_have_a_rate() {
    let rate = "smtpd_client_connection_rate_limit = 1";
    let free =
        Builder::new().example_com().main(rate).main("smtpd_client_event_limit_exceptions = 127.0.0.0/8");
    let suite = free.start();
    for _ in 0..3 {
        suite.connect().quit();
    }
    suite.append_main("smtpd_client_event_limit_exceptions =");
    suite.reload();
    suite.until("the new setting", || (suite.connect().banner.code == 421).then_some(()));
    suite.wait_log(&["warning: Connection rate limit exceeded: 2 from ", "[127.0.0.1] for service "]);
    suite.stop();
}

#[test]
fn mail_goes_on_when_nobody_counts() {
    let suite = suite("smtpd_client_message_rate_limit = 1\nmaster_service_disable = anvil/unix");
    for _ in 0..2 {
        let id = suite.send("a@b.example", &["user@example.com"], "Subject: x\n\nx\n");
        suite.wait_log(&[&id, ": removed"]);
    }
    suite.stop();
}
