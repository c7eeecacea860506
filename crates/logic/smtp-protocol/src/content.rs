//! From what a client sends behind DATA and BDAT to the lines of a message, each ended by LF.

use crate::settings::BareNewline;

/// A line is handed on in pieces when it is longer than this, so that no client makes us hold more.
const PIECE_BYTES: usize = 2048;

/// The content of one message while it arrives.
#[derive(Debug)]
pub(crate) struct Content {
    policy: BareNewline,
    /// DATA: dots are undone and a dot ends it (RFC 5321 §4.5.2). BDAT: neither (RFC 3030 §2).
    dots: bool,
    limit_bytes: u64,
    size_bytes: u64,
    /// The next byte is the first of a line.
    at_line_start: bool,
    /// The line before ended in LF alone.
    previous_bare: bool,
    /// No line but those of mbox separators has come.
    opening: bool,
    /// BDAT: the unfinished line at the end of a chunk.
    carry: Vec<u8>,
    saw_bare: bool,
    too_big: bool,
}

/// How far [`Content::data`] got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// So many bytes are used; the rest is a piece of a line, or belongs to the next command.
    pub(crate) consumed: usize,
    /// The dot has come.
    pub(crate) ended: bool,
}

impl Content {
    /// Content behind DATA; `limit_bytes` of 0 is none.
    pub(crate) fn data(policy: BareNewline, limit_bytes: u64) -> Self {
        Self {
            policy,
            dots: true,
            limit_bytes,
            size_bytes: 0,
            at_line_start: true,
            previous_bare: false,
            opening: true,
            carry: Vec::new(),
            saw_bare: false,
            too_big: false,
        }
    }

    /// Content behind BDAT.
    pub(crate) fn chunks(policy: BareNewline, limit_bytes: u64) -> Self {
        Self { dots: false, ..Self::data(policy, limit_bytes) }
    }

    /// The size as Postfix counts it: each line with CRLF, whatever the client sent.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// A line ended in LF alone.
    pub(crate) fn saw_bare(&self) -> bool {
        self.saw_bare
    }

    /// The size limit was reached; nothing is handed on any more.
    pub(crate) fn too_big(&self) -> bool {
        self.too_big
    }

    /// Would a chunk of this size go beyond the limit?
    pub(crate) fn overflows(&self, chunk_bytes: u64) -> bool {
        self.limit_bytes > 0 && self.size_bytes.saturating_add(chunk_bytes) > self.limit_bytes
    }

