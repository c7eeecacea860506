//! Mail that waits: when it is tried again, who is told of it, and when it is given up.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use tests::{Builder, Suite};

const LETTER: &str = "Subject: x\n\nx\n";

/// `later.example` waits, `missing.example` has a transport that is not there, `deferred.example` one that is put off.
/// The names of this list get by RCPT, where the answer would be a refusal.
fn builder(main: &str) -> Builder {
    Builder::new()
        .example_com()
        .main(
            "virtual_alias_domains = lists.example\n\
             virtual_alias_maps = hash:$config_directory/virtual\n\
             relay_domains = later.example missing.example deferred.example\n\
             transport_maps = inline:{{later.example = retry:4.3.2 not today}, {missing.example = missing:}, \
             {deferred.example = idle:}}\n\
             defer_transports = idle\n\
             queue_run_delay = 1s\n\
             minimal_backoff_time = 2s\n\
             maximal_backoff_time = 4s",
        )
        .table(
            "virtual",
            "later@lists.example a@later.example\n\
             missing@lists.example a@missing.example, b@missing.example\n\
             deferred@lists.example a@deferred.example\n",
        )
        .master("idle unix - - n - - discard\n")
        .main(main)
}

/// When this message was tried, in seconds after the first time.
fn attempts(suite: &Suite, id: &str) -> Vec<u64> {
    let log = suite.log();
    let lines = log.lines().filter(|line| line.contains(&format!("{id}: to=<")) && line.contains("deferred"));
    let clock = |line: &str| -> u64 {
        let time = line.split_whitespace().nth(2).unwrap();
        time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
    };
    let times: Vec<u64> = lines.map(clock).collect();
    times.iter().map(|time| (time + 86_400 - times[0]) % 86_400).collect()
}

/// When the message is due, by the time stamp of its file.
fn due(suite: &Suite, id: &str) -> u64 {
    let path = suite.until("the message in deferred", || suite.queue_file("deferred", id));
    u64::try_from(fs::metadata(path).unwrap().mtime()).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_message_is_tried_again_after_its_age_and_given_up_in_the_end() {
    let suite = builder("maximal_queue_lifetime = 12s").start();
    let id = suite.send("user@example.com", &["later@lists.example"], LETTER);
    suite.wait_log(&[&id, ": from=<user@example.com>, status=expired, returned to sender"]);
    suite.wait_log(&[&id, ": sender non-delivery notification: "]);
    suite.wait_log(&[&id, ": removed"]);
    let report = suite.wait_messages("user/", 1).remove(0);
    assert!(report.has_line("Action: failed") && report.has_line("Status: 4.3.2"), "{}", report.text);
    let attempts = attempts(&suite, &id);
    // The pauses are at least the shortest, less the second by which a message may be early; a slow machine has longer
    // ones, and fewer.
    let pauses: Vec<u64> = attempts.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses.iter().all(|pause| *pause >= 1), "{attempts:?}");
    assert!((2..=9).contains(&pauses.len()), "{attempts:?}");
    assert!(*attempts.last().unwrap() >= 11, "{attempts:?}");
    suite.stop();
}

#[test]
fn mail_that_nobody_sent_is_given_up_in_silence_by_a_clock_of_its_own() {
    let suite = builder("maximal_queue_lifetime = 1d\nbounce_queue_lifetime = 4s").start();
    let kept = suite.send("user@example.com", &["later@lists.example"], LETTER);
    let id = suite.send("", &["later@lists.example"], LETTER);
    suite.wait_log(&[&id, ": from=<>, status=expired, returned to sender"]);
    suite.wait_log(&[&id, ": removed"]);
    assert!(!suite.log().contains("notification: "), "{}", suite.log_end());
    assert!(suite.queue_file("deferred", &kept).is_some() || suite.queue_file("active", &kept).is_some());
    suite.stop();
}

#[test]
fn the_sender_is_told_of_a_delay_once() {
    let suite = builder("delay_warning_time = 3s\nmaximal_queue_lifetime = 12s").start();
    let id = suite.send("user@example.com", &["later@lists.example"], LETTER);
    suite.wait_log(&[&id, ": sender delay notification: "]);
    let report = suite.wait_messages("user/", 1).remove(0);
    assert!(report.has_line("Action: delayed"), "{}", report.text);
    suite.wait_log(&[&id, ": removed"]);
    assert_eq!(suite.log().matches(": sender delay notification: ").count(), 1);
    suite.wait_messages("user/", 2);
    suite.stop();
}

