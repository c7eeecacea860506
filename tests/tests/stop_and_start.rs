//! The life of the whole suite, by the postfix command.

#![allow(clippy::expect_used)]

use std::fs;
use std::net::TcpListener;

use tests::programs::Maker;
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

#[test]
fn one_master_for_a_data_directory_even_when_its_process_id_file_is_gone() {
    let suite = Builder::new().example_com().start();
    let (pid, away) = (suite.queue().join("pid/master.pid"), suite.root().join("master.pid"));
    fs::rename(&pid, &away).expect("move master.pid away");
    assert_eq!(status(&suite, "start"), 1, "a second master");
    suite.wait_log(&[
        "fatal: open lock file",
        "master.lock: unable to set exclusive lock: Resource temporarily",
    ]);
    suite.wait_log(&["fatal: mail system startup failed"]);
    fs::rename(&away, &pid).expect("move master.pid back");
    assert_eq!(status(&suite, "status"), 0, "the first one runs");
    suite.stop();
}

#[test]
fn a_port_that_somebody_else_has_is_told_at_the_start() {
    let suite = Builder::new().example_com().write();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    append_master(&suite, &format!("127.0.0.1:{port} inet n - n - - smtpd"));
    assert_eq!(status(&suite, "start"), 1, "nobody hears mail come in on a port of somebody else");
    // Postfix's log is lost where its master ends before postlogd has begun.
    if suite.maker() == Maker::Ours {
        suite.wait_log(&["fatal: ", &format!("bind 127.0.0.1 port {port}: Address already in use")]);
    }
    drop(taken);
    suite.start();
    suite.stop();
}

#[test]
fn a_line_of_master_cf_that_nobody_can_use_stops_the_start() {
    for (line, complaint) in [
        ("27 blah n - n - - smtpd", "invalid type field \"blah\""),
        ("27 inet n - n", "line 1: bad field count"),
        ("27 inet y - n - - smtpd", "line 1: inet service cannot be private"),
        ("no-such-port inet n - n - - smtpd", "no-such-port"),
        ("[::1:27 inet n - n - - smtpd", "line 1: "),
    ] {
        let suite = Builder::new().example_com().write();
        let path = suite.config().join("master.cf");
        let rest = fs::read_to_string(&path).expect("master.cf");
        fs::write(&path, format!("{line}\n{rest}")).expect("master.cf");
        let output = suite.command("postfix", &["start"]).output().expect("postfix start");
        assert_eq!(output.status.code(), Some(1), "{line}");
        let told = format!("{}{}", String::from_utf8_lossy(&output.stderr), suite.log());
        assert!(told.contains(complaint), "{line}: {told}");
    }
}

#[test]
fn of_two_entries_with_one_name_the_last_one_serves() {
    let suite = Builder::new().example_com().write();
    append_master(&suite, "twice unix - - n - - nothing");
    append_master(&suite, "twice unix - - n - - error");
    suite.start();
    suite.wait_log(&[
        "warning: duplicate master.cf entry for service \"twice\" (private/twice) -- using the last",
    ]);
    suite.stop();
}

#[test]
fn a_reload_with_a_bad_master_cf_changes_nothing() {
    let suite = Builder::new().example_com().start();
    if suite.maker() == Maker::Peer {
        println!("left out: Postfix's master may end here, see tests/differences.md");
        return suite.stop();
    }
    append_master(&suite, "27 blah n - n - - smtpd");
    suite.run("postfix", &["reload"]);
    suite.wait_log(&["invalid type field \"blah\"", "the old settings stay in force"]);
    suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.wait_messages("user/", 1);
    suite.stop();
}

fn append_master(suite: &Suite, line: &str) {
    let path = suite.config().join("master.cf");
    let text = fs::read_to_string(&path).expect("master.cf");
    fs::write(path, format!("{text}\n{line}\n")).expect("master.cf");
}
