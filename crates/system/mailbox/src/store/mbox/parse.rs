//! Finding the messages in an mbox file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::from_line::{self, FROM};
use super::header::{Hidden, is_hidden};

const BLOCK_BYTES: usize = 256 * 1024;
/// A header that is longer ends here, bytes.
const HEADER_LIMIT_BYTES: u64 = 1024 * 1024;

/// A message in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The `From ` line.
    pub(super) begin: u64,
    /// The first header line.
    pub(super) header: u64,
    /// Where the header ends. The empty line behind it begins here, if there is one.
    pub(super) blank: u64,
    /// After that line.
    pub(super) body: u64,
    /// The line end before the next `From ` line, or at the end of the file, is not the message's.
    pub(super) end: u64,
    pub(super) hidden: Hidden,
    /// Where the hidden lines are, if they stand in one place: begin and length.
    pub(super) block: Option<(u64, usize)>,
    /// Parts of the header that readers see.
    pub(super) visible: Vec<(u64, u64)>,
    /// Tells messages apart that have no UID: made from the header that readers see and the length of the body.
    pub(super) mark: u64,
    /// The date of the `From ` line, seconds since 1970.
    pub(super) received: Option<i64>,
}

/// Looks at a file through a window.
pub(super) struct Window<'a> {
    file: &'a File,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a File) -> io::Result<Self> {
        Ok(Self { file, length: file.metadata()?.len(), start: 0, bytes: Vec::new() })
    }

    /// At least `wanted` bytes from `at` on, fewer only at the end of the file.
    fn at(&mut self, at: u64, wanted: usize) -> io::Result<&[u8]> {
        let have = self.start + self.bytes.len() as u64;
        if at < self.start || (at + wanted as u64 > have && have < self.length) || at > have {
            let length = usize::try_from(self.length.saturating_sub(at))
                .unwrap_or(usize::MAX)
                .min(BLOCK_BYTES.max(wanted));
            self.bytes.resize(length, 0);
            self.file.read_exact_at(&mut self.bytes, at)?;
            self.start = at;
        }
        Ok(&self.bytes[usize::try_from(at - self.start).unwrap_or(0).min(self.bytes.len())..])
    }

    fn starts_with(&mut self, at: u64, what: &[u8]) -> io::Result<bool> {
        Ok(self.at(at, what.len())?.starts_with(what))
    }

    /// Is what is left of the file the begin of a `From ` line and no more?
    fn is_torn_from_line(&mut self, at: u64) -> io::Result<bool> {
        let is_last = self.length - at < 1024;
        let line = self.at(at, 1024)?;
        let cut = &FROM[..FROM.len().min(line.len())];
        Ok(is_last && !line.contains(&b'\n') && line.starts_with(cut))
    }

    /// Is there a line end that parts messages: behind it is a `From ` line, the end of the file, or as much of a `From ` line as
    /// a writer came to that died? Then, where that is.
    fn parting(&mut self, at: u64) -> io::Result<Option<u64>> {
        let bytes = self.at(at, 2)?;
        let next = match bytes {
            [b'\n', ..] => at + 1,
            [b'\r', b'\n', ..] => at + 2,
            _ => return Ok(None),
        };
        let parts = next >= self.length
            || self.is_torn_from_line(next)?
            || (self.starts_with(next, FROM)? && from_line::is_one(&self.line(next)?));
        Ok(parts.then_some(next))
    }

    /// The line at `at` with its line end; the first part of one that is very long.
    fn line(&mut self, at: u64) -> io::Result<Vec<u8>> {
        let bytes = self.at(at, BLOCK_BYTES / 4)?;
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        Ok(bytes[..end].to_vec())
    }

    /// Where the next `From ` line begins after a line end that is at `at` or behind it; the file's length if there is none.
    fn next_from(&mut self, mut at: u64) -> io::Result<u64> {
        let length = self.length;
        while at < length {
            let bytes = self.at(at, 4096)?;
            match memchr::memmem::find(bytes, b"\nFrom ") {
                Some(found) => {
                    at += found as u64 + 1;
                    if from_line::is_one(&self.line(at)?) {
                        return Ok(at);
                    }
                }
                None if at + bytes.len() as u64 >= length => break,
                None => at += bytes.len().saturating_sub(5).max(1) as u64,
            }
        }
        Ok(self.length)
    }

    /// Where the line end begins that stands before `next`; `next` where there is none.
    fn line_end_before(&mut self, next: u64) -> io::Result<u64> {
        let from = next.saturating_sub(2);
        let before = self.at(from, 2)?;
        let before = &before[..before.len().min((next - from) as usize)];
        Ok(next - if before.ends_with(b"\r\n") { 2 } else { u64::from(before.ends_with(b"\n")) })
    }
}

