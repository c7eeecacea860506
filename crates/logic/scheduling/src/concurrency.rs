//! How many deliveries at a time one destination gets: more while they succeed, fewer while it fails.

use crate::limits::TransportLimits;

/// What a delivery says about its destination (not about its recipients).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// The destination took or refused the message: it is alive.
    Alive,
    /// The destination could not be reached, or did not want to talk.
    Failed,
}

/// Slack for sums of fractions such as three times 1/3.
const ROUNDING: f64 = 1e-4;

/// The concurrency of one destination.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    size: u32,
    successes: f64,
    failures: f64,
    failed_cohorts: f64,
}

impl Window {
    pub(crate) fn new(limits: &TransportLimits) -> Self {
        Self { size: initial(limits), successes: 0.0, failures: 0.0, failed_cohorts: 0.0 }
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Takes one result; `busy` are the deliveries under way, this one included. True when the destination is to be taken for dead.
    pub(crate) fn feed(&mut self, feedback: Feedback, busy: u32, limits: &TransportLimits) -> bool {
        match feedback {
            Feedback::Alive => {
                self.grow(busy, limits);
                false
            }
            Feedback::Failed => self.shrink(limits),
        }
    }

    /// Not above the limit, and not further above what is in use than a destination starts with: else a failure would come too late to matter.
    fn grow(&mut self, busy: u32, limits: &TransportLimits) {
        self.failed_cohorts = 0.0;
        let limit = ceiling(limits);
        if self.size >= limit || self.size >= busy.saturating_add(initial(limits)) {
            return;
        }
        self.successes += limits.positive.at(self.size);
        while self.successes + ROUNDING > 1.0 {
            self.size += 1;
            self.successes -= 1.0;
            self.failures = 0.0;
        }
        self.size = self.size.min(limit);
    }

    fn shrink(&mut self, limits: &TransportLimits) -> bool {
        self.failed_cohorts += 1.0 / f64::from(self.size);
        self.failures -= limits.negative.at(self.size);
        while self.failures + ROUNDING < 0.0 {
            self.size = self.size.saturating_sub(1);
            self.successes = 0.0;
            self.failures += 1.0;
        }
        self.size = self.size.max(1);
        limits.failed_cohorts > 0 && self.failed_cohorts + ROUNDING >= f64::from(limits.failed_cohorts)
    }
}

fn ceiling(limits: &TransportLimits) -> u32 {
    if limits.destination_rate_delay > 0 {
        return 1;
    }
    if limits.destination_concurrency == 0 { u32::MAX } else { limits.destination_concurrency }
}

fn initial(limits: &TransportLimits) -> u32 {
    limits.initial_concurrency.clamp(1, ceiling(limits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::FeedbackRule;

    #[test]
    fn successes_open_the_window_up_to_the_limit() {
        let limits = TransportLimits::default();
        let mut window = Window::new(&limits);
        assert_eq!(window.size(), 5);
        for _ in 0..3 {
            window.feed(Feedback::Alive, window.size(), &limits);
        }
        assert_eq!(window.size(), 8);
        (0..100).for_each(|_| {
            window.feed(Feedback::Alive, window.size(), &limits);
        });
        assert_eq!(window.size(), 20);
    }

    #[test]
    fn the_window_stays_near_what_is_used() {
        let limits = TransportLimits::default();
        let mut window = Window::new(&limits);
        (0..100).for_each(|_| {
            window.feed(Feedback::Alive, 1, &limits);
        });
        assert_eq!(window.size(), 6);
    }

    #[test]
    fn one_cohort_of_failures_is_the_end() {
        let limits = TransportLimits::default();
        let mut window = Window::new(&limits);
        let failures = (1..).find(|_| window.feed(Feedback::Failed, 1, &limits)).unwrap();
        assert_eq!(failures, 4, "1/5 + 1/4 + 1/3 + 1/2 passes 1");
        let mut patient = Window::new(&TransportLimits { failed_cohorts: 0, ..limits.clone() });
        assert!((0..100).all(|_| !patient.feed(
            Feedback::Failed,
            1,
            &TransportLimits { failed_cohorts: 0, ..limits.clone() }
        )));
        assert_eq!(patient.size(), 1);
    }

    #[test]
    fn a_fraction_takes_several_results() {
        let limits = TransportLimits {
            positive: FeedbackRule::parse("1/concurrency").unwrap(),
            ..TransportLimits::default()
        };
        let mut window = Window::new(&limits);
        (0..5).for_each(|_| {
            window.feed(Feedback::Alive, 9, &limits);
        });
        assert_eq!(window.size(), 6);
    }

    #[test]
    fn a_rate_delay_means_one_at_a_time() {
        let limits = TransportLimits { destination_rate_delay: 1, ..TransportLimits::default() };
        assert_eq!(Window::new(&limits).size(), 1);
    }
}
