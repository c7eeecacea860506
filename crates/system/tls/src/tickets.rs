//! Session tickets (RFC 5077, RFC 8446 §4.6.1) with keys that all workers share.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::server::ProducesTickets;

/// Length of a key's name.
pub const KEY_NAME_BYTES: usize = 16;
/// Length of a key.
pub const KEY_BYTES: usize = 32;

/// One key of tickets; times in seconds since 1970.
#[derive(Clone)]
pub struct TicketKey {
    /// Stands in front of the ticket, in the clear.
    pub name: [u8; KEY_NAME_BYTES],
    /// Never shown.
    pub secret: [u8; KEY_BYTES],
    /// Makes tickets before this time.
    pub seals_until: u64,
    /// Opens tickets before this time.
    pub opens_until: u64,
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey").field("opens_until", &self.opens_until).finish_non_exhaustive()
    }
}

/// The keys in use, newest first; empty until somebody has brought some. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct TicketKeys(Arc<RwLock<Vec<TicketKey>>>);

impl TicketKeys {
    /// No keys: no tickets.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on these are the keys.
    pub fn replace(&self, keys: Vec<TicketKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn find(&self, wanted: impl Fn(&TicketKey) -> bool) -> Option<TicketKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().find(|key| wanted(key)).cloned()
    }
}

/// Makes and opens tickets of one service: those of another are not taken, though the keys are the same.
pub(crate) struct Tickets {
    pub(crate) keys: TicketKeys,
    /// Name of the service, which each ticket is bound to.
    pub(crate) service: String,
    pub(crate) lifetime_seconds: u32,
    pub(crate) random: SystemRandom,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Tickets {
    fn seal(&self, plain: &[u8], now: u64) -> Option<Vec<u8>> {
        let key = self.keys.find(|key| now < key.seals_until)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(self.service.as_bytes());
        cipher(&key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        Some([key.name.as_slice(), &nonce, &sealed].concat())
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_at_checked(KEY_NAME_BYTES)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let key = self.keys.find(|key| key.name == name && now < key.opens_until)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let aad = Aad::from(self.service.as_bytes());
        Some(cipher(&key)?.open_in_place(nonce, aad, &mut plain).ok()?.to_vec())
    }
}

fn cipher(key: &TicketKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &key.secret).ok().map(LessSafeKey::new)
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.keys.find(|_| true).is_some()
    }

    fn lifetime(&self) -> u32 {
        self.lifetime_seconds
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, now())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.open(ticket, now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> TicketKey {
        TicketKey { name: [number; 16], secret: [number; 32], seals_until: 100, opens_until: 200 }
    }

    fn tickets(service: &str, keys: Vec<TicketKey>) -> Tickets {
        let shared = TicketKeys::new();
        shared.replace(keys);
        Tickets {
            keys: shared,
            service: service.to_owned(),
            lifetime_seconds: 60,
            random: SystemRandom::new(),
        }
    }

    #[test]
    fn another_worker_opens_a_ticket_and_another_service_does_not() {
        let ticket = tickets("smtp", vec![key(1)]).seal(b"secret", 50).unwrap();
        assert_eq!(
            tickets("smtp", vec![key(2), key(1)]).open(&ticket, 150).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(tickets("imap", vec![key(1)]).open(&ticket, 150), None);
        assert_eq!(tickets("smtp", vec![key(2)]).open(&ticket, 150), None);
    }

    #[test]
    fn keys_have_their_time() {
        let smtp = tickets("smtp", vec![key(1)]);
        let ticket = smtp.seal(b"secret", 99).unwrap();
        assert_eq!(smtp.seal(b"secret", 100), None);
        assert!(smtp.open(&ticket, 199).is_some() && smtp.open(&ticket, 200).is_none());
    }

    #[test]
    fn what_is_changed_or_cut_is_no_ticket() {
        let smtp = tickets("smtp", vec![key(1)]);
        let ticket = smtp.seal(b"secret", 50).unwrap();
        for length in 0..ticket.len() {
            assert_eq!(smtp.open(&ticket[..length], 50), None);
            let mut changed = ticket.clone();
            changed[length] ^= 1;
            assert_eq!(smtp.open(&changed, 50), None);
        }
    }
}
