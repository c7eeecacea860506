//! Processes that die at any moment: what was answered with 250 arrives, whole.
#![allow(clippy::unwrap_used)]

use tests::storm::{self, Force};
use tests::{Builder, Suite, processes};

/// How often something is killed, while how many messages come in.
const FORCE: Force = Force { senders: 4, messages_per_session: 0, blows: 20, messages_between: 15 };

/// Kills what `choose` names, again and again.
fn storm(choose: impl Fn(u32, &[u32]) -> Vec<u32>) {
    let suite = Builder::new()
        .example_com()
        .main("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\nvirtual_mailbox_lock = fcntl")
        .start();
    let accepted = storm::play(&suite, FORCE, |turn, _| kill(&suite, &choose(turn, &suite.processes())));
    let copies = storm::settle(&suite, &accepted, |_| false);
    // A process that dies in the middle of a write leaves half a message in a mailbox file.
    assert!(copies.torn <= FORCE.blows as usize, "{} torn", copies.torn);
    println!("{} accepted, {} kills, {} extra copies", accepted.len(), FORCE.blows, copies.extra());
    suite.stop();
}

fn kill(suite: &Suite, victims: &[u32]) {
    let master = suite.master();
    victims.iter().copied().for_each(processes::kill);
    if victims.contains(&master) {
        // Those, too, that it had started a moment ago.
        processes::kill_all(suite.root());
        suite.start();
    }
}

#[test]
fn workers_that_die_lose_nothing() {
    storm(|turn, processes| {
        let workers: Vec<u32> =
            processes.iter().copied().filter(|pid| processes::program(*pid) != "master").collect();
        if workers.is_empty() { Vec::new() } else { vec![workers[storm::pick(turn, workers.len())]] }
    });
}

#[test]
fn a_suite_that_dies_whole_loses_nothing() {
    storm(|_, processes| processes.to_vec());
}
