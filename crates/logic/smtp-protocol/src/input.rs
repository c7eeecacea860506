//! What has arrived and is not yet used.

/// Bytes in the order of arrival. Holds no memory while it is empty: most sessions of a server are idle.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    /// The rest of an overlong line is on its way, and unwanted.
    skipping: bool,
}

/// A command line without its line end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// It ended in LF alone.
    pub(crate) bare: bool,
}

impl Input {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// What is there, for somebody who takes only a part with [`Input::consume`].
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            self.bytes = Vec::new();
            self.start = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next line. What it has beyond `limit` bytes is dropped, so that no client makes us hold more.
    /// With `strip_all` every CR at its end goes, else the one of CRLF.
    pub(crate) fn line(&mut self, limit: usize, strip_all: bool) -> Option<Line> {
        let Some(end) = self.bytes().iter().position(|byte| *byte == b'\n') else {
            self.drop_excess(limit);
            return None;
        };
        let whole = &self.bytes[self.start..self.start + end];
        let kept = if self.skipping { limit.min(end) } else { end };
        let line = strip(&whole[..kept.min(limit)], kept < end || end > limit, strip_all);
        let bare = whole.last() != Some(&b'\r');
        self.skipping = false;
        self.consume(end + 1);
        Some(Line { bytes: line, bare })
    }

    /// Keeps the first `limit` bytes of a line without an end, and the last one, for it may be a CR.
    fn drop_excess(&mut self, limit: usize) {
        let have = self.bytes().len();
        if have > limit + 1 {
            let last = self.bytes[self.bytes.len() - 1];
            self.bytes.truncate(self.start + limit);
            self.bytes.push(last);
            self.skipping = true;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}

fn strip(line: &[u8], cut: bool, all: bool) -> Vec<u8> {
    let mut end = line.len();
    while !cut && end > 0 && line[end - 1] == b'\r' {
        end -= 1;
        if !all {
            break;
        }
    }
    line[..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &mut Input, limit: usize) -> Vec<(String, bool)> {
        std::iter::from_fn(|| input.line(limit, false))
            .map(|line| (String::from_utf8(line.bytes).unwrap(), line.bare))
            .collect()
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let mut input = Input::default();
        for byte in b"NOOP\r\nRSET\nQUIT" {
            input.push(&[*byte]);
        }
        assert_eq!(lines(&mut input, 100), [("NOOP".to_owned(), false), ("RSET".to_owned(), true)]);
        assert_eq!(input.bytes(), b"QUIT");
        input.push(b"\r\n");
        assert_eq!(lines(&mut input, 100), [("QUIT".to_owned(), false)]);
        assert!(input.is_empty() && input.bytes.capacity() == 0);
    }

    #[test]
    fn an_overlong_line_is_cut_and_costs_no_memory() {
        let mut input = Input::default();
        for _ in 0..1000 {
            input.push(&[b'x'; 1000]);
            assert_eq!(input.line(10, false), None);
            assert!(input.bytes().len() <= 11);
        }
        input.push(b"\r\nNOOP\r\n");
        assert_eq!(lines(&mut input, 10), [("x".repeat(10), false), ("NOOP".to_owned(), false)]);
    }

    #[test]
    fn all_carriage_returns_go_only_when_asked() {
        let mut input = Input::default();
        input.push(b"a\r\r\nb\r\r\n");
        assert_eq!(input.line(10, true).unwrap().bytes, b"a");
        assert_eq!(input.line(10, false).unwrap().bytes, b"b\r");
    }
}
