//! Content on its way in: bytes become lines, or pieces of lines that are too long.

use crate::characters::ByteSet;
use crate::settings::Settings;

/// Takes bytes, gives lines.
#[derive(Debug)]
pub(crate) struct Intake {
    pending: Vec<u8>,
    /// Where in `pending` the next line begins.
    at: usize,
    ended: bool,
    limit: usize,
    /// Lines of an SMTP client: CRs at the end go, `From ` lines at the begin become headers.
    smtp: bool,
    /// No line has come yet that was not a `From ` line.
    at_begin: bool,
    /// The last piece was not the end of its line.
    continues: bool,
    strip: ByteSet,
    reject: ByteSet,
    mask_line_ends: bool,
    /// The piece given last, where it is not as it stood in `pending`.
    edited: Vec<u8>,
}

/// A line, or a piece of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a [u8],
    /// The line ends with it.
    pub(crate) complete: bool,
    /// It has a byte of `message_reject_characters`.
    pub(crate) refused: bool,
}

/// What is written in front of a `From ` line that a client sent above the headers.
const MAILBOX_LINE: &[u8] = b"X-Mailbox-Line: ";

impl Intake {
    pub(crate) fn new(settings: &Settings, raw: bool) -> Self {
        Self {
            pending: Vec::new(),
            at: 0,
            ended: false,
            limit: settings.line_length_limit,
            smtp: !raw,
            at_begin: true,
            continues: false,
            strip: settings.message_strip_characters.clone(),
            reject: settings.message_reject_characters.clone(),
            mask_line_ends: settings.cleanup_replace_stray_cr_lf,
            edited: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.at == self.pending.len() {
            self.pending.clear();
            self.at = 0;
        }
        self.pending.extend_from_slice(bytes);
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending.len() - self.at
    }

    /// Forgets what has not been asked for.
    pub(crate) fn drop_pending(&mut self) {
        self.pending.clear();
        self.at = 0;
    }

    /// The next piece; `None` when more bytes are needed first, or none will come.
    pub(crate) fn next_piece(&mut self) -> Option<Piece<'_>> {
        let rest = &self.pending[self.at..];
        let window = &rest[..rest.len().min(self.limit + 2)];
        let line_end = window.iter().position(|byte| *byte == b'\n');
        let (end, next, complete) = match line_end {
            Some(end) if self.trimmed(&rest[..end]) < self.limit => {
                (self.trimmed(&rest[..end]), end + 1, true)
            }
            _ if rest.len() >= self.limit + 2 || line_end.is_some() => (self.limit, self.limit, false),
            _ if !self.ended || rest.is_empty() => return None,
            _ if rest.len() > self.limit => (self.limit, self.limit, false),
            _ => (self.trimmed(rest), rest.len(), true),
        };
        let begin = self.at;
        self.at += next;
        let begins_line = !std::mem::replace(&mut self.continues, !complete);
        let mailbox_line = self.is_mailbox_line(begin, end, begins_line);
        Some(self.edit(begin, begin + end, complete, mailbox_line))
    }

    /// Length of a line without the CRs at its end.
    fn trimmed(&self, line: &[u8]) -> usize {
        match self.smtp {
            true => line.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1),
            false => line.len(),
        }
    }

    /// Is this a `From ` line above the headers, as old mail programs leave them?
    fn is_mailbox_line(&mut self, begin: usize, length: usize, begins_line: bool) -> bool {
        if !self.at_begin || !self.smtp || !begins_line {
            return false;
        }
        let line = &self.pending[begin..begin + length];
        let bare = &line[line.iter().take_while(|byte| **byte == b'>').count()..];
        self.at_begin = bare.starts_with(b"From ");
        self.at_begin
    }

    fn edit(&mut self, begin: usize, end: usize, complete: bool, mailbox_line: bool) -> Piece<'_> {
        let text = &self.pending[begin..end];
        let refused = !self.reject.is_empty() && text.iter().any(|byte| self.reject.contains(*byte));
        let strip = !self.strip.is_empty() && text.iter().any(|byte| self.strip.contains(*byte));
        let mask = self.mask_line_ends && text.contains(&b'\r');
        if !strip && !mask && !mailbox_line {
            return Piece { text, complete, refused };
        }
        self.edited.clear();
        if mailbox_line {
            self.edited.extend_from_slice(MAILBOX_LINE);
        }
        for byte in text.iter().filter(|byte| !strip || !self.strip.contains(**byte)) {
            self.edited.push(if mask && *byte == b'\r' { b' ' } else { *byte });
        }
        Piece { text: &self.edited, complete, refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rewriting::Rewriting;

    fn intake(limit: usize, raw: bool) -> Intake {
        let settings = Settings {
            line_length_limit: limit,
            ..Settings::new(Rewriting::new(rewriting::Settings::default()))
        };
        Intake::new(&settings, raw)
    }

    /// Pieces as text, those that go on with a `+` behind them.
    fn pieces(intake: &mut Intake) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(piece) = intake.next_piece() {
            let text = String::from_utf8_lossy(piece.text).into_owned();
            all.push(if piece.complete { text } else { text + "+" });
        }
        all
    }

    fn lines(limit: usize, content: &str) -> Vec<String> {
        let mut intake = intake(limit, false);
        intake.push(content.as_bytes());
        intake.end();
        pieces(&mut intake)
    }

    #[test]
    fn line_ends_go_and_stray_returns_become_blanks() {
        assert_eq!(lines(80, "a\r\nb\nc\r\r\n\r\nd\re\r\n\rf"), ["a", "b", "c", "", "d e", " f"]);
        let mut raw = intake(80, true);
        raw.push(b"a\r\nFrom b\n");
        assert_eq!(pieces(&mut raw), ["a ", "From b"]);
    }

    #[test]
    fn long_lines_come_in_pieces() {
        assert_eq!(
            lines(4, "1234567\r\n1234\r\n123\r\n12345678\n"),
            ["1234+", "567", "1234+", "", "123", "1234+", "5678+", ""]
        );
    }

    #[test]
    fn from_lines_above_the_headers_become_headers() {
        let content = "From a\r\n>>From b\r\nX: y\r\nFrom c\r\n";
        assert_eq!(
            lines(80, content),
            ["X-Mailbox-Line: From a", "X-Mailbox-Line: >>From b", "X: y", "From c"]
        );
    }

    #[test]
    fn a_line_waits_for_its_end() {
        let mut intake = intake(80, false);
        intake.push(b"ab");
        assert!(pieces(&mut intake).is_empty());
        intake.push(b"c\r");
        assert!(pieces(&mut intake).is_empty());
        intake.push(b"\nd");
        assert_eq!(pieces(&mut intake), ["abc"]);
        intake.end();
        assert_eq!(pieces(&mut intake), ["d"]);
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_makes_no_difference(content in "[ab\\r\\n]{0,40}", cuts in prop::collection::vec(1_usize..6, 0..20)) {
            let mut split = intake(5, false);
            let mut got = Vec::new();
            let mut rest = content.as_bytes();
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                split.push(head);
                got.extend(pieces(&mut split));
                rest = tail;
            }
            split.push(rest);
            split.end();
            got.extend(pieces(&mut split));
            prop_assert_eq!(got, lines(5, &content));
        }
    }
}
