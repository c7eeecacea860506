//! A line of text, cut into words that can be counted.

use std::collections::HashMap;
use std::sync::Arc;

use super::tokens::Tokens;
use crate::perl::Pattern;

/// Bytes of a word that is not counted.
const SHORT_BYTES: usize = 2;
/// Characters that are kept of a word that is too long.
const KEPT_CHARS: usize = 7;
/// Dots in a row that part two words.
const DOTS: std::ops::RangeInclusive<usize> = 3..=6;
/// Dashes in a row that part two words.
const DASHES: std::ops::RangeInclusive<usize> = 2..=6;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Header,
    Body,
    Uri,
}

/// Cuts lines into words.
pub(super) struct Cutter<'a> {
    pub(super) tokens: Tokens,
    limit_bytes: usize,
    stop_words: &'a [Arc<Pattern>],
    /// Is the word a stop word?
    known: HashMap<Vec<u8>, bool>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(limit_bytes: usize, stop_words: &'a [Arc<Pattern>]) -> Self {
        Self { tokens: Tokens::default(), limit_bytes, stop_words, known: HashMap::new() }
    }

    /// Takes the words of a line.
    pub(super) fn line(&mut self, line: &[u8], prefix: &[u8], region: Region) {
        let mut text = sifted(line);
        part(&mut text, b'.', &DOTS);
        part(&mut text, b'-', &DASHES);
        if region != Region::Header {
            text = without_title_case(&text);
        }
        for word in text.split(|byte| *byte == b' ') {
            self.word(trimmed(word), prefix, region);
        }
    }

    fn word(&mut self, word: &[u8], prefix: &[u8], region: Region) {
        if word.len() <= SHORT_BYTES || self.is_stop_word(word) {
            return;
        }
        if region != Region::Header {
            self.addresses(word);
        }
        let mut word = word;
        let shortened;
        if word.len() > self.limit_bytes && !word.contains(&b'*') {
            let wide = wide_chars(word);
            if !wide.is_empty() {
                wide.iter().for_each(|char| self.tokens.add(prefix, &[b"u8:", *char].concat()));
                return;
            }
            if region != Region::Uri {
                shortened = begin_of(word);
                word = &shortened;
            }
        }
        if region != Region::Header {
            self.simpler_forms(word, prefix);
        }
        self.tokens.add(prefix, word);
    }

    fn is_stop_word(&mut self, word: &[u8]) -> bool {
        if self.stop_words.is_empty() {
            return false;
        }
        if let Some(known) = self.known.get(word) {
            return *known;
        }
        let stop = self.stop_words.iter().any(|pattern| pattern.is_match(word));
        self.known.insert(word.to_vec(), stop);
        stop
    }

    /// The parts of a word that is a mail address or a host name.
    fn addresses(&mut self, word: &[u8]) {
        if word[1..word.len() - 1].contains(&b'@') {
            address_words(word, |kind, part| self.tokens.add(kind, part));
        } else if word.windows(2).skip(1).any(|pair| pair[0] == b'.' && pair[1].is_ascii_alphabetic()) {
            self.tokens.add(b"UD:", word);
            parents(word, |parent| self.tokens.add(b"UD:", parent));
        }
    }

    /// `Free!` is also `free!`, `Free` and `free`.
    fn simpler_forms(&mut self, word: &[u8], prefix: &[u8]) {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'*');
        let odd = !word.iter().all(plain);
        if odd {
            let bare: Vec<u8> = word.iter().copied().filter(plain).collect();
            self.tokens.add(prefix, &bare);
        }
        if word.iter().any(u8::is_ascii_uppercase) {
            let mut lower = word.to_ascii_lowercase();
            self.tokens.add(prefix, &lower);
            if odd {
                lower.retain(plain);
                self.tokens.add(prefix, &lower);
            }
        }
    }
}

/// `U*joe`, `D*mail.example.com`, `D*example.com`, `D*com`.
pub(super) fn address_words(address: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
    let inner = address.get(..address.len().saturating_sub(1)).unwrap_or_default();
    let Some(at) = inner.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0) else { return };
    let host = &address[at + 1..];
    each(b"U*", &address[..at]);
    each(b"D*", host);
    parents(host, |parent| each(b"D*", parent));
}

