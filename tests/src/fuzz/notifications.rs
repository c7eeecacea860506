//! Logs of deliveries that failed, and templates of reports.

use notifications::{LogEntry, read_log};

/// What is read from a log is the same when it is written and read again.
pub(super) fn run(input: &[u8]) {
    for deferred in [false, true] {
        let entries = read_log(input, deferred);
        assert!(entries.len() <= input.len());
        let mut written = String::new();
        entries.iter().for_each(|entry| entry.encode(&mut written));
        assert_eq!(read_log(written.as_bytes(), deferred), entries);
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut written = String::new();
    let entry = LogEntry { recipient: "a@b".to_owned(), status: "5.1.1".to_owned(), ..LogEntry::default() };
    entry.encode(&mut written);
    vec![written.into_bytes(), b"recipient=a\nreason=x\n\n<a@b>: said: no\n".to_vec()]
}
