//! How soon a service that crashes is started again.

use std::time::{Duration, Instant};

/// After the first crash.
const SHORTEST: Duration = Duration::from_millis(100);
/// However often it crashes.
const LONGEST: Duration = Duration::from_secs(60);
/// A worker that lived this long was no crash at start: counting begins anew.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// The crashes of one service.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Backoff {
    crashes: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// A worker that was started at `started` has crashed; returns when the next may start.
    pub(crate) fn crashed(&mut self, started: Instant, now: Instant) -> Instant {
        if now.duration_since(started) >= GOOD_LIFE {
            self.crashes = 0;
        }
        let delay = SHORTEST.saturating_mul(1 << self.crashes.min(10)).min(LONGEST);
        self.crashes += 1;
        let until = now + delay;
        self.until = Some(until);
        until
    }

    /// Until when nothing may start, if that is still to come.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loop_slows_down_to_a_minute_and_a_good_life_forgives() {
        let start = Instant::now();
        let mut backoff = Backoff::default();
        let delays: Vec<u128> =
            (0..12).map(|_| (backoff.crashed(start, start) - start).as_millis()).collect();
        assert_eq!(delays[..4], [100, 200, 400, 800]);
        assert_eq!(delays[10..], [60_000, 60_000]);
        let later = start + GOOD_LIFE;
        assert_eq!(backoff.crashed(start, later), later + SHORTEST);
        assert_eq!(backoff.until(later + LONGEST), None);
    }
}
