//! The highest numbers since the last report, in the words that log analysers know.

use std::time::Duration;

use services::anvil::{Count, Event};

/// The rates that are reported, in order, by their names.
const RATES: [(Event, &str); 5] = [
    (Event::Connect, "connection"),
    (Event::Message, "message"),
    (Event::Recipient, "recipient"),
    (Event::NewTls, "newtls"),
    (Event::Auth, "auth"),
];

/// What the next report will say.
#[derive(Default)]
pub(crate) struct Statistics {
    rates: [Peak; Event::COUNT],
    connections: Peak,
    clients: Peak,
}

/// The highest number of a kind, whose it was, and when, in seconds since 1970.
#[derive(Default)]
struct Peak {
    number: u64,
    client: String,
    at_seconds: i64,
}

impl Peak {
    fn note(&mut self, number: u64, client: &str) {
        if number > self.number {
            let at_seconds = i64::try_from(sys::clock::now_us() / 1_000_000).unwrap_or(i64::MAX);
            *self = Self { number, client: client.to_owned(), at_seconds };
        }
    }

    /// `Nov 22 06:06:58`
    fn at(&self) -> String {
        let time = sys::clock::local_time(self.at_seconds).to_asctime();
        time.get(4..19).unwrap_or_default().to_owned()
    }
}

impl Statistics {
    pub(crate) fn note(&mut self, event: Event, client: &str, count: Count, clients: usize) {
        if event != Event::NewTlsStatus {
            self.rates[event.counted_as()].note(count.rate, client);
        }
        self.connections.note(count.connections, client);
        self.clients.note(u64::try_from(clients).unwrap_or(u64::MAX), "");
    }

    /// Writes the lines, and begins anew. Nothing is said of what has not happened.
    pub(crate) fn report(&mut self, unit: Duration) {
        std::mem::take(self).lines(unit).iter().for_each(|line| log::info!("statistics: {line}"));
    }

    fn lines(&self, unit: Duration) -> Vec<String> {
        let mut lines = Vec::new();
        for (event, name) in RATES {
            let peak = &self.rates[event.counted_as()];
            let Peak { number, client, .. } = peak;
            if *number > 0 {
                let unit = unit.as_secs();
                lines.push(format!("max {name} rate {number}/{unit}s for ({client}) at {}", peak.at()));
            }
            if event == Event::Connect && self.connections.number > 0 {
                let Peak { number, client, .. } = &self.connections;
                lines.push(format!(
                    "max connection count {number} for ({client}) at {}",
                    self.connections.at()
                ));
            }
        }
        if self.clients.number > 0 {
            lines.push(format!("max cache size {} at {}", self.clients.number, self.clients.at()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_highest_numbers() {
        let mut statistics = Statistics::default();
        assert!(statistics.lines(Duration::from_secs(60)).is_empty());
        let count = |connections, rate| Count { connections, rate };
        statistics.note(Event::Connect, "smtp:192.0.2.1", count(2, 7), 3);
        statistics.note(Event::Connect, "smtp:192.0.2.2", count(1, 8), 2);
        statistics.note(Event::Message, "smtp:192.0.2.2", count(1, 1), 2);
        let lines = statistics.lines(Duration::from_secs(60));
        let texts: Vec<_> = lines.iter().map(|line| line.split(" at ").next().unwrap()).collect();
        let expected = [
            "max connection rate 8/60s for (smtp:192.0.2.2)",
            "max connection count 2 for (smtp:192.0.2.1)",
            "max message rate 1/60s for (smtp:192.0.2.2)",
            "max cache size 3",
        ];
        assert_eq!(texts, expected);
        assert_eq!(lines[0].split(" at ").nth(1).unwrap().len(), "Nov 22 06:06:58".len());
    }
}
