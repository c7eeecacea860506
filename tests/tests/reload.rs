//! New settings without a dropped session.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tests::programs::Maker;
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

/// Has a line of master.cf in the place of another.
fn exchange(suite: &Suite, old: &str, new: &str) {
    let path = suite.config().join("master.cf");
    let text = std::fs::read_to_string(&path).expect("master.cf");
    assert!(text.contains(old), "{text}");
    std::fs::write(&path, text.replace(old, new)).expect("write master.cf");
    suite.reload();
}

#[test]
fn services_come_and_go_with_their_lines() {
    let mut builder = Builder::new().example_com();
    let port = builder.reserve_port();
    let suite = builder.start();
    let first = format!("127.0.0.1:{} inet n - n - - smtpd\n", suite.port());
    let second = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    exchange(&suite, &first, &format!("{first}{second}"));
    let mut session = tests::Client::connect(port);
    session.ehlo();
    exchange(&suite, &second, "");
    suite.until("the end of the port", || std::net::TcpStream::connect(("127.0.0.1", port)).err());
    // The original ends the processes of a service that is gone, whatever they are at.
    if suite.maker() != Maker::Peer {
        session.send("s@x.example", &["user@example.com"], "Subject: by a service that is gone\n\nx\n");
        session.quit();
        suite.wait_messages("user/", 1);
    }
    suite.send("s@x.example", &["user@example.com"], "Subject: by the one that stays\n\nx\n");
    suite.until("the message of the one that stays", || {
        suite.messages("user/").iter().any(|message| message.text.contains("that stays")).then_some(())
    });
    suite.stop();
}

#[test]
fn another_process_limit_counts_from_the_reload_on() {
    let suite = Builder::new().example_com().start();
    let line = |limit: &str| format!("127.0.0.1:{} inet n - n - {limit} smtpd\n", suite.port());
    exchange(&suite, &line("-"), &line("2"));
    // An old worker may take one more client.
    suite.renew("smtpd");
    let (first, second) = (suite.connect(), suite.connect());
    std::thread::scope(|scope| {
        let third = scope.spawn(|| suite.connect());
        let waits = std::net::TcpStream::connect(("127.0.0.1", suite.port())).expect("a connection");
        waits.set_nonblocking(true).expect("a socket");
        let seen = waits.peek(&mut [0; 4]).map_err(|error| error.kind());
        assert_eq!(seen, Err(std::io::ErrorKind::WouldBlock), "there is no room for a third");
        drop(waits);
        exchange(&suite, &line("2"), &line("-"));
        third.join().expect("a session").quit();
    });
    first.quit();
    second.quit();
    suite.stop();
}

/// Does somebody greet at this address?
fn greets(address: &str, port: u16) -> bool {
    use std::io::Read;
    let mut first = [0; 3];
    let stream = std::net::TcpStream::connect((address, port));
    stream.is_ok_and(|mut stream| stream.read_exact(&mut first).is_ok() && first == *b"220")
}

#[test]
fn addresses_come_and_go_with_a_reload() {
    if std::net::UdpSocket::bind(("::1", 0)).is_err() {
        return testkit::left_out("this machine has one loopback address");
    }
    // Clients of the second address are counted, which must not hold them up while all is renewed.
    let mut builder = Builder::new().example_com().main("inet_protocols = all");
    let port = builder.reserve_port();
    let suite = builder.master(&format!("{port} inet n - n - - smtpd\n")).start();
    if suite.maker() == Maker::Peer {
        // It wants a stop and a start for that.
        return suite.stop();
    }
    suite.until("both addresses", || (greets("127.0.0.1", port) && greets("::1", port)).then_some(()));
    let mut session = tests::Client::connect(port);
    session.ehlo();
    suite.append_main("inet_protocols = ipv4");
    suite.reload();
    suite.until("the end of an address", || (!greets("::1", port)).then_some(()));
    assert!(greets("127.0.0.1", port));
    suite.append_main("inet_protocols = all");
    suite.reload();
    suite.until("the address again", || greets("::1", port).then_some(()));
    assert!(greets("127.0.0.1", port));
    session.send("s@x.example", &["user@example.com"], "Subject: x\n\nx\n");
    session.quit();
    suite.wait_messages("user/", 1);
    suite.stop();
}