/// The messages from `begin` on, where a `From ` line is or the file ends.
///
/// # Errors
/// As read(2); [`io::ErrorKind::InvalidData`] when there is something else at `begin`.
pub(super) fn parse(file: &File, begin: u64) -> io::Result<Vec<Piece>> {
    let mut window = Window::new(file)?;
    let (mut pieces, mut at) = (Vec::new(), begin);
    // A program may have left empty lines at the beginning.
    while window.starts_with(at, b"\n")? {
        at += 1;
    }
    let first = at;
    while at < window.length {
        // A writer died before it had written more.
        if window.is_torn_from_line(at)? {
            break;
        }
        // Those of others have been found by theirs.
        if at == first && !from_line::is_one(&window.line(at)?) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("no \"From \" line with a date at offset {at}"),
            ));
        }
        let (piece, next) = piece(&mut window, at)?;
        pieces.push(piece);
        at = next;
    }
    Ok(pieces)
}

/// Where the begin of a `From ` line stands at the end of a file of `size` bytes whose last message ends at `end`.
pub(super) fn torn_from_line(file: &File, end: u64, size: u64) -> io::Result<Option<u64>> {
    let mut window = Window::new(file)?;
    let begin = end + u64::from(end < size && window.starts_with(end, b"\n")?);
    Ok((begin < size && window.is_torn_from_line(begin)?).then_some(begin))
}

/// The message at `begin`, and where the next one is.
fn piece(window: &mut Window<'_>, begin: u64) -> io::Result<(Piece, u64)> {
    let from_line = window.line(begin)?;
    let received = from_line::date(&from_line);
    let header = begin + from_line.len() as u64;
    let mut reading =
        Reading { visible: Vec::new(), hidden: Hidden::default(), block: None, scattered: false, mark: 0 };
    let (mut at, mut hides) = (header, false);
    let body = loop {
        let line = window.line(at)?;
        let next = at + line.len() as u64;
        if line == b"\n" || line == b"\r\n" {
            break next;
        }
        // A header without an end: the next message begins, or the file ends. Right behind one `From ` line another begins none.
        let ends = line.is_empty() || at - header > HEADER_LIMIT_BYTES;
        if ends || (at > header && from_line::is_one(&line)) {
            break at;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            hides = is_hidden(&line);
        }
        reading.line(&line, at, next, hides);
        at = next;
    };
    let (end, next) = end_of(window, body, reading.hidden.content_length)?;
    // What parts the message from the next may be the empty line, which is not the header's then; never the header's last line
    // end.
    let (body, end) = if end < body { (at, at) } else { (body, end) };
    let Reading { visible, hidden, block, scattered, mark } = reading;
    let block = block.filter(|_| !scattered);
    let mark = mix(mark, &(end - body).to_le_bytes());
    Ok((Piece { begin, header, blank: at, body, end, hidden, block, visible, mark, received }, next))
}

/// A header as far as it was read.
struct Reading {
    visible: Vec<(u64, u64)>,
    hidden: Hidden,
    block: Option<(u64, usize)>,
    scattered: bool,
    mark: u64,
}

impl Reading {
    fn line(&mut self, line: &[u8], at: u64, next: u64, hides: bool) {
        if !hides {
            self.mark = mix(self.mark, line);
            match self.visible.last_mut() {
                Some((_, end)) if *end == at => *end = next,
                _ => self.visible.push((at, next)),
            }
            return;
        }
        self.hidden.read(line);
        match &mut self.block {
            None => self.block = Some((at, line.len())),
            Some((begin, length)) if *begin + *length as u64 == at => *length += line.len(),
            Some(_) => self.scattered = true,
        }
    }
}

