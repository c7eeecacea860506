//! What is measured.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use tests::Suite;
use tests::programs::Programs;

use crate::load::{self, Load};
use crate::site::{self, Owners};
use crate::{cost, idle, readers, spam};

/// One row of the table.
pub(crate) struct Figure {
    /// What it is.
    pub(crate) name: &'static str,
    /// In what.
    pub(crate) unit: &'static str,
    /// Is more better?
    pub(crate) more_is_better: bool,
    /// Brings a suite up, measures, takes it down.
    pub(crate) measure: fn(Programs) -> f64,
}

const ONE_EACH: Load = Load { connections: 20, per_session: 1, recipients: 1, messages: 4000 };
const MANY_CONNECTIONS: Load = Load { connections: 100, ..ONE_EACH };
const LONG_SESSIONS: Load = Load { per_session: 50, ..ONE_EACH };
const FIFTY_RECIPIENTS: Load = Load { recipients: 50, messages: 200, ..ONE_EACH };
const TRACED: Load = Load { connections: 1, per_session: 200, recipients: 1, messages: 200 };
const IDLE_SESSIONS: usize = 10_000;
const DEFERRED_MESSAGES: u32 = 100_000;

/// In the order of the table.
pub(crate) const ALL: &[Figure] = &[
    Figure {
        name: "messages/s, 20 connections",
        unit: "1/s",
        more_is_better: true,
        measure: |p| rate(p, ONE_EACH, Owners::One),
    },
    Figure {
        name: "messages/s, 100 connections",
        unit: "1/s",
        more_is_better: true,
        measure: |p| rate(p, MANY_CONNECTIONS, Owners::One),
    },
    Figure {
        name: "messages/s, 20 connections, 50 messages on each",
        unit: "1/s",
        more_is_better: true,
        measure: |p| rate(p, LONG_SESSIONS, Owners::One),
    },
    Figure {
        name: "messages/s, 20 connections, a uid for each of 500 users",
        unit: "1/s",
        more_is_better: true,
        measure: |p| rate(p, ONE_EACH, Owners::Each),
    },
    Figure { name: "processor time per message", unit: "ms", more_is_better: false, measure: processor_time },
    Figure {
        name: "mailbox copies/s, 50 recipients, 20 connections",
        unit: "1/s",
        more_is_better: true,
        measure: |p| rate(p, FIFTY_RECIPIENTS, Owners::One),
    },
    Figure { name: "system calls per message", unit: "calls", more_is_better: false, measure: system_calls },
    Figure {
        name: "10,000 idle sessions: greeted",
        unit: "sessions",
        more_is_better: true,
        measure: idle_greeted,
    },
    Figure {
        name: "10,000 idle sessions: memory of the suite",
        unit: "MB",
        more_is_better: false,
        measure: idle_memory,
    },
    Figure {
        name: "10,000 idle sessions: greeting of a new client, p99",
        unit: "ms",
        more_is_better: false,
        measure: idle_latency,
    },
    Figure { name: "cold start to first greeting", unit: "ms", more_is_better: false, measure: cold_start },
    Figure { name: "mailq with 100,000 deferred", unit: "s", more_is_better: false, measure: mailq },
    Figure {
        name: "IMAP login, SELECT, LOGOUT, 8 connections",
        unit: "1/s",
        more_is_better: true,
        measure: readers::logins,
    },
    Figure {
        name: "IMAP SELECT, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: readers::select,
    },
    Figure {
        name: "IMAP FETCH of UID and FLAGS, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "FETCH 1:* (UID FLAGS)"),
    },
    Figure {
        name: "IMAP FETCH of FLAGS to ENVELOPE, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE)"),
    },
    Figure {
        name: "IMAP FETCH of BODYSTRUCTURE, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "FETCH 1:* (BODYSTRUCTURE)"),
    },
    Figure {
        name: "IMAP SEARCH BODY of a word that is nowhere, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "SEARCH BODY zebrafish"),
    },
    Figure {
        name: "IMAP SORT DATE, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "SORT (REVERSE DATE) UTF-8 ALL"),
    },
    Figure {
        name: "IMAP THREAD REFERENCES, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::warm(p, "THREAD REFERENCES UTF-8 ALL"),
    },
    Figure {
        name: "IMAP BODY[] of 2,000 messages of 64 KB",
        unit: "MB/s",
        more_is_better: true,
        measure: readers::whole,
    },
    Figure {
        name: "IMAP STORE of a flag, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::changing(p, "NOOP", "STORE 1:* +FLAGS (\\Flagged)"),
    },
    Figure {
        name: "IMAP COPY, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::changing(p, "NOOP", "COPY 1:* other"),
    },
    Figure {
        name: "IMAP MOVE, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::changing(p, "NOOP", "MOVE 1:* other"),
    },
    Figure {
        name: "IMAP EXPUNGE, 10,000 messages",
        unit: "ms",
        more_is_better: false,
        measure: |p| readers::changing(p, "STORE 1:* +FLAGS.SILENT (\\Deleted)", "EXPUNGE"),
    },
    Figure {
        name: "IMAP APPEND of 5 KB, 8 connections to one mailbox",
        unit: "1/s",
        more_is_better: true,
        measure: readers::appends,
    },
    Figure {
        name: "IMAP memory of an idle session, 1,000 sessions",
        unit: "KB",
        more_is_better: false,
        measure: readers::idle_memory,
    },
    Figure {
        name: "IMAP file in new/ to EXISTS, 100 idle sessions, p99",
        unit: "ms",
        more_is_better: false,
        measure: readers::push,
    },
    Figure {
        name: "IMAP memory of a parked session, 1,000 sessions, a uid each",
        unit: "KB",
        more_is_better: false,
        measure: readers::parked_memory,
    },
    Figure {
        name: "IMAP file in new/ to EXISTS, 1,000 parked sessions, a uid each, p99",
        unit: "ms",
        more_is_better: false,
        measure: readers::parked_push,
    },
    Figure {
        name: "POP3 RETR of 2,000 messages of 5 KB, in turn",
        unit: "1/s",
        more_is_better: true,
        measure: |p| readers::fetches(p, false),
    },
    Figure {
        name: "POP3 RETR of 2,000 messages of 5 KB, 50 at once",
        unit: "1/s",
        more_is_better: true,
        measure: |p| readers::fetches(p, true),
    },
    Figure {
        name: "spam scan: messages/s, 2 workers",
        unit: "1/s",
        more_is_better: true,
        measure: spam::rate,
    },
    Figure {
        name: "spam scan: processor time per message",
        unit: "ms",
        more_is_better: false,
        measure: |p| spam::processor_time(p, false),
    },
    Figure {
        name: "spam bayes: processor time per message",
        unit: "ms",
        more_is_better: false,
        measure: |p| spam::processor_time(p, true),
    },
    Figure {
        name: "spam latency at half load, p99",
        unit: "ms",
        more_is_better: false,
        measure: spam::latency,
    },
    Figure { name: "spam memory, 2 workers", unit: "MB", more_is_better: false, measure: spam::memory },
    Figure { name: "spam start to first answer", unit: "ms", more_is_better: false, measure: spam::start },
];

