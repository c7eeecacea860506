//! Lines in one buffer.

/// Text as lines; each keeps its line end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    /// Cuts `text` behind each LF.
    pub fn of(text: &[u8]) -> Self {
        let mut lines = Self { bytes: text.to_vec(), ends: Vec::new() };
        lines.ends.extend(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
        if lines.ends.last().copied().unwrap_or(0) < text.len() {
            lines.ends.push(text.len());
        }
        lines
    }

    /// Adds a line.
    pub fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The line number `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.bytes[start..end])
    }

    /// All lines.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The whole text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the LF from the last line; the line itself goes when nothing is left of it.
    pub fn chop(&mut self) {
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
        }
        self.ends.pop();
        if self.ends.last().copied().unwrap_or(0) < self.bytes.len() {
            self.ends.push(self.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends() {
        let lines = Lines::of(b"a\n\nb");
        assert_eq!(lines.iter().collect::<Vec<_>>(), [&b"a\n"[..], b"\n", b"b"]);
        assert!(Lines::of(b"").is_empty());
    }

    #[test]
    fn chopping_takes_one_line_end() {
        let mut lines = Lines::of(b"a\n\n");
        lines.chop();
        assert_eq!(lines.iter().collect::<Vec<_>>(), [&b"a\n"[..]]);
        lines.chop();
        assert_eq!(lines.iter().collect::<Vec<_>>(), [&b"a"[..]]);
    }
}
