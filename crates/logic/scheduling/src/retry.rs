//! When a message is tried again, and when it is given up.

/// `minimal_backoff_time`, `maximal_backoff_time`, `maximal_queue_lifetime`, `bounce_queue_lifetime`, all in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Least time between two attempts.
    pub minimal_backoff: u64,
    /// Most time between two attempts.
    pub maximal_backoff: u64,
    /// Age at which a message goes back to its sender.
    pub lifetime: u64,
    /// The same for a message of the null sender, which has nobody to go back to.
    pub bounce_lifetime: u64,
}

/// What becomes of a message with recipients left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt at this time, in seconds since 1970.
    At(u64),
    /// Too old: return it.
    Expired,
}

impl RetrySettings {
    /// Judges a message that arrived (for the time being: whose file was made) at `created`; all in seconds since 1970. The pause is the age
    /// of the message, between the two limits, so that it about doubles with each attempt.
    pub fn next(&self, now: u64, created: u64, null_sender: bool) -> Next {
        let age = now.saturating_sub(created);
        let lifetime = if null_sender { self.bounce_lifetime } else { self.lifetime };
        if age >= lifetime {
            return Next::Expired;
        }
        Next::At(now + age.min(self.maximal_backoff).max(self.minimal_backoff))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: RetrySettings = RetrySettings {
        minimal_backoff: 300,
        maximal_backoff: 4000,
        lifetime: 432_000,
        bounce_lifetime: 1000,
    };

    #[test]
    fn the_pause_follows_the_age_between_its_limits() {
        assert_eq!(SETTINGS.next(1_000_010, 1_000_000, false), Next::At(1_000_310));
        assert_eq!(SETTINGS.next(1_000_900, 1_000_000, false), Next::At(1_001_800));
        assert_eq!(SETTINGS.next(1_090_000, 1_000_000, false), Next::At(1_094_000));
        assert_eq!(SETTINGS.next(999_000, 1_000_000, false), Next::At(999_300), "a clock set back");
    }

    #[test]
    fn bounces_expire_by_their_own_clock() {
        assert_eq!(SETTINGS.next(1_432_000, 1_000_000, false), Next::Expired);
        assert_eq!(SETTINGS.next(1_001_000, 1_000_000, true), Next::Expired);
        let at_once = RetrySettings { lifetime: 0, ..SETTINGS };
        assert_eq!(
            at_once.next(1_000_000, 1_000_000, false),
            Next::Expired,
            "a lifetime of 0 allows one attempt"
        );
    }
}
