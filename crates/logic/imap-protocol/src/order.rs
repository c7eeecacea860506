//! The order of SORT (RFC 5256 §2.2, RFC 5957).

use std::cmp::Ordering;

use crate::types::{SortCriterion, SortKey};

/// What a message is sorted by; only what the criteria ask for needs to be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SortFacts {
    /// INTERNALDATE, seconds.
    pub arrival: i64,
    /// The sent date, seconds; where there is none, the arrival (RFC 5256 §2.2).
    pub date: i64,
    /// RFC822.SIZE
    pub size: u64,
    /// The local part of the first Cc address, folded.
    pub cc: String,
    /// The same of From.
    pub from: String,
    /// The same of To.
    pub to: String,
    /// The base subject, folded.
    pub subject: String,
    /// The name of the first From address or, without one, the address; folded.
    pub display_from: String,
    /// The same of To.
    pub display_to: String,
}

/// Sorts places in `facts`: equal messages stay in their order.
pub fn sort(criteria: &[SortCriterion], facts: &[SortFacts]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..facts.len()).collect();
    places.sort_by(|one, two| compare(criteria, &facts[*one], &facts[*two]));
    places
}

fn compare(criteria: &[SortCriterion], one: &SortFacts, two: &SortFacts) -> Ordering {
    let by = |criterion: &SortCriterion| {
        let order = compare_by(criterion.key, one, two);
        if criterion.reverse { order.reverse() } else { order }
    };
    criteria.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_by(key: SortKey, one: &SortFacts, two: &SortFacts) -> Ordering {
    match key {
        SortKey::Arrival => one.arrival.cmp(&two.arrival),
        SortKey::Cc => one.cc.cmp(&two.cc),
        SortKey::Date => one.date.cmp(&two.date),
        SortKey::From => one.from.cmp(&two.from),
        SortKey::Size => one.size.cmp(&two.size),
        SortKey::Subject => one.subject.cmp(&two.subject),
        SortKey::To => one.to.cmp(&two.to),
        SortKey::DisplayFrom => one.display_from.cmp(&two.display_from),
        SortKey::DisplayTo => one.display_to.cmp(&two.display_to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_count_in_their_order() {
        let fact =
            |subject: &str, date| SortFacts { subject: subject.to_owned(), date, ..SortFacts::default() };
        let facts = [fact("b", 1), fact("a", 1), fact("a", 2), fact("b", 1)];
        let by = |key, reverse| SortCriterion { key, reverse };
        assert_eq!(sort(&[by(SortKey::Subject, false), by(SortKey::Date, true)], &facts), [2, 1, 0, 3]);
        assert_eq!(sort(&[by(SortKey::Subject, true)], &facts), [0, 3, 1, 2]);
    }
}
