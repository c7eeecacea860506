//! Which texts every match of a pattern must hold, so that most patterns need not be tried.
//!
//! All texts are in lower case, for they are sought without regard to case.

use super::outline::Outline;

/// Texts that stand in each match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    /// In lower case.
    pub(crate) texts: Vec<Vec<u8>>,
    /// So many of them do, one behind the other.
    pub(crate) least: usize,
}

/// Texts of one pattern.
const TEXTS_LIMIT: usize = 1000;
/// Texts that are put together of two pieces.
const CROSS_LIMIT: usize = 48;
/// Bytes of one text.
const TEXT_LIMIT_BYTES: usize = 24;
/// A shorter text stands nearly everywhere.
const SHORTEST_BYTES: usize = 3;
impl Needs {
    fn times(self, count: usize) -> Self {
        Self { least: self.least.saturating_mul(count).min(COUNT_LIMIT), ..self }
    }
}

/// More texts in a match are not counted.
const COUNT_LIMIT: usize = 100;
/// A class of more bytes is not written out: a blank may be six.
const CLASS_LIMIT: usize = 5;
/// So many needs of one pattern are looked at.
const NEEDS_LIMIT: usize = 3;
/// Only the first may have more texts than this.
const FURTHER_TEXTS_LIMIT: usize = 16;

/// What is known of a piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// It matches exactly one of these, in lower case.
    Exact(Vec<Vec<u8>>),
    /// It matches one of these so many times or more often: it begins and ends with one of them.
    Repeated(Needs),
    /// It matches more; each match holds all these, the best first, if anything is known.
    Holds(Vec<Needs>),
}

/// The texts that each match holds, the best first; empty when nothing is known of them.
pub(crate) fn needs(outline: &Outline) -> Vec<Needs> {
    let mut found = Vec::new();
    match piece(outline) {
        Piece::Exact(texts) => add(&mut found, one_of(texts)),
        Piece::Repeated(needs) => add(&mut found, needs),
        Piece::Holds(needs) => found = needs,
    }
    found
}

fn one_of(texts: Vec<Vec<u8>>) -> Needs {
    Needs { texts, least: 1 }
}

fn piece(outline: &Outline) -> Piece {
    match outline {
        Outline::Empty => nothing(),
        Outline::Anything => Piece::Holds(Vec::new()),
        Outline::Byte(set) => {
            let mut members: Vec<Vec<u8>> = set
                .iter()
                .filter(|byte| !byte.is_ascii_uppercase())
                .take(CLASS_LIMIT + 1)
                .map(|byte| vec![byte])
                .collect();
            members.dedup();
            if members.len() <= CLASS_LIMIT { Piece::Exact(members) } else { Piece::Holds(Vec::new()) }
        }
        Outline::Sequence(pieces) => {
            let mut sequence = Sequence::new();
            pieces.iter().for_each(|inner| sequence.add(piece(inner)));
            sequence.end()
        }
        Outline::Either(choices) => either(choices.iter().map(piece)),
        Outline::Repeat { inner, least, most } => repeated(piece(inner), *least, *most),
    }
}

fn worth(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
}

/// Longer texts are better, then more of them in a match, then fewer to choose from.
fn rank(needs: &Needs) -> (usize, std::cmp::Reverse<usize>) {
    (worth(&needs.texts).min(6) + needs.least.min(4), std::cmp::Reverse(needs.texts.len()))
}

/// Adds texts to those that are known, if they are of use.
fn add(known: &mut Vec<Needs>, more: Needs) {
    if worth(&more.texts) < SHORTEST_BYTES || known.contains(&more) {
        return;
    }
    let at = known.iter().position(|needs| rank(&more) > rank(needs)).unwrap_or(known.len());
    known.insert(at, more);
    let mut number = 0;
    known.retain(|needs| {
        number += 1;
        number == 1 || (number <= NEEDS_LIMIT && needs.texts.len() <= FURTHER_TEXTS_LIMIT)
    });
}

/// A sequence as it is read.
struct Sequence {
    run: Vec<Vec<u8>>,
    found: Vec<Needs>,
    exact: bool,
}

impl Sequence {
    fn new() -> Self {
        Self { run: vec![Vec::new()], found: Vec::new(), exact: true }
    }

    fn add(&mut self, piece: Piece) {
        match piece {
            Piece::Exact(texts) => self.go_on(texts),
            Piece::Repeated(needs) => {
                self.go_on(needs.texts.clone());
                self.break_run();
                self.run.clone_from(&needs.texts);
                add(&mut self.found, needs);
            }
            Piece::Holds(needs) => {
                self.break_run();
                needs.into_iter().for_each(|needs| add(&mut self.found, needs));
            }
        }
    }

    fn go_on(&mut self, texts: Vec<Vec<u8>>) {
        match cross(&self.run, &texts) {
            Some(run) => self.run = run,
            None => {
                self.break_run();
                self.run = texts;
            }
        }
    }

    fn break_run(&mut self) {
        let run = std::mem::replace(&mut self.run, vec![Vec::new()]);
        add(&mut self.found, one_of(run));
        self.exact = false;
    }