fn mix(mark: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(mark ^ 0xcbf2_9ce4_8422_2325, |mark, byte| {
        (mark ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where a message ends whose body begins at `body`, and where the next begins. The length that the header tells counts when it
/// leads to a line end that parts messages.
fn end_of(window: &mut Window<'_>, body: u64, content_length: Option<u64>) -> io::Result<(u64, u64)> {
    if let Some(end) = content_length.and_then(|length| body.checked_add(length))
        && end < window.length
        && let Some(next) = window.parting(end)?
    {
        return Ok((end, next));
    }
    let next = window.next_from(body.saturating_sub(1))?;
    Ok((window.line_end_before(next)?, next))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "From a@b Sun Nov 22 05:11:09 2026\n";

    fn parsed(text: &str) -> io::Result<Vec<Piece>> {
        let mut file = tempfile::tempfile()?;
        file.write_all(text.as_bytes())?;
        parse(&file, 0)
    }

    fn bodies(text: &str) -> Vec<String> {
        let cut = |piece: &Piece| text[piece.body as usize..piece.end as usize].to_owned();
        parsed(text).unwrap().iter().map(cut).collect()
    }

    #[test]
    fn messages_are_parted_by_from_lines() {
        let text = format!("{LINE}A: 1\n\none\n\nFrom here on\nx\n{LINE}\n{LINE}B: 2\n\n\n{LINE}C: 3\n\n");
        assert_eq!(bodies(&text), ["one\n\nFrom here on\nx", "", "", ""]);
        assert_eq!(bodies(&format!("\n{LINE}\nx")), ["x"]);
        assert_eq!(bodies(&format!("{LINE}A: b")), [""]);
        assert_eq!(bodies(""), Vec::<String>::new());
        for bad in ["no mbox\n", "From nobody\nA: b\n\n", "\r\nFrom a@b Sun Nov 22 05:11:09 2026\n"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    /// As Dovecot has it: the line end before a `From ` line, or at the end of the file, is nobody's.
    #[test]
    fn the_line_end_between_messages_is_nobodys() {
        for (text, expected) in [
            ("A: 1\n\nx\n", &["A: 1\n|\nx"][..]),
            ("A: 1\n\nx\n\n", &["A: 1\n|\nx\n"]),
            ("A: 1\n\nx", &["A: 1\n|\nx"]),
            ("A: 1\n", &["A: 1\n|"]),
            ("A: 1\n\n", &["A: 1\n|"]),
            ("A: 1\n\n\n", &["A: 1\n|\n"]),
            ("A: 1", &["A: 1|"]),
            ("", &["|"]),
            ("\n", &["|"]),
            ("\n\n", &["|\n"]),
            ("\nx\n", &["|\nx"]),
            ("A: 1\nFROM B: 2\n", &["A: 1\n|", "B: 2\n|"]),
            ("A: 1\n\nFROM B: 2\n", &["A: 1\n|", "B: 2\n|"]),
            ("A: 1\n\nx\nFROM B: 2\n", &["A: 1\n|\nx", "B: 2\n|"]),
            ("A: 1\n\nx\n\nFROM B: 2\n", &["A: 1\n|\nx\n", "B: 2\n|"]),
            ("A: 1\n\nx\n\n\nFROM B: 2\n", &["A: 1\n|\nx\n\n", "B: 2\n|"]),
            ("\nFROM B: 2\n", &["|", "B: 2\n|"]),
            ("A: 1\r\n\r\nx\r\n\r\nFROM B: 2\r\n", &["A: 1\r\n|\r\nx\r\n", "B: 2\r\n|"]),
            ("A: 1\r\n\r\nFROM B: 2\r\n", &["A: 1\r\n|", "B: 2\r\n|"]),
        ] {
            let text = format!("{LINE}{}", text.replace("FROM ", LINE));
            let shown = |piece: &Piece| {
                let cut = |begin: u64, end: u64| &text[begin as usize..end as usize];
                let header: String = piece.visible.iter().map(|(begin, end)| cut(*begin, *end)).collect();
                format!("{header}|{}", cut(piece.blank, piece.end))
            };
            let found: Vec<String> = parsed(&text).unwrap().iter().map(shown).collect();
            assert_eq!(found, expected, "{text}");
        }
        // Right behind a `From ` line another begins nothing.
        assert_eq!(parsed(&format!("{LINE}{LINE}B: 2\n\ny\n")).unwrap().len(), 1);
    }

    #[test]
    fn a_length_counts_when_it_leads_somewhere() {
        let body = format!("x\n\n{LINE}y\n");
        let with = |field: &str, rest: &str| format!("{LINE}{field}\n\n{body}{rest}");
        let right = format!("Content-Length: {}", body.len());
        let next = format!("\n{LINE}B: 2\n\nz\n\n");
        assert_eq!(bodies(&with(&right, &next)), [body.clone(), "z\n".into()]);
        assert_eq!(bodies(&with(&right, "\n")), std::slice::from_ref(&body));
        assert_eq!(bodies(&with(&right, "")).len(), 2);
        assert_eq!(bodies(&with(&right, &next[1..])).len(), 3);
        for other in [body.len() - 1, body.len() + 1, 3, usize::MAX] {
            assert_eq!(bodies(&with(&format!("Content-Length: {other}"), &next)).len(), 3, "{other}");
        }
        for (field, count) in [
            (format!("{right}\nContent-Length: 2"), 2),
            (format!("Content-Length: 2\n{right}"), 3),
            (right.replace(": ", ":"), 2),
            (right.replace(": ", ":\t") + " \r", 2),
            (right.replace(": ", ":  "), 3),
            (right.replace(": ", ": +"), 3),
            (right.replace(": ", ":\n "), 3),
            (right.clone() + " x", 3),
        ] {
            assert_eq!(bodies(&with(&field, &next)).len(), count, "{field}");
        }
    }

    #[test]
    fn what_a_writer_left_that_died_is_no_part_of_the_message_before() {
        let next = "From MAILER-DAEMON Thu Jan  1 00:00:05 1970\nSubject: x\n\nbody\n";
        for cut in 0..next.len() {
            let text = format!("{LINE}Content-Length: 2\n\nx\n\n{}", &next[..cut]);
            assert_eq!(bodies(&text)[0], "x\n", "{cut}");
        }
    }

    #[test]
    fn hidden_lines_are_told_from_others() {
        let text = format!("{LINE}A: 1\nX-UID: 5\nStatus: R\nX-Keywords: k \nB: 2\n c\n\nx\n");
        let piece = &parsed(&text).unwrap()[0];
        let seen: String =
            piece.visible.iter().map(|(begin, end)| &text[*begin as usize..*end as usize]).collect();
        assert_eq!(seen, "A: 1\nB: 2\n c\n");
        let (begin, length) = piece.block.unwrap();
        assert_eq!(&text[begin as usize..begin as usize + length], "X-UID: 5\nStatus: R\nX-Keywords: k \n");
        assert_eq!(piece.hidden.uid, Some(5));
        let scattered = format!("{LINE}X-UID: 5\nA: 1\nStatus: R\n\n");
        assert_eq!(parsed(&scattered).unwrap()[0].block, None);
    }

    proptest! {
        #[test]
        fn what_was_put_together_is_taken_apart(bodies_in in prop::collection::vec("([a-z>]{0,6}\n){0,5}[a-z]{0,2}", 1..6)) {
            let text: String = bodies_in.iter().map(|body| format!("{LINE}S: x\n\n{body}\n")).collect();
            let trimmed: Vec<String> = bodies(&text);
            prop_assert_eq!(trimmed, bodies_in);
        }

        #[test]
        fn no_file_upsets_the_parser(text in "(From a Sun Nov 22 05:11:09 2026\n|\n|\r\n|A: b\n|X-UID: 7\n|Content-Length: [0-9]{1,2}\n|x|From ){0,20}") {
            if let Ok(pieces) = parsed(&text) {
                for pair in pieces.windows(2) {
                    prop_assert!(pair[0].end <= pair[1].begin);
                }
                for piece in &pieces {
                    prop_assert!(piece.begin < piece.header && piece.header <= piece.blank);
                    prop_assert!(piece.blank <= piece.body && piece.body <= piece.end);
                    prop_assert!(piece.end <= text.len() as u64);
                }
            }
        }
    }
}
