//! Many patterns over one text: which of them can match at all, found in one pass.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, MatchKind, Span};

use super::Pattern;
use super::pattern::Filter;
use super::screen::Screen;
use super::window::WindowFinder;

/// Fewer patterns are tried one by one.
const WORTH_A_PASS: usize = 4;

/// A pattern that was tried in vain on so many bytes may get a screen,
const VAIN_LIMIT_BYTES: u64 = 64 * 1024;
/// if that is so large a part of all texts.
const VAIN_SHARE: u64 = 20;

/// A group of patterns over the same kind of text.
#[derive(Default)]
pub(crate) struct PatternSet {
    patterns: Vec<Arc<Pattern>>,
    /// Finds the texts that patterns need; `None` when there are none.
    texts: Option<AhoCorasick>,
    /// For each needed text: the needs that it fulfils.
    fulfils: Vec<Vec<usize>>,
    needs: Vec<Need>,
    /// How many needs each pattern has.
    needs_of: Vec<u8>,
    /// Finds the windows of patterns that need no text.
    windows: Option<WindowFinder>,
    /// Patterns that need only so many bytes.
    always: Vec<(usize, usize)>,
    /// For each pattern: how it went so far.
    trials: Vec<Trial>,
    /// Bytes of all texts that were looked at.
    seen_bytes: AtomicU64,
}

/// How often a pattern is tried in vain. Those that are tried all the time get a [`Screen`]; for the others it would be a waste of
/// memory.
#[derive(Default)]
struct Trial {
    vain_bytes: AtomicU64,
    /// Somebody makes the screen.
    making: AtomicBool,
    screen: OnceLock<Option<Screen>>,
}

impl Trial {
    fn lets_pass(&self, text: &[u8]) -> bool {
        let screen = self.screen.get().and_then(Option::as_ref);
        screen.is_none_or(|screen| screen.lets_pass(text))
    }

    fn was_in_vain(&self, bytes: usize, seen_bytes: &AtomicU64, pattern: &Pattern) {
        if self.making.load(Ordering::Relaxed) {
            return;
        }
        let bytes = bytes as u64;
        let vain = self.vain_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let often = vain >= VAIN_LIMIT_BYTES && vain * VAIN_SHARE >= seen_bytes.load(Ordering::Relaxed);
        if often && !self.making.swap(true, Ordering::Relaxed) {
            self.screen.get_or_init(|| pattern.screen());
        }
    }
}

/// One of the things that a pattern needs.
struct Need {
    pattern: usize,
    /// So many texts of those that fulfil it, one behind the other.
    least: usize,
}

/// The patterns that may match a text; kept from one text to the next, for it takes memory.
#[derive(Default)]
pub(crate) struct Candidates {
    found: Vec<usize>,
    /// For each pattern the last text for which it was found.
    seen: Vec<u32>,
    text: u32,
    /// For each need the last text that fulfils it.
    fulfilled: Vec<u32>,
    /// For each pattern with several needs that text, and how many are fulfilled.
    of_several: Vec<(u32, u8)>,
    /// Needs of several texts: those that were found one behind the other, and the end of the last.
    counts: Vec<(usize, usize, usize)>,
}

impl Candidates {
    fn begin(&mut self, patterns: usize, needs: usize) {
        self.found.clear();
        self.counts.clear();
        self.text = self.text.wrapping_add(1);
        if self.text == 0 {
            *self = Self { text: 1, ..Self::default() };
        }
        if self.seen.len() < patterns {
            self.seen.resize(patterns, 0);
            self.of_several.resize(patterns, (0, 0));
        }
        if self.fulfilled.len() < needs {
            self.fulfilled.resize(needs, 0);
        }
    }

