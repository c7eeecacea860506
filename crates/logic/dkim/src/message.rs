//! A message as signatures see it: whole header fields, and the body.

use std::borrow::Cow;
use std::ops::Range;

/// A message whose lines end with CRLF.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    text: Cow<'a, [u8]>,
    /// Fields with their folds and line ends.
    fields: Vec<Range<usize>>,
    body: usize,
}

impl<'a> Message<'a> {
    /// Takes a message apart; `text` has CRLF at each line's end.
    pub fn new(text: impl Into<Cow<'a, [u8]>>) -> Self {
        let text = text.into();
        let mut fields: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        let mut body = text.len();
        while at < text.len() {
            let end = line_end(&text, at);
            if text[at..end] == *b"\r\n" {
                body = end;
                break;
            }
            match fields.last_mut() {
                Some(field) if matches!(text[at], b' ' | b'\t') => field.end = end,
                _ => fields.push(at..end),
            }
            at = end;
        }
        Self { text, fields, body }
    }

    /// The fields from the top, without the line end at the end.
    pub(crate) fn fields(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.fields.iter().map(|range| {
            let field = &self.text[range.clone()];
            field.strip_suffix(b"\r\n").unwrap_or(field)
        })
    }

    /// Everything behind the blank line.
    pub(crate) fn body(&self) -> &[u8] {
        &self.text[self.body..]
    }
}

/// Where the next line begins.
fn line_end(text: &[u8], at: usize) -> usize {
    let mut from = at;
    while let Some(feed) = text[from..].iter().position(|byte| *byte == b'\n') {
        from += feed + 1;
        if from >= at + 2 && text[from - 2] == b'\r' {
            return from;
        }
    }
    text.len()
}

/// The name of a field in lower case; `None` when the line is no field.
pub(crate) fn name_of(field: &[u8]) -> Option<Vec<u8>> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let name = field[..colon].trim_ascii_end();
    let good = !name.is_empty() && !name.iter().any(u8::is_ascii_whitespace);
    good.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_body() {
        let message = Message::new(&b"A: 1\r\n 2\r\nB : x\ny\r\n\r\nbody\r\n"[..]);
        assert_eq!(message.fields().collect::<Vec<_>>(), [&b"A: 1\r\n 2"[..], b"B : x\ny"]);
        assert_eq!(message.body(), b"body\r\n");
        assert_eq!(name_of(b"B : x"), Some(b"b".to_vec()));
        assert_eq!(name_of(b"no field"), None);
        let headless = Message::new(&b"\r\nbody"[..]);
        assert!(headless.fields().next().is_none() && headless.body() == b"body");
        assert!(Message::new(&b"A: 1"[..]).body().is_empty());
    }
}
