//! From bytes to parts: the header of a message, then its parts, level by level.

use std::collections::{BTreeMap, VecDeque};

use super::media_type::MediaType;
use super::multipart::{self, Multipart};
use super::{Fields, Flaws, LineEnd, Lines, NESTING_LIMIT, Part, PartId, Tree};

/// Bytes of a field's name.
const NAME_LIMIT_BYTES: usize = 256;
/// Bytes of a field's value.
const VALUE_LIMIT_BYTES: usize = 8192;
/// So many lines of a header may be no field.
const BAD_LINES_LIMIT: u32 = 3;
/// Blank lines in a row.
const BLANK_LINES_LIMIT: usize = 20;

/// A part whose content is still to be looked into.
struct Pending {
    part: PartId,
    boundary: Option<Vec<u8>>,
    lines: Lines,
    depth: u32,
}

/// A message's header, and what follows it.
struct Opened {
    mbox_separator: Option<Vec<u8>>,
    line_end: LineEnd,
    head: Vec<u8>,
    body: Vec<u8>,
    part: Part,
    boundary: Option<Vec<u8>>,
    lines: Lines,
    flaws: Flaws,
}

/// Reads a whole message.
pub(crate) fn parse(message: &[u8]) -> Tree {
    let opened = open(message);
    let mut tree = Tree {
        parts: vec![opened.part],
        flaws: opened.flaws,
        line_end: opened.line_end,
        mbox_separator: opened.mbox_separator,
        head: opened.head,
        body: opened.body,
        boundaries: BTreeMap::new(),
    };
    let first = Pending { part: 0, boundary: opened.boundary, lines: opened.lines, depth: NESTING_LIMIT };
    let mut queue = VecDeque::from([first]);
    while let Some(pending) = queue.pop_front() {
        let divides = tree.parts[pending.part].kind.starts_with("multipart/") && pending.depth > 0;
        match &pending.boundary {
            Some(boundary) if divides => {
                let boundary = boundary.clone();
                divide(&mut tree, &pending, &boundary, &mut queue);
            }
            _ => settle(&mut tree, pending, &mut queue),
        }
    }
    tree
}

fn divide(tree: &mut Tree, pending: &Pending, boundary: &[u8], queue: &mut VecDeque<Pending>) {
    let digest = tree.parts[pending.part].kind == "multipart/digest";
    let found = multipart::parse(Multipart { lines: &pending.lines, boundary, digest }, &mut tree.flaws);
    if let Some(change) = found.boundary_state {
        let state = tree.boundaries.entry(boundary.to_vec()).or_default();
        *state = if change.begun { 1 } else { *state };
        *state -= i32::from(change.ended);
    }
    let mut children = Vec::new();
    for child in found.parts {
        let id = tree.parts.len();
        tree.parts.push(child.part);
        children.push(id);
        let boundary = child.boundary.unwrap_or_else(|| boundary.to_vec());
        queue.push_back(Pending {
            part: id,
            boundary: Some(boundary),
            lines: child.lines,
            depth: pending.depth - 1,
        });
    }
    tree.parts[pending.part].children = Some(children);
}

/// A part without parts: its content stays with it, but a message within is opened.
fn settle(tree: &mut Tree, pending: Pending, queue: &mut VecDeque<Pending>) {
    let part = &mut tree.parts[pending.part];
    let declared = MediaType::parse(part.fields.value("content-type"));
    if !declared.missing {
        let divided = declared.kind.starts_with("multipart/") && pending.boundary.is_none();
        part.kind = if divided { "text/plain".to_owned() } else { declared.kind };
    }
    part.charset = declared.charset;
    part.name = disposition_name(&part.fields).or(declared.name);
    part.raw = pending.lines;
    let whole = matches!(part.kind.as_str(), "message/rfc822" | "message/global");
    let content = if whole && pending.depth > 0 { part.decoded() } else { Vec::new() };
    if content.is_empty() {
        return;
    }
    let opened = open(&content);
    part.raw = Lines::default();
    let id = tree.parts.len();
    tree.parts[pending.part].children = Some(vec![id]);
    tree.parts.push(opened.part);
    queue.push_back(Pending {
        part: id,
        boundary: opened.boundary,
        lines: opened.lines,
        depth: pending.depth - 1,
    });
}

fn disposition_name(fields: &Fields) -> Option<Vec<u8>> {
    let value = fields.value("content-disposition")?;
    let at = value.windows(5).position(|window| window.eq_ignore_ascii_case(b"name="))?;
    let rest = value[at + 5..].trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b';')).unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_vec())
}

fn open(message: &[u8]) -> Opened {
    let mut all = Lines::of(message);
    if all.is_empty() {
        all.push(b"\n");
    }
    let first = usize::from(all.get(0).is_some_and(is_mbox_separator));
    let mbox_separator = (first == 1).then(|| all.get(0).unwrap_or_default().to_vec());
    let has_cr = |line: Option<&[u8]>| line.is_some_and(|line| line.ends_with(b"\r\n"));
    let cr_lf = has_cr(all.get(first)) || (all.len() > first && has_cr(all.get(all.len() - 1)));
    let line_end = if cr_lf { LineEnd::CrLf } else { LineEnd::Lf };
    let mut header = Header { line_end, ..Header::default() };
    let body_start = header.read(&all, first);
    let mut body = Vec::new();
    (body_start..all.len()).filter_map(|index| all.get(index)).for_each(|line| body.extend_from_slice(line));
    let mut lines = body_lines(&body, cr_lf);
    let declared = MediaType::parse(header.fields.value("content-type"));
    if declared.kind.starts_with("multipart/") {
        lines = with_room_for_boundary(lines, declared.boundary.as_deref());
    }
    let part = Part { fields: header.fields, kind: declared.kind, ..Part::default() };
    let flaws = header.flaws;
    Opened {
        mbox_separator,
        line_end,
        head: header.head,
        body,
        part,
        boundary: declared.boundary,
        lines,
        flaws,
    }
}

