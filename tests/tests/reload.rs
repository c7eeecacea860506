//! New settings without a dropped session.

use tests::{Builder, Suite};

fn size_limit(suite: &Suite) -> Option<String> {
    let mut client = suite.connect();
    let limit = client.ehlo().text.lines().find_map(|line| line.strip_prefix("SIZE ").map(str::to_owned));
    client.quit();
    limit
}

#[test]
fn new_settings_count_for_new_sessions_and_old_ones_go_on() {
    let suite = Builder::new().example_com().start();
    let mut session = suite.connect();
    session.ehlo();
    session.expect("MAIL FROM:<s@x.example>", 250);
    suite.append_main("message_size_limit = 123456");
    suite.reload();
    suite.until("the new limit", || (size_limit(&suite).as_deref() == Some("123456")).then_some(()));
    session.expect("RCPT TO:<user@example.com>", 250);
    let id = tests::client::queue_id(&session.data("Subject: across\n\nx\n"));
    session.quit();
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn mail_flows_while_settings_change_again_and_again() {
    let suite = Builder::new().example_com().start();
    for round in 0..5 {
        suite.append_main(&format!("message_size_limit = {}", 1_000_000 + round));
        suite.reload();
        for number in 0..4 {
            suite.send("s@x.example", &["user@example.com"], &format!("Subject: {round}.{number}\n\nx\n"));
        }
    }
    suite.wait_messages("user/", 20);
    suite.stop();
}

#[test]
fn a_delivery_that_waits_holds_nobody_up() {
    let suite =
        Builder::new().example_com().main("deliver_lock_attempts = 1000\ndeliver_lock_delay = 1s").start();
    let lock = suite.root().join("mail/mbox.lock");
    std::fs::write(&lock, "1").expect("lock the mailbox");
    let waiting = suite.send("s@x.example", &["mbox@example.com"], "Subject: waits\n\nx\n");
    suite.wait_log(&[&waiting, "(queue active)"]);
    suite.append_main("message_size_limit = 123456");
    suite.reload();
    suite.send("s@x.example", &["user@example.com"], "Subject: goes\n\nx\n");
    suite.wait_messages("user/", 1);
    std::fs::remove_file(&lock).expect("unlock the mailbox");
    suite.run("postqueue", &["-f"]);
    suite.wait_messages("mbox", 1);
    suite.stop();
}
