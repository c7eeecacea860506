//! The message on standard input becomes records.

use std::io::BufRead;

use address::AddressList;
use queue_format::content::write_line;
use queue_format::record::{self, Kind};

/// How the text is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// A line with a dot alone does not end the message.
    pub(crate) dots_are_text: bool,
    /// Recipients are in the header.
    pub(crate) recipients_from_header: bool,
    /// `sendmail_fix_line_endings`
    pub(crate) line_endings: LineEndings,
    /// `line_length_limit`
    pub(crate) line_limit_bytes: usize,
    /// `header_address_token_limit`
    pub(crate) token_limit: usize,
    /// `header_size_limit`: where recipients are looked for, no field is longer.
    pub(crate) header_limit_bytes: usize,
}

/// What becomes of a CR at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEndings {
    /// It is removed.
    Always,
    /// It is removed if the first line has one.
    Strict,
    /// It stays.
    Never,
}

/// The content records, and the recipients of the header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) records: Vec<u8>,
    pub(crate) recipients: Vec<String>,
    /// A field of the header is too long to be searched for recipients.
    pub(crate) header_too_long: bool,
}

/// Reads a message to its end.
///
/// # Errors
/// As read(2).
pub(crate) fn read(mut input: impl BufRead, how: Reading) -> std::io::Result<Message> {
    let mut writer = Writer {
        how,
        message: Message::default(),
        header: Header::default(),
        in_header: how.recipients_from_header,
        first: true,
    };
    let mut line = Vec::new();
    let mut fix = how.line_endings == LineEndings::Always;
    let mut at_start = true;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let ended = line.last() == Some(&b'\n');
        if ended {
            line.pop();
        }
        if writer.first && how.line_endings == LineEndings::Strict {
            fix = line.last() == Some(&b'\r');
        }
        if fix && ended && line.last() == Some(&b'\r') {
            line.pop();
        }
        // The envelope line of a mailbox file, once or more, perhaps quoted.
        if at_start && line.strip_prefix(b">").unwrap_or(&line).starts_with(b"From ") {
            continue;
        }
        at_start = false;
        if !how.dots_are_text && ended && line == b"." {
            break;
        }
        writer.line(&line, ended);
    }
    Ok(writer.end())
}

struct Writer {
    how: Reading,
    message: Message,
    header: Header,
    in_header: bool,
    first: bool,
}

impl Writer {
    fn line(&mut self, line: &[u8], ended: bool) {
        let first = std::mem::replace(&mut self.first, false);
        // What has no colon in its first piece is no field, however long it is.
        let head = &line[..line.len().min(self.how.line_limit_bytes)];
        let may_be_field = head.starts_with(b" ") || head.starts_with(b"\t") || head.contains(&b':');
        if self.in_header && may_be_field && self.header.is_too_long(line, self.how.header_limit_bytes) {
            self.message.header_too_long = true;
        }
        if self.in_header && !(may_be_field && self.header.takes(line)) {
            self.in_header = false;
            if first && !line.is_empty() {
                // What has no header gets the empty line behind it all the same.
                record::write(&mut self.message.records, Kind::NORMAL, b"");
            }
        }
        if ended {
            write_line(&mut self.message.records, line, self.how.line_limit_bytes);
            return;
        }
        line.chunks(self.how.line_limit_bytes)
            .for_each(|piece| record::write(&mut self.message.records, Kind::CONTINUED, piece));
        if self.how.recipients_from_header {
            record::write(&mut self.message.records, Kind::NORMAL, b"");
        }
    }

    fn end(mut self) -> Message {
        self.message.recipients = self.header.recipients(self.how.token_limit);
        self.message
    }
}

/// The address headers that are seen; those of the last resending count alone, if there are any.
#[derive(Debug, Default)]
struct Header {
    plain: Vec<String>,
    resent: Vec<String>,
    /// Where continuation lines belong.
    open: Option<bool>,
    /// There was a line of it.
    begun: bool,
    /// Of the field so far, with its line ends.
    length_bytes: usize,
}

impl Header {
    /// With this line, is a field too long? It is looked at before each line of it, and behind the last.
    fn is_too_long(&mut self, line: &[u8], limit_bytes: usize) -> bool {
        let continues = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let before = if continues { self.length_bytes } else { 0 };
        self.length_bytes = before + line.len() + 1;
        before >= limit_bytes || line.len() >= limit_bytes
    }

