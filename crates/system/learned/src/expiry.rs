//! Old tokens go when there are too many. Nobody waits for it: it reads one state of the database, and removes in small
//! bundles.

use spam::learned::Token;

use crate::database::Facts;
use crate::store::Store;
use crate::trouble::Trouble;

/// Half a day: tokens are looked at no more often, and none goes that was used within it.
pub(crate) const PERIOD_SECONDS: u32 = 43_200;
/// Ages are tried up to so many doublings of the period: 256 days.
pub(crate) const DOUBLINGS: u32 = 9;
/// So many tokens always stay.
pub(crate) const TOKENS_KEPT: u64 = 100_000;
/// Fewer are not worth the work.
const WORTH_IT: u64 = 1_000;
/// Of the limit, what stays.
const KEPT_PERCENT: u64 = 75;
/// Tokens that are removed at once.
const BUNDLE_TOKENS: usize = 2_000;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// `bayes_expiry_max_db_size`
    pub limit: u64,
    /// Seconds since 1970.
    pub now: u32,
    /// Also when it is not due (`sa-learn --force-expire`).
    pub force: bool,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Tokens that stay.
    pub kept: u64,
    /// Tokens that went.
    pub deleted: u64,
}

impl Expiry {
    /// Is it time?
    pub(crate) fn is_due(&self, facts: &Facts) -> bool {
        self.force
            || (facts.tokens > TOKENS_KEPT
                && facts.tokens > self.limit
                && self.now.saturating_sub(facts.last_expiry) >= PERIOD_SECONDS
                && facts.newest.saturating_sub(facts.oldest) >= PERIOD_SECONDS)
    }

    /// How many tokens should go; `None` when that is not worth the work.
    pub(crate) fn wanted(&self, facts: &Facts) -> Option<u64> {
        let wanted = facts.tokens.saturating_sub((self.limit * KEPT_PERCENT / 100).max(TOKENS_KEPT));
        (wanted >= WORTH_IT).then_some(wanted)
    }
}

impl Store {
    /// Removes old tokens, if it is time.
    ///
    /// # Errors
    /// [`Trouble::Database`]; what was removed until then is gone.
    pub fn expire(&self, expiry: Expiry) -> Result<Expired, Trouble> {
        self.flush()?;
        let facts = self.facts()?;
        let kept = Expired { kept: facts.tokens, deleted: 0 };
        if !expiry.is_due(&facts) {
            return Ok(kept);
        }
        let newest = facts.newest.min(expiry.now);
        let age = match expiry.wanted(&facts) {
            Some(wanted) => age_for(wanted, &self.ages(newest)?),
            None => None,
        };
        let Some(age) = age else {
            self.note_expiry(expiry.now, 0, 0)?;
            return Ok(kept);
        };
        let deleted = self.remove_older_than(newest.saturating_sub(age))?;
        self.note_expiry(expiry.now, age, deleted)?;
        Ok(Expired { kept: facts.tokens.saturating_sub(deleted), deleted })
    }

    /// How many tokens were not used for each doubling of the period.
    fn ages(&self, newest: u32) -> Result<Vec<u64>, Trouble> {
        let mut ages = vec![0; DOUBLINGS as usize + 1];
        self.each_token(|_, counts| {
            let age = newest.saturating_sub(counts.used);
            for (doubling, count) in ages.iter_mut().enumerate() {
                *count += u64::from(age >= PERIOD_SECONDS << doubling);
            }
        })?;
        Ok(ages)
    }

    fn remove_older_than(&self, time: u32) -> Result<u64, Trouble> {
        let (mut old, mut oldest, mut kept) = (Vec::new(), u32::MAX, 0_u64);
        self.each_token(|token, counts| {
            if counts.used < time {
                old.push(token);
            } else {
                kept += 1;
                oldest = oldest.min(counts.used);
            }
        })?;
        if kept < TOKENS_KEPT {
            return Ok(0);
        }
        for bundle in old.chunks(BUNDLE_TOKENS) {
            self.remove(bundle, time).map_err(self.database.trouble("expire"))?;
        }
        Ok(old.len() as u64)
    }

    /// Removes tokens that were not used meanwhile.
    fn remove(&self, tokens: &[Token], time: u32) -> Result<(), lmdb::Error> {
        let mut change = self.database.change()?;
        let look = self.database.look()?;
        for token in tokens {
            if look.token(token)?.is_some_and(|counts| counts.used < time) {
                change.token(token, None)?;
            }
        }
        change.commit()
    }

    fn note_expiry(&self, now: u32, age: u32, count: u64) -> Result<(), Trouble> {
        let note = || {
            let mut change = self.database.change()?;
            change.facts.last_expiry = now;
            change.facts.last_expiry_age = age;
            change.facts.last_expiry_count = count;
            if count > 0 {
                change.facts.oldest = change.facts.newest.saturating_sub(age);
            }
            change.commit()
        };
        note().map_err(self.database.trouble("write"))
    }
}

/// The age beyond which tokens go, so that as many as possible go but no more than wanted.
pub(crate) fn age_for(wanted: u64, ages: &[u64]) -> Option<u32> {
    let doubling = ages.iter().position(|count| *count <= wanted)?;
    (ages[doubling] >= WORTH_IT).then(|| PERIOD_SECONDS << doubling)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spam::learned::{Change, Class, Memory};

    #[test]
    fn the_age_takes_no_more_than_wanted() {
        assert_eq!(age_for(5_000, &[9_000, 4_000, 2_000]), Some(PERIOD_SECONDS * 2));
        assert_eq!(age_for(5_000, &[3_000, 100, 0]), Some(PERIOD_SECONDS));
        assert_eq!(age_for(5_000, &[9_000, 100, 0]), None);
        assert_eq!(age_for(5_000, &[9_000, 8_000]), None);
    }

    #[test]
    fn old_tokens_go_and_new_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bayes.lmdb")).unwrap();
        let token = |number: u32| {
            let mut token = Token::default();
            token[..4].copy_from_slice(&number.to_be_bytes());
            token
        };
        let learn = |tokens: Vec<Token>, used| {
            store.apply(&[Change::Tokens { tokens, class: Class::Spam, by: 1, used }]);
        };
        learn((0..2_000).map(token).collect(), 1_000);
        learn((2_000..102_500).map(token).collect(), 1_000_000);
        let expiry = Expiry { limit: 1_000, now: 1_000_000, force: false };
        let done = store.expire(expiry).unwrap();
        assert_eq!(done, Expired { kept: 100_500, deleted: 2_000 });
        assert_eq!(store.tokens(&[token(5), token(5_000)]).iter().flatten().count(), 1);
        let again = store.expire(expiry).unwrap();
        assert_eq!(again, Expired { kept: 100_500, deleted: 0 });
    }
}
