//! The text of a message on its way to the client: dots doubled, cut short by TOP, ended.

/// One message being sent (RFC 1939 §3, §5 RETR, §7 TOP).
#[derive(Debug)]
pub(crate) struct Text {
    at_line_start: bool,
    /// Nothing but the line's end has come of this line.
    is_blank: bool,
    /// How many lines of the body may still go; none for all.
    body_lines: Option<usize>,
    in_header: bool,
    /// All that is wanted has gone.
    is_full: bool,
}

impl Text {
    /// The whole message, or the header and so many lines of the body.
    pub(crate) fn new(body_lines: Option<usize>) -> Self {
        Self { at_line_start: true, is_blank: true, body_lines, in_header: true, is_full: false }
    }

    /// Appends what of `bytes` goes out to `out`; true when nothing more is wanted.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        out.reserve(bytes.len() + bytes.len() / 64);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_full {
                break;
            }
            if self.at_line_start && line[0] == b'.' {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            let is_whole = line.ends_with(b"\n");
            self.is_blank &= matches!(line, b"\r\n" | b"\n" | b"\r");
            if is_whole {
                self.line_ends(self.is_blank);
                self.is_blank = true;
            }
            self.at_line_start = is_whole;
        }
        self.is_full
    }

    fn line_ends(&mut self, is_empty: bool) {
        let Some(left) = &mut self.body_lines else { return };
        if self.in_header {
            self.in_header = !is_empty;
            self.is_full = is_empty && *left == 0;
        } else {
            *left -= 1;
            self.is_full = *left == 0;
        }
    }

    /// Appends the end: the last line is ended if it was not, then the lone dot.
    pub(crate) fn finish(&self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &[u8], lines: Option<usize>, chunk: usize) -> String {
        let mut out = Vec::new();
        let mut state = Text::new(lines);
        for bytes in text.chunks(chunk) {
            if state.push(bytes, &mut out) {
                break;
            }
        }
        state.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    const MESSAGE: &[u8] = b"A: b\r\n.c: d\r\n\r\n.\r\n..x\r\nlast";

    #[test]
    fn dots_are_doubled_and_the_last_line_is_ended() {
        for chunk in 1..MESSAGE.len() {
            let whole = "A: b\r\n..c: d\r\n\r\n..\r\n...x\r\nlast\r\n.\r\n";
            assert_eq!(sent(MESSAGE, None, chunk), whole, "{chunk}");
        }
    }

    #[test]
    fn top_counts_lines_of_the_body() {
        for chunk in 1..MESSAGE.len() {
            assert_eq!(sent(MESSAGE, Some(0), chunk), "A: b\r\n..c: d\r\n\r\n.\r\n");
            assert_eq!(sent(MESSAGE, Some(1), chunk), "A: b\r\n..c: d\r\n\r\n..\r\n.\r\n");
            assert_eq!(sent(MESSAGE, Some(99), chunk), sent(MESSAGE, None, chunk));
        }
        assert_eq!(sent(b"\r\nbody\r\n", Some(0), 3), "\r\n.\r\n");
        assert_eq!(sent(b"A: b\r\n", Some(0), 3), "A: b\r\n.\r\n");
        assert_eq!(sent(b"", None, 1), ".\r\n");
    }
}
