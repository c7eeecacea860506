//! Windows: the first few bytes of a piece that each match has, as a set of bytes for each place.
//!
//! Patterns that hold no fixed text (`[vV][i1!][a4@]gra`) still have such a piece. All windows of a group are sought in one pass,
//! a bit for each.

use super::byte_set::ByteSet;
use super::outline::Outline;

/// Places that are looked at.
const PLACES: usize = 8;
/// In each place a byte, or the end of the text.
const SYMBOLS: usize = 257;
/// Stands for the end of the text.
const END: usize = 256;
/// Windows of one pattern.
const WINDOWS_LIMIT: usize = 48;
/// States of one pattern, as far as they are within reach.
const STATES_LIMIT: usize = 6000;
/// A window that begins more often than at one byte of so many tells nothing.
const MOST_WORTH: f64 = 1.0 / 40.0;
/// A rarer one than this is not looked for.
const RARE: f64 = 1.0 / 3000.0;
/// So many pieces are tried as the begin.
const BEGINS_LIMIT: usize = 60;
/// Choices of fewer bytes are not sought one by one.
const WORD_BYTES: usize = 3;
/// Bits of a machine word.
const WORD_BITS: usize = 64;

/// What may stand in one place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Place {
    bytes: ByteSet,
    /// Also nothing: the match may be over here.
    end: bool,
}

/// What stands behind the begin of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window([Place; PLACES]);

/// Windows of which each match has at least one; `None` when they would be everywhere.
pub(super) fn windows(outline: &Outline) -> Option<Vec<Window>> {
    let found = of_any(outline)?;
    (found.1 <= MOST_WORTH).then_some(found.0)
}

fn of_any(outline: &Outline) -> Option<Found> {
    let mut pieces = Vec::new();
    flatten(std::slice::from_ref(outline), &mut pieces);
    of_sequence(&pieces, pieces.len())
}

/// Groups without choices are no groups.
fn flatten<'o>(pieces: &'o [Outline], flat: &mut Vec<&'o Outline>) {
    for piece in pieces {
        match piece {
            Outline::Sequence(inner) => flatten(inner, flat),
            Outline::Empty => {}
            other => flat.push(other),
        }
    }
}

/// Windows, and how often one of them stands in a text, for each byte of it.
type Found = (Vec<Window>, f64);

/// The rarest windows that begin with one of the first pieces of a sequence; the first that are rare enough will do.
fn of_sequence(pieces: &[&Outline], begins: usize) -> Option<Found> {
    let mut best: Option<Found> = None;
    for (index, piece) in pieces.iter().enumerate().take(begins.clamp(1, BEGINS_LIMIT)) {
        if best.as_ref().is_some_and(|best| best.1 <= RARE) {
            break;
        }
        let whole = from_here(&pieces[index..]).map(|window| (vec![window], window.frequency()));
        let parted = match piece {
            Outline::Either(choices) if choices.iter().all(is_word) => {
                of_choices(choices, &pieces[index + 1..])
            }
            _ => None,
        };
        let found = [best.take(), whole, parted].into_iter().flatten();
        best = found.min_by(|one, other| one.1.total_cmp(&other.1));
    }
    best
}

/// Long enough to be sought on its own.
fn is_word(choice: &Outline) -> bool {
    choice.least_bytes_within(WORD_BYTES) >= WORD_BYTES
}

/// The rarest of each choice, with what follows it.
fn of_choices(choices: &[Outline], rest: &[&Outline]) -> Option<Found> {
    let mut found = (Vec::new(), 0.0);
    for choice in choices {
        let mut pieces = Vec::new();
        flatten(std::slice::from_ref(choice), &mut pieces);
        let own = pieces.len();
        pieces.extend(rest);
        let (windows, frequency) = of_sequence(&pieces, own)?;
        found.0.extend(windows);
        found.1 += frequency;
        if found.0.len() > WINDOWS_LIMIT {
            return None;
        }
    }
    Some(found)
}

fn from_here(pieces: &[&Outline]) -> Option<Window> {
    let mut machine = Machine { states: vec![State::Found] };
    let begin = machine.add_all(pieces.iter().copied(), FOUND)?;
    Some(machine.window(begin))
}

