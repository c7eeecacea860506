//! Services whose sessions are all taken: new clients are then served with `stress = yes` (STRESS_README).

use std::time::{Duration, Instant};

use reactor::EventLoop;
use worker::protocol::Order;

use crate::supervisor::{Key, Master};

/// How long the stress lasts after it was last felt; as Postfix has it.
const STRESS_LASTS: Duration = Duration::from_secs(1000);

impl Master {
    /// A worker has told how busy it is: has the service any session left?
    pub(crate) fn feel_stress(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let (now, processors) = (events.now(), self.processors);
        let Some(service) = self.services.get_mut(&key) else { return };
        if !service.feels_stress() || !service.is_full(processors) {
            return;
        }
        let was_calm = service.stressed_until.replace(now + STRESS_LASTS).is_none();
        if was_calm {
            tell(&service.entry.name, &service.place(), service.entry.process_limit);
            self.order(key, Order::Stress, events);
            self.set_clock(events);
        }
    }

    /// Ends the stress of a service when its time is over.
    pub(crate) fn calm_down(&mut self, key: Key, events: &mut EventLoop<Self>) {
        let now = events.now();
        let over = |until: &mut Instant| *until <= now;
        let Some(service) = self.services.get_mut(&key) else { return };
        if service.stressed_until.take_if(over).is_some() {
            self.order(key, Order::Calm, events);
        }
    }
}

/// In Postfix's words, which people look for.
fn tell(name: &str, place: &str, limit: Option<u32>) {
    let limit = limit.unwrap_or_default();
    log::warn!(
        "service \"{name}\" ({place}) has reached its process limit \"{limit}\": new clients may experience noticeable delays"
    );
    log::warn!(
        "to avoid this condition, increase the process count in master.cf or reduce the service time per client"
    );
    log::warn!(
        "see http://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings"
    );
}