    /// Notes a text that fulfils a need; true when with it all needs of the pattern are fulfilled.
    fn fulfil(&mut self, index: usize, need: &Need, span: Span, all: u8) -> bool {
        if self.fulfilled[index] == self.text || (need.least > 1 && self.count(index, span) < need.least) {
            return false;
        }
        self.fulfilled[index] = self.text;
        if all == 1 {
            return true;
        }
        let known = &mut self.of_several[need.pattern];
        *known = (self.text, if known.0 == self.text { known.1 + 1 } else { 1 });
        known.1 == all
    }

    fn add(&mut self, index: usize) {
        if std::mem::replace(&mut self.seen[index], self.text) != self.text {
            self.found.push(index);
        }
    }

    /// Notes one of several texts of a need, and tells how many there are. They come in the order of their ends.
    fn count(&mut self, index: usize, span: Span) -> usize {
        let Some(known) = self.counts.iter_mut().find(|(need, ..)| *need == index) else {
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
            let trials = patterns.iter().map(|_| Trial::default()).collect();
            return Self { patterns, always, trials, ..Self::default() };
        }
        let mut always = Vec::new();
        let mut windows = Vec::new();
        let mut needs = Vec::new();
        let mut needs_of = vec![0; patterns.len()];
        let mut texts: std::collections::BTreeMap<&[u8], Vec<usize>> = std::collections::BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match pattern.filter() {
                Filter::Texts(all) => {
                    for need in all {
                        needs_of[index] += 1;
                        need.texts.iter().for_each(|text| texts.entry(text).or_default().push(needs.len()));
                        needs.push(Need { pattern: index, least: need.least });
                    }
                }
                Filter::Windows(all) => windows.push((index, all.as_slice())),
                Filter::Bytes(least) => always.push((index, *least)),
            }
        }
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        let finder = if texts.is_empty() { None } else { builder.build(texts.keys()).ok() };
        if finder.is_none() {
            always.extend(needs.iter().map(|need| (need.pattern, 0)));
        }
        let fulfils = texts.into_values().collect();
        let windows = (!windows.is_empty()).then(|| WindowFinder::new(windows.into_iter()));
        let trials = patterns.iter().map(|_| Trial::default()).collect();
        let seen_bytes = AtomicU64::new(0);
        Self { patterns, texts: finder, fulfils, needs, needs_of, windows, always, trials, seen_bytes }
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Arc<Pattern>> {
        self.patterns.iter()
    }

    pub(crate) fn pattern(&self, index: usize) -> &Arc<Pattern> {
        &self.patterns[index]
    }

    /// How often the pattern matches, at most `limit` times.
    pub(crate) fn count(&self, index: usize, text: &[u8], limit: usize) -> usize {
        let (pattern, trial) = (&self.patterns[index], &self.trials[index]);
        if !trial.lets_pass(text) {
            return 0;
        }
        let count = if limit == 1 { usize::from(pattern.is_match(text)) } else { pattern.count(text, limit) };
        if count == 0 {
            trial.was_in_vain(text.len(), &self.seen_bytes, pattern);
        }
        count
    }

    /// Finds the patterns that may match `text`.
    pub(crate) fn find(&self, text: &[u8], candidates: &mut Candidates) {
        self.seen_bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        candidates.begin(self.patterns.len(), self.needs.len());
        let long_enough = self.always.iter().filter(|(_, least)| text.len() >= *least);
        long_enough.for_each(|(index, _)| candidates.add(*index));
        if let Some(texts) = &self.texts {
            for hit in texts.find_overlapping_iter(text) {
                for index in &self.fulfils[hit.pattern().as_usize()] {
                    let need = &self.needs[*index];
                    if candidates.fulfil(*index, need, hit.span(), self.needs_of[need.pattern]) {
                        candidates.add(need.pattern);
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
        let sources = ["/million.*dollars/", "/million|billion/", "/gold/", "/win.*gold/"];
        let set =
            PatternSet::new(sources.iter().map(|text| Arc::new(Pattern::delimited(text).unwrap())).collect());
        set.find(b"A million in gold", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [1, 2]);
        set.find(b"Win a million Dollars in gold", &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
