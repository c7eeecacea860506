//! The keys of session tickets and their turn-over.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use services::ticket_keys::{NAME_BYTES, SECRET_BYTES, TicketKey, TicketKeys};

/// Where the kernel gives random bytes; never runs dry (random(7)).
const RANDOM: &str = "/dev/urandom";
/// A key makes tickets for no less than this, however short tickets live.
const SHORTEST: Duration = Duration::from_secs(60);

/// The keys in use: one that makes tickets, and those whose tickets may still be out.
#[derive(Debug)]
pub(crate) struct KeyRing {
    lifetime_seconds: u64,
    keys: TicketKeys,
}

impl KeyRing {
    /// No keys yet; tickets are good for `lifetime`.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { lifetime_seconds: lifetime.max(SHORTEST).as_secs(), keys: TicketKeys::default() }
    }

    /// The keys at this time, in seconds since 1970. A key makes tickets for one lifetime and opens them for
    /// another.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub(crate) fn at(&mut self, now: u64) -> io::Result<&TicketKeys> {
        self.keys.keys.retain(|key| key.opens_until > now);
        if self.keys.keys.first().is_none_or(|key| key.seals_until <= now) {
            let key = self.make(now)?;
            self.keys.keys.insert(0, key);
        }
        Ok(&self.keys)
    }

    fn make(&self, now: u64) -> io::Result<TicketKey> {
        let (mut name, mut secret) = ([0; NAME_BYTES], [0; SECRET_BYTES]);
        let mut random = File::open(RANDOM)?;
        random.read_exact(&mut name)?;
        random.read_exact(&mut secret)?;
        let seals_until = now + self.lifetime_seconds;
        Ok(TicketKey { name, secret, seals_until, opens_until: seals_until + self.lifetime_seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_serves_one_lifetime_and_opens_for_another() {
        let mut ring = KeyRing::new(Duration::from_secs(3600));
        let first = ring.at(10_000).unwrap().keys[0].clone();
        assert_eq!(ring.at(10_000 + 3599).unwrap().keys, std::slice::from_ref(&first));
        let second = ring.at(10_000 + 3600).unwrap().keys.clone();
        assert_eq!((second.len(), &second[1]), (2, &first));
        assert_ne!(second[0].secret, first.secret);
        let third = &ring.at(10_000 + 7200).unwrap().keys;
        assert!(third.len() == 2 && !third.contains(&first), "the first key has gone");
    }
}