    /// Takes the lines in `bytes` and appends them to `out`.
    pub(crate) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut consumed = 0;
        while let Some(end) = bytes[consumed..].iter().position(|byte| *byte == b'\n') {
            let line = &bytes[consumed..consumed + end];
            consumed += end + 1;
            if self.line(line, out) {
                return Progress { consumed, ended: true };
            }
        }
        consumed += self.piece(&bytes[consumed..], out);
        Progress { consumed, ended: false }
    }

    /// Takes bytes of a chunk (RFC 3030) and appends the lines that are whole to `out`.
    pub(crate) fn chunk(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.carry.is_empty() {
            let progress = self.take(bytes, out);
            self.carry = bytes[progress.consumed..].to_vec();
            return;
        }
        let mut whole = std::mem::take(&mut self.carry);
        whole.extend_from_slice(bytes);
        let progress = self.take(&whole, out);
        self.carry = whole.split_off(progress.consumed);
    }

    /// The last chunk is there: what is left is a line as well.
    pub(crate) fn finish_chunks(&mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.carry);
        if !rest.is_empty() || !self.at_line_start {
            self.emit(&rest, true, out);
        }
    }

    /// One line without its LF. True when it is the dot that ends the message.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let bare = line.last() != Some(&b'\r');
        let mut text = self.without_return(line);
        let after_bare = std::mem::replace(&mut self.previous_bare, bare);
        self.saw_bare |= bare;
        if self.dots && self.at_line_start && text.first() == Some(&b'.') {
            text = &text[1..];
            if text.is_empty() {
                // A dot between bare LFs neither ends the message nor stays in it: that is smuggling.
                return self.policy == BareNewline::Accept || !(bare || after_bare);
            }
        }
        self.emit(text, true, out);
        false
    }

    fn without_return<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        if self.policy != BareNewline::Accept {
            return line.strip_suffix(b"\r").unwrap_or(line);
        }
        let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
        &line[..end]
    }

    /// Hands on the start of a very long line, but no CR at its end: the LF may be next.
    fn piece(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        if bytes.len() <= PIECE_BYTES {
            return 0;
        }
        let end = bytes.iter().rposition(|byte| *byte != b'\r').map_or(bytes.len() - 1, |last| last + 1);
        let dot = self.dots && self.at_line_start && bytes[0] == b'.';
        self.emit(&bytes[usize::from(dot)..end], false, out);
        end
    }

    fn emit(&mut self, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        let size = self.size_bytes + text.len() as u64 + if whole { 2 } else { 0 };
        self.too_big |= self.limit_bytes > 0 && size > self.limit_bytes;
        if !self.too_big {
            self.size_bytes = size;
            self.open(text, out);
            out.extend_from_slice(text);
            if whole {
                out.push(b'\n');
            }
        }
        self.at_line_start = whole;
    }

    /// The first lines of some messages are no header: mbox separators become one, and what starts with a
    /// blank is the body, for there is no line that it could continue.
    fn open(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if !self.opening || !self.at_line_start {
            return;
        }
        let unquoted = text.iter().position(|byte| *byte != b'>').unwrap_or(text.len());
        if text[unquoted..].starts_with(b"From ") {
            out.extend_from_slice(b"X-Mailbox-Line: ");
            return;
        }
        self.opening = false;
        if matches!(text.first(), Some(b' ' | b'\t')) {
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `wire` in pieces of `step` bytes; gives the text, and what is left behind the end.
    fn decode(policy: BareNewline, wire: &[u8], step: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut content = Content::data(policy, 0);
        let (mut pending, mut out) = (Vec::new(), Vec::new());
        for (number, piece) in wire.chunks(step).enumerate() {
            pending.extend_from_slice(piece);
            let progress = content.take(&pending, &mut out);
            pending.drain(..progress.consumed);
            if progress.ended {
                pending.extend(wire.chunks(step).skip(number + 1).flatten());
                return (out, Some(pending));
            }
        }
        (out, None)
    }

    #[test]
    fn only_the_right_end_ends_a_message() {
        use BareNewline::{Accept, Normalize, Reject};
        // What stands before the dot, what behind it, and who takes it for the end.
        let cases: &[(&[u8], &[BareNewline])] = &[
            (b"x\r\n.\r\n", &[Accept, Normalize, Reject]),
            (b"x\n.\n", &[Accept]),
            (b"x\n.\r\n", &[Accept]),
            (b"x\r\n.\n", &[Accept]),
            (b"x\r\n.\r\r\n", &[Accept]),
            (b"x\r.\r\n", &[]),
            (b"x\r\n.\r", &[]),
            (b"x\r\n\0.\r\n", &[]),
            (b"x\r\n .\r\n", &[]),
        ];
        for (wire, accepting) in cases {
            for policy in [Accept, Normalize, Reject] {
                for step in 1..=wire.len() {
                    let (_, rest) = decode(policy, wire, step);
                    let ended = rest == Some(Vec::new());
                    assert_eq!(
                        ended,
                        accepting.contains(&policy),
                        "{policy:?} {:?}",
                        wire.escape_ascii().to_string()
                    );
                }
            }
        }
    }

    #[test]
    fn lines_are_those_that_postfix_keeps() {
        let wire = b"a: b\r\n\r\nx\n.\ny\n.\r\nz\r\n.\nq\r\n.\r\r\nw\r\r\n..\n..\r\n.\r\nNOOP\r\n";
        let (text, rest) = decode(BareNewline::Normalize, wire, 7);
        assert_eq!(text.escape_ascii().to_string(), "a: b\\n\\nx\\ny\\nz\\nq\\n\\r\\nw\\r\\n.\\n.\\n");
        assert_eq!(rest.as_deref(), Some(b"NOOP\r\n".as_slice()));
        let (text, _) = decode(BareNewline::Accept, b"From x\r\n>From y\r\nFromz\r\nFrom w\r\n.\r\n", 100);
        assert_eq!(text, b"X-Mailbox-Line: From x\nX-Mailbox-Line: >From y\nFromz\nFrom w\n");
        assert_eq!(decode(BareNewline::Accept, b" x\r\n.\r\n", 100).0, b"\n x\n");
    }

    #[test]
    fn the_size_limit_counts_lines_as_they_are_on_the_wire() {
        let mut out = Vec::new();
        let mut content = Content::data(BareNewline::Accept, 6);
        content.take(b"a\r\nb\r\n", &mut out);
        assert!(!content.too_big());
        content.take(b"c\r\n.\r\n", &mut out);
        assert!(content.too_big());
        assert_eq!((out.as_slice(), content.size_bytes()), (b"a\nb\n".as_slice(), 6));
    }

    #[test]
    fn chunks_join_in_the_middle_of_a_line_end() {
        let mut out = Vec::new();
        let mut content = Content::chunks(BareNewline::Normalize, 0);
        for chunk in [b"x: a\nb\r".as_slice(), b"\r", b"\n", b"c\rd\n.\r", b"\n.\ne"] {
            content.chunk(chunk, &mut out);
        }
        content.finish_chunks(&mut out);
        assert_eq!(out.escape_ascii().to_string(), "x: a\\nb\\r\\nc\\rd\\n.\\n.\\ne\\n");
        assert_eq!(content.size_bytes(), 24);
    }

    proptest! {
        /// Dots and line ends survive, however the bytes are cut.
        #[test]
        fn what_is_stuffed_comes_back(text in "[.ab\r]{0,12}(\n[.ab\r]{0,12}){0,8}", step in 1usize..9) {
            let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
            let wire: String = lines.iter().map(|line| {
                let dot = if line.starts_with('.') { "." } else { "" };
                format!("{dot}{line}\r\n")
            }).collect();
            let (out, rest) = decode(BareNewline::Normalize, (wire + ".\r\nQUIT").as_bytes(), step);
            prop_assert_eq!(out, (lines.join("\n") + "\n").into_bytes());
            prop_assert_eq!(rest, Some(b"QUIT".to_vec()));
        }

        /// A line of any length passes, and nothing but a piece of it is held.
        #[test]
        fn long_lines_pass_in_pieces(length in 1usize..20_000, step in 1000usize..5000) {
            let wire = [vec![b'x'; length], b"\r\n.\r\n".to_vec()].concat();
            let (out, rest) = decode(BareNewline::Normalize, &wire, step);
            prop_assert_eq!(out.len(), length + 1);
            prop_assert_eq!(rest, Some(Vec::new()));
        }
    }
}
