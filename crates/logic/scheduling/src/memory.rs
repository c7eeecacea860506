//! How many recipients are in memory: of all messages together, for each transport, of each message (qmgr(8)).
//!
//! A message with more recipients than there is room for is read piece by piece. Room is promised before a read, so that reads
//! that are under way at the same time do not take it twice.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{MessageKey, Microseconds};

/// A new message is promised this part of the room that is left, for others are read beside it.
const SHARE_OF_NEW: usize = 8;

/// The limits over all transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// `qmgr_message_recipient_limit`
    pub recipients: usize,
    /// `qmgr_message_recipient_minimum`: every message has room for so many, whatever other limits say.
    pub minimum: usize,
}

/// The limits of one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportMemory {
    /// `<transport>_recipient_limit`
    pub recipients: usize,
    /// `<transport>_extra_recipient_limit`: beyond that, for a message that has overtaken another.
    pub extra: usize,
    /// `<transport>_recipient_refill_limit`: reading on waits for so much room,
    pub refill: usize,
    /// or so long: `<transport>_recipient_refill_delay`.
    pub refill_delay: Microseconds,
}

impl TransportMemory {
    /// No room beyond what every message has.
    pub const NONE: Self = Self { recipients: 0, extra: 0, refill: 0, refill_delay: 0 };
}

/// Who is in memory.
#[derive(Debug)]
pub struct Memory {
    limits: MemoryLimits,
    total: usize,
    promised: usize,
    transports: HashMap<Arc<str>, usize>,
    messages: HashMap<MessageKey, Held>,
}

/// The recipients of one message.
#[derive(Debug, Default)]
struct Held {
    count: usize,
    transports: HashMap<Arc<str>, usize>,
    read_at: Microseconds,
}

impl Memory {
    /// Nobody.
    pub fn new(limits: MemoryLimits) -> Self {
        let (transports, messages) = (HashMap::new(), HashMap::new());
        Self { limits, total: 0, promised: 0, transports, messages }
    }

    /// How many recipients of a message that is not known yet may be read.
    pub fn promise_for_new(&mut self) -> usize {
        let share = self.room() / SHARE_OF_NEW;
        self.promise(share.max(self.limits.minimum))
    }

    /// How many further recipients of a message may be read now. `None`: there is no room, or so little that reading is not worth
    /// while yet. `limits` are those of a transport, `overtook`: has the message a place there that it did not come by in its turn?
    pub fn promise_for(
        &mut self,
        message: MessageKey,
        now: Microseconds,
        limits: impl Fn(&str) -> TransportMemory,
        overtook: impl Fn(&str) -> bool,
    ) -> Option<usize> {
        let held = self.messages.get(&message).filter(|held| held.count > 0);
        let Some(held) = held else {
            let room = self.room().max(self.limits.minimum);
            return Some(self.promise(room));
        };
        let used = |transport: &str| self.transports.get(transport).copied().unwrap_or(0);
        let room_at = |transport: &str, own: TransportMemory| {
            let extra = if overtook(transport) { own.extra } else { 0 };
            (own.recipients + extra).saturating_sub(used(transport))
        };
        let rooms = held.transports.keys().map(|transport| {
            let own = limits(transport);
            (room_at(transport, own), own)
        });
        let (room, own) = rooms.max_by_key(|(room, _)| *room)?;
        let room = room.min(self.room()).max(self.limits.minimum.saturating_sub(held.count));
        let is_time = room >= own.refill || now >= held.read_at.saturating_add(own.refill_delay);
        (room > 0 && is_time).then(|| self.promise(room))
    }

    /// When a message is to be looked at again although no room came free.
    pub fn looks_again_at(
        &self,
        message: MessageKey,
        limits: impl Fn(&str) -> TransportMemory,
    ) -> Option<Microseconds> {
        let held = self.messages.get(&message)?;
        let delay = held.transports.keys().map(|transport| limits(transport).refill_delay).min()?;
        Some(held.read_at.saturating_add(delay))
    }

    /// A read is over for which so much was promised.
    pub fn is_read(&mut self, promised: usize) {
        self.promised -= promised;
    }

