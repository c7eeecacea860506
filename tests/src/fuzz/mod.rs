//! What each parser promises for any input whatever.
//!
//! A target takes bytes and panics when a promise is broken. The folder `fuzz/` makes inputs up, without end;
//! `tests/fuzz_seeds.rs` runs every target over its seeds, so that the targets themselves stay in order. Seeds are
//! made from what the project has: transcripts, example configurations, recorded queue files.

mod address;
mod attributes;
mod cleanup;
mod dialogue;
mod dkim;
mod dovecot_auth;
mod imap;
mod main_cf;
mod master_cf;
mod message;
mod milter;
mod mime;
mod notifications;
mod passwords;
mod pop3;
mod queue_file;
mod sasl;
mod smtp;
mod spam_rules;
mod spamc;
mod spf;
mod table_source;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::source::root;

/// A parser under test.
pub struct Target {
    /// The name of its file here and in `fuzz/fuzz_targets/`.
    pub name: &'static str,
    /// Takes any bytes; panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 21] = [
    Target { name: "address", run: address::run, seeds: address::seeds },
    Target { name: "attributes", run: attributes::run, seeds: attributes::seeds },
    Target { name: "cleanup", run: cleanup::run, seeds: cleanup::seeds },
    Target { name: "dkim", run: dkim::run, seeds: dkim::seeds },
    Target { name: "dovecot_auth", run: dovecot_auth::run, seeds: dovecot_auth::seeds },
    Target { name: "imap", run: imap::run, seeds: imap::seeds },
    Target { name: "main_cf", run: main_cf::run, seeds: main_cf::seeds },
    Target { name: "master_cf", run: master_cf::run, seeds: master_cf::seeds },
    Target { name: "message", run: message::run, seeds: message::seeds },
    Target { name: "milter", run: milter::run, seeds: milter::seeds },
    Target { name: "mime", run: mime::run, seeds: mime::seeds },
    Target { name: "notifications", run: notifications::run, seeds: notifications::seeds },
    Target { name: "passwords", run: passwords::run, seeds: passwords::seeds },
    Target { name: "pop3", run: pop3::run, seeds: pop3::seeds },
    Target { name: "queue_file", run: queue_file::run, seeds: queue_file::seeds },
    Target { name: "sasl", run: sasl::run, seeds: sasl::seeds },
    Target { name: "smtp", run: smtp::run, seeds: smtp::seeds },
    Target { name: "spam_rules", run: spam_rules::run, seeds: spam_rules::seeds },
    Target { name: "spamc", run: spamc::run, seeds: spamc::seeds },
    Target { name: "spf", run: spf::run, seeds: spf::seeds },
    Target { name: "table_source", run: table_source::run, seeds: table_source::seeds },
];

/// The processor time that one input may take.
const TIME_LIMIT: Duration = Duration::from_millis(100);

/// Runs the target of this name; for the programs in `fuzz/`.
///
/// # Panics
/// When there is none, when a promise is broken, and when the input takes more than [`TIME_LIMIT`]. What seemed slow on
/// a busy machine is run again, and measured.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of fuzz/");
    let started = Instant::now();
    (target.run)(input);
    if started.elapsed() < TIME_LIMIT {
        return;
    }
    let before = processor_time();
    (target.run)(input);
    let used = processor_time() - before;
    assert!(used < TIME_LIMIT, "{used:?} for {} bytes", input.len());
}

/// What this thread has used so far (proc(5), `schedstat`).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("proc is mounted");
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number comes first"))
}

/// The contents of all files in a folder of the tree, in the order of their names.
fn files_in(folder: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder of the tree");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file of the tree")).collect()
}

/// A file of the tree.
fn file(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).expect("a file of the tree")
}

/// Splits the first `N` bytes off: settings for the target, zeros where the input has no more.
fn head<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let (head, rest) = input.split_at(input.len().min(N));
    let mut settings = [0; N];
    settings[..head.len()].copy_from_slice(head);
    (settings, rest)
}