/// Mailbox copies a second, from the first connection to the last delivery.
fn rate(programs: Programs, load: Load, owners: Owners) -> f64 {
    let suite = site::start(programs, owners, "");
    let outcome = load::run(&suite, load);
    site::retire(suite);
    f64::from(load.messages * load.recipients) / outcome.elapsed.as_secs_f64()
}

fn processor_time(programs: Programs) -> f64 {
    let suite = site::start(programs, Owners::One, "");
    let before = cost::processor_seconds(&suite);
    load::run(&suite, ONE_EACH);
    let spent = cost::processor_seconds(&suite) - before;
    site::retire(suite);
    spent * 1000.0 / f64::from(ONE_EACH.messages)
}

fn system_calls(programs: Programs) -> f64 {
    let suite = site::start(programs, Owners::One, "");
    load::run(&suite, TRACED);
    let calls = cost::system_calls(&suite, || {
        load::run(&suite, TRACED);
    });
    site::retire(suite);
    calls / f64::from(TRACED.messages)
}

fn with_idle_sessions(programs: Programs, measure: impl FnOnce(&Suite, usize) -> f64) -> f64 {
    let suite =
        site::start(programs, Owners::One, "smtpd_timeout = 300s\nsmtpd_client_connection_count_limit = 0");
    let sessions = idle::open(&suite, IDLE_SESSIONS);
    let value = measure(&suite, sessions.len());
    drop(sessions);
    site::retire(suite);
    value
}

