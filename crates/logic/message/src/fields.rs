//! The fields of a header block that is there whole (RFC 5322 §2.2).

use std::ops::Range;

/// A field as it stands in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; blanks before the colon are not part of it.
    pub name: &'a [u8],
    /// What follows the colon, folded as it is, without the last line break.
    pub value: &'a [u8],
    /// All its bytes, with line breaks.
    pub whole: &'a [u8],
}

/// Goes through the fields of a block. Lines that are no field are passed over, and an empty line ends the block.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    block: &'a [u8],
    at: usize,
}

/// The fields of a block.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, at: 0 }
}

/// All lines of a block up to its empty line, those of a field together: their bytes, and the field where it is one.
pub fn lines(block: &[u8]) -> impl Iterator<Item = (&[u8], Option<Field<'_>>)> {
    let mut fields = fields(block);
    std::iter::from_fn(move || fields.next_lines())
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            if let (_, Some(field)) = self.next_lines()? {
                return Some(field);
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// A field, or lines that are none.
    fn next_lines(&mut self) -> Option<(&'a [u8], Option<Field<'a>>)> {
        let first = line_at(self.block, self.at)?;
        let text = without_break(&self.block[first.clone()]);
        if text.is_empty() {
            self.at = self.block.len();
            return None;
        }
        let end = self.end_of_field(first.end);
        self.at = end;
        let whole = &self.block[first.start..end];
        Some((whole, split(whole).filter(|_| !matches!(text[0], b' ' | b'\t'))))
    }

    /// Where the lines that continue a field end.
    fn end_of_field(&self, mut end: usize) -> usize {
        while matches!(self.block.get(end), Some(b' ' | b'\t')) {
            end = line_at(self.block, end).map_or(end, |line| line.end);
        }
        end
    }
}

fn split(whole: &[u8]) -> Option<Field<'_>> {
    let text = without_break(whole);
    // A name is not folded (RFC 5322 §2.2): the colon is on the first line.
    let colon = text.iter().position(|byte| matches!(byte, b':' | b'\n')).filter(|at| text[*at] == b':')?;
    let name = text[..colon].trim_ascii_end();
    (!name.is_empty()).then(|| Field { name, value: &text[colon + 1..], whole })
}

/// The line that begins at `start`, with its line break.
pub(crate) fn line_at(text: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |place| place + 1);
    Some(start..start + length)
}

/// A line without its CRLF or LF.
pub(crate) fn without_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A value in one line: line breaks go, blanks at its begin go (RFC 5322 §2.2.3).
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.drain(..blanks);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(block: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        fields(block.as_bytes()).map(|field| (text(field.name), text(&unfold(field.value)))).collect()
    }

    #[test]
    fn fields_are_found_with_what_continues_them() {
        let expected = [("A".to_owned(), "1 2".to_owned()), ("B".to_owned(), String::new())];
        assert_eq!(names("A: 1\r\n 2\r\nB:\r\n\r\nC: 3"), expected);
        assert_eq!(names("A: 1\n 2\nB :\n\nC: 3"), expected);
        assert_eq!(names("no colon\nA: 1\n 2\n:x\nB:"), expected);
        assert_eq!(names(" lost\nA: x")[0].0, "A");
        assert_eq!(names("A\r\n : x\r\nB: y"), [("B".to_owned(), "y".to_owned())]);
        assert_eq!(names(""), []);
    }

    proptest! {
        #[test]
        fn any_block_is_read(block in prop::collection::vec(prop::sample::select(b"A: \r\n\t\0".to_vec()), 0..60)) {
            for field in fields(&block) {
                prop_assert!(field.whole.len() > field.name.len() + field.value.len());
            }
        }
    }
}
