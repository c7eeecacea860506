//! Message numbers: what a client asks for (RFC 3501 §9 `sequence-set`), and sets of numbers as the server gives them.

use std::fmt;
use std::num::NonZeroU32;

/// Messages that a command names, by sequence number or UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// `$`: what the last search saved (RFC 5182).
    Saved,
    /// Pairs as they were written; `None` is `*`.
    Ranges(Vec<(Option<NonZeroU32>, Option<NonZeroU32>)>),
}

impl SequenceSet {
    /// The numbers it means where `largest` is what `*` stands for. `saved` is what `$` stands for.
    ///
    /// An empty mailbox (`largest` of 0) has none, whatever is asked.
    pub fn resolve(&self, largest: u32, saved: &Numbers) -> Numbers {
        match self {
            Self::Saved => saved.clone(),
            Self::Ranges(_) if largest == 0 => Numbers::default(),
            Self::Ranges(ranges) => Numbers::from_ranges(ranges.iter().map(|(first, last)| {
                let number = |end: &Option<NonZeroU32>| end.map_or(largest, NonZeroU32::get);
                let (first, last) = (number(first), number(last));
                (first.min(last), first.max(last))
            })),
        }
    }

    /// The largest number that stands in it.
    pub fn largest_named(&self) -> u32 {
        match self {
            Self::Saved => 0,
            Self::Ranges(ranges) => ranges
                .iter()
                .flat_map(|(first, last)| [*first, *last])
                .flatten()
                .map(NonZeroU32::get)
                .max()
                .unwrap_or(0),
        }
    }

    /// Is it one message and no range?
    pub fn names_one(&self) -> bool {
        matches!(self, Self::Ranges(ranges) if matches!(ranges.as_slice(), [(first, last)] if first == last))
    }

    /// Does `*` stand in it?
    pub fn names_last(&self) -> bool {
        matches!(self, Self::Ranges(ranges) if ranges.iter().any(|(first, last)| first.is_none() || last.is_none()))
    }
}

impl From<&Numbers> for SequenceSet {
    fn from(numbers: &Numbers) -> Self {
        let pair = |(first, last): &(u32, u32)| (NonZeroU32::new(*first), NonZeroU32::new(*last));
        Self::Ranges(numbers.ranges().iter().map(pair).collect())
    }
}

/// Numbers above zero in rising order, held as ranges: a hundred thousand in a row take eight bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers(Vec<(u32, u32)>);

impl Numbers {
    /// Puts ranges, in any order, together. Zero is left out.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: Vec<_> =
            ranges.into_iter().filter(|(first, last)| first <= last && *last > 0).collect();
        ranges.sort_unstable();
        let mut all = Self::default();
        for (first, last) in ranges {
            all.append(first.max(1), last);
        }
        all
    }

    /// Adds a number that is not below those that are there.
    pub fn push(&mut self, number: u32) {
        if number > 0 {
            self.append(number, number);
        }
    }

    fn append(&mut self, first: u32, last: u32) {
        match self.0.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => self.0.push((first, last)),
        }
    }

    /// Is the number there?
    pub fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        after > 0 && number <= self.0[after - 1].1
    }

    /// All, rising.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// The ranges, rising, none touching the next.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(*last - *first) + 1).sum()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest.
    pub fn first(&self) -> Option<u32> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The highest.
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|(_, last)| *last)
    }

    /// Those that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut one, mut two, mut both) = (0, 0, Self::default());
        while let (Some((first, last)), Some((other_first, other_last))) = (self.0.get(one), other.0.get(two))
        {
            let (begin, end) = (*first.max(other_first), *last.min(other_last));
            if begin <= end {
                both.append(begin, end);
            }
            if last < other_last { one += 1 } else { two += 1 }
        }
        both
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        Self::from_ranges(numbers.into_iter().map(|number| (number, number)))
    }
}

/// As a `sequence-set` (RFC 3501 §9).
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}:{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(pairs: &[(u32, u32)]) -> SequenceSet {
        SequenceSet::Ranges(pairs.iter().map(|(a, b)| (NonZeroU32::new(*a), NonZeroU32::new(*b))).collect())
    }

    #[test]
    fn the_star_is_the_last_message() {
        let none = Numbers::default();
        assert_eq!(set(&[(0, 1)]).resolve(3, &none).to_string(), "1:3");
        assert_eq!(set(&[(999, 0)]).resolve(3, &none).to_string(), "3:999");
        assert_eq!(set(&[(3, 3), (1, 1), (1, 2)]).resolve(9, &none).to_string(), "1:3");
        assert!(set(&[(1, 0)]).resolve(0, &none).is_empty());
        assert_eq!(set(&[(2, 7)]).largest_named(), 7);
    }

    proptest! {
        #[test]
        fn numbers_behave_as_a_set(one in prop::collection::btree_set(0_u32..60, 0..30),
                                   two in prop::collection::btree_set(0_u32..60, 0..30)) {
            let (first, second): (Numbers, Numbers) = (one.iter().copied().collect(), two.iter().copied().collect());
            let plain: BTreeSet<u32> = one.iter().copied().filter(|number| *number > 0).collect();
            prop_assert_eq!(first.iter().collect::<BTreeSet<_>>(), plain.clone());
            prop_assert_eq!(first.len(), plain.len() as u64);
            for number in 0..62 {
                prop_assert_eq!(first.contains(number), plain.contains(&number));
            }
            let both: BTreeSet<u32> = plain.intersection(&two).copied().collect();
            prop_assert_eq!(first.intersection(&second).iter().collect::<BTreeSet<_>>(), both);
        }
    }
}