impl Window {
    /// In how many places of a usual text it stands, for each byte of the text.
    fn frequency(&self) -> f64 {
        self.0.iter().map(|place| if place.end { 1.0 } else { place.bytes.iter().map(usual).sum() }).product()
    }
}

/// How often a byte is that one in usual mail, in lines of English more than in others.
fn usual(byte: u8) -> f64 {
    match byte {
        b' ' => 0.16,
        b'e' => 0.1,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 0.06,
        b'a'..=b'z' => 0.022,
        b'A'..=b'Z' => 0.006,
        b'0'..=b'9' => 0.008,
        b'\n' | b'.' | b',' | b'-' | b'/' => 0.01,
        0x80.. => 0.000_5,
        _ => 0.003,
    }
}

/// The state behind the match.
const FOUND: usize = 0;

enum State {
    /// Whatever follows is no part of the match.
    Found,
    Byte(ByteSet, usize),
    Both(usize, usize),
    /// A loop, which is closed when its inside is there.
    Open,
}

/// The outline as states that lead from one to the other.
struct Machine {
    states: Vec<State>,
}

impl Machine {
    fn state(&mut self, state: State) -> Option<usize> {
        self.states.push(state);
        (self.states.len() <= STATES_LIMIT).then_some(self.states.len() - 1)
    }

    /// A sequence as far as it is looked at.
    fn add_all<'o>(&mut self, pieces: impl Iterator<Item = &'o Outline>, next: usize) -> Option<usize> {
        let mut length = 0;
        let mut near = Vec::new();
        for piece in pieces {
            if length >= PLACES {
                return near.into_iter().rev().try_fold(FOUND, |next, piece| self.add(piece, next));
            }
            length += piece.least_bytes_within(PLACES - length);
            near.push(piece);
        }
        near.into_iter().rev().try_fold(next, |next, piece| self.add(piece, next))
    }

    /// The state in which `outline` begins that goes on with `next`.
    fn add(&mut self, outline: &Outline, next: usize) -> Option<usize> {
        match outline {
            Outline::Empty => Some(next),
            Outline::Byte(set) => self.state(State::Byte(*set, next)),
            Outline::Anything => self.repeat(&Outline::Byte(ByteSet::ALL), 0, None, next),
            Outline::Sequence(pieces) => self.add_all(pieces.iter(), next),
            Outline::Either(choices) => {
                let mut begin: Option<usize> = None;
                for choice in choices {
                    let other = self.add(choice, next)?;
                    begin = Some(match begin {
                        Some(begin) => self.state(State::Both(begin, other))?,
                        None => other,
                    });
                }
                begin
            }
            Outline::Repeat { inner, least, most } => self.repeat(inner, *least, *most, next),
        }
    }

    /// Beyond the places that are looked at it does not matter how often: then as often as it likes.
    fn repeat(&mut self, inner: &Outline, least: usize, most: Option<usize>, next: usize) -> Option<usize> {
        let mut begin = next;
        match most.map(|most| most.saturating_sub(least)) {
            Some(optional) if optional <= PLACES => {
                for _ in 0..optional {
                    let more = self.add(inner, begin)?;
                    begin = self.state(State::Both(more, next))?;
                }
            }
            _ => {
                let again = self.state(State::Open)?;
                let more = self.add(inner, again)?;
                self.states[again] = State::Both(more, next);
                begin = again;
            }
        }
        for _ in 0..least.min(PLACES) {
            begin = self.add(inner, begin)?;
        }
        Some(begin)
    }

    fn window(&self, begin: usize) -> Window {
        let mut places = [Place::default(); PLACES];
        let mut here = vec![begin];
        let mut seen = vec![0; self.states.len()];
        let mut over = false;
        for (round, place) in (1..).zip(&mut places) {
            let mut ahead = Vec::new();
            while let Some(state) = here.pop() {
                if std::mem::replace(&mut seen[state], round) == round {
                    continue;
                }
                match &self.states[state] {
                    State::Found => over = true,
                    State::Byte(set, next) => {
                        place.bytes.add(*set);
                        ahead.push(*next);
                    }
                    State::Both(one, other) => here.extend([*one, *other]),
                    State::Open => {}
                }
            }
            if over {
                *place = Place { bytes: ByteSet::ALL, end: true };
            }
            ahead.sort_unstable();
            ahead.dedup();
            here = ahead;
        }
        Window(places)
    }
}

