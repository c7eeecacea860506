//! Lines of reports and headers, broken at blanks.

use std::collections::VecDeque;

/// Where a line may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// At a blank, which goes.
    Blank,
    /// Behind a blank or a comma, which stay.
    Behind,
}

/// How to wrap.
pub(super) struct Wrap<'a> {
    /// In front of each line but the first.
    pub(super) prefix: &'a str,
    /// In front of the first line.
    pub(super) first: &'a str,
    /// Characters of a line; a tab counts as eight.
    pub(super) length: usize,
    /// The word that crosses the limit stays on the line.
    pub(super) overflow: bool,
    pub(super) at: Break,
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn width(text: &[u8]) -> usize {
    text.len() + text.iter().filter(|byte| **byte == b'\t').count() * 7
}

impl Wrap<'_> {
    /// Wraps a text.
    pub(super) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut pieces = self.pieces(text);
        if !self.first.is_empty() {
            pieces.push_front(self.first.as_bytes().to_vec());
        }
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut line = pieces.pop_front().unwrap_or_default();
        let mut begun = false;
        while let Some(next) = pieces.pop_front() {
            let with_next = if begun && !self.overflow { width(&next) } else { 0 };
            if width(&line) + with_next <= self.length {
                line.extend(next);
                begun = true;
                continue;
            }
            let end = line.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |at| at + 1);
            line.truncate(end);
            lines.push(std::mem::replace(&mut line, self.prefix.as_bytes().to_vec()));
            pieces.push_front(next);
            // A prefix that is too wide by itself must not stand for ever.
            begun = width(&line) > self.length;
            if begun {
                line.extend(pieces.pop_front().unwrap_or_default());
                begun = false;
            }
        }
        lines.push(line);
        lines.join(&b'\n')
    }

    fn pieces(&self, text: &[u8]) -> VecDeque<Vec<u8>> {
        let mut pieces = VecDeque::new();
        let mut word = Vec::new();
        for byte in text {
            match self.at {
                Break::Blank if is_blank(*byte) => {
                    pieces.push_back(std::mem::take(&mut word));
                    pieces.push_back(vec![*byte]);
                }
                Break::Behind if is_blank(*byte) || *byte == b',' => {
                    word.push(*byte);
                    pieces.push_back(std::mem::take(&mut word));
                    pieces.push_back(Vec::new());
                }
                _ => word.push(*byte),
            }
        }
        pieces.push_back(word);
        while pieces.back().is_some_and(Vec::is_empty) {
            pieces.pop_back();
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks() {
        let wrap = Wrap { prefix: "  ", first: "", length: 12, overflow: false, at: Break::Blank };
        assert_eq!(wrap.apply(b"one two three four"), b"one two\n  three four");
        let wrap = Wrap { prefix: "\t", first: "", length: 12, overflow: false, at: Break::Behind };
        assert_eq!(
            wrap.apply(b"AAA,BBBB,CCCCC,DDDDD"),
            b"AAA,BBBB,\n\tCCCCC,\n\n\tDDDDD",
            "the empty line is SpamAssassin's"
        );
    }
}
