//! Bytes that have come and are not used yet.

/// What stands at the front of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line without its CRLF, or LF alone.
    Whole(Vec<u8>),
    /// Not yet.
    Partial,
    /// Longer than allowed, and not over.
    TooLong,
}

/// A buffer that keeps no memory while it is empty. The driver gives bytes only while the machine waits, so it stays small.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    at: usize,
    /// Up to here there is no line end.
    searched: usize,
}

impl Input {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All that is left; nothing stays.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.at);
        self.clear();
        rest
    }

    /// The next line of at most `limit` bytes.
    pub(crate) fn line(&mut self, limit: usize) -> Line {
        let from = self.searched.max(self.at);
        let Some(place) = self.bytes[from..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return if self.bytes.len() - self.at > limit { Line::TooLong } else { Line::Partial };
        };
        let end = from + place;
        let line = &self.bytes[self.at..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        if line.len() > limit {
            return Line::TooLong;
        }
        self.consume(end + 1);
        Line::Whole(line)
    }

    /// Drops bytes up to the end of a line. True when it was there.
    pub(crate) fn skip_line(&mut self) -> bool {
        match self.bytes[self.at..].iter().position(|byte| *byte == b'\n') {
            Some(place) => {
                self.consume(self.at + place + 1);
                true
            }
            None => {
                self.clear();
                false
            }
        }
    }

    /// At most `limit` bytes.
    pub(crate) fn take(&mut self, limit: u64) -> Vec<u8> {
        let there = self.bytes.len() - self.at;
        let count = usize::try_from(limit).map_or(there, |limit| limit.min(there));
        if self.at == 0 && count == self.bytes.len() {
            self.searched = 0;
            return std::mem::take(&mut self.bytes);
        }
        let taken = self.bytes[self.at..self.at + count].to_vec();
        self.consume(self.at + count);
        taken
    }

    fn consume(&mut self, to: usize) {
        self.at = to;
        if self.at == self.bytes.len() {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_or_not_at_all() {
        let mut input = Input::default();
        input.push(b"a\r\nbc");
        assert_eq!(input.line(9), Line::Whole(b"a".to_vec()));
        assert_eq!(input.line(9), Line::Partial);
        assert_eq!(input.line(1), Line::TooLong);
        input.push(b"d\nxyz\n");
        assert_eq!(input.line(9), Line::Whole(b"bcd".to_vec()));
        assert_eq!(input.take(2), b"xy");
        assert!(input.skip_line());
        assert_eq!(input.take_rest(), b"");
    }
}
