//! From counts to the probability that a message is spam: Robinson's f(w), combined by Fisher's chi-square.

use crate::learned::{Tally, TokenCounts};

/// What is assumed of a token that was never seen, and how many messages this assumption weighs.
const ASSUMED: f64 = 0.538;
const ASSUMED_WEIGHT: f64 = 0.030;
/// A token tells something when its probability is at least so far from even.
pub(super) const MIN_STRENGTH: f64 = 0.346;
/// Below this a product is scaled up, so that it does not run out of digits.
const TINY: f64 = 1e-200;

fn number(count: u64) -> f64 {
    count as f64
}

/// The probability that a message with this token is spam; `None` when too little is known. A token of a single message
/// counts only with `use_hapaxes`.
pub fn probability_of(counts: TokenCounts, tally: Tally, use_hapaxes: bool) -> Option<f64> {
    let (spam, ham) = (f64::from(counts.spam), f64::from(counts.ham));
    let (all_spam, all_ham) = (number(tally.spam), number(tally.ham));
    let seen = spam + ham;
    let least = if use_hapaxes { 1.0 } else { 2.0 };
    if seen < least || tally.spam == 0 || tally.ham == 0 {
        return None;
    }
    let probability = (spam * all_ham) / (ham * all_spam + spam * all_ham);
    Some((ASSUMED * ASSUMED_WEIGHT + seen * probability) / (ASSUMED_WEIGHT + seen))
}

/// The probability that a message is spam in which tokens of these probabilities stand.
pub(super) fn combined(tally: Tally, probabilities: &[f64]) -> Option<f64> {
    let all = number(tally.spam + tally.ham);
    if probabilities.is_empty() || all == 0.0 {
        return None;
    }
    let mut spam = Product::new(number(tally.spam) / all);
    let mut ham = Product::new(number(tally.ham) / all);
    for probability in probabilities {
        spam.multiply(1.0 - probability);
        ham.multiply(*probability);
    }
    let spam = 1.0 - chi_square(-2.0 * spam.logarithm(), probabilities.len());
    let ham = 1.0 - chi_square(-2.0 * ham.logarithm(), probabilities.len());
    Some((spam - ham + 1.0) / 2.0)
}

/// A product of many small numbers.
struct Product {
    value: f64,
    scaled: f64,
}

impl Product {
    fn new(value: f64) -> Self {
        Self { value, scaled: 0.0 }
    }

    fn multiply(&mut self, factor: f64) {
        self.value *= factor;
        if self.value < TINY && self.value > 0.0 {
            self.value /= TINY;
            self.scaled += TINY.ln();
        }
    }

    fn logarithm(&self) -> f64 {
        self.value.ln() + self.scaled
    }
}

/// The chance that a sum of squares with twice `half_freedom` degrees of freedom is at least `value`.
fn chi_square(value: f64, half_freedom: usize) -> f64 {
    let half = value / 2.0;
    let mut term = (-half).exp();
    let mut sum = term;
    for index in 1..half_freedom {
        term *= half / index as f64;
        sum += term;
    }
    sum.min(1.0)
}

/// In how many more messages of the other class a token would have to stand until it told nothing; for reports.
pub fn distance_to_neutral(counts: TokenCounts, tally: Tally, probability: f64) -> i64 {
    if (probability - 0.5).abs() < MIN_STRENGTH || tally.spam == 0 || tally.ham == 0 {
        return 0;
    }
    let (spam, ham) = (f64::from(counts.spam), f64::from(counts.ham));
    let (all_spam, all_ham) = (number(tally.spam), number(tally.ham));
    let ((all_other, other), (all_own, own)) = if probability > 0.5 {
        ((all_ham, ham), (all_spam, spam))
    } else {
        ((all_spam, spam), (all_ham, ham))
    };
    let edge = 0.5 - MIN_STRENGTH;
    let weighed = ASSUMED * ASSUMED_WEIGHT;
    let a = all_own * (1.0 - edge);
    let b = all_own * (weighed + own * (1.0 - edge) - edge * ASSUMED_WEIGHT) - edge * all_other * own;
    let c = all_other * own * (weighed - edge * (ASSUMED_WEIGHT + own));
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let distance = 1.0 - 1e-6 + (root - b) / (2.0 * a) - other;
    whole(distance.max(1.0))
}

#[allow(clippy::cast_possible_truncation)] // A number of messages.
fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALLY: Tally = Tally { spam: 300, ham: 200 };

    fn of(spam: u32, ham: u32) -> f64 {
        probability_of(TokenCounts { spam, ham, used: 0 }, TALLY, true).unwrap()
    }

    /// As `sa-learn --dump` of the original shows them.
    #[test]
    fn tokens_tell_spam_from_ham() {
        assert!((of(1, 0) - 0.986_544).abs() < 1e-5);
        assert!((of(0, 1) - 0.015_670).abs() < 1e-5);
        assert!((of(30, 20) - 0.500_022).abs() < 1e-5);
        let once = TokenCounts { spam: 1, ham: 0, used: 0 };
        assert_eq!(probability_of(once, TALLY, false), None);
        assert_eq!(probability_of(once, Tally { spam: 1, ham: 0 }, true), None);
    }

    #[test]
    fn tokens_are_combined() {
        assert_eq!(combined(TALLY, &[]), None);
        assert!(combined(TALLY, &[0.99; 20]).unwrap() > 0.999);
        assert!(combined(TALLY, &[0.01; 20]).unwrap() < 0.001);
        let both = combined(Tally { spam: 1, ham: 1 }, &[0.99, 0.01]).unwrap();
        assert!((both - 0.5).abs() < 1e-9);
        assert!(combined(TALLY, &[0.999_99; 150]).unwrap() > 0.999);
    }

    #[test]
    fn a_token_can_be_outweighed() {
        let counts = TokenCounts { spam: 10, ham: 0, used: 0 };
        assert!(distance_to_neutral(counts, TALLY, of(10, 0)) >= 1);
        assert_eq!(distance_to_neutral(counts, TALLY, 0.5), 0);
    }
}
