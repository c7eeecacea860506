//! The text form of tables: logical lines, and the key and value on each.

use std::io::{self, BufRead};

/// Reads logical lines: lines that start with white space continue the one before; empty lines, and those whose
/// first other character is `#`, are skipped, also between a line and its continuation.
///
/// A NUL byte ends its physical line, as it does for Postfix; one that begins with it is a line without text. White space at the start, before there is a line to
/// continue, makes a line that is skipped with a warning.
pub(crate) struct LogicalLines<R> {
    reader: R,
    file_name: String,
    number: usize,
    ahead: Vec<u8>,
    has_ahead: bool,
}

/// One logical line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LogicalLine {
    /// The text, without the newlines it was folded with, with their white space.
    pub(crate) text: Vec<u8>,
    /// Number of its first physical line, from 1.
    pub(crate) number: usize,
}

impl<R: BufRead> LogicalLines<R> {
    /// Starts at line 1; `file_name` is for messages only.
    pub(crate) fn new(reader: R, file_name: &str) -> Self {
        Self { reader, file_name: file_name.to_owned(), number: 0, ahead: Vec::new(), has_ahead: false }
    }

    /// Reads the next line into `line`; false at the end.
    ///
    /// # Errors
    /// Of the reader.
    pub(crate) fn next_into(&mut self, line: &mut LogicalLine) -> io::Result<bool> {
        while self.join(line)? {
            if !line.text.first().is_some_and(|byte| is_blank(*byte)) {
                return Ok(true);
            }
            log::warn!(
                "{}: logical line must not start with whitespace: \"{}\"",
                self.file_name,
                beginning(&line.text)
            );
        }
        Ok(false)
    }

    fn join(&mut self, line: &mut LogicalLine) -> io::Result<bool> {
        line.text.clear();
        if !self.fill()? {
            return Ok(false);
        }
        line.number = self.number;
        std::mem::swap(&mut line.text, &mut self.ahead);
        self.has_ahead = false;
        while self.fill()? && self.ahead.first().is_some_and(|byte| is_blank(*byte)) {
            line.text.extend_from_slice(&self.ahead);
            self.has_ahead = false;
        }
        Ok(true)
    }

    /// Sees to it that `ahead` holds a line with text; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        while !self.has_ahead {
            self.ahead.clear();
            if self.reader.read_until(b'\n', &mut self.ahead)? == 0 {
                return Ok(false);
            }
            self.number += 1;
            let first = self.ahead.iter().find(|byte| !is_blank(**byte));
            self.has_ahead = first.is_some_and(|byte| *byte != b'#');
            cut(&mut self.ahead);
        }
        Ok(true)
    }
}

fn cut(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if let Some(end) = line.iter().position(|byte| *byte == 0) {
        line.truncate(end);
    }
}

/// isspace(3) of the C locale.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// `text` without white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    &text[text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len())..]
}

pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1)]
}

/// How Postfix shows text in messages: control characters, and bytes that are no UTF-8, become `?`.
pub(crate) fn printable(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        shown.extend(chunk.valid().chars().map(|character| match character {
            '\0'..' ' | '\x7f' => '?',
            other => other,
        }));
        shown.extend(chunk.invalid().iter().map(|_| '?'));
    }
    shown
}

/// The first 30 bytes of `text`, and dots when there is more.
fn beginning(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 30;
    let dots = if text.len() > SHOWN_BYTES { "..." } else { "" };
    format!("{}{dots}", String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]))
}

/// Why a line of an indexed table is passed over, or looks odd.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineProblem {
    /// Bytes that are not UTF-8 where UTF-8 is asked for.
    #[error("non-UTF-8 input \"{0}\" -- ignoring this line")]
    NotUtf8(String),
    /// A `"` that is never closed.
    #[error("unbalanced '\"' in '{0}' -- ignoring this line")]
    Unbalanced(String),
    /// No key or no value.
    #[error("expected format: key whitespace value")]
    NoValue,
    /// An alias file's `key: value`; the line counts all the same.
    #[error("record is in \"key: value\" format; is this an alias file?")]
    LooksLikeAlias,
    /// An alias file's line without `name:`, or with nothing after it.
    #[error("need name:value pair")]
    NoPair,
    /// The left side of an alias is an address with a domain.
    #[error("name must be local")]
    NotLocal,
}

/// `key whitespace value` of `line`: white space within double quotes belongs to the key (postmap(1)).
///
/// # Errors
/// [`LineProblem`]: the line says nothing.
pub(crate) fn key_and_value(line: &[u8], utf8: bool) -> Result<(&[u8], &[u8]), LineProblem> {
    check_utf8(line, utf8)?;
    let (key, value) = line.split_at(key_end(line)?);
    let value = trim(value);
    if key.is_empty() || value.is_empty() { Err(LineProblem::NoValue) } else { Ok((key, value)) }
}

pub(crate) fn check_utf8(line: &[u8], utf8: bool) -> Result<(), LineProblem> {
    if utf8 && !line.is_ascii() && std::str::from_utf8(line).is_err() {
        return Err(LineProblem::NotUtf8(printable(line)));
    }
    Ok(())
}

fn key_end(line: &[u8]) -> Result<usize, LineProblem> {
    let mut in_quotes = false;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => in_quotes = !in_quotes,
            blank if is_blank(*blank) && !in_quotes => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    if in_quotes { Err(LineProblem::Unbalanced(printable(line))) } else { Ok(line.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(usize, String)> {
        let mut lines = LogicalLines::new(text, "m");
        let mut line = LogicalLine::default();
        let mut all = Vec::new();
        while lines.next_into(&mut line).unwrap() {
            all.push((line.number, String::from_utf8(line.text.clone()).unwrap()));
        }
        all
    }

    #[test]
    fn continuation_goes_on_over_comments_and_empty_lines() {
        let text = b"  stray\na 1\n  cont\n\n  more\n# c\n  after\r\nb\0x\n   \n #\nlast";
        let expected = [(2, "a 1  cont  more  after\r"), (8, "b"), (11, "last")];
        assert_eq!(lines(text), expected.map(|(number, line)| (number, line.to_owned())));
        assert_eq!(lines(b"a 1\n\0b 2\nc"), [(1, "a 1".to_owned()), (2, String::new()), (3, "c".to_owned())]);
    }

    #[test]
    fn keys_and_values_come_apart_at_the_first_blank_outside_quotes() {
        let ok = |line: &'static [u8]| key_and_value(line, true);
        assert_eq!(ok(b"a  b  c \r"), Ok((&b"a"[..], &b"b  c"[..])));
        assert_eq!(ok(b"\"a b\" c"), Ok((&b"\"a b\""[..], &b"c"[..])));
        assert_eq!(ok(br"a\ b c"), Ok((&br"a\ b"[..], &b"c"[..])));
        assert_eq!(ok(b"a"), Err(LineProblem::NoValue));
        assert_eq!(ok(b"\"a b"), Err(LineProblem::Unbalanced("\"a b".into())));
        assert_eq!(ok(b"j\xf6rg v"), Err(LineProblem::NotUtf8("j?rg v".into())));
        assert_eq!(key_and_value(b"j\xf6rg v", false), Ok((&b"j\xf6rg"[..], &b"v"[..])));
    }
}
