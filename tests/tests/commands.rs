//! The commands that people and scripts use on a running suite.
#![allow(clippy::unwrap_used)]

use tests::{Builder, Suite};

const LETTER: &str = "From: sender@mx.test.example\nTo: user@example.com\nSubject: command\n\nHello\n";

/// A suite that keeps what it gets in the deferred queue.
fn that_defers() -> Suite {
    Builder::new().example_com().main("defer_transports = virtual").start()
}

/// Sends a message and waits until it lies in the deferred queue.
fn waiting(suite: &Suite) -> String {
    let id = suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.until("the message in deferred", || {
        let listing = suite.run("postqueue", &["-p"]);
        listing.lines().any(|line| line.starts_with(&format!("{id} "))).then_some(())
    });
    id
}

#[test]
fn sendmail_hands_mail_in() {
    let suite = Builder::new().example_com().start();
    suite.run_with(
        "sendmail",
        &["-f", "sender@mx.test.example", "user@example.com"],
        "Subject: one\n\nHello\n.\nnot sent\n",
    );
    suite.run_with(
        "sendmail",
        &["-oi", "-t"],
        "To: other@example.com\nBcc: mbox@example.com\nSubject: two\n\n.\nrest\n",
    );
    let first = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(first.header("Return-Path").as_deref(), Some("<sender@mx.test.example>"));
    assert_eq!(first.body(), "Hello\n");
    assert!(first.header("Received").unwrap().contains("from userid "), "{}", first.text);
    let second = suite.wait_messages("other/", 1).remove(0);
    assert_eq!(second.body(), ".\nrest\n");
    assert!(!second.text.contains("Bcc"));
    suite.wait_messages("mbox", 1);
    suite.wait_log(&["postfix/pickup[", "from=<sender@mx.test.example>"]);
    suite.stop();
}

#[test]
fn sendmail_takes_mail_while_nothing_runs() {
    let suite = Builder::new().example_com().write();
    suite.start();
    suite.stop();
    suite.run_with("sendmail", &["-f", "a@mx.test.example", "user@example.com"], LETTER);
    suite.start();
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn the_queue_is_shown_as_text_and_json() {
    let suite = that_defers();
    assert_eq!(suite.run("postqueue", &["-p"]), "Mail queue is empty\n");
    let id = waiting(&suite);
    let text = suite.run("postqueue", &["-p"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------");
    assert!(lines[1].starts_with(&id) && lines[1].ends_with("  s@x.example"), "{text}");
    assert_eq!(lines[2].trim(), "(deferred transport)");
    assert_eq!(lines[3], format!("{:41}user@example.com", ""));
    assert!(text.ends_with("\n-- 0 Kbytes in 1 Request.\n"), "{text}");
    assert_eq!(suite.run("sendmail", &["-bp"]), text);
    let json = suite.run("postqueue", &["-j"]);
    assert!(
        json.starts_with(&format!(
            "{{\"queue_name\": \"deferred\", \"queue_id\": \"{id}\", \"arrival_time\": "
        )),
        "{json}"
    );
    assert!(
        json.contains(
            "\"recipients\": [{\"address\": \"user@example.com\", \"delay_reason\": \"deferred transport\"}]}"
        ),
        "{json}"
    );
    suite.stop();
}

#[test]
fn one_message_is_shown_held_released_and_deleted() {
    if !sys::ids::is_root() {
        return testkit::left_out("postsuper is for the superuser");
    }
    let suite = that_defers();
    let id = waiting(&suite);
    let shown = suite.run("postcat", &["-q", &id]);
    assert!(shown.contains("sender: s@x.example\n") && shown.contains("Subject: command\n"), "{shown}");
    assert_eq!(suite.run("postcat", &["-bq", &id]).trim(), "Hello");
    suite.run("postsuper", &["-h", &id]);
    suite.until("the message on hold", || {
        suite.run("postqueue", &["-p"]).contains(&format!("{id}!")).then_some(())
    });
    suite.run("postsuper", &["-H", &id]);
    suite.run("postsuper", &["-d", &id]);
    assert_eq!(suite.run("postqueue", &["-p"]), "Mail queue is empty\n");
    let absent = suite.command("postcat", &["-q", &id]).output().unwrap();
    assert!(!absent.status.success());
    suite.stop();
}

#[test]
fn one_message_is_flushed_and_requeued() {
    let suite = that_defers();
    let first = waiting(&suite);
    suite.append_main("defer_transports =");
    suite.reload();
    suite.run("postqueue", &["-i", &first]);
    suite.wait_log(&[&first, "status=sent"]);
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn settings_and_tables_are_asked_on_the_command_line() {
    let suite = Builder::new().example_com().write();
    assert_eq!(suite.run("postconf", &["-h", "virtual_mailbox_domains"]), "example.com\n");
    assert!(suite.run("postconf", &["-n"]).contains("\nmyhostname = mx.test.example\n"));
    let table = format!("hash:{}/vmailbox", suite.config().display());
    assert_eq!(suite.run("postmap", &["-q", "user@example.com", &table]), "user/\n");
    let absent = suite.command("postmap", &["-q", "nobody@example.com", &table]).output().unwrap();
    assert_eq!((absent.status.code(), absent.stdout.is_empty()), (Some(1), true));
    suite.run("postfix", &["check"]);
}

#[test]
fn a_user_is_shown_without_the_secret_and_a_password_is_made() {
    let suite = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords\nlogin_default_domain = example.com")
        .main("mailbox_quota_maps = inline:{user@example.com=1G}")
        .table("passwords", "user@example.com {PLAIN}very-secret\n")
        .write();
    let shown = suite.run("pillarbox", &["user", "user"]);
    let mail = suite.root().join("mail");
    for line in [
        "user      user@example.com",
        "password  stored as PLAIN",
        &format!("mailbox   Maildir {}/user/", mail.display()),
        "quota     1G",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(!shown.contains("very-secret"));
    let file = suite.run("pillarbox", &["user", "mbox@example.com"]);
    for line in [
        "password  none: this user can not log in",
        &format!("mailbox   mbox {}/mbox", mail.display()),
        &format!("folders   {}/mbox.folders", mail.display()),
    ] {
        assert!(file.contains(line), "{file}");
    }
    let nobody = suite.command("pillarbox", &["user", "nobody@example.com"]).output().unwrap();
    assert!(!nobody.status.success());
    let made = suite.run_with("pillarbox", &["password"], "very-secret\n");
    assert!(made.starts_with("{BLF-CRYPT}$2"), "{made}");
    let again = suite.run_with("pillarbox", &["password", "--scheme", "SSHA512"], "very-secret\n");
    assert!(again.starts_with("{SSHA512}"), "{again}");
    let empty = suite.command("pillarbox", &["password"]).output().unwrap();
    assert!(!empty.status.success());
}
