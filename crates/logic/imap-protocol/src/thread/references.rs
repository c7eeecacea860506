//! THREAD=REFERENCES (RFC 5256 §3) and THREAD=REFS (draft-ietf-morg-inthread §3.2).

use std::collections::HashMap;

use crate::thread::{Node, ThreadFacts, Threads};

/// A message, or a place for one that is only referred to.
struct Container {
    message: Option<usize>,
    parent: Option<usize>,
}

struct Forest<'a> {
    facts: &'a [ThreadFacts],
    containers: Vec<Container>,
    by_id: HashMap<&'a [u8], usize>,
}

/// With `by_subject` threads of one subject are joined, and messages sorted by date (REFERENCES); else threads come in the
/// order of their newest message (REFS).
pub(crate) fn thread(facts: &[ThreadFacts], by_subject: bool) -> Threads {
    let mut forest = Forest { facts, containers: Vec::new(), by_id: HashMap::new() };
    for place in 0..facts.len() {
        forest.add(place);
    }
    let mut threads = forest.prune();
    if by_subject {
        threads = join_subjects(threads, facts);
    }
    sort(&mut threads, facts, by_subject);
    threads
}

impl<'a> Forest<'a> {
    /// RFC 5256 §3 REFERENCES (1): links a message to what it refers to.
    fn add(&mut self, place: usize) {
        let facts = &self.facts[place];
        let own = self.own_container(place);
        let mut before = None;
        for id in &facts.references {
            let container = self.container_of(id);
            if let Some(parent) = before
                && self.containers[container].parent.is_none()
                && !self.is_above(container, parent)
            {
                self.containers[container].parent = Some(parent);
            }
            before = Some(container);
        }
        // (1) B: the last reference is the parent, whatever was thought before.
        let parent = before.filter(|parent| !self.is_above(own, *parent));
        self.containers[own].parent = parent;
    }

    /// The first message with an id has it; another with the same one is as if it had none.
    fn own_container(&mut self, place: usize) -> usize {
        let facts: &'a ThreadFacts = &self.facts[place];
        if let Some(id) = &facts.message_id {
            let container = self.container_of(id);
            if self.containers[container].message.is_none() {
                self.containers[container].message = Some(place);
                return container;
            }
        }
        self.containers.push(Container { message: Some(place), parent: None });
        self.containers.len() - 1
    }

    fn container_of(&mut self, id: &'a [u8]) -> usize {
        let next = self.containers.len();
        let container = *self.by_id.entry(id).or_insert(next);
        if container == next {
            self.containers.push(Container { message: None, parent: None });
        }
        container
    }

    /// Is `above` the container itself, or above it? Links never make a circle, so this ends.
    fn is_above(&self, above: usize, container: usize) -> bool {
        let mut at = Some(container);
        while let Some(place) = at {
            if place == above {
                return true;
            }
            at = self.containers[place].parent;
        }
        false
    }

    /// (3): places without a message go, and their answers take their place; at the top only where there is but one.
    fn prune(self) -> Threads {
        let mut children: Vec<Vec<usize>> = self.containers.iter().map(|_| Vec::new()).collect();
        let mut roots = Vec::new();
        for (place, container) in self.containers.iter().enumerate() {
            match container.parent {
                Some(parent) => children[parent].push(place),
                None => roots.push(place),
            }
        }
        let mut threads = Threads { nodes: Vec::with_capacity(self.containers.len()), roots: Vec::new() };
        for container in &self.containers {
            threads.nodes.push(Node { message: container.message, replies: Vec::new() });
        }
        for place in 0..self.containers.len() {
            if self.containers[place].message.is_some() {
                threads.nodes[place].replies = self.live_below(&children, place);
            }
        }
        for root in roots {
            if self.containers[root].message.is_some() {
                threads.roots.push(root);
                continue;
            }
            let below = self.live_below(&children, root);
            match below.len() {
                0 => {}
                1 => threads.roots.push(below[0]),
                _ => {
                    threads.nodes[root].replies = below;
                    threads.roots.push(root);
                }
            }
        }
        threads
    }

