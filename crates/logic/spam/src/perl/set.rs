//! Many patterns over one text: which of them can match at all, found in one pass.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind, Span};

use super::Pattern;
use super::pattern::Filter;
use super::window::WindowFinder;

/// Fewer patterns are tried one by one.
const WORTH_A_PASS: usize = 4;

/// A group of patterns over the same kind of text.
#[derive(Default)]
pub(crate) struct PatternSet {
    patterns: Vec<Arc<Pattern>>,
    /// Finds the texts that patterns need; `None` when there are none.
    texts: Option<AhoCorasick>,
    /// For each needed text: the patterns that need it.
    needed_by: Vec<Vec<usize>>,
    /// How many texts a pattern needs.
    needed: Vec<usize>,
    /// Finds the windows of patterns that need no text.
    windows: Option<WindowFinder>,
    /// Patterns that need only so many bytes.
    always: Vec<(usize, usize)>,
}

/// The patterns that may match a text; kept from one text to the next, for it takes memory.
#[derive(Default)]
pub(crate) struct Candidates {
    found: Vec<usize>,
    /// For each pattern the last text for which it was found.
    seen: Vec<u32>,
    text: u32,
    /// Patterns that need several texts: those that were found one behind the other, and the end of the last.
    counts: Vec<(usize, usize, usize)>,
}

impl Candidates {
    fn begin(&mut self, patterns: usize) {
        self.found.clear();
        self.counts.clear();
        if self.seen.len() < patterns {
            self.seen.resize(patterns, 0);
        }
        self.text = self.text.wrapping_add(1);
        if self.text == 0 {
            self.seen.fill(0);
            self.text = 1;
        }
    }

    fn add(&mut self, index: usize) {
        if std::mem::replace(&mut self.seen[index], self.text) != self.text {
            self.found.push(index);
        }
    }

    /// Notes a text that a pattern needs, and tells how many there are. They come in the order of their ends.
    fn count(&mut self, index: usize, span: Span) -> usize {
        let Some(known) = self.counts.iter_mut().find(|(pattern, ..)| *pattern == index) else {
            self.counts.push((index, 1, span.end));
            return 1;
        };
        if span.start >= known.2 {
            (known.1, known.2) = (known.1 + 1, span.end);
        }
        known.1
    }

    /// Their numbers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.found.iter().copied()
    }
}

impl PatternSet {
    pub(crate) fn new(patterns: Vec<Arc<Pattern>>) -> Self {
        if patterns.len() < WORTH_A_PASS {
            let always = (0..patterns.len()).map(|index| (index, 0)).collect();
            return Self { patterns, always, ..Self::default() };
        }
        let mut always = Vec::new();
        let mut windows = Vec::new();
        let mut needed = vec![1; patterns.len()];
        let mut texts: std::collections::BTreeMap<&[u8], Vec<usize>> = std::collections::BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match pattern.filter() {
                Filter::Texts(needs) => {
                    needed[index] = needs.least;
                    needs.texts.iter().for_each(|text| texts.entry(text).or_default().push(index));
                }
                Filter::Windows(all) => windows.push((index, all.as_slice())),
                Filter::Bytes(least) => always.push((index, *least)),
            }
        }
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        let finder = if texts.is_empty() { None } else { builder.build(texts.keys()).ok() };
        if finder.is_none() {
            always.extend(texts.values().flatten().map(|index| (*index, 0)));
        }
        let needed_by = texts.into_values().collect();
        let windows = (!windows.is_empty()).then(|| WindowFinder::new(windows.into_iter()));
        Self { patterns, texts: finder, needed_by, needed, windows, always }
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Arc<Pattern>> {
        self.patterns.iter()
    }

    pub(crate) fn pattern(&self, index: usize) -> &Arc<Pattern> {
        &self.patterns[index]
    }

    /// Finds the patterns that may match `text`.
    pub(crate) fn find(&self, text: &[u8], candidates: &mut Candidates) {
        candidates.begin(self.patterns.len());
        let long_enough = self.always.iter().filter(|(_, least)| text.len() >= *least);
        long_enough.for_each(|(index, _)| candidates.add(*index));
        if let Some(texts) = &self.texts {
            for hit in texts.find_overlapping_iter(text) {
                for index in &self.needed_by[hit.pattern().as_usize()] {
                    if self.needed[*index] == 1 || candidates.count(*index, hit.span()) >= self.needed[*index]
                    {
                        candidates.add(*index);
                    }
                }
            }
        }
        if let Some(windows) = &self.windows {
            windows.find(text, |index| candidates.add(index));
        }
        candidates.found.sort_unstable();
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
        let sources = [
            "/viagra/i",
            "/\\d+/",
            "/(?:cheap|free) meds/i",
            "/casino/",
            "/lotto+ry/",
            "/[x#][y#][z#]/",
            "/(?:(?:name|city)\\s){2}/",
        ];
        let patterns = sources.iter().map(|text| Arc::new(Pattern::delimited(text).unwrap())).collect();
        let set = PatternSet::new(patterns);
        assert_eq!(set.sizes(), (7, 1));
        let mut candidates = Candidates::default();
        set.find(b"FREE Meds and Viagra", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [0, 1, 2]);
        set.find(b"#y#", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [1, 5]);
        set.find(b"Name name", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [1, 6]);
        set.find(b"name is", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [1]);
        set.find(b"", &mut candidates);
        assert_eq!(candidates.iter().count(), 0);
    }
}
