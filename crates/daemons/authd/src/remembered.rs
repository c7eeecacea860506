//! Passwords that were right, so that a slow hash is computed once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Stands for a user, a stored password and a password that goes with it; says nothing to who has not the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Token([u8; 32]);

/// What is remembered. As the stored password is part of a token, a change of it makes the token worthless.
pub(crate) struct Remembered {
    key: [u8; 32],
    limit: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tokens: HashSet<Token>,
    by_age: VecDeque<Token>,
}

impl Remembered {
    pub(crate) fn new(key: [u8; 32], limit: usize) -> Self {
        Self { key, limit, known: Mutex::default() }
    }

    pub(crate) fn token(&self, user: &str, stored: &str, password: &str) -> Token {
        // A key of any length will do for HMAC, so there is always one.
        let mac = Hmac::<Sha256>::new_from_slice(&self.key);
        let parts = [user, "\0", stored, "\0", password];
        let mac = mac.map(|mac| parts.iter().fold(mac, |mac, part| mac.chain_update(part.as_bytes())));
        Token(mac.map(|mac| mac.finalize().into_bytes().into()).unwrap_or_default())
    }

    pub(crate) fn has(&self, token: &Token) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).tokens.contains(token)
    }

    /// The oldest makes room.
    pub(crate) fn keep(&self, token: Token) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.limit == 0 || !known.tokens.insert(token) {
            return;
        }
        known.by_age.push_back(token);
        if known.by_age.len() > self.limit
            && let Some(oldest) = known.by_age.pop_front()
        {
            known.tokens.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_a_new_stored_password_is_another() {
        let remembered = Remembered::new([1; 32], 2);
        let tokens = ["a", "b", "c"].map(|user| remembered.token(user, "$6$x", "pw"));
        tokens.iter().for_each(|token| remembered.keep(*token));
        assert!(!remembered.has(&tokens[0]) && remembered.has(&tokens[1]) && remembered.has(&tokens[2]));
        assert!(!remembered.has(&remembered.token("c", "$6$y", "pw")));
        let nothing = Remembered::new([1; 32], 0);
        nothing.keep(tokens[0]);
        assert!(!nothing.has(&tokens[0]));
    }
}
