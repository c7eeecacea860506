//! A destination whose messages take up much of the active queue.

use super::Scheduler;
use crate::Microseconds;

/// Messages in one destination's queue, and what may be the reason that they are so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// Waiting or being delivered.
    pub messages: usize,
    /// All deliveries that the destination may have at a time are under way: so many. `None` where that is not so.
    pub at_limit: Option<u32>,
    /// So many deliveries at a time the destination may have now.
    pub window: u32,
    /// The transport has no other destination.
    pub alone: bool,
}

impl Scheduler {
    /// Is the destination to be spoken of, because it has more than `threshold` messages, and has not been for `pause`?
    pub fn crowd(
        &mut self,
        now: Microseconds,
        transport: &str,
        destination: &str,
        threshold: usize,
        pause: Microseconds,
    ) -> Option<Crowd> {
        let transport = self.transports.get_mut(transport)?;
        let (limit, alone) = (transport.limits.destination_concurrency, transport.destinations.len() == 1);
        let destination = transport.destinations.get_mut(destination)?;
        let messages = destination.jobs.len() + destination.busy as usize;
        if messages <= threshold || now < destination.quiet_until {
            return None;
        }
        destination.quiet_until = now + pause;
        Some(Crowd {
            messages,
            window: destination.window.size(),
            at_limit: Some(limit).filter(|limit| (1..=destination.busy).contains(limit)),
            alone,
        })
    }
}