    /// The nearest containers with a message below this one.
    fn live_below(&self, children: &[Vec<usize>], place: usize) -> Vec<usize> {
        let mut live = Vec::new();
        let mut pending: Vec<usize> = children[place].iter().rev().copied().collect();
        while let Some(next) = pending.pop() {
            if self.containers[next].message.is_some() {
                live.push(next);
            } else {
                pending.extend(children[next].iter().rev());
            }
        }
        live
    }
}

/// (5): threads with the same base subject become one.
fn join_subjects(mut threads: Threads, facts: &[ThreadFacts]) -> Threads {
    let first = |threads: &Threads, root: usize| {
        let node = &threads.nodes[root];
        node.message.or_else(|| {
            let messages = node.replies.iter().filter_map(|reply| threads.nodes[*reply].message);
            messages.min_by_key(|message| (facts[*message].date, *message))
        })
    };
    let mut by_date: Vec<usize> = std::mem::take(&mut threads.roots);
    by_date.sort_by_key(|root| first(&threads, *root).map(|message| (facts[message].date, message)));
    let mut table: HashMap<&str, usize> = HashMap::new();
    for root in &by_date {
        let Some(message) = first(&threads, *root) else { continue };
        let subject = facts[message].subject.as_str();
        if subject.is_empty() {
            continue;
        }
        // (5) B: a dummy, or one that is no answer, is the better head of the thread.
        let better = table.get(subject).is_none_or(|head| {
            let head_dummy = threads.nodes[*head].message.is_none();
            let dummy = threads.nodes[*root].message.is_none();
            let head_reply = first(&threads, *head).is_some_and(|message| facts[message].is_reply);
            (dummy && !head_dummy) || (!head_dummy && head_reply && !facts[message].is_reply)
        });
        if better {
            table.insert(subject, *root);
        }
    }
    let mut merged: Vec<usize> = Vec::new();
    let mut gone: HashMap<usize, usize> = HashMap::new();
    for root in by_date {
        let message = first(&threads, root);
        let head = message.and_then(|message| table.get(facts[message].subject.as_str()).copied());
        let head = head.map(|head| gone.get(&head).copied().unwrap_or(head));
        match (head, message) {
            (Some(head), Some(message)) if head != root => {
                if let Some(dummy) = merge(&mut threads, facts, head, root, facts[message].is_reply) {
                    gone.insert(head, dummy);
                    replace(&mut merged, head, dummy);
                }
            }
            _ => merged.push(root),
        }
    }
    threads.roots = merged;
    threads
}

/// The thread `root` joins the thread `head`. When both become answers of a new dummy, this is it.
fn merge(
    threads: &mut Threads,
    facts: &[ThreadFacts],
    head: usize,
    root: usize,
    is_reply: bool,
) -> Option<usize> {
    let dummy = |threads: &Threads, node: usize| threads.nodes[node].message.is_none();
    if dummy(threads, head) {
        if dummy(threads, root) {
            let replies = std::mem::take(&mut threads.nodes[root].replies);
            threads.nodes[head].replies.extend(replies);
        } else {
            threads.nodes[head].replies.push(root);
        }
        return None;
    }
    let head_is_reply = threads.nodes[head].message.is_some_and(|message| facts[message].is_reply);
    if is_reply && !head_is_reply {
        threads.nodes[head].replies.push(root);
        return None;
    }
    threads.nodes.push(Node { message: None, replies: vec![head, root] });
    Some(threads.nodes.len() - 1)
}

fn replace(roots: &mut Vec<usize>, old: usize, new: usize) {
    match roots.iter_mut().find(|root| **root == old) {
        Some(root) => *root = new,
        None => roots.push(new),
    }
}

/// (4), (6): by date; a dummy has the date of its first answer. For REFS threads are in order of their newest message.
fn sort(threads: &mut Threads, facts: &[ThreadFacts], by_subject: bool) {
    let order = bottom_up(threads);
    let mut newest = vec![i64::MIN; threads.nodes.len()];
    let mut dates = vec![(i64::MAX, usize::MAX); threads.nodes.len()];
    for node in order {
        let mut replies = std::mem::take(&mut threads.nodes[node].replies);
        replies.sort_by_key(|reply| dates[*reply]);
        let own = threads.nodes[node].message.map(|message| (facts[message].date, message));
        dates[node] =
            own.or_else(|| replies.first().map(|reply| dates[*reply])).unwrap_or((i64::MAX, usize::MAX));
        let below = replies.iter().map(|reply| newest[*reply]).max();
        newest[node] = own.map(|(date, _)| date).into_iter().chain(below).max().unwrap_or(i64::MIN);
        threads.nodes[node].replies = replies;
    }
    if by_subject {
        threads.roots.sort_by_key(|root| dates[*root]);
    } else {
        threads.roots.sort_by_key(|root| (newest[*root], dates[*root]));
    }
}

