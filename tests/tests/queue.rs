//! What an administrator does to messages in the queue.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tests::{Builder, Suite};

/// A suite in which mail for mailboxes waits.
fn that_waits() -> Suite {
    Builder::new().example_com().main("defer_transports = virtual").start()
}

/// The id of a message that waits in `deferred/`.
fn waiting(suite: &Suite, recipients: &[&str]) -> String {
    let id = suite.send("s@x.example", recipients, "Subject: waits\n\nx\n");
    suite.until("the message in deferred/", || suite.queue_file("deferred", &id));
    id
}

/// Crosses the recipients off whose addresses begin so, as agents do.
fn cross_off(suite: &Suite, id: &str, begin: &str) {
    let path = suite.queue_file("deferred", id).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<usize> =
        (2..bytes.len()).filter(|at| bytes[*at..].starts_with(begin.as_bytes())).collect();
    for at in places {
        if bytes[at - 2] == b'R' {
            bytes[at - 2] = b'D';
        }
    }
    // In place: the file's number is its name. Its time says when it is due, and is not to be now.
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let due = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.set_modified(due).unwrap();
}

#[test]
fn a_message_that_everybody_has_got_meanwhile_is_not_queued_anew() {
    if !sys::ids::is_root() {
        return testkit::left_out("postsuper is for the superuser");
    }
    let suite = that_waits();
    let id = waiting(&suite, &["user@example.com"]);
    cross_off(&suite, &id, "user@");
    suite.run("postsuper", &["-r", &id]);
    suite.run("postkick", &["public", "pickup", "W"]);
    suite.until("an empty maildrop", || suite.queue_file("maildrop", &id).is_none().then_some(()));
    for folder in ["corrupt", "incoming", "active", "deferred"] {
        assert_eq!(files_below(&suite.queue().join(folder)), [""; 0], "{folder}\n{}", suite.log_end());
    }
    suite.stop();
}

#[test]
fn those_who_have_got_it_are_left_out_when_a_message_is_queued_anew() {
    if !sys::ids::is_root() {
        return testkit::left_out("postsuper is for the superuser");
    }
    let suite = that_waits();
    let id = waiting(&suite, &["user@example.com", "other@example.com"]);
    cross_off(&suite, &id, "user@");
    suite.append_main("defer_transports =");
    suite.reload();
    suite.run("postsuper", &["-r", &id]);
    suite.run("postkick", &["public", "pickup", "W"]);
    suite.wait_log(&[&format!("orig_id={id}")]);
    suite.wait_messages("other/", 1);
    suite.wait_messages("user/", 0);
    suite.stop();
}

/// The names of all files there.
fn files_below(path: &Path) -> Vec<String> {
    let entries: Vec<_> = fs::read_dir(path).unwrap().flatten().collect();
    let below = |entry: &fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => files_below(&entry.path()),
        false => vec![entry.file_name().to_str().unwrap().to_owned()],
    };
    entries.iter().flat_map(below).collect()
}
