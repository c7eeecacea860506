//! The digest of a message: what its lines say without blanks, addresses, links and long words, hashed.

use sha1::{Digest as _, Sha1};

use super::parts::{Leaf, leaves};
use super::{characters, html, transfer};

/// Lines that say less than this do not count. Characters.
const LINE_MINIMUM: usize = 8;
/// Words from this length on do not count: they may be different in each copy. Characters.
const WORD_LIMIT: usize = 10;
/// With this many lines all of them count.
const ATOMIC_LINES: usize = 4;
/// Of longer messages: lines from these percentages on, so many each.
pub(super) const PIECES: [(usize, usize); 2] = [(20, 3), (60, 3)];

/// What Pyzor's servers know a message by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// The digest of a message; `None` for one that the original's client can not take apart, and does not ask about.
    pub fn of(message: &[u8]) -> Option<Self> {
        let mut hash = Sha1::new();
        predigest(message)?.iter().for_each(|line| hash.update(line.as_bytes()));
        Some(Self(hexadecimal::encode(&hash.finalize())))
    }

    /// In hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The lines that are hashed; `None` as for [`Digest::of`].
pub fn predigest(message: &[u8]) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for leaf in leaves(message) {
        let text = text_of(&leaf)?;
        for line in characters::lines(&text) {
            let line = normalized(line);
            if line.chars().count() >= LINE_MINIMUM {
                lines.push(line);
            }
        }
    }
    if lines.len() <= ATOMIC_LINES {
        return Some(lines);
    }
    let count = lines.len();
    let chosen = PIECES.iter().flat_map(|(percent, length)| {
        let first = percent * count / 100;
        first..first + length
    });
    Some(chosen.filter_map(|index| lines.get(index).cloned()).collect())
}

/// Text is decoded, and loses its HTML; everything else counts as it stands.
fn text_of(leaf: &Leaf) -> Option<String> {
    if leaf.main_type() != "text" {
        return Some(characters::as_it_stands(&leaf.body, leaf.charset.as_deref()));
    }
    let bytes = transfer::decoded(&leaf.body, &leaf.encoding);
    let text = characters::decoded(&bytes, leaf.charset.as_deref().unwrap_or_default());
    if leaf.sub_type() == "html" { html::text(&text) } else { Some(text) }
}

fn normalized(line: &str) -> String {
    line.split(characters::is_blank).filter_map(shortened).collect()
}

/// What of a word counts: nothing of long ones and of addresses, and of a link what stands before it.
fn shortened(word: &str) -> Option<&str> {
    if word.chars().count() >= WORD_LIMIT || is_address(word) {
        return None;
    }
    Some(&word[..link(word).unwrap_or(word.len())])
}

/// Is there an `@` with something on both sides?
fn is_address(word: &str) -> bool {
    let mut marks = word.match_indices('@').map(|(at, _)| at);
    marks.any(|at| at > 0 && at + 1 < word.len())
}

/// Where letters begin that a colon and something else follow.
fn link(word: &str) -> Option<usize> {
    let colons = word.match_indices(':').map(|(at, _)| at);
    colons.filter(|at| at + 1 < word.len()).find_map(|at| {
        let letters = word[..at].char_indices().rev().take_while(|(_, letter)| is_letter(*letter));
        letters.last().map(|(start, _)| start)
    })
}

/// `[a-z]`, whatever the case: four letters beyond ASCII have such ones as their other case.
fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || matches!(letter, '\u{130}' | '\u{131}' | '\u{17f}' | '\u{212a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_between_copies_do_not_count() {
        assert_eq!(normalized("see http://x.y or a@b, @c d@ now"), "seeor@cd@now");
        assert_eq!(normalized("0123456789 012345678"), "012345678");
        assert_eq!(normalized("5:30 a:b xa:"), "5:30xa:");
        assert_eq!(normalized("(x:y \u{a0}\u{1c}z"), "(z");
    }

    #[test]
    fn of_long_messages_a_few_lines_count() {
        let body: String = (100..120).map(|number| format!("line is {number}\n")).collect();
        let lines = predigest(format!("Subject: x\n\n{body}").as_bytes()).unwrap_or_default();
        assert_eq!(lines, ["lineis104", "lineis105", "lineis106", "lineis112", "lineis113", "lineis114"]);
    }

    #[test]
    fn a_message_that_says_nothing_has_the_digest_of_nothing() {
        let digest = Digest::of(b"Subject: x\n\nhi\n");
        assert_eq!(digest.map(|digest| digest.0), Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".into()));
    }
}