/// For each place and symbol the windows that go on.
type Rows = [[u64; SYMBOLS]; PLACES];

/// Finds the windows of many patterns in one pass for each 64 of them.
pub(super) struct WindowFinder {
    words: Vec<Rows>,
    /// For each window its pattern.
    patterns: Vec<usize>,
}

impl WindowFinder {
    /// `windows`: the numbers of patterns, and theirs.
    pub(super) fn new<'w>(windows: impl Iterator<Item = (usize, &'w [Window])>) -> Self {
        let mut finder = Self { words: Vec::new(), patterns: Vec::new() };
        for (pattern, all) in windows {
            all.iter().for_each(|window| finder.add(pattern, window));
        }
        finder
    }

    fn add(&mut self, pattern: usize, window: &Window) {
        let bit = self.patterns.len() % WORD_BITS;
        self.patterns.push(pattern);
        if bit == 0 {
            self.words.push([[0; SYMBOLS]; PLACES]);
        }
        let Some(rows) = self.words.last_mut() else { return };
        for (row, allowed) in rows.iter_mut().zip(&window.0) {
            let fits = allowed.bytes.iter().map(usize::from).chain(allowed.end.then_some(END));
            fits.for_each(|symbol| row[symbol] |= 1 << bit);
        }
    }

    /// Calls `found` with each pattern of which a window stands in the text, at times more than once.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize)) {
        for (rows, patterns) in self.words.iter().zip(self.patterns.chunks(WORD_BITS)) {
            let mut left = hits(rows, text);
            while left != 0 {
                found(patterns[left.trailing_zeros() as usize]);
                left &= left - 1;
            }
        }
    }
}

/// Which windows stand somewhere in the text.
fn hits(rows: &Rows, text: &[u8]) -> u64 {
    let mut hits = 0;
    for window in text.windows(PLACES) {
        let mut fits = !hits;
        for (row, byte) in rows.iter().zip(window) {
            fits &= row[usize::from(*byte)];
            if fits == 0 {
                break;
            }
        }
        hits |= fits;
    }
    // The last few places go over the end.
    for at in (text.len() + 1).saturating_sub(PLACES)..=text.len() {
        let symbols = text[at..].iter().map(|byte| usize::from(*byte)).chain(std::iter::repeat(END));
        hits |= rows.iter().zip(symbols).fold(u64::MAX, |fits, (row, symbol)| fits & row[symbol]);
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(source: &str, text: &[u8]) -> Option<bool> {
        let windows = windows(&Outline::of(source))?;
        let mut found = false;
        WindowFinder::new([(0, windows.as_slice())].into_iter()).find(text, |_| found = true);
        Some(found)
    }

    #[test]
    fn fuzzy_words_have_windows() {
        let fuzzy = r"(?i)\b[vu][\W_]{0,2}[i1!|][\W_]{0,2}[a4@][\W_]{0,2}g[\W_]{0,2}r[\W_]{0,2}a\b";
        assert_eq!(finds(fuzzy, b"cheap v.1.A-gra here"), Some(true));
        assert_eq!(finds(fuzzy, b"a usual line about villages and grass, nothing else"), Some(false));
        assert_eq!(finds(r"\b\w+ \w+\b", b"any"), None);
        assert_eq!(finds(r"(?:xyzzy|qu[uo]x) \d", b"a quox 7"), Some(true));
        assert_eq!(finds(r"zq(?:x|)", b"zq"), Some(true));
    }

    proptest! {
        /// Where the pattern matches, one of its windows stands.
        #[test]
        fn no_match_is_missed(source in "[qzxj(|)?*+\\[\\].{}12]{0,16}", text in "[qzxj]{0,12}") {
            let outline = Outline::of(&source);
            let found = of_any(&outline);
            if let (Ok(regex), Some((windows, _))) = (pcre2::bytes::Regex::new(&source), found)
                && regex.is_match(text.as_bytes()).unwrap()
            {
                let mut hit = false;
                WindowFinder::new([(0, windows.as_slice())].into_iter()).find(text.as_bytes(), |_| hit = true);
                prop_assert!(hit);
            }
        }
    }
}
