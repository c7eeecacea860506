//! Messages with more recipients than there is room for: how far they are read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use scheduling::{Memory, MemoryLimits, MessageKey, TransportMemory};

use crate::disk::Task;
use crate::message::{Message, Stage};
use crate::service::Manager;
use crate::settings::transport_memory;

/// The recipients in memory, and the messages that have more.
#[derive(Debug)]
pub(crate) struct LongMessages {
    pub(crate) memory: Memory,
    /// Of transports that have been met.
    transports: HashMap<Arc<str>, TransportMemory>,
    /// Messages with recipients that have not been read, in the order of their arrival.
    unread: BTreeSet<MessageKey>,
    /// Room has come free since these were looked at last.
    room_came: bool,
    /// When they are looked at again although none did, in microseconds since 1970.
    look_at: Option<u64>,
}

impl LongMessages {
    pub(crate) fn new(limits: MemoryLimits) -> Self {
        Self {
            memory: Memory::new(limits),
            transports: HashMap::new(),
            unread: BTreeSet::new(),
            room_came: false,
            look_at: None,
        }
    }

    /// When [`Manager::read_on_all`] has something to do although no recipient leaves memory.
    pub(crate) fn next_look(&self) -> Option<u64> {
        self.look_at
    }

    fn limits_of(&self, transport: &str) -> TransportMemory {
        self.transports.get(transport).copied().unwrap_or(TransportMemory::NONE)
    }
}

impl Manager {
    /// A message has been read so far: is there more of it?
    pub(crate) fn note_length(&mut self, key: MessageKey) {
        if self.messages.get(&key).is_some_and(|message| message.more.is_some()) {
            self.long_messages.unread.insert(key);
            self.long_messages.room_came = true;
        }
    }

    /// These recipients of a message go by this transport.
    pub(crate) fn count_taken(&mut self, key: MessageKey, transport: &str, slots: &[u32]) {
        let long = &mut self.long_messages;
        let name = match long.transports.get_key_value(transport) {
            Some((name, _)) => Arc::clone(name),
            None => {
                let name: Arc<str> = transport.into();
                long.transports.insert(Arc::clone(&name), transport_memory(&self.config, transport));
                name
            }
        };
        let Some(message) = self.messages.get_mut(&key) else { return };
        for slot in slots {
            if let Some(slot) = message.recipients.get_mut(slot) {
                slot.transport = Some(Arc::clone(&name));
                long.memory.took(key, &name, self.now_us);
            }
        }
    }

    /// Recipients whose result is known leave room.
    pub(crate) fn count_freed(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        for transport in std::mem::take(&mut message.freed) {
            self.long_messages.memory.released(key, &transport);
            self.long_messages.room_came = true;
        }
    }

    /// Takes a message out of memory, and who is left of its recipients with it.
    pub(crate) fn forget_message(&mut self, key: MessageKey) -> Option<Message> {
        self.count_freed(key);
        self.long_messages.unread.remove(&key);
        let message = self.messages.remove(&key)?;
        for transport in message.recipients.values().filter_map(|slot| slot.transport.as_deref()) {
            self.long_messages.memory.released(key, transport);
            self.long_messages.room_came = true;
        }
        Some(message)
    }

    /// Reads on in long messages as far as there is room.
    pub(crate) fn read_on_all(&mut self) {
        let long = &mut self.long_messages;
        let is_time = long.look_at.take_if(|time| *time <= self.now_us).is_some();
        if !std::mem::take(&mut long.room_came) && !is_time {
            return;
        }
        let unread: Vec<MessageKey> = long.unread.iter().copied().collect();
        unread.iter().for_each(|key| self.read_on(*key));
        let long = &mut self.long_messages;
        let looks = |key| long.memory.looks_again_at(key, |transport| long.limits_of(transport));
        let next = long.unread.iter().filter_map(|key| looks(*key)).filter(|time| *time > self.now_us).min();
        long.look_at = next;
    }

    /// Has more recipients of a message read, if there is room for them.
    pub(crate) fn read_on(&mut self, key: MessageKey) {
        let long = &mut self.long_messages;
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.more.is_none() || message.stage != Stage::Delivering {
            return;
        }
        let (transports, scheduler) = (&long.transports, &self.scheduler);
        let limits = |transport: &str| transports.get(transport).copied().unwrap_or(TransportMemory::NONE);
        let overtook = |transport: &str| scheduler.has_overtaken(transport, key);
        let Some(count) = long.memory.promise_for(key, self.now_us, limits, overtook) else { return };
        if let Some(source) = message.more.take() {
            long.unread.remove(&key);
            message.waiting += 1;
            self.disk.push(Task::More(key, source, count));
        }
    }
}