    fn end(mut self) -> Piece {
        if self.exact {
            return Piece::Exact(self.run);
        }
        self.break_run();
        Piece::Holds(self.found)
    }
}

fn cross(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > CROSS_LIMIT {
        return None;
    }
    let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or(0);
    if longest(left) + longest(right) > TEXT_LIMIT_BYTES {
        return None;
    }
    let mut texts: Vec<Vec<u8>> =
        left.iter().flat_map(|begin| right.iter().map(move |end| [begin.as_slice(), end].concat())).collect();
    texts.sort_unstable();
    texts.dedup();
    Some(texts)
}

fn either(pieces: impl Iterator<Item = Piece>) -> Piece {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut least = usize::MAX;
    let mut exact = true;
    for piece in pieces {
        match piece {
            Piece::Exact(more) => {
                least = 1;
                texts.extend(more);
            }
            Piece::Repeated(more) => {
                exact = false;
                least = least.min(more.least);
                texts.extend(more.texts);
            }
            Piece::Holds(all) => {
                let Some(more) = all.into_iter().next() else { return Piece::Holds(Vec::new()) };
                exact = false;
                least = least.min(more.least);
                texts.extend(more.texts);
            }
        }
    }
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > TEXTS_LIMIT {
        return Piece::Holds(Vec::new());
    }
    if exact { Piece::Exact(texts) } else { Piece::Holds(vec![Needs { texts, least }]) }
}

fn nothing() -> Piece {
    Piece::Exact(vec![Vec::new()])
}

fn repeated(piece: Piece, least: usize, most: Option<usize>) -> Piece {
    match (piece, least, most) {
        (_, _, Some(0)) => nothing(),
        (piece, 1, Some(1)) => piece,
        (Piece::Exact(mut texts), 0, Some(1)) => {
            texts.push(Vec::new());
            Piece::Exact(texts)
        }
        (_, 0, _) => Piece::Holds(Vec::new()),
        (Piece::Exact(texts), 2..=4, Some(most)) if most == least => {
            let mut run = vec![Vec::new()];
            for _ in 0..least {
                match cross(&run, &texts) {
                    Some(longer) => run = longer,
                    None => return Piece::Repeated(Needs { texts, least }),
                }
            }
            Piece::Exact(run)
        }
        (Piece::Exact(texts), least, _) => Piece::Repeated(Needs { texts, least }),
        (Piece::Repeated(needs), least, _) => Piece::Holds(vec![needs.times(least)]),
        (Piece::Holds(needs), least, _) => {
            Piece::Holds(needs.into_iter().map(|needs| needs.times(least)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(source: &str) -> Vec<String> {
        needs(&Outline::of(source)).into_iter().next().map(|needs| shown(needs.texts)).unwrap_or_default()
    }

    fn shown(texts: Vec<Vec<u8>>) -> Vec<String> {
        texts.into_iter().map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
    }

    #[test]
    fn texts_are_found() {
        assert_eq!(of("(?i)Free (?:Money|Cash)"), ["free cash", "free money"]);
        assert_eq!(of("colou?r"), ["color", "colour"]);
        assert_eq!(of("\\bclick\\s+here\\b"), ["click"]);
        assert_eq!(of("(?:abc|d)"), [] as [&str; 0]);
        assert_eq!(of("foo.*barbaz"), ["barbaz"]);
        assert_eq!(of("ad+res+e?"), ["dres"]);
        assert_eq!(of("x(?:ab)+yz\\d"), ["abyz"]);
        assert_eq!(of("[ab]cd"), ["acd", "bcd"]);
        assert_eq!(of("(?x) a b # c\n c"), ["abc"]);
        assert_eq!(of("(?!xyz)hello"), ["hello"]);
        assert_eq!(of("abc{2}d"), ["abccd"]);
        assert_eq!(of("a{b"), ["a{b"]);
        let several = &needs(&Outline::of("(?:\\d(?:name|city)\\s*){3,}"))[0];
        assert_eq!((several.texts.len(), several.least), (2, 3));
        let all = needs(&Outline::of("(?:one|two) .*million\\s.*(?:cash|gold)\\d"));
        let all: Vec<Vec<String>> = all.into_iter().map(|needs| shown(needs.texts)).collect();
        assert_eq!(all, [vec!["million"], vec!["one ", "two "], vec!["cash", "gold"]]);
    }

    proptest! {
        /// Whatever matches holds one of the texts of each need.
        #[test]
        fn no_match_is_missed(source in "[abc(|)?*+\\[\\].]{0,14}", text in "[abcABC]{0,10}") {
            let regex = pcre2::bytes::RegexBuilder::new().caseless(true).build(&source);
            if let Ok(regex) = regex && regex.is_match(text.as_bytes()).unwrap() {
                let lower = text.to_lowercase();
                for needs in needs(&Outline::of(&source)) {
                    prop_assert!(needs.texts.iter().any(|needed| lower.contains(std::str::from_utf8(needed).unwrap())));
                }
            }
        }
    }
}
