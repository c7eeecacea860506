//! Many clients at once.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use tests::{Client, Suite};

use crate::site;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Clients at a time.
    pub(crate) connections: u32,
    /// Messages in one session.
    pub(crate) per_session: u32,
    /// Recipients of one message.
    pub(crate) recipients: u32,
    /// Messages in all.
    pub(crate) messages: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// From the first connection to the last delivery.
    pub(crate) elapsed: Duration,
}

/// Size of a message in bytes.
const MESSAGE_BYTES: usize = 4096;

/// Sends the load and waits until all of it lies in mailboxes.
pub(crate) fn run(suite: &Suite, load: Load) -> Outcome {
    let before = deliveries(&suite.log());
    let content = content();
    let next = AtomicU32::new(0);
    let begin = SystemTime::now();
    thread::scope(|scope| {
        for _ in 0..load.connections {
            scope.spawn(|| client(suite.port(), load, &next, &content));
        }
    });
    let expected = before + (load.messages * load.recipients) as usize;
    suite.until("all deliveries", || (deliveries(&suite.log()) >= expected).then_some(()));
    let end = newest(&suite.root().join("mail"));
    Outcome { elapsed: end.duration_since(begin).unwrap_or_default() }
}

/// One client after the other, until all messages are taken.
fn client(port: u16, load: Load, next: &AtomicU32, content: &str) {
    loop {
        let first = next.fetch_add(load.per_session, Ordering::Relaxed);
        if first >= load.messages {
            return;
        }
        let mut client = Client::connect(port);
        client.ehlo();
        for number in first..load.messages.min(first + load.per_session) {
            let addresses: Vec<String> =
                (0..load.recipients).map(|index| site::address(number * load.recipients + index)).collect();
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            client.send("sender@client.example", &addresses, content);
        }
        client.quit();
    }
}

fn content() -> String {
    let mut content = String::from("From: sender@client.example\nTo: user@example.com\nSubject: load\n\n");
    while content.len() < MESSAGE_BYTES - 64 {
        content += "The quick brown fox jumps over the lazy dog, again and again.\n";
    }
    content
}

fn deliveries(log: &str) -> usize {
    log.matches("status=sent").count()
}

/// When the last mailbox changed.
fn newest(mail: &Path) -> SystemTime {
    let changed = |path: &Path| fs::metadata(path).map(|facts| (facts.ctime(), facts.ctime_nsec())).ok();
    let mut latest = (0, 0);
    for mailbox in fs::read_dir(mail).expect("mailboxes").flatten() {
        let path = mailbox.path();
        let inside = fs::read_dir(path.join("new")).into_iter().flatten().flatten().map(|entry| entry.path());
        latest = inside.chain([path.clone()]).filter_map(|path| changed(&path)).fold(latest, Ord::max);
    }
    let seconds = u64::try_from(latest.0).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::new(seconds, u32::try_from(latest.1).unwrap_or(0))
}