/// All nodes that belong to a thread, each behind its answers.
fn bottom_up(threads: &Threads) -> Vec<usize> {
    let mut order = Vec::with_capacity(threads.nodes.len());
    let mut pending = threads.roots.clone();
    while let Some(node) = pending.pop() {
        order.push(node);
        pending.extend(&threads.nodes[node].replies);
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(id: &str, references: &[&str], subject: &str, date: i64) -> ThreadFacts {
        let base = crate::subject::base_subject(subject);
        ThreadFacts {
            date,
            message_id: Some(id.as_bytes().to_vec()),
            references: references.iter().map(|id| id.as_bytes().to_vec()).collect(),
            subject: base.text,
            is_reply: base.is_reply,
        }
    }

    fn shown(facts: &[ThreadFacts], by_subject: bool) -> String {
        let mut out = crate::write::Out::default();
        out.thread(&thread(facts, by_subject), |place| u32::try_from(place + 1).unwrap());
        String::from_utf8(out.into_bytes()).unwrap().trim_start_matches("* THREAD ").trim_end().to_owned()
    }

    #[test]
    fn answers_stand_below_what_they_answer() {
        let facts = [
            message("c", &["a", "b"], "Re: x", 3),
            message("a", &[], "x", 1),
            message("b", &["a"], "Re: x", 2),
            message("d", &["a"], "Re: x", 4),
        ];
        assert_eq!(shown(&facts, true), "(2 (3 1)(4))");
        assert_eq!(shown(&facts, false), "(2 (3 1)(4))");
    }

    #[test]
    fn a_missing_message_holds_its_answers_together() {
        let facts =
            [message("b", &["a"], "x", 1), message("c", &["a"], "y", 2), message("e", &["d"], "z", 3)];
        assert_eq!(shown(&facts, true), "((1)(2))(3)");
    }

    #[test]
    fn one_subject_is_one_thread() {
        let facts = [message("a", &[], "x", 1), message("b", &[], "Re: x", 2), message("c", &[], "y", 3)];
        assert_eq!(shown(&facts, true), "(1 2)(3)");
        assert_eq!(shown(&facts, false), "(1)(2)(3)");
        let both = [message("a", &[], "Re: x", 1), message("b", &[], "Re: x", 2)];
        assert_eq!(shown(&both, true), "((1)(2))");
    }

    #[test]
    fn threads_of_refs_come_in_order_of_their_newest_message() {
        let facts = [message("a", &[], "x", 1), message("b", &[], "y", 2), message("c", &["a"], "x", 3)];
        assert_eq!(shown(&facts, false), "(2)(1 3)");
        assert_eq!(shown(&facts, true), "(1 3)(2)");
    }

    proptest! {
        #[test]
        fn every_message_is_in_one_thread_once(links in prop::collection::vec((0_u8..12, prop::collection::vec(0_u8..12, 0..4), 0_u8..4, any::<bool>()), 0..14), by_subject: bool) {
            let facts: Vec<_> = links.iter().enumerate().map(|(place, (id, references, subject, reply))| ThreadFacts {
                date: i64::from(*id) % 5,
                message_id: (place % 5 != 4).then(|| vec![*id]),
                references: references.iter().map(|id| vec![*id]).collect(),
                subject: if *subject == 0 { String::new() } else { subject.to_string() },
                is_reply: *reply,
            }).collect();
            let threads = thread(&facts, by_subject);
            let mut seen: Vec<usize> = bottom_up(&threads).into_iter().filter_map(|node| threads.nodes[node].message).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..facts.len()).collect::<Vec<_>>());
        }
    }
}
