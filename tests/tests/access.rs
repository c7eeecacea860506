//! What access tables do besides yes and no, and what refusals look like.

use tests::{Builder, Client, Suite};

const LETTER: &str = "Subject: x\n\nx\n";

fn access_suite(table: &str) -> Suite {
    Builder::new()
        .example_com()
        .main(
            "smtpd_recipient_restrictions = check_sender_access hash:$config_directory/access, permit\n\
             smtpd_restriction_classes = strict\nstrict = reject_unauth_pipelining reject",
        )
        .table("access", table)
        .start()
}

fn send(suite: &Suite, sender: &str) -> String {
    suite.send(sender, &["user@example.com"], LETTER)
}

/// What RCPT answers.
fn answer(client: &mut Client, sender: &str, recipient: &str) -> String {
    client.expect(&format!("MAIL FROM:<{sender}>"), 250);
    let reply = client.say(&format!("RCPT TO:<{recipient}>"));
    client.expect("RSET", 250);
    format!("{} {}", reply.code, reply.text)
}

#[test]
fn a_message_takes_the_way_that_an_access_table_wants() {
    let suite = access_suite(
        "bcc@s.example BCC third@example.com\nredirect@s.example REDIRECT other@example.com\n\
         prepend@s.example PREPEND X-Seen: yes\ndiscard@s.example DISCARD\nhold@s.example HOLD wait\n\
         filter@s.example FILTER discard:nowhere\n",
    );
    send(&suite, "bcc@s.example");
    suite.wait_messages("third/", 1);
    suite.wait_messages("user/", 1);
    suite.send("redirect@s.example", &["user@example.com", "third@example.com"], LETTER);
    suite.wait_messages("other/", 1);
    send(&suite, "prepend@s.example");
    let seen = |suite: &Suite| {
        suite
            .messages("user/")
            .iter()
            .filter(|message| message.header("X-Seen").as_deref() == Some("yes"))
            .count()
    };
    suite.until("the header", || (seen(&suite) == 1).then_some(()));
    send(&suite, "discard@s.example");
    let held = send(&suite, "hold@s.example");
    let filtered = send(&suite, "filter@s.example");
    suite.wait_log(&[&filtered, "relay=none", "status=sent (nowhere)"]);
    assert!(suite.queue().join("hold").join(&held).is_file());
    suite.wait_messages("user/", 2);
    for line in [
        "NOQUEUE: bcc: RCPT from ",
        "<bcc@s.example>: Sender address triggers BCC third@example.com; from=<bcc@s.example> to=<user@example.com>",
        "<redirect@s.example>: Sender address triggers REDIRECT other@example.com;",
        "<filter@s.example>: Sender address triggers FILTER discard:nowhere;",
        "NOQUEUE: hold: RCPT from ",
        "<hold@s.example>: Sender address wait;",
        "<discard@s.example>: Sender address triggers DISCARD action;",
    ] {
        suite.wait_log(&[line]);
    }
    suite.stop();
    assert_eq!(suite.messages("other/").len(), 1, "one copy for all recipients");
}

#[test]
fn an_access_table_decides_later_warns_waits_and_names_classes() {
    let suite = access_suite(
        "permit@s.example DEFER_IF_PERMIT 4.2.1 not yet\nreject@s.example DEFER_IF_REJECT not yet\n\
         warn@s.example WARN look out\ninfo@s.example INFO by the way\nclass@s.example strict\n\
         sleep@s.example sleep 1\nhangup@s.example HANGUP enough\n",
    );
    let mut client = suite.connect();
    client.ehlo();
    let user = "user@example.com";
    let permitted = "450 4.2.1 <permit@s.example>: Sender address rejected: not yet";
    assert_eq!(answer(&mut client, "permit@s.example", user), permitted);
    let unknown = "nobody@example.com";
    let refused = "450 4.7.1 <reject@s.example>: Sender address rejected: not yet";
    assert_eq!(answer(&mut client, "reject@s.example", unknown), refused);
    assert_eq!(answer(&mut client, "reject@s.example", user), "250 2.1.5 Ok");
    for sender in ["warn@s.example", "info@s.example", "sleep@s.example"] {
        assert_eq!(answer(&mut client, sender, user), "250 2.1.5 Ok", "{sender}");
    }
    let class = "554 5.7.1 <class@s.example>: Sender address rejected: Access denied";
    assert_eq!(answer(&mut client, "class@s.example", user), class);
    suite.wait_log(&["NOQUEUE: warn: RCPT from ", "[127.0.0.1]: look out; from=<warn@s.example> "]);
    suite.wait_log(&["NOQUEUE: info: RCPT from ", "[127.0.0.1]: by the way; from=<info@s.example> "]);
    client.expect("MAIL FROM:<hangup@s.example>", 250);
    assert!(client.try_say(&format!("RCPT TO:<{user}>")).is_err(), "no reply, but the end");
    suite.wait_log(&["NOQUEUE: hangup: RCPT from ", "[127.0.0.1]: enough; from=<hangup@s.example> "]);
    suite.stop();
}

#[test]
fn what_an_early_stage_could_not_find_out_defers_at_rcpt() {
    for (list, name, class) in [
        ("client", None, "Client host"),
        ("helo", Some("client.test.example"), "Helo command"),
        ("sender", Some("a@b.example"), "Sender address"),
    ] {
        let restrictions = format!("smtpd_delay_reject = no\nsmtpd_{list}_restrictions = defer_if_permit");
        let suite = Builder::new().example_com().main(&restrictions).start();
        let mut client = suite.connect();
        client.ehlo();
        let reply = answer(&mut client, "a@b.example", "user@example.com");
        let end = format!("{class} rejected: defer_if_permit requested");
        assert!(reply.starts_with("450 4.7.0 <") && reply.ends_with(&end), "{reply}");
        assert!(name.is_none_or(|name| reply.contains(&format!("<{name}>"))), "{reply}");
        client.quit();
        suite.stop();
    }
}

#[test]
fn a_footer_tells_the_client_what_to_do() {
    let suite = Builder::new()
        .example_com()
        .main(
            "smtpd_reject_footer = \\c. Ask $server_name about $client_address ($sender)\\nor call$nobody\n\
             smtpd_reject_footer_maps = regexp:{{/Relay access/ not for us}}",
        )
        .start();
    let mut client = suite.connect();
    client.ehlo();
    let expected = "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table. \
        Ask mx.test.example about 127.0.0.1 (a@b.example)\n5.1.1 or call";
    assert_eq!(answer(&mut client, "a@b.example", "nobody@example.com"), expected);
    let relay = "454 4.7.1 <a@other.example>: Relay access denied\n4.7.1 not for us";
    assert_eq!(answer(&mut client, "a@b.example", "a@other.example"), relay);
    suite.wait_log(&["warning: unknown macro name \"nobody\" in expansion request"]);
    client.quit();
    suite.stop();
}

#[test]
fn lines_about_a_messages_content_are_those_of_cleanup() {
    let suite = Builder::new().example_com().start();
    let id = send(&suite, "a@b.example");
    suite.wait_log(&["/cleanup[", &format!("]: {id}: message-id=<")]);
    suite.run_with("sendmail", &["-f", "a@b.example", "user@example.com"], LETTER);
    suite.wait_messages("user/", 2);
    let log = suite.log();
    let lines = log.lines().filter(|line| line.contains(": message-id=<"));
    assert_eq!(lines.filter(|line| line.contains("/cleanup[")).count(), 2, "{log}");
    suite.stop();
}
