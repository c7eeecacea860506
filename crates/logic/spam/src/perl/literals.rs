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

/// What is known of a piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// It matches exactly one of these, in lower case.
    Exact(Vec<Vec<u8>>),
    /// It matches one of these so many times or more often: it begins and ends with one of them.
    Repeated(Needs),
    /// It matches more; each match holds these, if anything is known.
    Holds(Option<Needs>),
}

/// The texts that each match holds; `None` when nothing is known of them.
pub(crate) fn needs(outline: &Outline) -> Option<Needs> {
    let found = match piece(outline) {
        Piece::Exact(texts) => Some(one_of(texts)),
        Piece::Repeated(needs) => Some(needs),
        Piece::Holds(needs) => needs,
    };
    found.filter(|needs| worth(&needs.texts) >= SHORTEST_BYTES)
}

fn one_of(texts: Vec<Vec<u8>>) -> Needs {
    Needs { texts, least: 1 }
}

fn piece(outline: &Outline) -> Piece {
    match outline {
        Outline::Empty => nothing(),
        Outline::Anything => Piece::Holds(None),
        Outline::Byte(set) => {
            let mut members: Vec<Vec<u8>> = set
                .iter()
                .filter(|byte| !byte.is_ascii_uppercase())
                .take(CLASS_LIMIT + 1)
                .map(|byte| vec![byte])
                .collect();
            members.dedup();
            if members.len() <= CLASS_LIMIT { Piece::Exact(members) } else { Piece::Holds(None) }
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

/// Better of two: longer texts, then more of them in a match, then fewer to choose from.
fn better(one: Option<Needs>, other: Option<Needs>) -> Option<Needs> {
    let rank = |needs: &Needs| {
        let bytes = worth(&needs.texts).min(6) + if needs.texts.is_empty() { 0 } else { needs.least.min(4) };
        (bytes, std::cmp::Reverse(needs.texts.len()))
    };
    match (one, other) {
        (Some(one), Some(other)) => Some(if rank(&other) > rank(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// A sequence as it is read.
struct Sequence {
    run: Vec<Vec<u8>>,
    best: Option<Needs>,
    exact: bool,
}

impl Sequence {
    fn new() -> Self {
        Self { run: vec![Vec::new()], best: None, exact: true }
    }

    fn add(&mut self, piece: Piece) {
        match piece {
            Piece::Exact(texts) => self.go_on(texts),
            Piece::Repeated(needs) => {
                self.go_on(needs.texts.clone());
                self.break_run();
                self.run.clone_from(&needs.texts);
                self.best = better(self.best.take(), Some(needs));
            }
            Piece::Holds(needs) => {
                self.break_run();
                self.best = better(self.best.take(), needs);
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
        self.best = better(self.best.take(), Some(one_of(run)));
        self.exact = false;
    }

    fn end(mut self) -> Piece {
        if self.exact {
            return Piece::Exact(self.run);
        }
        self.break_run();
        Piece::Holds(self.best)
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
            Piece::Repeated(more) | Piece::Holds(Some(more)) => {
                exact = false;
                least = least.min(more.least);
                texts.extend(more.texts);
            }
            Piece::Holds(None) => return Piece::Holds(None),
        }
    }
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > TEXTS_LIMIT {
        return Piece::Holds(None);
    }
    if exact { Piece::Exact(texts) } else { Piece::Holds(Some(Needs { texts, least })) }
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
        (_, 0, _) => Piece::Holds(None),
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
        (Piece::Repeated(needs), least, _) => Piece::Holds(Some(needs.times(least))),
        (Piece::Holds(needs), least, _) => Piece::Holds(needs.map(|needs| needs.times(least))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(source: &str) -> Vec<String> {
        let found = needs(&Outline::of(source)).map(|needs| needs.texts).unwrap_or_default();
        found.into_iter().map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
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
        let several = needs(&Outline::of("(?:\\d(?:name|city)\\s*){3,}")).unwrap();
        assert_eq!((several.texts.len(), several.least), (2, 3));
    }

    proptest! {
        /// Whatever matches holds one of the texts.
        #[test]
        fn no_match_is_missed(source in "[abc(|)?*+\\[\\].]{0,14}", text in "[abcABC]{0,10}") {
            let regex = pcre2::bytes::RegexBuilder::new().caseless(true).build(&source);
            if let (Ok(regex), Some(needs)) = (regex, needs(&Outline::of(&source)))
                && regex.is_match(text.as_bytes()).unwrap()
            {
                let lower = text.to_lowercase();
                prop_assert!(needs.texts.iter().any(|needed| lower.contains(std::str::from_utf8(needed).unwrap())));
            }
        }
    }
}
