//! A message taken apart as Python's `email` takes it apart: the digest is of exactly what that finds, in broken messages too.

use super::parameters::{content_type, parameter, unquoted};

/// Messages within messages; what is deeper counts as text.
const DEPTH_LIMIT: usize = 50;
/// Parts of a message; what is beyond does not count.
const PARTS_LIMIT: usize = 10_000;

/// A part that holds no other parts.
pub(super) struct Leaf {
    kind: String,
    pub(super) charset: Option<String>,
    /// The transfer encoding, in lower case.
    pub(super) encoding: String,
    pub(super) body: Vec<u8>,
}

impl Leaf {
    pub(super) fn main_type(&self) -> &str {
        self.kind.split('/').next().unwrap_or_default()
    }

    pub(super) fn sub_type(&self) -> &str {
        self.kind.split('/').nth(1).unwrap_or_default()
    }
}

/// The parts without parts of a message, in order.
pub(super) fn leaves(message: &[u8]) -> Vec<Leaf> {
    let mut reader = Reader { lines: lines(message), next: 0, ends: Vec::new(), depth: 0 };
    let mut found = Vec::new();
    reader.message(false, &mut found);
    found
}

/// What ends a part, beside the end of the message.
enum End {
    /// A line with this boundary.
    Boundary(Vec<u8>),
    /// An empty line.
    Blank,
}

impl End {
    fn is_at(&self, line: &[u8]) -> bool {
        match self {
            Self::Boundary(boundary) => boundary_line(line, boundary).is_some(),
            Self::Blank => matches!(line.first(), Some(b'\r' | b'\n')),
        }
    }
}

struct Reader<'a> {
    lines: Vec<&'a [u8]>,
    next: usize,
    ends: Vec<End>,
    depth: usize,
}

/// Lines with their ends, of any kind.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = match rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            None => rest.len(),
            Some(at) if rest[at..].starts_with(b"\r\n") => at + 2,
            Some(at) => at + 1,
        };
        let (line, behind) = rest.split_at(end);
        found.push(line);
        rest = behind;
    }
    found
}

fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
    if text.last() == Some(&b'\r') { &text[..text.len() - 1] } else { text }
}

