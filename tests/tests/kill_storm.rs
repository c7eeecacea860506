//! Processes that die at any moment: what was answered with 250 arrives, whole.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tests::{Builder, Client, Message, Suite, processes};

/// How often something is killed.
const KILLS: u32 = 20;
/// How many messages are accepted between two kills.
const MESSAGES_PER_KILL: u32 = 15;
const SENDERS: u32 = 4;
/// The last line of every message: a copy without it is torn.
const LAST_LINE: &str = "the last line";

/// What the senders and the killer share.
#[derive(Default)]
struct Storm {
    accepted: AtomicU32,
    over: AtomicBool,
}

impl Storm {
    /// Sends numbered messages until the storm is over; returns the numbers that were answered with 250.
    fn send(&self, suite: &Suite, sender: u32) -> Vec<u32> {
        let mut accepted = Vec::new();
        let mut number = sender * 1_000_000;
        let mut client = None;
        while !self.over.load(Ordering::Relaxed) {
            let session = match client.take() {
                Some(session) => Some(session),
                None => greet(suite),
            };
            let Some(mut session) = session else {
                thread::yield_now();
                continue;
            };
            number += 1;
            if let Ok(reply) = session.try_send("s@x.example", mailbox_of(number).0, &letter(number)) {
                if reply.code == 250 {
                    accepted.push(number);
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                }
                client = Some(session);
            }
        }
        accepted
    }

    /// Kills what `choose` names, whenever some more messages have been accepted.
    fn kill(&self, suite: &Suite, choose: impl Fn(u32, &[u32]) -> Vec<u32>) {
        let _end = End(self);
        for kill in 0..KILLS {
            let before = self.accepted.load(Ordering::Relaxed);
            suite.until("more messages", || {
                (self.accepted.load(Ordering::Relaxed) - before >= MESSAGES_PER_KILL).then_some(())
            });
            let master = suite.master();
            let victims = choose(kill, &suite.processes());
            victims.iter().copied().for_each(processes::kill);
            if victims.contains(&master) {
                // Those, too, that it had started a moment ago.
                processes::kill_all(suite.root());
                suite.start();
            }
        }
    }
}

/// The senders end when this value goes, also when the killer has failed.
struct End<'a>(&'a Storm);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

fn greet(suite: &Suite) -> Option<Client> {
    let mut session = Client::try_connect(suite.port()).ok()?;
    session.try_say("EHLO client.test.example").ok().filter(|reply| reply.code == 250)?;
    Some(session)
}

/// Recipient and mailbox: Maildir and mailbox file in turn.
fn mailbox_of(number: u32) -> (&'static str, &'static str) {
    [("user@example.com", "user/"), ("mbox@example.com", "mbox"), ("other@example.com", "other/")]
        [number as usize % 3]
}

fn letter(number: u32) -> String {
    let filling = "filling filling filling filling filling\n".repeat(20);
    format!("Subject: {number}\n\n{filling}{LAST_LINE}\n")
}

/// Waits until every accepted message is there; checks that none is torn. Returns the number of extra copies.
fn check(suite: &Suite, accepted: &[u32]) -> usize {
    suite.run("postqueue", &["-f"]);
    let copies = suite.until("every accepted message", || {
        let copies = copies(suite);
        accepted.iter().all(|number| copies.contains_key(number)).then_some(copies)
    });
    suite.until("an empty queue", || {
        suite.run("postqueue", &["-p"]).contains("Mail queue is empty").then_some(())
    });
    copies.values().map(|count| count - 1).sum()
}

/// How many copies of each number there are, all of them whole. A process that dies in the middle of a write leaves half
/// a message in a mailbox file: not more of them than kills.
fn copies(suite: &Suite) -> BTreeMap<u32, usize> {
    let mut copies = BTreeMap::new();
    for mailbox in ["user/", "mbox", "other/"] {
        let (whole, torn): (Vec<_>, Vec<_>) = suite.messages(mailbox).into_iter().partition(is_whole);
        let torn_limit = if mailbox.ends_with('/') { 0 } else { KILLS as usize };
        assert!(torn.len() <= torn_limit, "torn in {mailbox}: {torn:?}");
        for message in whole {
            let number = message.header("Subject").unwrap().parse().unwrap();
            assert_eq!(mailbox_of(number).1, mailbox);
            *copies.entry(number).or_insert(0) += 1;
        }
    }
    copies
}

fn is_whole(message: &Message) -> bool {
    message.body().trim_end().lines().last() == Some(LAST_LINE)
}

fn storm(choose: impl Fn(u32, &[u32]) -> Vec<u32>) {
    let suite = Builder::new()
        .example_com()
        .main("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\nvirtual_mailbox_lock = fcntl")
        .start();
    let storm = Storm::default();
    let accepted = thread::scope(|scope| {
        let senders: Vec<_> = (1..=SENDERS)
            .map(|sender| {
                scope.spawn({
                    let (storm, suite) = (&storm, &suite);
                    move || storm.send(suite, sender)
                })
            })
            .collect();
        storm.kill(&suite, choose);
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect::<Vec<u32>>()
    });
    let extra = check(&suite, &accepted);
    println!("{} accepted, {KILLS} kills, {extra} extra copies", accepted.len());
    suite.stop();
}

/// A number that looks random and is the same in every run.
fn pick(kill: u32, count: usize) -> usize {
    (kill.wrapping_mul(2_654_435_761) >> 16) as usize % count
}

#[test]
fn workers_that_die_lose_nothing() {
    storm(|kill, processes| {
        let workers: Vec<u32> =
            processes.iter().copied().filter(|pid| processes::program(*pid) != "master").collect();
        if workers.is_empty() { Vec::new() } else { vec![workers[pick(kill, workers.len())]] }
    });
}

#[test]
fn a_suite_that_dies_whole_loses_nothing() {
    storm(|_, processes| processes.to_vec());
}
