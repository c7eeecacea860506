//! Finding the messages in an mbox file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::from_line;
use super::header::{Hidden, is_hidden};

const BLOCK_BYTES: usize = 256 * 1024;
/// A header that is longer ends here, bytes.
const HEADER_LIMIT_BYTES: u64 = 1024 * 1024;
const FROM: &[u8] = b"From ";

/// A message in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The `From ` line.
    pub(super) begin: u64,
    /// The first header line.
    pub(super) header: u64,
    /// After the empty line behind the header; the header's end where there is no empty line.
    pub(super) body: u64,
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

    /// Is there a line end, and then a `From ` line, or as much of one as a writer came to that died?
    fn begins_message(&mut self, at: u64) -> io::Result<bool> {
        let is_last = self.length - at < 1024;
        let bytes = self.at(at, 1024)?;
        let Some(line) = bytes.strip_prefix(b"\n") else { return Ok(false) };
        let cut = &FROM[..FROM.len().min(line.len())];
        let whole = line.contains(&b'\n');
        Ok(line.starts_with(cut) && (is_from_line(line) || (is_last && !whole)))
    }

    /// The line at `at` with its line end; the first part of one that is very long.
    fn line(&mut self, at: u64) -> io::Result<Vec<u8>> {
        let bytes = self.at(at, BLOCK_BYTES / 4)?;
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        Ok(bytes[..end].to_vec())
    }

    /// Where the next `From ` line begins after `at`, behind an empty line; the file's length if there is none.
    fn next_from(&mut self, mut at: u64) -> io::Result<u64> {
        let length = self.length;
        while at < length {
            let bytes = self.at(at, 4096)?;
            let found = bytes.windows(7).position(|window| window == b"\n\nFrom ");
            match found {
                Some(found) => {
                    let begin = at + found as u64 + 2;
                    if is_from_line(&self.line(begin)?) {
                        return Ok(begin);
                    }
                    at = begin;
                }
                None if at + bytes.len() as u64 >= length => break,
                None => at += bytes.len().saturating_sub(6).max(1) as u64,
            }
        }
        Ok(self.length)
    }
}

/// `From sender date`, the date with hours and minutes.
pub(super) fn is_from_line(line: &[u8]) -> bool {
    let is_time = |window: &[u8]| {
        let digit = |at: usize| window[at].is_ascii_digit();
        digit(0) && digit(1) && window[2] == b':' && digit(3) && digit(4)
    };
    line.starts_with(FROM) && line.windows(5).any(is_time)
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
    while at < window.length {
        // A writer died before it had written more.
        if window.is_torn_from_line(at)? {
            break;
        }
        if !window.starts_with(at, FROM)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("no \"From \" line at offset {at}"),
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
        // A header without an end: the next message begins, or the file ends.
        if line.is_empty() || at - header > HEADER_LIMIT_BYTES || is_from_line(&line) {
            break at;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            hides = is_hidden(&line);
        }
        reading.line(&line, at, next, hides);
        at = next;
    };
    let (end, next) = end_of(window, body, at, reading.hidden.content_length)?;
    let Reading { visible, hidden, block, scattered, mark } = reading;
    let block = block.filter(|_| !scattered);
    let mark = mix(mark, &(end - body).to_le_bytes());
    Ok((Piece { begin, header, body, end, hidden, block, visible, mark, received }, next))
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

/// Where a message ends whose body begins at `body`, and where the next begins. The length that the header tells counts
/// when it leads to a `From ` line or to the end of the file.
fn end_of(
    window: &mut Window<'_>,
    body: u64,
    header_end: u64,
    content_length: Option<u64>,
) -> io::Result<(u64, u64)> {
    if let Some(end) = content_length.and_then(|length| body.checked_add(length)) {
        if end == window.length || (end + 1 == window.length && window.starts_with(end, b"\n")?) {
            return Ok((end, window.length));
        }
        if end < window.length && window.begins_message(end)? {
            return Ok((end, end + 1));
        }
    }
    // The empty line that ends the header may be the one before the next message.
    let next = window.next_from(body.saturating_sub(2).max(header_end.saturating_sub(1)))?;
    let mut end = next;
    // The empty line before the next message, or at the end of the file, is not the message's.
    if end > body && window.starts_with(end - 1, b"\n")? {
        let parts = next < window.length || window.starts_with(end - 2, b"\n")?;
        end -= u64::from(parts);
    }
    Ok((end.max(body), next))
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
    fn messages_are_parted_by_from_lines_behind_empty_ones() {
        let text = format!("{LINE}A: 1\n\none\n\nFrom here on\nx\n{LINE}\n{LINE}B: 2\n\n\n{LINE}C: 3\n\n");
        assert_eq!(bodies(&text), [format!("one\n\nFrom here on\nx\n{LINE}"), String::new(), String::new()]);
        assert_eq!(bodies(&format!("\n{LINE}\nx")), ["x"]);
        assert_eq!(bodies(&format!("{LINE}A: b")), [""]);
        assert_eq!(bodies(""), Vec::<String>::new());
        assert!(parsed("no mbox\n").is_err());
    }

    #[test]
    fn a_length_counts_when_it_leads_somewhere() {
        let body = format!("x\n\n{LINE}y\n");
        let with = |length: usize| format!("{LINE}Content-Length: {length}\n\n{body}\n{LINE}B: 2\n\nz\n");
        assert_eq!(bodies(&with(body.len())), [body.clone(), "z\n".into()]);
        assert_eq!(bodies(&with(3)).len(), 3);
        assert_eq!(bodies(&with(usize::MAX)).len(), 3);
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
        fn what_was_put_together_is_taken_apart(bodies_in in prop::collection::vec("([a-z>]{0,6}\n){0,5}", 1..6)) {
            let text: String = bodies_in.iter().map(|body| format!("{LINE}S: x\n\n{body}\n")).collect();
            let trimmed: Vec<String> = bodies(&text);
            prop_assert_eq!(trimmed, bodies_in);
        }

        #[test]
        fn no_file_upsets_the_parser(text in "(From a 05:11 x\n|\n|A: b\n|X-UID: 7\n|Content-Length: [0-9]{1,2}\n|x|From ){0,20}") {
            if let Ok(pieces) = parsed(&text) {
                for pair in pieces.windows(2) {
                    prop_assert!(pair[0].end <= pair[1].begin);
                }
                for piece in &pieces {
                    prop_assert!(piece.begin < piece.header && piece.header <= piece.body && piece.body <= piece.end);
                    prop_assert!(piece.end <= text.len() as u64);
                }
            }
        }
    }
}
