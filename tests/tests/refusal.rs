//! Mail that is refused at the door, with the reply and the log line that people search for.

use tests::{Builder, Reply, Suite};

fn reply(code: u16, text: &str) -> Reply {
    Reply { code, text: text.to_owned() }
}

#[test]
fn an_unknown_user_is_refused_and_the_next_is_not() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<sender@client.example>", 250);
    assert_eq!(
        client.say("RCPT TO:<nobody@example.com>"),
        reply(
            550,
            "5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
        )
    );
    client.expect("RCPT TO:<user@example.com>", 250);
    client.quit();
    suite.wait_log(&[
        "NOQUEUE: reject: RCPT from ",
        "[127.0.0.1]: 550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox \
         table; from=<sender@client.example> to=<nobody@example.com> proto=ESMTP helo=<client.test.example>",
    ]);
    suite.stop();
}

#[test]
fn a_message_has_its_id_from_the_first_recipient_on() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    let mut ids = Vec::new();
    for sender in ["one@client.example", "two@client.example"] {
        client.expect(&format!("MAIL FROM:<{sender}>"), 250);
        client.expect("RCPT TO:<user@example.com>", 250);
        client.expect("RCPT TO:<nobody@example.com>", 550);
        let line = suite.wait_log(&[": reject: RCPT from ", &format!("from=<{sender}>")]);
        let (id, _) = line.split_once(": reject:").unwrap();
        ids.push(id.rsplit(' ').next().unwrap().to_owned());
        suite.wait_log(&[&format!(" {}: client=", ids[ids.len() - 1])]);
        client.expect("RSET", 250);
    }
    assert!(ids[0] != ids[1] && ids[0] != "NOQUEUE", "{ids:?}");
    client.expect("MAIL FROM:<three@client.example>", 250);
    client.expect("RCPT TO:<nobody@example.com>", 550);
    suite.wait_log(&["NOQUEUE: reject: RCPT from ", "from=<three@client.example>"]);
    client.quit();
    suite.stop();
}

#[test]
fn mail_for_others_is_not_relayed() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<user@example.com>", 250);
    let answer = client.say("RCPT TO:<somebody@elsewhere.example>");
    assert_eq!(answer, reply(454, "4.7.1 <somebody@elsewhere.example>: Relay access denied"));
    assert_eq!(client.expect("DATA", 554).text, "5.5.1 Error: no valid recipients");
    client.quit();
    suite.stop();
}

#[test]
fn commands_out_of_order_are_refused() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    assert!(client.banner.text.starts_with("mx.test.example ESMTP"), "{:?}", client.banner);
    client.ehlo();
    assert_eq!(client.expect("RCPT TO:<user@example.com>", 503).text, "5.5.1 Error: need MAIL command");
    assert_eq!(client.expect("DATA", 503).text, "5.5.1 Error: need RCPT command");
    client.expect("MAIL FROM:<a@b.example>", 250);
    assert_eq!(client.expect("MAIL FROM:<a@b.example>", 503).text, "5.5.1 Error: nested MAIL command");
    client.expect("RSET", 250);
    client.expect("MAIL FROM:<a@b.example>", 250);
    assert_eq!(client.expect("NONSENSE", 500).text, "5.5.2 Error: command not recognized");
    client.quit();
    suite.stop();
}

#[test]
fn a_message_over_the_limit_is_refused_before_and_after_it_is_sent() {
    let suite = Builder::new().example_com().main("message_size_limit = 20000").start();
    let mut client = suite.connect();
    let features = client.ehlo().text;
    assert!(features.lines().any(|line| line == "SIZE 20000"), "{features}");
    let announced = client.expect("MAIL FROM:<a@b.example> SIZE=20001", 552);
    assert_eq!(announced.text, "5.3.4 Message size exceeds fixed limit");
    client.expect("RSET", 250);
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    let large = "0123456789012345678901234567890123456789\n".repeat(600);
    assert_eq!(client.data(&large), reply(552, "5.3.4 Error: message file too big"));
    let id = client.send("a@b.example", &["user@example.com"], "Subject: small\n\nx\n");
    client.quit();
    suite.wait_log(&[&id, ": removed"]);
    assert_eq!(suite.wait_messages("user/", 1)[0].header("Subject").as_deref(), Some("small"));
    suite.stop();
}

#[test]
fn a_table_that_can_not_be_read_is_a_reason_to_wait_not_to_refuse() {
    let suite = Builder::new().example_com().main("virtual_alias_maps = fail:broken").start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    assert_eq!(client.say("RCPT TO:<user@example.com>").code, 451);
    client.quit();
    suite.wait_log(&[
        "NOQUEUE: reject: RCPT from ",
        ": 451 4.3.0 <user@example.com>: Temporary lookup failure",
    ]);
    suite.stop();
}

#[test]
fn a_bare_newline_ends_no_message() {
    let suite: Suite = Builder::new().example_com().main("smtpd_forbid_bare_newline = reject").start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    client.expect("DATA", 354);
    client.write(b"Subject: smuggled\r\n\r\nx\n.\nMAIL FROM:<evil@b.example>\r\n.\r\n");
    let answer = client.reply();
    assert_eq!(answer.code, 550, "{answer:?}");
    suite.wait_log(&["bare <LF> received"]);
    assert!(suite.messages("user/").is_empty());
    suite.stop();
}
