//! The life of the whole suite, by the postfix command.

use tests::{Builder, Suite};

const LETTER: &str = "Subject: kept\n\nHello\n";

fn status(suite: &Suite, action: &str) -> i32 {
    suite.command("postfix", &[action]).output().map_or(-1, |output| output.status.code().unwrap_or(-1))
}

#[test]
fn status_start_and_stop_tell_the_truth() {
    let suite = Builder::new().example_com().write();
    assert_eq!(status(&suite, "status"), 1, "not running yet");
    assert_eq!(status(&suite, "stop"), 1, "nothing to stop");
    suite.start();
    assert_eq!(status(&suite, "status"), 0);
    assert_eq!(status(&suite, "start"), 1, "it runs already");
    assert!(suite.processes().contains(&suite.master()));
    suite.stop();
    assert_eq!(status(&suite, "status"), 1);
}

#[test]
fn mail_that_waits_survives_a_restart() {
    let suite = Builder::new().example_com().main("defer_transports = virtual").start();
    let id = suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.wait_log(&[&id, "status=deferred (deferred transport)"]);
    suite.until("the message in deferred", || suite.run("postqueue", &["-p"]).contains(&id).then_some(()));
    suite.stop();
    suite.append_main("defer_transports =");
    suite.start();
    suite.run("postqueue", &["-f"]);
    suite.wait_log(&[&id, "status=sent"]);
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn abort_leaves_nothing_behind_and_loses_nothing() {
    let suite = Builder::new().example_com().start();
    let id = suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.run("postfix", &["abort"]);
    suite.until("the end of all processes", || suite.processes().is_empty().then_some(()));
    suite.start();
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    suite.stop();
}

#[test]
fn it_starts_again_and_again() {
    let suite = Builder::new().example_com().write();
    for round in 1..=3 {
        suite.start();
        suite.send("s@x.example", &["user@example.com"], LETTER);
        suite.wait_messages("user/", round);
        suite.stop();
    }
}
