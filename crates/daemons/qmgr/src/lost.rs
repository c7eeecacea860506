//! Deliveries whose agent ended before it answered.
//!
//! What the agent had sent on its way may still be at work, and who was delivered to is crossed off in the queue file.
//! So the message is looked at until nobody is at work on it, and only those left over are tried again.

use std::sync::Arc;

use scheduling::scheduler::Reason;
use scheduling::{Delivery, Feedback, Job};
use services::delivery::{Outcome, Verdict};

use crate::disk::{Lost, Task};
use crate::service::Manager;

/// How often a recipient whose agent vanished is given to another at once.
const LOST_LIMIT: u8 = 1;
/// How long to wait before another look at a message that somebody is still at work on, in microseconds.
pub(crate) const LOOK_AGAIN_US: u64 = 100_000;

impl Manager {
    /// An agent ended or fell silent with this delivery under way.
    pub(crate) fn lost(&mut self, mut delivery: Delivery) {
        let key = delivery.job.message;
        let Some(message) = self.messages.get(&key) else { return self.given_up(&delivery) };
        log::warn!("{}: private/{} ended before it answered", message.id, delivery.transport);
        // Whoever's result is known has left memory.
        delivery.job.recipients.retain(|slot| message.recipients.contains_key(slot));
        let offset = |slot: &u32| message.recipients[slot].recipient.offset;
        let offsets: Vec<u64> = delivery.job.recipients.iter().map(offset).collect();
        let memory = message.direct.as_ref().map(|direct| Arc::clone(&direct.file));
        let task = |memory| {
            let lost = Lost { key, id: message.id.clone(), memory, offsets, delivery };
            Task::Look(Box::new(lost))
        };
        match memory {
            // Nobody locks a message in memory: whoever is at work on it gets a moment to come to an end.
            Some(memory) => self.later.push((self.now_us + LOOK_AGAIN_US, task(Some(memory)))),
            None => self.disk.push(task(None)),
        }
    }

    /// Nobody is at work on the message any more, and the recipients at these offsets have got it. The others are tried
    /// once more at once, with another agent; those that were lost before wait, for they may be what kills agents.
    pub(crate) fn found(&mut self, lost: Lost, crossed_off: &[u64]) {
        let Lost { key, offsets, mut delivery, .. } = lost;
        let slots = std::mem::take(&mut delivery.job.recipients);
        let (reached, left): (Vec<_>, Vec<_>) =
            slots.into_iter().zip(offsets).partition(|(_, offset)| crossed_off.contains(offset));
        delivery.job.recipients = left.into_iter().map(|(slot, _)| slot).collect();
        let outcome = Outcome {
            crossed_off: true,
            ..Outcome::new(Verdict::Sent, "2.0.0", "delivered", &delivery.transport)
        };
        let reached = reached.into_iter().map(|(slot, _)| slot).collect();
        self.try_again(delivery);
        self.settle_here(Job { message: key, recipients: reached }, &outcome);
    }

    fn try_again(&mut self, delivery: Delivery) {
        let Some(message) = self.messages.get_mut(&delivery.job.message) else {
            return self.given_up(&delivery);
        };
        let mut again = !delivery.job.recipients.is_empty();
        for slot in &delivery.job.recipients {
            let Some(slot) = message.recipients.get_mut(slot) else { continue };
            again &= slot.lost < LOST_LIMIT;
            slot.lost += 1;
        }
        if again && !self.leaving {
            return self.scheduler.put_back(self.now_us, delivery);
        }
        self.given_up(&delivery);
        if !delivery.job.recipients.is_empty() {
            self.postpone(delivery.job, "4.3.0", "unknown mail transport error");
        }
    }

    /// The scheduler hears of it, and nobody else.
    fn given_up(&mut self, delivery: &Delivery) {
        self.scheduler.finished(self.now_us, delivery.ticket, Feedback::Alive, &Reason::none(), 0);
    }
}
