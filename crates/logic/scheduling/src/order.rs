//! Which message of a transport goes first: in the order of arrival, but for small ones that overtake a large one.
//!
//! The algorithm is that of Postfix's `SCHEDULER_README`, "Preemption". A message earns one slot for another with every
//! `delivery_slot_cost` of its own deliveries. A message that fits into the slots which a larger one can still earn may
//! go before it as soon as enough of them are there, lent ones (`delivery_slot_loan`) and a discount
//! (`delivery_slot_discount`) counted; what it has used is paid back before the next one overtakes. So a large message
//! takes at most (1 + 1/cost) times as long, and a small one need not wait for it.

use std::collections::{BTreeMap, HashMap};

use crate::limits::TransportLimits;
use crate::{MessageKey, Microseconds};

/// Where a message stands in the list of its transport: less is earlier.
pub(crate) type Place = u128;

/// Between two messages that stand where they arrived; those that overtake stand in between.
const GAP: Place = 1 << 64;
/// How many messages are looked at for one that may overtake.
const CANDIDATES_LOOKED_AT: usize = 1000;
/// Postfix counts in seconds.
const SECOND: Microseconds = 1_000_000;

/// The messages of a transport that have recipients waiting.
#[derive(Debug, Default)]
pub(crate) struct Order {
    jobs: HashMap<MessageKey, Job>,
    list: BTreeMap<Place, MessageKey>,
}

/// A message, as far as one transport delivers it (Postfix's job).
#[derive(Debug)]
struct Job {
    place: Place,
    queued: Microseconds,
    /// Deliveries that it comes to, and those already made (Postfix's entries).
    entries: i64,
    selected: i64,
    /// Its own deliveries since it paid for the last message that overtook it.
    available: i64,
    /// Deliveries made since it overtook, less those that it was expected to make.
    used: i64,
    /// Whom it overtook, who overtook it, and how many stand below it.
    parent: Option<MessageKey>,
    children: Vec<MessageKey>,
    level: u32,
}

/// A message has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) message: MessageKey,
    pub(crate) from: Place,
    pub(crate) to: Place,
}

impl Order {
    /// So many further deliveries of a message wait; where it stands.
    pub(crate) fn add(&mut self, message: MessageKey, entries: u32, now: Microseconds) -> Place {
        let home = (Place::from(message) + 1) * GAP;
        let job = self.jobs.entry(message).or_insert_with(|| {
            self.list.insert(home, message);
            Job {
                place: home,
                queued: now,
                entries: 0,
                selected: 0,
                available: 0,
                used: 0,
                parent: None,
                children: Vec::new(),
                level: 0,
            }
        });
        job.entries += i64::from(entries);
        job.place
    }

    /// Who stands there.
    pub(crate) fn at(&self, place: Place) -> Option<MessageKey> {
        self.list.get(&place).copied()
    }

    /// Stands the message before one that came earlier?
    pub(crate) fn has_overtaken(&self, message: MessageKey) -> bool {
        self.jobs.get(&message).is_some_and(|job| job.level > 0)
    }

    /// A delivery of the message has been selected.
    pub(crate) fn selected(&mut self, message: MessageKey) {
        if let Some(job) = self.jobs.get_mut(&message) {
            job.selected += 1;
            job.available += 1;
            job.used += 1;
        }
    }

    /// So many deliveries of the message will not be made.
    pub(crate) fn withdraw(&mut self, message: MessageKey, entries: u32) {
        if let Some(job) = self.jobs.get_mut(&message) {
            job.entries -= i64::from(entries);
        }
    }

    /// Nobody of the message waits any more.
    pub(crate) fn retire(&mut self, message: MessageKey, limits: &TransportLimits) {
        self.leave_stack(message, limits);
        let Some(job) = self.jobs.remove(&message) else { return };
        self.list.remove(&job.place);
        // Those that overtook it are on their own.
        for child in job.children {
            if let Some(child) = self.jobs.get_mut(&child) {
                child.parent = None;
            }
        }
    }