    /// Takes a line that belongs to the header; false for the first that does not.
    fn takes(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if let Some(resent) = self.open {
                let list = if resent { &mut self.resent } else { &mut self.plain };
                if let Some(value) = list.last_mut() {
                    value.push('\n');
                    value.push_str(&text);
                }
            }
            return self.begun;
        }
        let Some((name, value)) = text.split_once(':') else { return false };
        let name = name.trim_end_matches([' ', '\t']);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        self.begun = true;
        self.open = match name.to_ascii_lowercase().as_str() {
            "to" | "cc" | "bcc" => Some(false),
            "resent-to" | "resent-cc" | "resent-bcc" => Some(true),
            _ => None,
        };
        match self.open {
            Some(true) => self.resent.push(value.to_owned()),
            Some(false) => self.plain.push(value.to_owned()),
            None => {}
        }
        true
    }

    fn recipients(self, token_limit: usize) -> Vec<String> {
        let chosen = if self.resent.is_empty() { self.plain } else { self.resent };
        chosen
            .iter()
            .flat_map(|value| AddressList::parse(value, token_limit).addresses().collect::<Vec<_>>())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_format::record::walk;

    const HOW: Reading = Reading {
        dots_are_text: false,
        recipients_from_header: true,
        line_endings: LineEndings::Always,
        line_limit_bytes: 2048,
        token_limit: 10_240,
        header_limit_bytes: 100,
    };

    fn read_text(text: &str, how: Reading) -> (Vec<String>, Vec<String>) {
        let message = read(text.as_bytes(), how).unwrap();
        let shown = |(_, record): (u64, record::Record<'_>)| {
            format!("{}:{}", char::from(record.kind.0), String::from_utf8_lossy(record.data))
        };
        (walk(&message.records).map(|item| shown(item.unwrap())).collect(), message.recipients)
    }

    #[test]
    fn a_field_that_is_too_long_is_not_searched() {
        let too_long = |text: &str| read(text.as_bytes(), HOW).unwrap().header_too_long;
        assert!(!too_long(&format!("A: {}\n\n{}\n", "x".repeat(96), "x".repeat(200))));
        assert!(too_long(&format!("A: {}\n\n", "x".repeat(97))));
        assert!(!too_long(&format!("A: {}\n y\nB: z\n", "x".repeat(95))));
        assert!(too_long(&format!("A: {}\n y\nB: z\n", "x".repeat(96))));
    }

    #[test]
    fn a_blank_line_in_a_folded_field_does_not_end_the_header() {
        assert_eq!(read_text("Subject: a\n  \nTo: x@y\n\n", HOW).1, ["x@y"]);
        assert_eq!(read_text("  \nTo: x@y\n\n", HOW).1, [""; 0]);
    }

    #[test]
    fn recipients_stand_in_the_header() {
        let (lines, recipients) =
            read_text("To: x@y,\n\tz@y (comment)\nSubject: a\n b\n\nTo: no@no\n.\nrest\n", HOW);
        assert_eq!(recipients, ["x@y", "z@y"]);
        assert_eq!(lines, ["N:To: x@y,", "N:\tz@y (comment)", "N:Subject: a", "N: b", "N:", "N:To: no@no"]);
        assert_eq!(read_text("Bcc: a@b\nRESENT-CC: e@f\n\n", HOW).1, ["e@f"]);
        assert_eq!(
            read_text("To: \"a b\"@c, Group: m1@x, m2@x;, <r@x>\n\n", HOW).1,
            ["a b@c", "m1@x", "m2@x", "r@x"]
        );
    }

    #[test]
    fn what_has_no_header_gets_an_empty_line() {
        assert_eq!(read_text("no header\n\nbody\n", HOW).0, ["N:", "N:no header", "N:", "N:body"]);
        assert_eq!(read_text("\nbody\n", HOW).0, ["N:", "N:body"]);
        let plain = Reading { recipients_from_header: false, ..HOW };
        assert_eq!(read_text("no header\n", plain).0, ["N:no header"]);
    }

    #[test]
    fn line_ends_dots_and_envelope_lines() {
        let plain = Reading { recipients_from_header: false, ..HOW };
        assert_eq!(
            read_text("From me@x\n>From you\nSubject: x\r\n\r\nbody", plain).0,
            ["N:Subject: x", "N:", "L:body"]
        );
        assert_eq!(
            read_text("To: a@b\n\n.\nx", Reading { dots_are_text: true, ..HOW }).0,
            ["N:To: a@b", "N:", "N:.", "L:x", "N:"]
        );
        assert_eq!(
            read_text("a\r\nb\n", Reading { line_endings: LineEndings::Never, ..plain }).0,
            ["N:a\r", "N:b"]
        );
        assert_eq!(
            read_text("a\nb\r\n", Reading { line_endings: LineEndings::Strict, ..plain }).0,
            ["N:a", "N:b\r"]
        );
    }
}