/// `From ` and no colon behind the blanks: a line of a mailbox file.
fn is_mbox_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From") else { return false };
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    blanks > 1 || (blanks == 1 && rest.get(1) != Some(&b':'))
}

/// A multipart's body must not begin with text in its first line: a blank line is put before it.
fn with_room_for_boundary(lines: Lines, boundary: Option<&[u8]>) -> Lines {
    let Some(first) = lines.get(0).filter(|_| lines.len() > 1) else { return lines };
    let is_blank = first.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
    let is_boundary = boundary
        .is_some_and(|boundary| first.strip_prefix(b"--").is_some_and(|rest| rest.starts_with(boundary)));
    if is_blank || is_boundary {
        return lines;
    }
    Lines::of(&[b"\n", lines.bytes()].concat())
}

/// The body with LF line ends; of many blank lines in a row some are left.
fn body_lines(body: &[u8], cr_lf: bool) -> Lines {
    let mut plain: Vec<&[u8]> = Vec::new();
    let source = body.split_inclusive(|byte| *byte == b'\n');
    let mut blank_since = None;
    for line in source {
        let is_blank = line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
        if !is_blank {
            trim_blanks(&mut plain, blank_since.take());
        } else if blank_since.is_none() {
            blank_since = Some(plain.len());
        }
        plain.push(line);
    }
    trim_blanks(&mut plain, blank_since);
    let mut lines = Lines::default();
    for line in plain {
        match line.strip_suffix(b"\r\n") {
            Some(content) if cr_lf => lines.push(&[content, b"\n"].concat()),
            _ => lines.push(line),
        }
    }
    lines
}

fn trim_blanks(lines: &mut Vec<&[u8]>, since: Option<usize>) {
    // At the very begin of the body one line more is left: the peer counts from the line before.
    let Some(since) = since else { return };
    let count = lines.len() - since - usize::from(since == 0);
    if count > BLANK_LINES_LIMIT {
        let from = if since == 0 { 2 } else { since + 1 };
        lines.drain(from..from + count - BLANK_LINES_LIMIT);
    }
}

/// The header of a message as it is read.
#[derive(Default)]
struct Header {
    line_end: LineEnd,
    fields: Fields,
    head: Vec<u8>,
    field: Option<Vec<u8>>,
    bad_lines: u32,
    flaws: Flaws,
}

impl Header {
    /// Reads from line `index` on; where the body begins.
    fn read(&mut self, all: &Lines, mut index: usize) -> usize {
        loop {
            let Some(line) = all.get(index) else {
                self.end_field();
                self.flaws.missing_head_body_separator = true;
                return index;
            };
            let line = self.with_line_end(line);
            if !matches!(line.first(), Some(b' ' | b'\t')) {
                self.end_field();
                if line == self.line_end.as_bytes() {
                    self.head.extend_from_slice(&line);
                    return index + 1;
                }
                if self.ends_at(&line) {
                    self.flaws.missing_head_body_separator = true;
                    return index;
                }
            }
            self.head.extend_from_slice(&line);
            self.field.get_or_insert_default().extend_from_slice(&line);
            index += 1;
        }
    }

    fn with_line_end(&self, line: &[u8]) -> Vec<u8> {
        match line.strip_suffix(b"\n") {
            Some(content) if self.line_end == LineEnd::CrLf && !content.ends_with(b"\r") => {
                [content, b"\r\n"].concat()
            }
            _ => line.to_vec(),
        }
    }

    /// Is this line body, though no blank line stands before it?
    fn ends_at(&mut self, line: &[u8]) -> bool {
        if line.starts_with(b"--") {
            return true;
        }
        if !multipart::is_field(line, true) {
            self.bad_lines += 1;
        }
        self.bad_lines > BAD_LINES_LIMIT
    }

    fn end_field(&mut self) {
        let Some(field) = self.field.take() else { return };
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { return };
        let blanks = |byte: &u8| matches!(byte, b' ' | b'\t');
        let end = field[..colon].iter().rposition(|byte| !blanks(byte)).map_or(0, |at| at + 1);
        let mut value = field[colon + 1..].to_vec();
        if self.line_end == LineEnd::CrLf {
            value = Lines::of(&value).iter().fold(Vec::new(), |mut text, line| {
                text.extend_from_slice(line.strip_suffix(b"\r\n").unwrap_or(line));
                text.extend(line.ends_with(b"\r\n").then_some(b'\n'));
                text
            });
        }
        self.flaws.truncated_header |= end > NAME_LIMIT_BYTES || value.len() > VALUE_LIMIT_BYTES;
        value.truncate(VALUE_LIMIT_BYTES);
        self.fields.push(&field[..end.min(NAME_LIMIT_BYTES)], &value);
    }
}