    /// Lets a message overtake `current` if one may now. `selectable`: has it a delivery that could be made at once?
    pub(crate) fn preempt(
        &mut self,
        current: MessageKey,
        now: Microseconds,
        limits: &TransportLimits,
        selectable: impl Fn(MessageKey) -> bool,
    ) -> Option<Moved> {
        let cost = i64::from(limits.slot_cost);
        let job = self.jobs.get(&current)?;
        // A cost of 1 would let anything overtake for ever.
        if cost < 2 || job.available <= 0 || job.entries < i64::from(limits.minimum_slots) * cost {
            return None;
        }
        let candidate = self.candidate(current, now, cost, selectable)?;
        let expected = self.jobs.get(&candidate).map(|job| job.entries - job.selected)?;
        let needed = expected * i64::from(100u32.saturating_sub(limits.slot_discount));
        if (job.available / cost + i64::from(limits.slot_loan)) * 100 < needed {
            return None;
        }
        let to = self.place_before(current)?;
        self.leave_stack(candidate, limits);
        self.overtake(candidate, current, to, expected, cost)
    }

    /// The one with the best relation of waiting time to size among those that fit into what `current` can earn.
    fn candidate(
        &self,
        current: MessageKey,
        now: Microseconds,
        cost: i64,
        selectable: impl Fn(MessageKey) -> bool,
    ) -> Option<MessageKey> {
        let first = self.jobs.get(&current)?;
        let slots = (first.entries - first.selected + first.available) / cost;
        if slots <= 0 {
            return None;
        }
        let mut best: Option<(f64, MessageKey)> = None;
        for (_, message) in self.list.range(first.place + 1..).take(CANDIDATES_LOOKED_AT) {
            let Some(job) = self.jobs.get(message) else { continue };
            let delay = (now.saturating_sub(job.queued) / SECOND + 1) as f64;
            let best_score = best.map_or(0.0, |(score, _)| score);
            let total = job.entries;
            if job.children.is_empty() && total <= slots && total > job.selected && selectable(*message) {
                let score = delay / total as f64;
                if score > best_score {
                    best = Some((score, *message));
                }
            }
            // Those behind have waited less: none of them can be better.
            if job.level == 0 && best.is_some_and(|(score, _)| delay <= score) {
                break;
            }
        }
        best.map(|(_, message)| message)
    }

    /// A place right in front of a message; none when the room is used up.
    fn place_before(&self, message: MessageKey) -> Option<Place> {
        let place = self.jobs.get(&message)?.place;
        let before = self.list.range(..place).next_back().map_or(place.saturating_sub(GAP), |(at, _)| *at);
        let between = before + (place - before) / 2;
        (between > before && between < place).then_some(between)
    }

    fn overtake(
        &mut self,
        candidate: MessageKey,
        current: MessageKey,
        to: Place,
        expected: i64,
        cost: i64,
    ) -> Option<Moved> {
        let first = self.jobs.get_mut(&current)?;
        // Paid in advance; what is not used comes back.
        first.available -= expected * cost;
        first.children.push(candidate);
        let level = first.level + 1;
        let job = self.jobs.get_mut(&candidate)?;
        let from = std::mem::replace(&mut job.place, to);
        job.parent = Some(current);
        job.level = level;
        job.used = -expected;
        self.list.remove(&from);
        self.list.insert(to, candidate);
        Some(Moved { message: candidate, from, to })
    }

