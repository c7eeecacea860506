//! The content: lines of the message as records, and back.

use std::collections::HashSet;

use crate::record::{self, DecodeError, Kind, Parsed};

/// Appends one line, without its line end, cut into pieces of at most `limit_bytes` (`line_length_limit`, 2048).
///
/// # Panics
/// When `limit_bytes` is zero.
pub fn write_line(out: &mut Vec<u8>, line: &[u8], limit_bytes: usize) {
    let mut rest = line;
    while rest.len() > limit_bytes {
        let (piece, more) = rest.split_at(limit_bytes);
        record::write(out, Kind::CONTINUED, piece);
        rest = more;
    }
    record::write(out, Kind::NORMAL, rest);
}

/// What [`ContentReader::feed`] needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentStep {
    /// Bytes of the file from this offset on.
    Read {
        /// Where they begin.
        offset: u64,
        /// The least that brings the reader further.
        at_least: usize,
    },
    /// The content is complete.
    Done,
}

/// Turns the records of the content back into the message, lines ended by LF.
#[derive(Debug, Clone)]
pub struct ContentReader {
    offset: u64,
    pointers_seen: HashSet<u64>,
    done: bool,
}

impl ContentReader {
    /// A reader for content that begins at this offset ([`crate::Envelope::content_offset`]).
    pub fn new(content_offset: u64) -> Self {
        Self { offset: content_offset, pointers_seen: HashSet::new(), done: false }
    }

    /// Takes bytes of the file that begin at the offset last asked for (the begin of the content at first), appends what they hold of the
    /// message to `out`. `at_end` says that the file ends with them.
    ///
    /// # Errors
    /// Any [`DecodeError`]: the file is damaged; what `out` has got must not be delivered.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        at_end: bool,
        out: &mut Vec<u8>,
    ) -> Result<ContentStep, DecodeError> {
        let base = self.offset;
        while !self.done {
            let rest =
                usize::try_from(self.offset.wrapping_sub(base)).ok().and_then(|skip| bytes.get(skip..));
            let Some(rest) = rest.filter(|rest| at_end || !rest.is_empty()) else {
                return Ok(ContentStep::Read { offset: self.offset, at_least: 2 });
            };
            let (record, length) = match record::parse(rest, self.offset)? {
                Parsed::Whole(record, length) => (record, length),
                Parsed::Partial(_) if at_end => return Err(DecodeError::Truncated { offset: self.offset }),
                Parsed::Partial(at_least) => return Ok(ContentStep::Read { offset: self.offset, at_least }),
            };
            match record.kind {
                Kind::NORMAL => {
                    out.extend_from_slice(record.data);
                    out.push(b'\n');
                }
                Kind::CONTINUED => out.extend_from_slice(record.data),
                Kind::DELETED => {}
                Kind::EXTRACTED => self.done = true,
                Kind::POINTER => {
                    if let Some(target) = self.follow(record.data)? {
                        self.offset = target;
                        continue;
                    }
                }
                kind => return Err(DecodeError::UnexpectedType { offset: self.offset, kind }),
            }
            self.offset += length as u64;
        }
        Ok(ContentStep::Done)
    }

    fn follow(&mut self, data: &[u8]) -> Result<Option<u64>, DecodeError> {
        let offset = self.offset;
        let target = std::str::from_utf8(data).ok().and_then(|text| text.trim().parse().ok());
        match target.ok_or(DecodeError::Malformed { offset, kind: Kind::POINTER })? {
            0 => Ok(None),
            target if self.pointers_seen.insert(offset) => Ok(Some(target)),
            target => Err(DecodeError::PointerLoop { offset, target }),
        }
    }
}

/// The content of a whole file, lines ended by LF.
///
/// # Errors
/// Any [`DecodeError`].
pub fn decode(file: &[u8], content_offset: u64) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::with_capacity(file.len());
    let mut reader = ContentReader::new(content_offset);
    let mut begin = content_offset;
    loop {
        let rest = usize::try_from(begin).ok().and_then(|begin| file.get(begin..)).unwrap_or_default();
        match reader.feed(rest, true, &mut out)? {
            ContentStep::Read { offset, .. } => begin = offset,
            ContentStep::Done => return Ok(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_line_is_cut_and_joined() {
        let mut file = Vec::new();
        write_line(&mut file, &[b'x'; 5], 2);
        assert_eq!(file, b"L\x02xxL\x02xxN\x01x");
        record::write(&mut file, Kind::EXTRACTED, b"");
        assert_eq!(decode(&file, 0).unwrap(), b"xxxxx\n");
    }

    #[test]
    fn pointers_lead_to_the_piece_a_milter_put_at_the_end() {
        let mut file = Vec::new();
        write_line(&mut file, b"one", 99);
        let jump = file.len();
        record::write(&mut file, Kind::POINTER, &record::fixed_number(0));
        let back = file.len();
        write_line(&mut file, b"three", 99);
        record::write(&mut file, Kind::EXTRACTED, b"");
        assert_eq!(decode(&file, 0).unwrap(), b"one\nthree\n", "a pointer of zero is passed over");
        let target = file.len();
        write_line(&mut file, b"two", 99);
        record::write(&mut file, Kind::POINTER, &record::fixed_number(back as i64));
        file[jump + 2..jump + 17].copy_from_slice(&record::fixed_number(target as i64));
        assert_eq!(decode(&file, 0).unwrap(), b"one\ntwo\nthree\n");
        file[target + 7..target + 22].copy_from_slice(&record::fixed_number(jump as i64));
        assert!(matches!(decode(&file, 0), Err(DecodeError::PointerLoop { .. })));
    }

    proptest! {
        #[test]
        fn lines_come_back(lines in prop::collection::vec("[^\n]{0,50}", 0..20), limit in 1_usize..60, block in 2_usize..70) {
            let mut file = Vec::new();
            for line in &lines {
                write_line(&mut file, line.as_bytes(), limit);
            }
            record::write(&mut file, Kind::EXTRACTED, b"");
            let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(decode(&file, 0).unwrap(), whole.as_bytes());
            prop_assert_eq!(in_blocks(&file, block).unwrap(), whole.as_bytes());
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = decode(&bytes, 0).is_ok();
        }
    }

    fn in_blocks(file: &[u8], block: usize) -> Result<Vec<u8>, DecodeError> {
        let mut out = Vec::new();
        let mut reader = ContentReader::new(0);
        let (mut begin, mut length) = (0, block);
        loop {
            let end = (begin + length).min(file.len());
            match reader.feed(&file[begin..end], end == file.len(), &mut out)? {
                ContentStep::Read { offset, at_least } => {
                    (begin, length) = (offset as usize, block.max(at_least))
                }
                ContentStep::Done => return Ok(out),
            }
        }
    }
}