/// The domains that a name lies in.
fn parents(name: &[u8], mut each: impl FnMut(&[u8])) {
    let mut rest = name;
    while let Some(dot) = rest.iter().position(|byte| *byte == b'.') {
        if dot == 0 || dot + 1 == rest.len() {
            return;
        }
        rest = &rest[dot + 1..];
        each(rest);
    }
}

/// Bytes that words are made of; others become blanks, and so do broken pieces of UTF-8 that are no letters of Latin-1.
fn sifted(line: &[u8]) -> Vec<u8> {
    let mut text = line.to_vec();
    let mut at = 0;
    while at < text.len() {
        let length = sequence_bytes(&text[at..]);
        if length == 0 {
            text[at] = b' ';
        }
        at += length.max(1);
    }
    text
}

/// How many bytes at the begin belong together; 0 when the first belongs to no word.
fn sequence_bytes(text: &[u8]) -> usize {
    let follow =
        |count: usize| text.len() > count && text[1..=count].iter().all(|byte| (0x80..=0xbf).contains(byte));
    match text[0] {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => 1,
        b',' | b'@' | b'*' | b'!' | b'_' | b'\'' | b'"' | b'$' | b'.' | b' ' | b'-' => 1,
        0xc0..=0xdf if follow(1) => 2,
        0xe0..=0xef if follow(2) => 3,
        0xf0..=0xf4 if follow(3) => 4,
        0xa1..=0xff => 1,
        _ => 0,
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Runs of `mark` between two words get blanks around them. The letter behind a run belongs to it: it begins no other.
fn part(text: &mut Vec<u8>, mark: u8, lengths: &std::ops::RangeInclusive<usize>) {
    let pair = [mark, mark];
    if !text.windows(2).any(|window| window == pair) {
        return;
    }
    let mut parted = Vec::with_capacity(text.len() + 8);
    let mut free = 0;
    let mut at = 0;
    while at < text.len() {
        let run = text[at..].iter().take_while(|byte| **byte == mark).count();
        if run == 0 {
            parted.push(text[at]);
            at += 1;
            continue;
        }
        let behind = text.get(at + run).is_some_and(|byte| is_word_byte(*byte));
        let parts = lengths.contains(&run) && at > free && is_word_byte(text[at - 1]) && behind;
        parted.extend(parts.then_some(b' '));
        parted.extend_from_slice(&text[at..at + run]);
        at += run;
        if parts {
            parted.extend([b' ', text[at]]);
            at += 1;
            free = at;
        }
    }
    *text = parted;
}

/// A capital at the begin of a sentence says nothing: the sentence's first words, up to the next capital, begin small.
fn without_title_case(text: &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(text.len() + 8);
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        match sentence(text, at) {
            Some((capital, end, resume)) => {
                changed.extend_from_slice(&text[copied..at]);
                changed.extend([b' ', text[capital].to_ascii_lowercase()]);
                changed.extend_from_slice(&text[capital + 1..end]);
                changed.push(b' ');
                copied = resume;
                // What begins here has no line's begin before it.
                at = resume.max(1);
            }
            None => at += 1,
        }
    }
    changed.extend_from_slice(text.get(copied..).unwrap_or_default());
    changed
}

/// A sentence that begins at `at`: where its capital stands, where its last small word ends, and what comes behind.
fn sentence(text: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let capital = if at == 0 && text[0].is_ascii_uppercase() {
        0
    } else if text[at] == b'.' {
        let blanks = text[at + 1..].iter().take_while(|byte| **byte == b' ').count();
        (blanks > 0).then_some(at + 1 + blanks)?
    } else {
        return None;
    };
    if !text.get(capital)?.is_ascii_uppercase() {
        return None;
    }
    let run = text[capital + 1..].iter().take_while(|byte| !byte.is_ascii_uppercase()).count();
    let end = capital + 1 + run;
    if run == 0 {
        return None;
    }
    if end == text.len() {
        return Some((capital, end, end));
    }
    let blank = text[capital + 2..end].iter().rposition(|byte| *byte == b' ')? + capital + 2;
    Some((capital, blank, blank + 1))
}

/// Without the punctuation around it.
fn trimmed(word: &[u8]) -> &[u8] {
    let around = |byte: &u8| matches!(byte, b'-' | b'\'' | b'"' | b'.' | b',');
    let begin = word.iter().position(|byte| !around(byte)).unwrap_or(word.len());
    let end = word.iter().rposition(|byte| !around(byte)).map_or(begin, |at| at + 1);
    &word[begin..end]
}

/// The characters of three and four bytes in a word.
fn wide_chars(word: &[u8]) -> Vec<&[u8]> {
    let next = |byte: &u8| (0x80..=0xbf).contains(byte);
    let mut found = Vec::new();
    let mut at = 0;
    while at + 2 < word.len() {
        let lead = match word[at] {
            0xe0..=0xef => 1,
            0xf0..=0xf4 if next(&word[at + 1]) => 2,
            _ => 0,
        };
        let end = at + lead + 2;
        if lead > 0 && word.get(at + lead..end).is_some_and(|rest| rest.iter().all(next)) {
            found.push(&word[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// `sk:` and the first characters of a word that is too long.
fn begin_of(word: &[u8]) -> Vec<u8> {
    let mut at = 0;
    for _ in 0..KEPT_CHARS {
        let Some(rest) = word.get(at..).filter(|rest| !rest.is_empty()) else { return word.to_vec() };
        at += char_bytes(rest);
    }
    if word.len() < at + 2 {
        return word.to_vec();
    }
    [b"sk:", &word[..at]].concat()
}

/// Bytes of the character at the begin.
fn char_bytes(text: &[u8]) -> usize {
    let length = match text[0] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let whole = text.get(1..length).is_some_and(|rest| rest.iter().all(|byte| (0x80..=0xbf).contains(byte)));
    if whole { length } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str, region: Region) -> Vec<String> {
        let stop = [Arc::new(Pattern::plain("^(?i)(?:the|and)$").unwrap())];
        let mut cutter = Cutter::new(15, &stop);
        cutter.line(line.as_bytes(), if region == Region::Header { b"H:" } else { b"" }, region);
        let tokens = cutter.tokens.finish();
        let mut words: Vec<String> = (0..tokens.all().len())
            .map(|index| String::from_utf8_lossy(tokens.word(index)).into_owned())
            .collect();
        words.sort();
        words
    }

    #[test]
    fn words_of_a_body() {
        assert_eq!(words("The cat, and dogs.", Region::Body), ["cat", "dogs"]);
        assert_eq!(words("buy NOW!!", Region::Body), ["NOW", "NOW!!", "buy", "now", "now!!"]);
        assert_eq!(
            words("Click here. Push it Hard", Region::Body),
            ["Hard", "Push", "click", "hard", "here", "push"]
        );
        assert_eq!(words("wait...what--ever", Region::Body), ["ever", "wait", "what"]);
        assert_eq!(
            words("joe@mail.example.com", Region::Body),
            ["D*com", "D*example.com", "D*mail.example.com", "U*joe", "sk:joe@mai", "sk:joemai"]
        );
    }

    #[test]
    fn words_of_headers_and_uris() {
        assert_eq!(words("Averyveryverylongword x@y", Region::Header), ["H:sk:Averyve", "H:x@y"]);
        assert_eq!(
            words("http://www.example.com/path", Region::Uri),
            [
                "UD:com",
                "UD:example.com",
                "UD:www.example.com",
                "http",
                "path",
                "www.example.com",
                "wwwexamplecom"
            ]
        );
    }

    #[test]
    fn characters_of_other_scripts() {
        assert_eq!(words("日本語日本語", Region::Body), ["u8:日", "u8:本", "u8:語"]);
        assert_eq!(words("Größe", Region::Header), ["H:Größe"]);
    }

    #[test]
    fn a_letter_between_two_runs_parts_only_once() {
        let mut text = b"a...b...c".to_vec();
        part(&mut text, b'.', &DOTS);
        assert_eq!(text, b"a ... b...c");
    }

    #[test]
    fn sentences_begin_small() {
        let change = |text: &str| String::from_utf8(without_title_case(text.as_bytes())).unwrap();
        assert_eq!(change("Hello you. Good Day"), " hello you. Good Day");
        assert_eq!(change("Hello"), " hello ");
        assert_eq!(change("HELLO x"), "HELLO x");
        assert_eq!(change("A. B c"), " a. B c");
    }

    proptest! {
        #[test]
        fn any_bytes_have_words(line: Vec<u8>) {
            for region in [Region::Header, Region::Body, Region::Uri] {
                Cutter::new(15, &[]).line(&line, b"", region);
            }
        }
    }
}