    /// Takes a message out of the stack that it is in: the account with whom it overtook is settled, and that one
    /// takes over who overtook it.
    fn leave_stack(&mut self, message: MessageKey, limits: &TransportLimits) {
        let Some(job) = self.jobs.get_mut(&message) else { return };
        let Some(parent_key) = job.parent.take() else { return };
        let (level, used) = (job.level, job.used);
        let children = std::mem::take(&mut job.children);
        for child in &children {
            if let Some(child) = self.jobs.get_mut(child) {
                child.parent = Some(parent_key);
            }
        }
        if let Some(parent) = self.jobs.get_mut(&parent_key) {
            if level == parent.level + 1 {
                parent.available -= used * i64::from(limits.slot_cost);
            }
            parent.children.retain(|child| *child != message);
            parent.children.extend(children);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes deliveries in order and says of which messages, with one at a time and every message always selectable.
    fn run(limits: &TransportLimits, sizes: &[u32], count: usize) -> Vec<MessageKey> {
        let mut order = Order::default();
        let mut left: HashMap<MessageKey, u32> = HashMap::new();
        for (key, size) in (1..).zip(sizes) {
            order.add(key, *size, 0);
            left.insert(key, *size);
        }
        let mut made = Vec::new();
        while let Some((_, first)) = order.list.first_key_value()
            && made.len() < count
        {
            let current = *first;
            let moved = order.preempt(current, 0, limits, |_| true);
            let next = moved.map_or(current, |moved| moved.message);
            order.selected(next);
            made.push(next);
            let rest = left.get_mut(&next).unwrap();
            *rest -= 1;
            if *rest == 0 {
                order.retire(next, limits);
            }
        }
        made
    }

    #[test]
    fn a_letter_to_one_overtakes_a_list_on_a_loan() {
        let limits = TransportLimits::default();
        let made = run(&limits, &[100, 1], 5);
        assert_eq!(made, [1, 2, 1, 1, 1], "the first delivery of the list makes it able to earn");
        let no_loan = TransportLimits { slot_loan: 0, slot_discount: 0, ..limits };
        assert_eq!(run(&no_loan, &[100, 1], 7), [1, 1, 1, 1, 1, 2, 1], "five deliveries earn one slot");
    }

    #[test]
    fn what_was_used_is_paid_before_the_next_one_overtakes() {
        let limits = TransportLimits { slot_loan: 0, slot_discount: 0, ..TransportLimits::default() };
        let made = run(&limits, &[100, 1, 1, 1], 18);
        let places: Vec<usize> = (0..made.len()).filter(|at| made[*at] != 1).collect();
        assert_eq!(places, [5, 11, 17], "one in six: the list takes 20 % longer, as the document promises");
        assert_eq!(made.iter().filter(|message| **message != 1).collect::<Vec<_>>(), [&2, &3, &4]);
    }

    #[test]
    fn no_message_is_slowed_down_beyond_the_promise() {
        for limits in [
            TransportLimits::default(),
            TransportLimits { slot_cost: 2, slot_loan: 10, slot_discount: 90, ..TransportLimits::default() },
        ] {
            let mut sizes = vec![200];
            sizes.extend([3; 400]);
            let made = run(&limits, &sizes, 1400);
            let end = made.iter().rposition(|message| *message == 1).unwrap();
            let others = end + 1 - 200;
            // What is on loan at the end may not have been paid.
            let allowed = 200 / limits.slot_cost as usize + limits.slot_loan as usize + 3 * 10;
            assert!(others <= allowed, "{others} deliveries of others before the end, {allowed} allowed");
        }
    }

    #[test]
    fn small_messages_are_not_overtaken_and_large_ones_do_not_overtake() {
        let limits = TransportLimits::default();
        assert_eq!(
            run(&limits, &[14, 1], 15),
            [vec![1; 14], vec![2]].concat(),
            "less than 3 slots at 5 each"
        );
        assert_eq!(
            run(&limits, &[20, 5], 25),
            [vec![1; 20], vec![2; 5]].concat(),
            "5 do not fit into 20 / 5"
        );
        let off = TransportLimits { slot_cost: 0, ..limits };
        assert_eq!(run(&off, &[100, 1], 101).last(), Some(&2));
    }

    #[test]
    fn the_best_relation_of_waiting_time_to_size_wins() {
        let limits = TransportLimits::default();
        let mut order = Order::default();
        order.add(1, 500, 0);
        order.add(2, 4, 0);
        order.add(3, 2, 8 * SECOND);
        (0..10).for_each(|_| order.selected(1));
        // 11 seconds / 4 deliveries against 3 / 2.
        assert_eq!(order.preempt(1, 10 * SECOND, &limits, |_| true).map(|moved| moved.message), Some(2));
        let mut order = Order::default();
        order.add(1, 500, 0);
        order.add(2, 4, 8 * SECOND);
        order.add(3, 2, 8 * SECOND);
        (0..10).for_each(|_| order.selected(1));
        assert_eq!(order.preempt(1, 10 * SECOND, &limits, |_| true).map(|moved| moved.message), Some(3));
        assert_eq!(order.preempt(1, 10 * SECOND, &limits, |_| true), None, "nothing is left to pay with");
    }

    #[test]
    fn one_that_overtook_may_be_overtaken() {
        let limits = TransportLimits { slot_loan: 100, ..TransportLimits::default() };
        let mut order = Order::default();
        order.add(1, 1000, 0);
        order.add(2, 20, 0);
        order.add(3, 1, 0);
        (0..500).for_each(|_| order.selected(1));
        let first = order.preempt(1, 0, &limits, |message| message == 2).unwrap();
        assert_eq!(first.message, 2);
        (0..4).for_each(|_| order.selected(2));
        let second = order.preempt(2, 0, &limits, |_| true).unwrap();
        assert_eq!(second.message, 3);
        assert_eq!(order.list.values().copied().collect::<Vec<_>>(), [3, 2, 1]);
        order.retire(2, &limits);
        assert_eq!(order.jobs[&3].parent, Some(1), "adopted");
        order.retire(3, &limits);
        order.retire(1, &limits);
        assert!(order.list.is_empty() && order.jobs.is_empty());
    }
}
