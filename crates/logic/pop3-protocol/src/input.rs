//! Bytes that have arrived, and the lines among them.

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// More has to arrive.
    Incomplete,
    /// A line longer than the limit: the dialogue is over.
    TooLong,
}

#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
}

impl Input {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A line ends with LF; a CR before it belongs to the end.
    pub(crate) fn next_line(&mut self, limit_bytes: usize) -> Next {
        let rest = &self.bytes[self.start..];
        let end = rest.iter().take(limit_bytes).position(|byte| *byte == b'\n');
        match end {
            Some(end) => {
                let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]).to_vec();
                self.start += end + 1;
                if self.start == self.bytes.len() {
                    self.clear();
                }
                Next::Line(line)
            }
            None if rest.len() >= limit_bytes => Next::TooLong,
            None => {
                self.bytes.drain(..self.start);
                self.start = 0;
                Next::Incomplete
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What has not been read.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.start);
        self.clear();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_lf_and_have_a_limit() {
        let mut input = Input::default();
        input.push(b"STAT\r\nNOOP\nQU");
        assert_eq!(input.next_line(10), Next::Line(b"STAT".to_vec()));
        assert_eq!(input.next_line(10), Next::Line(b"NOOP".to_vec()));
        assert_eq!(input.next_line(10), Next::Incomplete);
        input.push(b"IT");
        assert_eq!(input.take(), b"QUIT");
        input.push(&[b'x'; 10]);
        assert_eq!(input.next_line(10), Next::TooLong);
    }
}
