//! How much each client does.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use services::anvil::{Count, Event};

use crate::statistics::Statistics;

/// So many clients are remembered; what further ones do is not counted.
const CLIENT_LIMIT: usize = 1_000_000;

/// All clients, and the highest numbers among them.
pub(crate) struct Counts {
    unit: Duration,
    clients: HashMap<String, Client>,
    pub(crate) statistics: Statistics,
}

/// One client of one service.
struct Client {
    connections: u64,
    /// The begin of the time over which the rates are counted.
    since: Instant,
    rates: [u64; Event::COUNT],
}

impl Counts {
    /// Rates are counted over `unit`.
    pub(crate) fn new(unit: Duration) -> Self {
        Self { unit, clients: HashMap::new(), statistics: Statistics::default() }
    }

    pub(crate) fn unit(&self) -> Duration {
        self.unit
    }

    /// Something has happened, or may: what that makes.
    pub(crate) fn note(&mut self, event: Event, name: String, now: Instant) -> Count {
        if self.clients.len() >= CLIENT_LIMIT && !self.clients.contains_key(&name) {
            return Count { connections: 1, rate: 1 };
        }
        let client = self.clients.entry(name.clone()).or_insert_with(|| Client::new(now));
        if now.duration_since(client.since) > self.unit {
            client.since = now;
            client.rates = Default::default();
        }
        let rate = &mut client.rates[event.counted_as()];
        *rate += u64::from(event != Event::NewTlsStatus);
        client.connections += u64::from(event == Event::Connect);
        let count = Count { connections: client.connections, rate: *rate };
        self.statistics.note(event, &name, count, self.clients.len());
        count
    }

    /// So many connections of a client have ended.
    pub(crate) fn disconnected(&mut self, name: &str, connections: u64) {
        if let Some(client) = self.clients.get_mut(name) {
            client.connections = client.connections.saturating_sub(connections);
        }
    }

    /// Forgets clients that are gone and whose rates are over.
    pub(crate) fn clear_up(&mut self, now: Instant) {
        let unit = self.unit;
        self.clients.retain(|_, client| client.connections > 0 || now.duration_since(client.since) <= unit);
        if self.clients.capacity() > 1024 && self.clients.len() < self.clients.capacity() / 4 {
            self.clients.shrink_to_fit();
        }
    }
}

impl Client {
    fn new(now: Instant) -> Self {
        Self { connections: 0, since: now, rates: Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_secs(60);

    #[test]
    fn connections_are_counted_until_they_end_and_rates_until_their_time_is_over() {
        let (start, name) = (Instant::now(), || "smtp:192.0.2.1".to_owned());
        let mut counts = Counts::new(UNIT);
        let count = |connections, rate| Count { connections, rate };
        assert_eq!(counts.note(Event::Connect, name(), start), count(1, 1));
        assert_eq!(counts.note(Event::Connect, name(), start), count(2, 2));
        counts.disconnected(&name(), 1);
        assert_eq!(counts.note(Event::Connect, name(), start + UNIT), count(2, 3));
        let later = start + UNIT + Duration::from_secs(1);
        assert_eq!(counts.note(Event::Message, name(), later), count(2, 1));
        assert_eq!(counts.note(Event::Connect, name(), later), count(3, 1));
        assert_eq!(counts.note(Event::Connect, "smtp:192.0.2.2".to_owned(), later), count(1, 1));
    }

    #[test]
    fn a_look_at_the_rate_of_new_sessions_does_not_count() {
        let (now, name) = (Instant::now(), || "smtp:192.0.2.1".to_owned());
        let mut counts = Counts::new(UNIT);
        assert_eq!(counts.note(Event::NewTls, name(), now).rate, 1);
        assert_eq!(counts.note(Event::NewTlsStatus, name(), now).rate, 1);
        assert_eq!(counts.note(Event::NewTls, name(), now).rate, 2);
    }

    #[test]
    fn who_is_gone_is_forgotten_when_the_time_is_over() {
        let (now, name) = (Instant::now(), "smtp:192.0.2.1");
        let mut counts = Counts::new(UNIT);
        counts.note(Event::Connect, name.to_owned(), now);
        counts.clear_up(now + UNIT * 2);
        assert_eq!(counts.clients.len(), 1);
        counts.disconnected(name, 1);
        counts.clear_up(now);
        assert_eq!(counts.clients.len(), 1);
        counts.clear_up(now + UNIT * 2);
        assert!(counts.clients.is_empty());
    }
}
