//! The parts of a message as it comes by, for those that are too large to be held.
//!
//! What is kept is where the parts are, and their headers; of a header that is very long, its begin.

use std::collections::HashMap;
use std::ops::Range;

use crate::structure::{Headers, Part, Reader, Text};

/// A header is not kept beyond this, bytes: fields behind it do not count.
pub const HEADER_LIMIT_BYTES: usize = 1024 * 1024;
/// All headers of a message that are kept, bytes. Parts behind have none.
const HEADERS_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// So much of a line is looked at, bytes: a boundary is shorter.
const LINE_LIMIT_BYTES: usize = 4 * 1024;

/// The parts of a message, and their headers.
#[derive(Debug, PartialEq, Eq)]
pub struct Outline {
    /// The message.
    pub root: Part,
    headers: HeaderStore,
}

/// Headers by where they begin in the message; here one behind the other.
#[derive(Debug, Default, PartialEq, Eq)]
struct HeaderStore {
    bytes: Vec<u8>,
    places: HashMap<usize, Range<usize>>,
}

impl Headers for Outline {
    fn header_of(&self, part: &Part) -> &[u8] {
        let place = self.headers.places.get(&part.header.start);
        place.map_or(&[], |place| {
            let whole = &self.headers.bytes[place.clone()];
            // It is shorter where its empty line turned out to be that of a boundary.
            &whole[..whole.len().min(part.header.len())]
        })
    }
}

/// Reads a message piece by piece.
pub struct OutlineReader {
    reader: Reader<Kept>,
    /// Where the line begins that is being read, and where the text that has come ends.
    line_start: usize,
    at: usize,
    /// How that line begins.
    line: Vec<u8>,
    last_bytes: [u8; 2],
}

/// What the reader still has of the text.
#[derive(Default)]
struct Kept {
    /// The header that is being read, and the line behind it.
    header: Vec<u8>,
    headers: HeaderStore,
    /// The last bytes before the line that is being read.
    before: [u8; 2],
}

impl Text for Kept {
    fn header(&mut self, place: Range<usize>) -> &[u8] {
        let room = HEADERS_LIMIT_BYTES - self.headers.bytes.len();
        let length = self.header.len().min(place.len()).min(room);
        let start = self.headers.bytes.len();
        self.headers.bytes.extend_from_slice(&self.header[..length]);
        self.headers.places.insert(place.start, start..start + length);
        self.header.clear();
        &self.headers.bytes[start..]
    }

    fn break_length(&self, from: usize, at: usize) -> usize {
        let room = at - from.min(at);
        match self.before {
            [b'\r', b'\n'] => room.min(2),
            [_, b'\n'] => room.min(1),
            _ => 0,
        }
    }
}

impl Default for OutlineReader {
    fn default() -> Self {
        let (reader, line) = (Reader::new(Kept::default()), Vec::new());
        Self { reader, line_start: 0, at: 0, line, last_bytes: [0; 2] }
    }
}

impl OutlineReader {
    /// The next piece of the message, of any length.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let end = piece.iter().position(|byte| *byte == b'\n').map_or(piece.len(), |place| place + 1);
            let (now, rest) = piece.split_at(end);
            self.gather(now);
            if now.ends_with(b"\n") {
                self.end_line(true);
            }
            piece = rest;
        }
    }

    /// The message is over.
    pub fn finish(mut self) -> Outline {
        if self.at > self.line_start {
            self.end_line(false);
        }
        let (root, kept) = self.reader.finish(self.at);
        Outline { root, headers: kept.headers }
    }

    fn gather(&mut self, bytes: &[u8]) {
        add(&mut self.line, bytes, LINE_LIMIT_BYTES);
        if self.reader.in_header() {
            add(&mut self.reader.text.header, bytes, HEADER_LIMIT_BYTES);
        }
        self.at += bytes.len();
        self.last_bytes = match bytes {
            [.., before, last] => [*before, *last],
            [last] => [self.last_bytes[1], *last],
            [] => self.last_bytes,
        };
    }

    fn end_line(&mut self, ended: bool) {
        self.reader.line(self.line_start..self.at, &self.line, ended);
        self.reader.text.before = self.last_bytes;
        self.line_start = self.at;
        self.line.clear();
    }
}

/// Adds what there is room for.
fn add(kept: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let room = limit.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::structure::Inner;

    fn outline(text: &[u8], piece: usize) -> Outline {
        let mut reader = OutlineReader::default();
        text.chunks(piece).for_each(|piece| reader.push(piece));
        reader.finish()
    }

    #[test]
    fn of_a_very_long_header_the_begin_is_kept() {
        let long = [b"X-B: ".as_slice(), &b"y\r\n\t".repeat(HEADER_LIMIT_BYTES)].concat();
        let text = [b"Subject: x\r\n".as_slice(), &long, b"\r\nTo: lost\r\n\r\nbody\r\n"].concat();
        let outline = outline(&text, 64 * 1024);
        assert_eq!(&text[outline.root.body.clone()], b"body\r\n");
        let kept = outline.header_of(&outline.root);
        assert_eq!(kept, &text[..HEADER_LIMIT_BYTES]);
    }

    #[test]
    fn all_headers_together_are_bounded() {
        let header = [b"X: ".as_slice(), &b"y".repeat(HEADER_LIMIT_BYTES), b"\r\n\r\n\r\n--b\r\n"].concat();
        let text =
            [b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".as_slice(), &header.repeat(6)]
                .concat();
        let outline = outline(&text, 10_000);
        let Inner::Parts(parts) = &outline.root.inner else { panic!("no multipart") };
        assert_eq!(parts.len(), 7);
        assert!(outline.headers.bytes.len() <= HEADERS_LIMIT_BYTES);
        assert!(
            outline.header_of(&parts[0]).starts_with(b"X: yyy") && outline.header_of(&parts[5]).is_empty()
        );
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(lines in prop::collection::vec(prop::sample::select(vec![
            "\n", "--b\n", "--b--\n", "--bc\r\n", "x\n", "Content-Type: multipart/mixed; boundary=b\n", "\r",
            "Content-Type: multipart/mixed; boundary=bc\r\n", "Content-Type: message/rfc822\n", "\r\n", "x",
        ]), 0..40), piece in 1_usize..20) {
            let text = lines.concat();
            let outline = outline(text.as_bytes(), piece);
            let whole = Part::read(text.as_bytes());
            prop_assert_eq!(&outline.root, &whole);
            check(&outline, &whole, text.as_bytes())?;
        }
    }

    fn check(outline: &Outline, part: &Part, text: &[u8]) -> Result<(), TestCaseError> {
        prop_assert_eq!(outline.header_of(part), text.header_of(part));
        let lines = text[part.body.clone()].iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(part.lines, lines);
        match &part.inner {
            Inner::Leaf => Ok(()),
            Inner::Parts(parts) => parts.iter().try_for_each(|inner| check(outline, inner, text)),
            Inner::Message(inner) => check(outline, inner, text),
        }
    }
}