/// A line of the boundary: is it the last one?
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let is_end = |rest: &[u8]| {
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        matches!(&rest[blank..], b"" | b"\n" | b"\r" | b"\r\n")
    };
    match rest.strip_prefix(b"--") {
        Some(rest) if is_end(rest) => Some(true),
        _ => is_end(rest).then_some(false),
    }
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        let line = self.lines.get(self.next)?;
        if self.ends.iter().any(|end| end.is_at(line)) {
            return None;
        }
        self.next += 1;
        Some(line)
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        while let Some(line) = self.line() {
            rest.extend_from_slice(line);
        }
        rest
    }

    /// Reads a message or a part of one. Within a digest what says nothing of its type is a message. The leaf that was read
    /// last, if a line end at its end may belong to a boundary.
    fn message(&mut self, in_digest: bool, found: &mut Vec<Leaf>) -> Option<usize> {
        self.depth += 1;
        let fields = self.fields();
        let value =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let default = if in_digest { "message/rfc822" } else { "text/plain" };
        let kind = value("content-type").map_or_else(|| default.to_owned(), content_type);
        let boundary = value("content-type").and_then(|text| parameter(text, "boundary"));
        let main_type =
            if self.depth > DEPTH_LIMIT { "" } else { kind.split('/').next().unwrap_or_default() };
        let last = match (main_type, boundary) {
            ("message", _) if kind == "message/delivery-status" => self.blocks(found),
            ("message", _) => self.message(false, found),
            ("multipart", Some(boundary)) => {
                let boundary = unquoted(&boundary).trim_end().as_bytes().to_vec();
                let body = self.parts(&boundary, kind == "multipart/digest", found);
                found.extend(body.map(|body| leaf(kind, value, body)));
                None
            }
            (main_type, _) => {
                let body = self.rest();
                found.push(leaf(kind.clone(), value, body));
                (main_type != "multipart").then_some(found.len() - 1)
            }
        };
        self.depth -= 1;
        last
    }

    /// The header: names in lower case, and values with their line ends within.
    fn fields(&mut self) -> Vec<(String, String)> {
        let first = self.next;
        while let Some(line) = self.line() {
            if !is_header_line(line) {
                if !matches!(line.first(), Some(b'\r' | b'\n')) {
                    self.next -= 1;
                }
                break;
            }
        }
        let mut last = self.next;
        if last > first && matches!(self.lines[last - 1].first(), Some(b'\r' | b'\n')) {
            last -= 1;
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut open = false;
        for at in first..last {
            let line = self.lines[at];
            if matches!(line[0], b' ' | b'\t') {
                if let Some((_, value)) = fields.last_mut().filter(|_| open) {
                    value.push_str(&shown(line));
                }
                continue;
            }
            open = false;
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or_default();
            if line.starts_with(b"From ") {
                // It may be the first line of the text.
                if at > first && at + 1 == last {
                    self.next = at;
                }
            } else if colon > 0 {
                let name = shown(&line[..colon]).to_ascii_lowercase();
                fields.push((name, shown(&line[colon + 1..]).trim_start_matches([' ', '\t']).to_owned()));
                open = true;
            }
        }
        fields.iter_mut().for_each(|(_, value)| value.truncate(value.trim_end_matches(['\r', '\n']).len()));
        fields
    }

    /// Blocks of fields with empty lines between them (RFC 3464 §2.1).
    fn blocks(&mut self, found: &mut Vec<Leaf>) -> Option<usize> {
        loop {
            self.ends.push(End::Blank);
            let last = self.message(false, found);
            self.ends.pop();
            if found.len() >= PARTS_LIMIT || self.line().is_none() || self.line().is_none() {
                return last;
            }
            self.next -= 1;
        }
    }

    /// The parts between boundaries; the text, if there is no boundary.
    fn parts(&mut self, boundary: &[u8], is_digest: bool, found: &mut Vec<Leaf>) -> Option<Vec<u8>> {
        let mut preamble = Vec::new();
        loop {
            let Some(line) = self.line() else { return Some(preamble) };
            match boundary_line(line, boundary) {
                None => preamble.extend_from_slice(line),
                // Without any part, what is before the last boundary is the text.
                Some(true) => {
                    self.rest();
                    return Some(preamble);
                }
                Some(false) => break,
            }
        }
        loop {
            // Boundaries in a row have nothing between them.
            while self.line().is_some_and(|line| boundary_line(line, boundary).is_some()) {}
            self.step_back(boundary);
            self.ends.push(End::Boundary(boundary.to_vec()));
            let last = self.message(is_digest, found);
            self.ends.pop();
            // The line end before a boundary belongs to it (RFC 2046 §5.1.1).
            if let Some(leaf) = last.and_then(|last| found.get_mut(last)) {
                let length = without_line_end(&leaf.body).len();
                leaf.body.truncate(length);
            }
            let line = self.line().filter(|_| found.len() < PARTS_LIMIT)?;
            if boundary_line(line, boundary) == Some(true) {
                self.rest();
                return None;
            }
        }
    }

    /// The line that was read last is none of the boundary: it is read again.
    fn step_back(&mut self, boundary: &[u8]) {
        let last = self.next.checked_sub(1).and_then(|last| self.lines.get(last));
        if last.is_some_and(|line| boundary_line(line, boundary).is_none()) {
            self.next -= 1;
        }
    }
}

fn is_header_line(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| (b'!'..=b'~').contains(byte) && **byte != b':').count();
    matches!(line.first(), Some(b' ' | b'\t')) || line.starts_with(b"From ") || line.get(name) == Some(&b':')
}

/// As text; what is not ASCII is not read.
fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' }).collect()
}

fn leaf<'v>(kind: String, value: impl Fn(&str) -> Option<&'v str>, body: Vec<u8>) -> Leaf {
    let charset = value("content-type").and_then(|text| parameter(text, "charset"));
    Leaf {
        kind,
        charset: charset.filter(|name| name.is_ascii()),
        encoding: value("content-transfer-encoding").unwrap_or_default().to_lowercase(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_leaves(message: &str) -> Vec<(String, String)> {
        let found = leaves(message.as_bytes());
        found.into_iter().map(|leaf| (leaf.kind, String::from_utf8_lossy(&leaf.body).into_owned())).collect()
    }

    #[test]
    fn parts_lie_between_boundaries() {
        let message = "Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n\none\n\n--b\nContent-Type: multipart/digest;\n\
            \tboundary=\"c d\"\n\n--c d\n\nSubject: x\n\ntwo\n--c d--\nbehind\n--b--\nafter\n";
        let expected = [("text/plain", "one\n"), ("text/plain", "two")];
        assert_eq!(shown_leaves(message), expected.map(|(kind, body)| (kind.to_owned(), body.to_owned())));
    }

    #[test]
    fn without_a_boundary_all_is_one_part() {
        let message = "Content-Type: multipart/mixed; boundary=b\n\nnone\n";
        assert_eq!(shown_leaves(message), [("multipart/mixed".to_owned(), "none\n".to_owned())]);
        assert_eq!(shown_leaves("no header\n"), [("text/plain".to_owned(), "no header\n".to_owned())]);
        assert_eq!(shown_leaves(""), [("text/plain".to_owned(), String::new())]);
    }

    #[test]
    fn blocks_of_a_report_hold_only_fields() {
        let message = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nStatus: 5.0.0\n";
        assert_eq!(shown_leaves(message).len(), 2);
    }
}
