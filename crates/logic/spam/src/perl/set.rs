//! Many patterns over one text: which of them can match at all, found in one pass.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Pattern;

/// Fewer patterns are tried one by one.
const WORTH_A_PASS: usize = 4;

/// A group of patterns over the same kind of text.
pub(crate) struct PatternSet {
    patterns: Vec<Arc<Pattern>>,
    /// Finds the texts that patterns need; `None` when there are too few patterns for it.
    finder: Option<AhoCorasick>,
    /// For each needed text: the patterns that need it.
    needed_by: Vec<Vec<usize>>,
    /// Patterns that need nothing in particular.
    always: Vec<usize>,
}

impl PatternSet {
    pub(crate) fn new(patterns: Vec<Arc<Pattern>>) -> Self {
        let mut always = Vec::new();
        let mut texts: std::collections::BTreeMap<&[u8], Vec<usize>> = std::collections::BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match pattern.needs() {
                Some(needs) => needs.iter().for_each(|text| texts.entry(text).or_default().push(index)),
                None => always.push(index),
            }
        }
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        let finder = (patterns.len() >= WORTH_A_PASS).then(|| builder.build(texts.keys()).ok()).flatten();
        let needed_by = texts.into_values().collect();
        Self { patterns, finder, needed_by, always }
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Arc<Pattern>> {
        self.patterns.iter()
    }

    pub(crate) fn pattern(&self, index: usize) -> &Arc<Pattern> {
        &self.patterns[index]
    }

    /// The numbers of the patterns that may match `text`, in no order, each once.
    pub(crate) fn candidates(&self, text: &[u8]) -> Vec<usize> {
        let Some(finder) = &self.finder else { return (0..self.patterns.len()).collect() };
        let mut found = self.always.clone();
        let mut seen = vec![false; self.patterns.len()];
        for hit in finder.find_overlapping_iter(text) {
            for index in &self.needed_by[hit.pattern().as_usize()] {
                if !std::mem::replace(&mut seen[*index], true) {
                    found.push(*index);
                }
            }
        }
        found
    }

    /// How many patterns there are, and how many of them are tried on every text.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.patterns.len(), self.always.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_may_match_are_tried() {
        let sources = ["/viagra/i", "/\\d+/", "/(?:cheap|free) meds/i", "/casino/", "/lotto+ry/"];
        let patterns = sources.iter().map(|text| Arc::new(Pattern::delimited(text).unwrap())).collect();
        let set = PatternSet::new(patterns);
        assert_eq!(set.sizes(), (5, 1));
        let mut found = set.candidates(b"FREE Meds and Viagra");
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2]);
    }
}
