//! Learned data in memory: changes that are not yet stored, or all there is in a test.

use std::collections::HashMap;

use super::{Change, Class, Memory, Reputation, Tally, Token, TokenCounts};

/// What happens to the counts of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenChange {
    /// Messages of spam more.
    pub spam: i64,
    /// Messages of ham more.
    pub ham: i64,
    /// It was used then.
    pub used: u32,
}

impl TokenChange {
    /// The counts behind the change; `None` when nothing is left of them.
    pub fn apply(self, counts: Option<TokenCounts>) -> Option<TokenCounts> {
        let before = counts.unwrap_or_default();
        let add = |count: u32, more: i64| {
            u32::try_from((i64::from(count) + more).clamp(0, i64::from(u32::MAX))).unwrap_or(0)
        };
        let (spam, ham) = (add(before.spam, self.spam), add(before.ham, self.ham));
        (spam > 0 || ham > 0).then(|| TokenCounts { spam, ham, used: before.used.max(self.used) })
    }
}

/// What happens to a reputation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// What was there before does not count.
    pub anew: bool,
    /// What is added.
    pub more: Reputation,
}

impl Amount {
    /// The reputation behind the change; `None` when nothing is left of it.
    pub fn apply(self, before: Option<Reputation>) -> Option<Reputation> {
        let before = if self.anew { None } else { before };
        if before.is_none() && self.more.count == 0 {
            return None;
        }
        let before = before.unwrap_or_default();
        Some(Reputation { count: before.count + self.more.count, total: before.total + self.more.total })
    }
}

/// Changes, put together: what many of them do to one token is one entry.
#[derive(Debug, Clone, Default)]
pub struct Notebook {
    /// Messages of spam more.
    pub spam: i64,
    /// Messages of ham more.
    pub ham: i64,
    /// Tokens that change.
    pub tokens: HashMap<Token, TokenChange>,
    /// Messages by their ids.
    pub messages: HashMap<String, Option<Class>>,
    /// Reputations that change, by their keys.
    pub reputations: HashMap<String, Amount>,
    /// How keys begin of which everything that was there before these changes is forgotten.
    pub forgotten_keys: Vec<String>,
}

impl Notebook {
    /// Nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.spam == 0
            && self.ham == 0
            && self.tokens.is_empty()
            && self.messages.is_empty()
            && self.reputations.is_empty()
            && self.forgotten_keys.is_empty()
    }

    /// How many entries change.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.messages.len() + self.reputations.len()
    }

    /// Takes a change down.
    pub fn note(&mut self, change: &Change) {
        match change {
            Change::Messages { class: Class::Spam, by } => self.spam += by,
            Change::Messages { class: Class::Ham, by } => self.ham += by,
            Change::Tokens { tokens, class, by, used } => {
                for token in tokens {
                    let entry = self.tokens.entry(*token).or_default();
                    match class {
                        Class::Spam => entry.spam += by,
                        Class::Ham => entry.ham += by,
                    }
                    entry.used = entry.used.max(*used);
                }
            }
            Change::Used { tokens, used } => {
                for token in tokens {
                    let entry = self.tokens.entry(*token).or_default();
                    entry.used = entry.used.max(*used);
                }
            }
            Change::Message { id, class } => {
                self.messages.insert(id.clone(), *class);
            }
            Change::Score { key, more } => {
                let entry = self.reputations.entry(key.clone()).or_default();
                entry.more.count += more.count;
                entry.more.total += more.total;
            }
            Change::ForgetKey(key) => {
                self.reputations.insert(key.clone(), Amount { anew: true, more: Reputation::default() });
            }
            Change::ForgetKeys(begin) => {
                self.reputations.retain(|key, _| !key.starts_with(begin.as_str()));
                self.forgotten_keys.push(begin.clone());
            }
        }
    }

    /// The tally behind these changes.
    pub fn tally(&self, before: Tally) -> Tally {
        let add = |count: u64, more: i64| count.saturating_add_signed(more);
        Tally { spam: add(before.spam, self.spam), ham: add(before.ham, self.ham) }
    }

    /// The counts of a token behind these changes.
    pub fn token(&self, token: &Token, before: Option<TokenCounts>) -> Option<TokenCounts> {
        self.tokens.get(token).map_or(before, |change| change.apply(before))
    }

    /// What a message is known as behind these changes.
    pub fn message(&self, id: &str, before: Option<Class>) -> Option<Class> {
        self.messages.get(id).map_or(before, |class| *class)
    }

    /// A reputation behind these changes.
    pub fn reputation(&self, key: &str, before: Option<Reputation>) -> Option<Reputation> {
        let forgotten = self.forgotten_keys.iter().any(|begin| key.starts_with(begin.as_str()));
        let before = if forgotten { None } else { before };
        self.reputations.get(key).map_or(before, |amount| amount.apply(before))
    }
}

/// A notebook on top of nothing.
impl Memory for Notebook {
    fn tally(&self) -> Option<Tally> {
        Some(Notebook::tally(self, Tally::default()))
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        tokens.iter().map(|token| self.token(token, None)).collect()
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        self.message(message_id, None)
    }

    fn reputation(&self, key: &str) -> Option<Reputation> {
        Notebook::reputation(self, key, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Token = *b"aaaaa";

    #[test]
    fn counts_never_fall_below_zero_and_vanish_at_zero() {
        let mut notes = Notebook::default();
        notes.note(&Change::Tokens { tokens: vec![A], class: Class::Spam, by: 2, used: 7 });
        notes.note(&Change::Used { tokens: vec![A, *b"bbbbb"], used: 5 });
        assert_eq!(notes.token(&A, None), Some(TokenCounts { spam: 2, ham: 0, used: 7 }));
        assert_eq!(notes.token(b"bbbbb", None), None);
        notes.note(&Change::Tokens { tokens: vec![A], class: Class::Spam, by: -3, used: 0 });
        let before = TokenCounts { spam: 1, ham: 0, used: 9 };
        assert_eq!(notes.token(&A, Some(before)), None);
        notes.note(&Change::Messages { class: Class::Ham, by: -1 });
        assert_eq!(notes.tally(Tally { spam: 3, ham: 0 }), Tally { spam: 3, ham: 0 });
    }

    #[test]
    fn a_reputation_that_was_forgotten_begins_anew() {
        let mut notes = Notebook::default();
        let score = |total| Change::Score { key: "a|ip=none".into(), more: Reputation { count: 1, total } };
        notes.note(&score(3.0));
        notes.note(&Change::ForgetKeys("a|".into()));
        notes.note(&score(2.0));
        let stored = Some(Reputation { count: 5, total: 50.0 });
        let after = Reputation { count: 1, total: 2.0 };
        assert_eq!(notes.reputation("a|ip=none", stored), Some(after));
        assert_eq!(notes.reputation("a|ip=1.2", stored), None);
        assert_eq!(notes.reputation("b|ip=1.2", stored), stored);
        notes.note(&Change::ForgetKey("b|ip=1.2".into()));
        assert_eq!(notes.reputation("b|ip=1.2", stored), None);
    }
}