#[test]
fn a_deferred_file_bears_the_time_of_the_next_attempt() {
    let suite = builder("minimal_backoff_time = 1000s\nmaximal_backoff_time = 4000s").start();
    let before = now();
    let id = suite.send("user@example.com", &["later@lists.example"], LETTER);
    let first = due(&suite, &id);
    assert!((before + 1000..=now() + 1000).contains(&first), "{first}");
    // A flush makes it due at once, and puts it off anew.
    suite.until("a new time stamp", || {
        suite.run("postqueue", &["-i", &id]);
        (suite.queue_file("deferred", &id).is_some() && due(&suite, &id) > first).then_some(())
    });
    let second = due(&suite, &id);
    suite.run("postqueue", &["-f"]);
    suite.until("another attempt", || (attempts(&suite, &id).len() >= 3).then_some(()));
    assert!(second <= due(&suite, &id));
    // An old message waits longer: as long as it is old.
    let path = suite.until("rest", || suite.queue_file("deferred", &id));
    let old = SystemTime::now() + Duration::from_secs(3000);
    fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    suite.run("postqueue", &["-f"]);
    suite.until("one more attempt", || (attempts(&suite, &id).len() >= 4).then_some(()));
    suite.stop();
}

#[test]
fn a_site_that_is_asked_for_is_tried_at_once() {
    let suite = builder("minimal_backoff_time = 1000s\nmaximal_backoff_time = 4000s").start();
    let later = suite.send("user@example.com", &["later@lists.example"], LETTER);
    let other = suite.send("user@example.com", &["deferred@lists.example"], LETTER);
    due(&suite, &later);
    due(&suite, &other);
    suite.until("another attempt", || {
        suite.run("postqueue", &["-s", "later.example"]);
        (attempts(&suite, &later).len() >= 2).then_some(())
    });
    assert_eq!(attempts(&suite, &other).len(), 1);
    suite.stop();
}

#[test]
fn a_transport_that_is_not_there_is_asked_for_now_and_then() {
    let suite = builder("transport_retry_time = 4s").start();
    let id = suite.send("user@example.com", &["missing@lists.example"], LETTER);
    suite.wait_log(&["warning: connect to transport private/missing: No such file or directory"]);
    let other = suite.send("user@example.com", &["missing@lists.example"], LETTER);
    for (id, to) in [(&id, "a@missing.example"), (&id, "b@missing.example"), (&other, "a@missing.example")] {
        suite.wait_log(&[
            &format!("{id}: to=<{to}>, orig_to=<missing@lists.example>, relay=none"),
            "dsn=4.3.0, status=deferred (mail transport unavailable)",
        ]);
    }
    // It is asked for again when its time has come, and found once it is there.
    suite.until("another attempt to connect", || {
        (suite.log().matches("connect to transport private/missing").count() >= 2).then_some(())
    });
    assert!(attempts(&suite, &id).len() > 2, "{}", suite.log());
    let path = suite.config().join("master.cf");
    let master = fs::read_to_string(&path).unwrap();
    fs::write(&path, master + "missing unix - - n - - discard\n").unwrap();
    suite.reload();
    for id in [&id, &other] {
        suite.wait_log(&[id, "to=<a@missing.example>", "status=sent (missing.example)"]);
        suite.wait_log(&[id, ": removed"]);
    }
    suite.stop();
}

#[test]
fn a_transport_that_is_put_off_waits_until_it_is_not() {
    let suite = builder("").start();
    let id = suite.send("user@example.com", &["deferred@lists.example"], LETTER);
    suite.wait_log(&[
        &id,
        "to=<a@deferred.example>",
        "relay=none",
        "dsn=4.3.2, status=deferred (deferred transport)",
    ]);
    suite.append_main("defer_transports =");
    suite.reload();
    suite.run("postqueue", &["-f"]);
    suite.wait_log(&[&id, "to=<a@deferred.example>", "status=sent (deferred.example)"]);
    suite.wait_log(&[&id, ": removed"]);
    suite.stop();
}

#[test]
fn a_destination_that_fills_the_active_queue_is_named() {
    // Nobody answers on this transport: what goes there stays active.
    let suite = builder(
        "relay_domains = slow.example other.example\n\
         transport_maps = inline:{{slow.example = slow:}, {other.example = slow:}}\n\
         qmgr_message_active_limit = 20\n\
         slow_destination_concurrency_limit = 10\n\
         slow_initial_destination_concurrency = 10",
    )
    .start();
    let silent = std::os::unix::net::UnixListener::bind(suite.queue().join("private/slow")).unwrap();
    open_to_all(&suite.queue().join("private/slow"));
    (0..5).for_each(|_| drop(suite.send("user@example.com", &["a@slow.example"], LETTER)));
    let first = ["warning: mail for slow.example is using up 5 of 5 active queue entries"];
    suite.wait_log(&first);
    for line in [
        "warning: you may need to reduce slow connect and helo timeouts",
        "warning: so that Postfix quickly skips unavailable hosts",
        "warning: you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time",
        "warning: so that Postfix wastes less time on undeliverable mail",
        "warning: you may need to increase the master.cf slow process limit",
        "warning: please avoid flushing the whole queue when you have",
        "warning: lots of deferred mail, that is bad for performance",
        "warning: to turn off these warnings specify: qmgr_clog_warn_time = 0",
    ] {
        suite.wait_log(&[line]);
    }
    drop(silent);
    suite.stop();
}

fn open_to_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
}
