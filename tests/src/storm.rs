//! Mail that comes in without a pause while something is done to the suite, again and again: who was promised what, and
//! what lies in the mailboxes in the end.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::client::{Client, queue_id};
use crate::mail::Message;
use crate::suite::Suite;

/// The last line of every message: a copy without it is torn.
const LAST_LINE: &str = "the last line";
/// The mailboxes of [`crate::Builder::example_com`] that get mail, and their addresses: Maildirs and an mbox file.
const MAILBOXES: [(&str, &str); 3] =
    [("user@example.com", "user/"), ("mbox@example.com", "mbox"), ("other@example.com", "other/")];
/// Numbers that one sender may use.
const NUMBERS_PER_SENDER: u32 = 1_000_000;

/// How hard it blows.
#[derive(Debug, Clone, Copy)]
pub struct Force {
    /// Clients that send at the same time.
    pub senders: u32,
    /// Messages in one session at most; 0 for no limit.
    pub messages_per_session: u32,
    /// How often something is done to the suite.
    pub blows: u32,
    /// Messages that are accepted between two blows.
    pub messages_between: u32,
}

/// A message that was answered with 250.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its subject.
    pub number: u32,
    /// Its queue id.
    pub id: String,
}

/// A message's number, and the mailbox where a copy of it belongs.
type CopyKey = (u32, &'static str);

/// What is found in the mailboxes.
#[derive(Debug, Default)]
pub struct Copies {
    whole: BTreeMap<CopyKey, usize>,
    /// Messages cut off in the mbox file. In a Maildir there are none.
    pub torn: usize,
}

struct Storm<'a> {
    suite: &'a Suite,
    force: Force,
    accepted: AtomicU32,
    latest: Mutex<String>,
    over: AtomicBool,
}

/// The senders end when this value goes, also when a blow has failed.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has mail sent, and calls `blow` with its number and the id of a message just accepted, whenever some more messages
/// have been accepted.
pub fn play(suite: &Suite, force: Force, mut blow: impl FnMut(u32, &str)) -> Vec<Accepted> {
    let storm = Storm {
        suite,
        force,
        accepted: AtomicU32::new(0),
        latest: Mutex::default(),
        over: AtomicBool::new(false),
    };
    let storm = &storm;
    thread::scope(|scope| {
        let senders: Vec<_> =
            (1..=force.senders).map(|sender| scope.spawn(move || storm.send(sender))).collect();
        {
            let _end = End(&storm.over);
            for number in 0..force.blows {
                let latest = storm.wait_for_more();
                blow(number, &latest);
            }
            storm.wait_for_more();
        }
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    })
}

impl Storm<'_> {
    /// Sends numbered messages until the storm is over; what was accepted.
    fn send(&self, sender: u32) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        let mut number = sender * NUMBERS_PER_SENDER;
        while !self.over.load(Ordering::Relaxed) {
            if let Some(session) = greet(self.suite) {
                self.send_in(session, &mut number, &mut accepted);
            }
            thread::yield_now();
        }
        accepted
    }

    fn send_in(&self, mut session: Client, number: &mut u32, accepted: &mut Vec<Accepted>) {
        let limit = match self.force.messages_per_session {
            0 => u32::MAX,
            limit => limit,
        };
        for _ in 0..limit {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            *number += 1;
            let recipients: Vec<&str> = copies_of(*number).map(|(address, _)| address).collect();
            match session.try_send("s@x.example", &recipients, &letter(*number)) {
                Ok(reply) if reply.code == 250 => {
                    let id = queue_id(&reply);
                    self.latest.lock().unwrap().clone_from(&id);
                    accepted.push(Accepted { number: *number, id });
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                }
                // Whatever it was, the next session begins from the beginning.
                _ => return,
            }
        }
    }

    /// The id of one of them.
    fn wait_for_more(&self) -> String {
        let before = self.accepted.load(Ordering::Relaxed);
        self.suite.until("more messages", || {
            (self.accepted.load(Ordering::Relaxed) - before >= self.force.messages_between).then_some(())
        });
        self.latest.lock().unwrap().clone()
    }
}

fn greet(suite: &Suite) -> Option<Client> {
    let mut session = Client::try_connect(suite.port()).ok()?;
    session.try_say("EHLO client.test.example").ok().filter(|reply| reply.code == 250)?;
    Some(session)
}

/// Where the copies of a message belong: one mailbox each in turn, then all of them.
fn copies_of(number: u32) -> impl Iterator<Item = (&'static str, &'static str)> {
    let turn = number as usize % (MAILBOXES.len() + 1);
    MAILBOXES
        .into_iter()
        .enumerate()
        .filter(move |(place, _)| turn == MAILBOXES.len() || turn == *place)
        .map(|(_, mailbox)| mailbox)
}

fn letter(number: u32) -> String {
    let filling = "filling filling filling filling filling\n".repeat(20);
    format!("Subject: {number}\n\n{filling}{LAST_LINE}\n")
}

/// Waits until every copy that was promised is there and the queue is empty; `may_miss` names messages that somebody
/// removed from the queue.
pub fn settle(suite: &Suite, accepted: &[Accepted], may_miss: impl Fn(&Accepted) -> bool) -> Copies {
    let promised: Vec<CopyKey> =
        accepted.iter().filter(|message| !may_miss(message)).flat_map(promised).collect();
    suite.run("postqueue", &["-f"]);
    suite.until("an empty queue", || {
        let empty = suite.run("postqueue", &["-p"]).contains("Mail queue is empty");
        if !empty {
            suite.run("postqueue", &["-f"]);
        }
        empty.then_some(())
    });
    let copies = copies(suite);
    let missing: Vec<_> = promised.iter().filter(|key| !copies.whole.contains_key(key)).collect();
    assert!(missing.is_empty(), "lost: {missing:?}\n{}", suite.log_end());
    for folder in ["corrupt", "hold"] {
        let left = std::fs::read_dir(suite.queue().join(folder)).unwrap().count();
        assert_eq!(left, 0, "left in {folder}\n{}", suite.log_end());
    }
    copies
}

fn promised(message: &Accepted) -> impl Iterator<Item = CopyKey> + use<> {
    let number = message.number;
    copies_of(number).map(move |(_, mailbox)| (number, mailbox))
}

impl Copies {
    /// How many there are beyond one each.
    pub fn extra(&self) -> usize {
        self.whole.values().map(|count| count - 1).sum()
    }
}

/// What is there now. Nobody finds a copy where it does not belong, nor one cut off in a Maildir.
fn copies(suite: &Suite) -> Copies {
    let mut copies = Copies::default();
    for (_, mailbox) in MAILBOXES {
        let (whole, torn): (Vec<_>, Vec<_>) = suite.messages(mailbox).into_iter().partition(is_whole);
        assert!(torn.is_empty() || !mailbox.ends_with('/'), "torn in {mailbox}: {torn:?}");
        copies.torn += torn.len();
        for message in whole {
            let number = message.header("Subject").unwrap().parse().unwrap();
            assert!(copies_of(number).any(|(_, own)| own == mailbox), "{number} in {mailbox}");
            *copies.whole.entry((number, mailbox)).or_insert(0) += 1;
        }
    }
    copies
}

fn is_whole(message: &Message) -> bool {
    message.body().trim_end().lines().last() == Some(LAST_LINE)
}

/// A number below `count` that looks random and is the same in every run.
pub fn pick(turn: u32, count: usize) -> usize {
    (turn.wrapping_mul(2_654_435_761) >> 16) as usize % count
}
