//! Leaving alone for a while who could not be reached.

use std::time::{Duration, Instant};

use crate::trouble::Trouble;

/// After a connection could not be made, nobody tries for this long; twice as long after the next time ...
const FIRST: Duration = Duration::from_millis(500);
/// ... up to this.
const LONGEST: Duration = Duration::from_secs(10);

/// The time in which nobody tries.
#[derive(Default)]
pub(crate) struct Rest {
    /// What was wrong, until when it counts, and how long that is.
    last: Option<(Trouble, Instant, Duration)>,
}

impl Rest {
    /// May somebody try?
    ///
    /// # Errors
    /// What was wrong last time, while nobody may.
    pub(crate) fn is_over(&self, now: Instant) -> Result<(), Trouble> {
        match &self.last {
            Some((trouble, until, _)) if now < *until => Err(trouble.clone()),
            _ => Ok(()),
        }
    }

    /// Somebody tried.
    pub(crate) fn note<T>(&mut self, tried: &Result<T, Trouble>, now: Instant) {
        let length = self.last.as_ref().map_or(FIRST, |(_, _, length)| (*length * 2).min(LONGEST));
        self.last = tried.as_ref().err().map(|trouble| (trouble.clone(), now + length, length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_and_end() {
        let (mut rest, mut now) = (Rest::default(), Instant::now());
        let trouble = Trouble::Busy { name: "x".to_owned(), limit: 1 };
        assert_eq!(rest.is_over(now), Ok(()));
        for seconds in [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] {
            rest.note(&Err::<(), _>(trouble.clone()), now);
            let length = Duration::from_secs_f64(seconds);
            assert_eq!(rest.is_over(now + length - Duration::from_millis(1)), Err(trouble.clone()));
            now += length;
            assert_eq!(rest.is_over(now), Ok(()));
        }
        rest.note(&Ok(()), now);
        rest.note(&Err::<(), _>(trouble), now);
        assert_eq!(rest.is_over(now + FIRST), Ok(()));
    }
}
