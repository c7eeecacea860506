//! Screens: what a pattern matches, roughly, as an automaton that looks at each byte of a text once.
//!
//! Backtracking tries each choice of a pattern at each place of a text. Where a pattern has hundreds of choices (what forms ask for,
//! the spellings of a word), or repeats what it can repeat anywhere, a screen in front of it says of most texts that it can not
//! match there, in a hundredth of the time.

use std::sync::atomic::{AtomicU32, Ordering};

use regex_automata::Input;
use regex_automata::MatchKind;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;

use super::byte_set::ByteSet;
use super::outline::Outline;

/// Places of an outline, each as often as it is repeated. What is larger takes too long to make ready.
const WEIGHT_LIMIT: usize = 6000;
/// Bytes of an automaton before it has read anything.
const AUTOMATON_LIMIT_BYTES: usize = 4 << 20;
/// Bytes of the states that a thread keeps of it.
const STATES_LIMIT_BYTES: usize = 1 << 20;
/// How often these may be thrown away within one text before the screen lets it pass.
const CLEARS_LIMIT: usize = 2;
/// More bytes of one kind in a row are not counted.
const REPEATS_LIMIT: usize = 12;
/// Nor more pieces: each would come with all its choices. Two of those are enough to hold back most.
const PIECES_LIMIT: usize = 2;
/// Except of pieces that have hardly any.
const SMALL_PIECE: usize = 16;
/// After so many texts it shows whether a screen is of use.
const TRIALS: u32 = 256;
/// It is when it holds back one of four, for it takes far less time than the pattern.
const MOST_PASSED: u32 = TRIALS / 4 * 3;

type Caches = Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>;

/// An automaton, and the states of it that threads have come to.
pub(super) struct Screen {
    automaton: DFA,
    caches: Caches,
    asked: AtomicU32,
    passed: AtomicU32,
}

impl Screen {
    /// `None` where it is too large.
    pub(super) fn of(outline: &Outline) -> Option<Self> {
        if weight(outline) > WEIGHT_LIMIT {
            return None;
        }
        let mut source = String::new();
        write(outline, &mut source);
        let nfa = thompson::Config::new()
            .utf8(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(AUTOMATON_LIMIT_BYTES));
        let states = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(STATES_LIMIT_BYTES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(CLEARS_LIMIT));
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let automaton = DFA::builder().syntax(syntax).thompson(nfa).configure(states).build(&source).ok()?;
        let own = automaton.clone();
        let caches: Caches = Pool::new(Box::new(move || own.create_cache()));
        Some(Self { automaton, caches, asked: AtomicU32::new(0), passed: AtomicU32::new(0) })
    }

    /// May the pattern match? When it says no, it does not.
    pub(super) fn lets_pass(&self, text: &[u8]) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked >= TRIALS && self.passed.load(Ordering::Relaxed) > MOST_PASSED {
            return true;
        }
        let input = Input::new(text).earliest(true);
        let found = self.automaton.try_search_fwd(&mut self.caches.get(), &input);
        // It gives up where it would need too many states.
        let passes = found.map_or(true, |found| found.is_some());
        if asked < TRIALS {
            self.passed.fetch_add(u32::from(passes), Ordering::Relaxed);
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        passes
    }
}

/// How many places the automaton will have, about.
fn weight(outline: &Outline) -> usize {
    match outline {
        Outline::Empty | Outline::Anything | Outline::Byte(_) => 1,
        Outline::Sequence(pieces) | Outline::Either(pieces) => pieces.iter().map(weight).sum(),
        Outline::Repeat { inner, least, .. } => weight(inner).saturating_mul(counted(inner, *least).max(1)),
    }
}

/// How many repetitions are told apart.
fn counted(inner: &Outline, least: usize) -> usize {
    least.min(if weight(inner) <= SMALL_PIECE { REPEATS_LIMIT } else { PIECES_LIMIT })
}

/// The outline in the language of the automata.
fn write(outline: &Outline, source: &mut String) {
    match outline {
        Outline::Empty => source.push_str("(?:)"),
        Outline::Anything => source.push_str("(?s:.)*"),
        Outline::Byte(set) => write_set(*set, source),
        Outline::Sequence(pieces) => write_all(pieces, "", source),
        Outline::Either(choices) => write_all(choices, "|", source),
        Outline::Repeat { inner, least, most } => {
            write_all(std::slice::from_ref(inner), "", source);
            let counted = counted(inner, *least);
            // How many more there may be is not counted, either: automata that count are large.
            source.push_str(&match *most {
                Some(most) if most == counted => format!("{{{counted}}}"),
                Some(1) => "?".to_owned(),
                _ => format!("{{{counted},}}"),
            });
        }
    }
}

fn write_all(pieces: &[Outline], between: &str, source: &mut String) {
    source.push_str("(?:");
    for (index, piece) in pieces.iter().enumerate() {
        source.push_str(if index > 0 { between } else { "" });
        write(piece, source);
    }
    source.push(')');
}

fn write_set(set: ByteSet, source: &mut String) {
    let mut bytes = set.iter().peekable();
    // Nothing stands where none of no bytes must.
    source.push_str(if bytes.peek().is_some() { "[" } else { r"[^\x00-\xff" });
    while let Some(first) = bytes.next() {
        let mut last = first;
        while let Some(next) = bytes.next_if(|next| last.checked_add(1) == Some(*next)) {
            last = next;
        }
        source.push_str(&format!(r"\x{first:02x}-\x{last:02x}"));
    }
    source.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passes(source: &str, text: &[u8]) -> bool {
        Screen::of(&Outline::of(source)).unwrap().lets_pass(text)
    }

    #[test]
    fn only_what_may_match_passes() {
        let form = r"(?i)(?:(?:your\s)?(?:name|e-?mail|phone)\s?[:_]{1,80}\s?){3}";
        assert!(passes(form, b"please send NAME: ____ e-mail:___ Phone: ____ at once"));
        assert!(!passes(form, b"my name is on your phone, and your e-mail: came with a name"));
        assert!(passes(r"\b(?:[a-z]{5,}[\s.]+){4}", b"these words begin nobody."));
        assert!(!passes(r"\b(?:[a-z]{5,}[\s.]+){4}", b"as it is, one of us was at it"));
        assert!(passes(r"a[^\x00-\xff]?b\xff", b"ab\xff") && !passes(r"a[^\x00-\xff]b", b"ab"));
    }

    #[test]
    fn one_that_holds_nothing_back_is_not_asked() {
        let screen = Screen::of(&Outline::of("a")).unwrap();
        (0..TRIALS).for_each(|_| assert!(screen.lets_pass(b"a")));
        assert!(screen.lets_pass(b"b"));
    }

    proptest! {
        /// Where the pattern matches, it lets pass.
        #[test]
        fn no_match_is_missed(source in "[ab^(|)?*+\\[\\].{}12,]{0,16}", text in "[abAB]{0,12}") {
            let regex = pcre2::bytes::RegexBuilder::new().caseless(true).build(&source);
            if let (Ok(regex), Some(screen)) = (regex, Screen::of(&Outline::of(&source)))
                && regex.is_match(text.as_bytes()).unwrap()
            {
                prop_assert!(screen.lets_pass(text.as_bytes()));
            }
        }
    }
}
