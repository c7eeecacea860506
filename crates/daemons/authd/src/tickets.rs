//! Tickets: proof, for the one who opens mailboxes, that somebody has just logged in.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How long one is good.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// How many can be out.
const OUT_LIMIT: usize = 100_000;

/// Tickets that have not been used.
#[derive(Default)]
pub(crate) struct Tickets {
    users: HashMap<String, (String, Instant)>,
    by_age: VecDeque<String>,
}

impl Tickets {
    pub(crate) fn sell(&mut self, ticket: String, user: String, now: Instant) {
        while self.by_age.len() >= OUT_LIMIT || self.oldest_is_over(now) {
            let Some(oldest) = self.by_age.pop_front() else { break };
            self.users.remove(&oldest);
        }
        self.by_age.push_back(ticket.clone());
        self.users.insert(ticket, (user, now + GOOD_FOR));
    }

    fn oldest_is_over(&self, now: Instant) -> bool {
        let oldest = self.by_age.front();
        oldest.is_some_and(|ticket| self.users.get(ticket).is_none_or(|(_, end)| *end <= now))
    }

    /// Whose ticket it is; a second time nobody's.
    pub(crate) fn redeem(&mut self, ticket: &str, now: Instant) -> Option<String> {
        self.users.remove(ticket).filter(|(_, end)| now < *end).map(|(user, _)| user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_soon() {
        let mut tickets = Tickets::default();
        let now = Instant::now();
        tickets.sell("t1".into(), "u@x".into(), now);
        tickets.sell("t2".into(), "v@x".into(), now);
        assert_eq!(tickets.redeem("t1", now), Some("u@x".into()));
        assert_eq!(tickets.redeem("t1", now), None);
        assert_eq!(tickets.redeem("t2", now + GOOD_FOR), None);
        tickets.sell("t3".into(), "w@x".into(), now + GOOD_FOR);
        assert_eq!(tickets.by_age.len(), 1, "what is over is forgotten");
    }
}