fn idle_greeted(programs: Programs) -> f64 {
    with_idle_sessions(programs, |_, greeted| greeted as f64)
}

fn idle_memory(programs: Programs) -> f64 {
    with_idle_sessions(programs, |suite, _| cost::memory_bytes(suite) / 1e6)
}

fn idle_latency(programs: Programs) -> f64 {
    with_idle_sessions(programs, |suite, _| idle::greeting_p99(suite, 100) * 1000.0)
}

fn cold_start(programs: Programs) -> f64 {
    let suite = site::builder(programs, Owners::One, "").write();
    let seconds = idle::cold_start(&suite);
    site::retire(suite);
    seconds * 1000.0
}

fn mailq(programs: Programs) -> f64 {
    let suite = site::up(
        programs,
        Owners::One,
        "defer_transports = virtual\nqueue_run_delay = 1d\nminimal_backoff_time = 1d\nmaximal_backoff_time = 1d",
    );
    let id = suite.send("s@x.example", &[&site::address(2)], "Subject: waits\n\nx\n");
    suite.until("a deferred message", || {
        suite.run("postqueue", &["-p"]).contains("deferred transport").then_some(())
    });
    suite.stop();
    fill_queue(&suite, &id);
    suite.start();
    // What mailq(1) is a name for. The first time is not counted: the queue manager looks through the queue meanwhile.
    suite.run("postqueue", &["-p"]);
    let begin = Instant::now();
    let listing = suite.run("postqueue", &["-p"]);
    let seconds = begin.elapsed().as_secs_f64();
    assert!(
        listing.contains(&format!("in {} Requests.", DEFERRED_MESSAGES + 1)),
        "{}",
        &listing[listing.len().saturating_sub(200)..]
    );
    site::retire(suite);
    seconds
}

/// Fills the queue with copies of one deferred message. An id tells the inode of its file, or the original would rename
/// them all when it starts.
fn fill_queue(suite: &Suite, id: &str) {
    let original = |folder: &str| suite.queue().join(folder).join(&id[..1]).join(id);
    let (message, log) = (original("deferred"), original("defer"));
    for number in 0..DEFERRED_MESSAGES {
        let fresh = suite.queue().join("deferred/copy");
        copy(&message, &fresh);
        let inode = fs::metadata(&fresh).expect("stat").ino();
        let name = format!("{number:05X}{inode:X}");
        let place = |folder: &str| {
            let hashed = suite.queue().join(folder).join(&name[..1]);
            if fs::create_dir(&hashed).is_ok() {
                chown_like(&message, &hashed);
            }
            hashed.join(&name)
        };
        fs::rename(&fresh, place("deferred")).expect("rename");
        copy(&log, &place("defer"));
    }
}

fn copy(original: &Path, copy: &Path) {
    fs::copy(original, copy).expect("copy");
    chown_like(original, copy);
    let modified = fs::metadata(original).and_then(|facts| facts.modified()).expect("stat");
    fs::File::open(copy).and_then(|file| file.set_modified(modified)).expect("utime");
}

fn chown_like(original: &Path, path: &Path) {
    let facts = fs::metadata(original).expect("stat");
    std::os::unix::fs::chown(path, Some(facts.uid()), None).expect("chown");
}
