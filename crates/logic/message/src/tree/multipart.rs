//! The parts of one multipart (RFC 2046 §5.1), found leniently.

use super::{Flaws, LINE_LIMIT_BYTES, Lines, MediaType, PARTS_LIMIT, Part};

/// A multipart to divide.
pub(crate) struct Multipart<'a> {
    pub(crate) lines: &'a Lines,
    pub(crate) boundary: &'a [u8],
    /// `multipart/digest`: parts without a type are messages.
    pub(crate) digest: bool,
}

/// A part that was found.
pub(crate) struct Child {
    pub(crate) part: Part,
    /// Its own boundary, if it has one.
    pub(crate) boundary: Option<Vec<u8>>,
    pub(crate) lines: Lines,
}

/// What was seen of the boundary.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BoundaryState {
    pub(crate) begun: bool,
    pub(crate) ended: bool,
}

/// What a multipart holds.
pub(crate) struct Found {
    pub(crate) parts: Vec<Child>,
    pub(crate) boundary_state: Option<BoundaryState>,
}

/// Which boundary line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boundary {
    Next,
    Last,
}

/// Is it a header field's first line? Blanks before the colon are allowed for when `blanks` says so.
pub(crate) fn is_field(line: &[u8], blanks: bool) -> bool {
    let name = line.iter().take_while(|byte| (33..=126).contains(*byte) && **byte != b':').count();
    let gap =
        if blanks { line[name..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() } else { 0 };
    name > 0 && line.get(name + gap) == Some(&b':')
}

fn boundary_at(line: &[u8], boundary: &[u8]) -> Option<Boundary> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let is_blank = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
    if is_blank(rest) {
        return Some(Boundary::Next);
    }
    rest.strip_prefix(b"--").filter(|rest| is_blank(rest)).map(|_| Boundary::Last)
}

/// Divides a multipart.
pub(crate) fn parse(multipart: Multipart<'_>, flaws: &mut Flaws) -> Found {
    let lines = multipart.lines;
    let first = lines.iter().position(|line| boundary_at(line, multipart.boundary) == Some(Boundary::Next));
    let mut state = BoundaryState::default();
    let mut start = 0;
    if let Some(first) = first {
        state.begun = true;
        flaws.missing_mime_headers |= lines.get(first + 1).is_some_and(|next| !is_field(next, false));
        start = first + 1;
    }
    let mut reader =
        Reader { multipart, flaws, state, parts: Vec::new(), current: Current::default(), nested: false };
    let end = reader.read(start);
    reader.look_behind(end);
    let state = reader.state;
    Found { parts: reader.parts, boundary_state: (state.begun || state.ended).then_some(state) }
}

/// The part that is being read.
#[derive(Default)]
struct Current {
    part: Part,
    field: Option<Vec<u8>>,
    in_body: bool,
    lines: Option<Lines>,
}

struct Reader<'a> {
    multipart: Multipart<'a>,
    flaws: &'a mut Flaws,
    state: BoundaryState,
    parts: Vec<Child>,
    current: Current,
    /// A part claims the same boundary for itself.
    nested: bool,
}

impl Reader<'_> {
    /// Reads until the last boundary; the line behind it.
    fn read(&mut self, start: usize) -> usize {
        let all = self.multipart.lines;
        for index in start..all.len() {
            let line = all.get(index).unwrap_or_default();
            let mut boundary = boundary_at(line, self.multipart.boundary);
            if boundary.is_some() && self.nested {
                self.nested = boundary != Some(Boundary::Last);
                boundary = None;
            }
            if boundary.is_none() && index + 1 < all.len() {
                self.line(line);
                continue;
            }
            self.end_lines(line, boundary);
            self.end_part();
            if boundary == Some(Boundary::Last) {
                self.state.ended = true;
                return index + 1;
            }
            self.flaws.missing_mime_headers |= all.get(index + 1).is_some_and(|next| !is_field(next, false));
            if self.parts.len() == PARTS_LIMIT {
                self.flaws.mimepart_limit_exceeded = true;
                return all.len();
            }
        }
        all.len()
    }

    fn end_lines(&mut self, line: &[u8], boundary: Option<Boundary>) {
        let lines = self.current.lines.get_or_insert_default();
        match boundary {
            // The line break before a boundary belongs to it.
            Some(_) if !lines.is_empty() => lines.chop(),
            Some(_) => {}
            None => push_cut(lines, line),
        }
    }

    fn end_part(&mut self) {
        let current = std::mem::take(&mut self.current);
        let mut part = current.part;
        let declared = MediaType::parse(part.fields.value("content-type"));
        part.kind =
            if declared.missing && self.multipart.digest { "message/rfc822".into() } else { declared.kind };
        self.parts.push(Child {
            part,
            boundary: declared.boundary,
            lines: current.lines.unwrap_or_default(),
        });
    }

    fn line(&mut self, line: &[u8]) {
        if !self.current.in_body && self.header_line(line) {
            return;
        }
        push_cut(self.current.lines.get_or_insert_default(), line);
    }

    /// Takes a line of the part's header, or the blank line behind it; false for a line of its body.
    fn header_line(&mut self, line: &[u8]) -> bool {
        if is_field(line, true) {
            self.end_field();
            self.current.field = Some(line.to_vec());
            return true;
        }
        if let (Some(b' ' | b'\t'), Some(field)) = (line.first(), self.current.field.as_mut()) {
            field.extend_from_slice(line);
            return true;
        }
        let last_is_type = self
            .current
            .field
            .as_deref()
            .is_some_and(|field| field.len() >= 13 && field[..13].eq_ignore_ascii_case(b"content-type:"));
        self.end_field();
        if last_is_type {
            let declared = MediaType::parse(self.current.part.fields.value("content-type"));
            self.nested |= declared.boundary.as_deref() == Some(self.multipart.boundary);
        }
        self.current.in_body = true;
        let blank = matches!(line, b"\n" | b"\r\n" | b"" | b"\r");
        self.flaws.missing_mime_head_body_separator |= !blank;
        blank
    }

    fn end_field(&mut self) {
        let Some(field) = self.current.field.take() else { return };
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { return };
        let value = &field[colon + 1..];
        let blanks = value.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
        self.current.part.fields.push(&field[..colon], &value[blanks..]);
    }

    fn look_behind(&mut self, end: usize) {
        let all = self.multipart.lines;
        let says_something = |line: &[u8]| {
            line.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b && *byte != b'.')
        };
        self.flaws.mime_epilogue_exists |=
            (end..all.len()).filter_map(|index| all.get(index)).any(says_something);
    }
}

fn push_cut(lines: &mut Lines, mut line: &[u8]) {
    while line.len() > LINE_LIMIT_BYTES {
        lines.push(&[&line[..LINE_LIMIT_BYTES], b"\n"].concat());
        line = &line[LINE_LIMIT_BYTES..];
    }
    lines.push(line);
}
