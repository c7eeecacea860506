//! Who has guessed lately, and how long the next try waits.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failures that cost nothing: anybody may mistype.
const FREE_FAILURES: u32 = 3;
/// How long a failure counts.
const MEMORY: Duration = Duration::from_secs(300);
/// Addresses, and users, that are kept in mind.
const KNOWN_LIMIT: usize = 50_000;
/// Failures of one user that change nothing: the user may have an old password in some program.
const FREE_USER_FAILURES: u32 = 20;
/// Users whose answers are held back longer, at the most so many times as long.
const USER_FACTOR_LIMIT: u32 = 4;

/// Failures of the last minutes.
pub(crate) struct Penalties {
    limit: Duration,
    addresses: HashMap<IpAddr, Record>,
    users: HashMap<String, Record>,
}

struct Record {
    failures: u32,
    last: Instant,
}

impl Penalties {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, addresses: HashMap::new(), users: HashMap::new() }
    }

    /// How long a try from this address waits before it is looked at: 1, 2, 4 ... seconds.
    pub(crate) fn delay(&self, remote: &str, now: Instant) -> Duration {
        let Some(address) = place_of(remote) else { return Duration::ZERO };
        let record = self.addresses.get(&address).filter(|record| now < record.last + MEMORY);
        let failures = record.map_or(0, |record| record.failures.saturating_sub(FREE_FAILURES));
        match failures {
            0 => Duration::ZERO,
            count => Duration::from_secs(1 << (count - 1).min(16)).min(self.limit),
        }
    }

    /// Somebody has failed; answers how many times as long as usual the client waits for the answer.
    pub(crate) fn note_failure(&mut self, remote: &str, user: Option<&str>, now: Instant) -> u32 {
        if let Some(address) = place_of(remote) {
            note(&mut self.addresses, address, now);
        }
        let Some(user) = user else { return 1 };
        let failures = note(&mut self.users, user.to_owned(), now);
        (failures / FREE_USER_FAILURES).clamp(1, USER_FACTOR_LIMIT)
    }
}

fn note<K: Hash + Eq>(records: &mut HashMap<K, Record>, key: K, now: Instant) -> u32 {
    if records.len() >= KNOWN_LIMIT {
        records.retain(|_, record| now < record.last + MEMORY);
    }
    if records.len() >= KNOWN_LIMIT {
        records.clear();
    }
    let record = records.entry(key).or_insert(Record { failures: 0, last: now });
    if now >= record.last + MEMORY {
        *record = Record { failures: 0, last: now };
    }
    record.last = now;
    record.failures = record.failures.saturating_add(1);
    record.failures
}

/// What is counted together: an IPv4 address, or the network of an IPv6 address. Loopback is not counted.
fn place_of(remote: &str) -> Option<IpAddr> {
    let address: IpAddr = remote.parse().ok()?;
    match address.to_canonical() {
        local if local.is_loopback() => None,
        IpAddr::V6(v6) => Some(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64))),
        v4 => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(15);

    #[test]
    fn guesses_cost_more_and_more_and_are_forgotten() {
        let mut penalties = Penalties::new(LIMIT);
        let now = Instant::now();
        let mut delays = Vec::new();
        for number in 0..9 {
            delays.push(penalties.delay("192.0.2.1", now).as_secs());
            penalties.note_failure("192.0.2.1", Some(&format!("u{number}")), now);
        }
        assert_eq!(delays, [0, 0, 0, 0, 1, 2, 4, 8, 15]);
        assert_eq!(penalties.delay("192.0.2.2", now), Duration::ZERO);
        assert_eq!(penalties.delay("192.0.2.1", now + MEMORY), Duration::ZERO);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_loopback_never() {
        let mut penalties = Penalties::new(LIMIT);
        let now = Instant::now();
        for number in 0..5 {
            penalties.note_failure(&format!("2001:db8::{number}"), None, now);
            penalties.note_failure("127.0.0.1", None, now);
            penalties.note_failure("::1", None, now);
        }
        assert_eq!(penalties.delay("2001:db8::ffff", now).as_secs(), 2);
        assert_eq!(penalties.delay("127.0.0.1", now), Duration::ZERO);
        assert_eq!(penalties.delay("not an address", now), Duration::ZERO);
    }

    #[test]
    fn a_user_under_attack_is_answered_later_from_everywhere() {
        let mut penalties = Penalties::new(LIMIT);
        let now = Instant::now();
        let factors: Vec<_> = (0..90)
            .map(|number| penalties.note_failure(&format!("192.0.2.{number}"), Some("info@x"), now))
            .collect();
        assert_eq!([factors[0], factors[38], factors[39], factors[59], factors[89]], [1, 1, 2, 3, 4]);
    }
}
