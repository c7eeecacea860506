//! THREAD=ORDEREDSUBJECT (RFC 5256 §3): one base subject is one thread, all answers on one level.

use std::collections::HashMap;

use crate::thread::{Node, ThreadFacts, Threads};

pub(crate) fn thread(facts: &[ThreadFacts]) -> Threads {
    let mut places: Vec<usize> = (0..facts.len()).collect();
    places.sort_by_key(|place| facts[*place].date);
    let mut threads = Threads::default();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for place in places {
        let node = threads.nodes.len();
        threads.nodes.push(Node { message: Some(place), replies: Vec::new() });
        match known.get(facts[place].subject.as_str()) {
            Some(first) => threads.nodes[*first].replies.push(node),
            None => {
                known.insert(&facts[place].subject, node);
                threads.roots.push(node);
            }
        }
    }
    threads
}