    /// A recipient of a message is in memory, for this transport.
    pub fn took(&mut self, message: MessageKey, transport: &Arc<str>, now: Microseconds) {
        self.total += 1;
        *self.transports.entry(Arc::clone(transport)).or_default() += 1;
        let held = self.messages.entry(message).or_default();
        held.count += 1;
        held.read_at = now;
        *held.transports.entry(Arc::clone(transport)).or_default() += 1;
    }

    /// One is no longer.
    pub fn released(&mut self, message: MessageKey, transport: &str) {
        let Some(held) = self.messages.get_mut(&message) else { return };
        self.total -= 1;
        held.count -= 1;
        take_one(&mut held.transports, transport);
        take_one(&mut self.transports, transport);
        if held.count == 0 {
            self.messages.remove(&message);
        }
    }

    /// How many recipients are in memory.
    pub fn total(&self) -> usize {
        self.total
    }

    fn room(&self) -> usize {
        self.limits.recipients.saturating_sub(self.total + self.promised)
    }

    fn promise(&mut self, count: usize) -> usize {
        self.promised += count;
        count
    }
}

fn take_one(counts: &mut HashMap<Arc<str>, usize>, transport: &str) {
    if let Some(count) = counts.get_mut(transport) {
        *count -= 1;
        if *count == 0 {
            counts.remove(transport);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Microseconds = 1_000_000;

    fn memory(recipients: usize) -> Memory {
        Memory::new(MemoryLimits { recipients, minimum: 10 })
    }

    fn limits(_: &str) -> TransportMemory {
        TransportMemory { recipients: 500, extra: 50, refill: 100, refill_delay: 5 * SECOND }
    }

    fn take(memory: &mut Memory, message: MessageKey, count: usize) {
        (0..count).for_each(|_| memory.took(message, &"virtual".into(), 0));
    }

    #[test]
    fn reads_side_by_side_do_not_take_the_same_room() {
        let mut memory = memory(800);
        let promises: Vec<usize> = (0..3).map(|_| memory.promise_for_new()).collect();
        assert_eq!(promises, [100, 87, 76]);
        promises.into_iter().for_each(|promise| memory.is_read(promise));
        assert_eq!(memory.promise_for_new(), 100);
    }

    #[test]
    fn every_message_has_room_for_a_few() {
        let mut memory = memory(100);
        take(&mut memory, 1, 100);
        assert_eq!(memory.promise_for_new(), 10);
        take(&mut memory, 2, 4);
        assert_eq!(memory.promise_for(2, 9 * SECOND, limits, |_| false), Some(6));
        assert_eq!(memory.promise_for(1, 9 * SECOND, limits, |_| false), None);
        assert_eq!(memory.promise_for(3, 0, limits, |_| false), Some(10), "it has nobody left in memory");
    }

    #[test]
    fn reading_on_waits_for_room_that_is_worth_while_or_for_the_delay() {
        let mut memory = memory(20_000);
        take(&mut memory, 1, 450);
        assert_eq!(memory.promise_for(1, SECOND, limits, |_| false), None, "50 are less than 100");
        assert_eq!(memory.looks_again_at(1, limits), Some(5 * SECOND));
        assert_eq!(memory.promise_for(1, 5 * SECOND, limits, |_| false), Some(50));
        memory.is_read(50);
        (0..50).for_each(|_| memory.released(1, "virtual"));
        assert_eq!(memory.promise_for(1, SECOND, limits, |_| false), Some(100));
    }

    #[test]
    fn a_transport_that_is_full_shuts_its_own_messages_out_but_those_that_overtook() {
        let mut memory = memory(20_000);
        take(&mut memory, 1, 490);
        take(&mut memory, 2, 10);
        assert_eq!(memory.promise_for(2, 9 * SECOND, limits, |_| false), None);
        assert_eq!(memory.promise_for(2, 9 * SECOND, limits, |_| true), Some(50));
        memory.took(2, &"local".into(), 0);
        assert_eq!(memory.promise_for(2, SECOND, limits, |_| false), Some(499), "there is room elsewhere");
    }

    #[test]
    fn what_is_released_is_forgotten() {
        let mut memory = memory(100);
        take(&mut memory, 1, 3);
        (0..3).for_each(|_| memory.released(1, "virtual"));
        memory.released(1, "virtual");
        assert_eq!(memory.total(), 0);
        assert!(memory.messages.is_empty() && memory.transports.is_empty());
    }
}
