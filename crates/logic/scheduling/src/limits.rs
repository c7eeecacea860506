//! What the administrator allows a transport.

use crate::Microseconds;

/// The limits of one transport: `<transport>_destination_concurrency_limit` and its siblings.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportLimits {
    /// Deliveries at a time to one destination; 0 means no limit.
    pub destination_concurrency: u32,
    /// Deliveries at a time that a destination starts with.
    pub initial_concurrency: u32,
    /// Recipients in one delivery; 0 means no limit, 1 makes each recipient a destination of its own.
    pub recipients: u32,
    /// How a success changes the concurrency.
    pub positive: FeedbackRule,
    /// How a failure of the destination changes it.
    pub negative: FeedbackRule,
    /// So many generations of failures, each as large as the concurrency, make a destination dead; 0 means never.
    pub failed_cohorts: u32,
    /// Pause after each delivery to a destination; then one at a time.
    pub destination_rate_delay: Microseconds,
    /// Pause after each delivery of the whole transport; then one at a time.
    pub transport_rate_delay: Microseconds,
    /// Deliveries of a message that earn a place ahead of it for another message; below 2 nobody overtakes.
    pub slot_cost: u32,
    /// Places that are lent before they are earned.
    pub slot_loan: u32,
    /// Percentage of the places needed that need not be there yet.
    pub slot_discount: u32,
    /// A message that can not earn so many places is not overtaken.
    pub minimum_slots: u32,
    /// Deliveries at a time over all destinations, so that one transport does not take all memory.
    pub deliveries: u32,
}

impl TransportLimits {
    /// How many deliveries so many recipients of one destination come to.
    pub(crate) fn entries(&self, recipients: usize) -> u32 {
        let each = if self.recipients == 0 { usize::MAX } else { self.recipients as usize };
        u32::try_from(recipients.div_ceil(each)).unwrap_or(u32::MAX)
    }
}

impl Default for TransportLimits {
    /// As `postconf -d`.
    fn default() -> Self {
        Self {
            destination_concurrency: 20,
            initial_concurrency: 5,
            recipients: 50,
            positive: FeedbackRule::ONE,
            negative: FeedbackRule::ONE,
            failed_cohorts: 1,
            destination_rate_delay: 0,
            transport_rate_delay: 0,
            slot_cost: 5,
            slot_loan: 3,
            slot_discount: 50,
            minimum_slots: 3,
            deliveries: 1000,
        }
    }
}

/// How much one result changes the concurrency: `default_destination_concurrency_positive_feedback` and its siblings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedbackRule {
    base: f64,
    divisor: Divisor,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Divisor {
    One,
    Concurrency,
    RootOfConcurrency,
}

/// A feedback that is not `number`, `number / number`, `number / concurrency` or `number / sqrt_concurrency`, or is not within 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFeedback;

impl FeedbackRule {
    /// "1": one more or less with each result.
    pub const ONE: Self = Self { base: 1.0, divisor: Divisor::One };

    /// Reads the value of a parameter.
    ///
    /// # Errors
    /// [`BadFeedback`].
    pub fn parse(text: &str) -> Result<Self, BadFeedback> {
        let (base, divisor) = text.split_once('/').unwrap_or((text, "1"));
        let base: f64 = base.trim().parse().map_err(|_| BadFeedback)?;
        let rule = match divisor.trim() {
            "concurrency" => Self { base, divisor: Divisor::Concurrency },
            "sqrt_concurrency" => Self { base, divisor: Divisor::RootOfConcurrency },
            number => {
                let number: f64 = number.parse().map_err(|_| BadFeedback)?;
                Self { base: base / number, divisor: Divisor::One }
            }
        };
        if rule.base.is_finite() && (0.0..=1.0).contains(&rule.base) { Ok(rule) } else { Err(BadFeedback) }
    }

    /// The change at this concurrency.
    pub(crate) fn at(self, concurrency: u32) -> f64 {
        match self.divisor {
            Divisor::One => self.base,
            Divisor::Concurrency => self.base / f64::from(concurrency.max(1)),
            Divisor::RootOfConcurrency => self.base / f64::from(concurrency.max(1)).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_manual_are_read() {
        for (text, at_4) in
            [("1", 1.0), ("0.5", 0.5), ("1/2", 0.5), (" 1 / concurrency", 0.25), ("1/sqrt_concurrency", 0.5)]
        {
            assert!((FeedbackRule::parse(text).unwrap().at(4) - at_4).abs() < 1e-9, "{text}");
        }
        for text in ["", "x", "-1", "2", "1/0", "1/size", "nan"] {
            assert_eq!(FeedbackRule::parse(text), Err(BadFeedback), "{text}");
        }
    }
}
