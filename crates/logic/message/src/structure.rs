//! The parts of a message, with where each begins and ends (RFC 2045, RFC 2046).
//!
//! Made in one pass without recursion, of a text that is there whole or as it comes by ([`crate::outline`]); depth and number
//! of parts are bounded, and what lies beyond is text of the part around it. Odd cases are decided as Dovecot decides them: a header ends at an empty line or a boundary and at nothing else, and a
//! boundary needs only to begin its line.

use std::ops::Range;

use crate::fields::{fields, line_at, without_break};
use crate::mime::MediaType;

/// Parts within parts.
const DEPTH_LIMIT: usize = 100;
/// Parts of a message.
const PARTS_LIMIT: usize = 10_000;

/// A message, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its header, with the empty line that ends it.
    pub header: Range<usize>,
    /// What follows the header.
    pub body: Range<usize>,
    /// Line ends in the body.
    pub lines: usize,
    /// What it is.
    pub media: MediaType,
    /// What is in it: parts of a multipart, or the one message.
    pub inner: Inner,
}

/// What a part consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner {
    /// Nothing but its body.
    Leaf,
    /// `multipart/...`; may be empty.
    Parts(Vec<Part>),
    /// `message/rfc822`
    Message(Box<Part>),
}

/// Where the headers of parts are.
pub trait Headers {
    /// The header of this part, as much of it as there is.
    fn header_of(&self, part: &Part) -> &[u8];
}

/// The text of the message.
impl Headers for [u8] {
    fn header_of(&self, part: &Part) -> &[u8] {
        &self[part.header.clone()]
    }
}

impl Part {
    /// Reads a message.
    pub fn read(message: &[u8]) -> Self {
        let mut reader = Reader::new(message);
        let mut at = 0;
        while let Some(line) = line_at(message, at) {
            at = line.end;
            let text = &message[line.clone()];
            reader.line(line, text, text.ends_with(b"\n"));
        }
        reader.finish(message.len()).0
    }

    /// The part that a number such as `2.1` names (RFC 3501 §6.4.5): of a message that is no multipart, 1 is its body. As with
    /// Dovecot that holds for a part of a multipart as well.
    pub fn find(&self, path: &[u32]) -> Option<Found<'_>> {
        let (mut part, mut found, mut is_body) = (self, None, false);
        for number in path {
            let inside = match (&part.inner, found) {
                (Inner::Message(message), Some(_)) => message.as_ref(),
                _ => part,
            };
            let entered = !std::ptr::eq(inside, part);
            let place = usize::try_from(*number).ok()?.checked_sub(1)?;
            let next = match &inside.inner {
                Inner::Parts(parts) => Found { part: parts.get(place)?, whole: false },
                // Once: a body has no body.
                _ if place == 0 && (entered || !is_body) => {
                    found.filter(|_| !entered).unwrap_or(Found { part: inside, whole: true })
                }
                _ => return None,
            };
            is_body = !matches!(inside.inner, Inner::Parts(_));
            part = next.part;
            found = Some(next);
        }
        found
    }
}

/// A part by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Which.
    pub part: &'a Part,
    /// It is the body of a message that has no parts: its header is the message's.
    pub whole: bool,
}

/// A part that is being read; parts are put together at the end.
struct Node {
    parent: Option<usize>,
    header: Range<usize>,
    body: Range<usize>,
    /// Line ends before the body, and in it.
    lines_before: usize,
    lines: usize,
    media: MediaType,
    kind: Kind,
    digest: bool,
    /// Its last boundary ends here: what comes before is not the line break of another.
    floor: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Leaf,
    Parts,
    Message,
}

/// A part that is not over, with the boundary of what is in it.
struct Open {
    node: usize,
    boundary: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Body,
}

/// What a [`Reader`] can still see of the text.
pub(crate) trait Text {
    /// The header that ends where the reader is. Each is asked for once.
    fn header(&mut self, place: Range<usize>) -> &[u8];
    /// How long the line break is that ends where the reader is, before this line; none that began before `from`.
    fn break_length(&self, from: usize, at: usize) -> usize;
}

impl Text for &[u8] {
    fn header(&mut self, place: Range<usize>) -> &[u8] {
        &self[place]
    }

    fn break_length(&self, from: usize, at: usize) -> usize {
        let text = &self[from.min(at)..at];
        text.len() - without_break(text).len()
    }
}

/// Reads a message line by line.
pub(crate) struct Reader<T> {
    pub(crate) text: T,
    nodes: Vec<Node>,
    open: Vec<Open>,
    state: State,
    /// Line ends so far.
    lines: usize,
}

impl<T: Text> Reader<T> {
    pub(crate) fn new(text: T) -> Self {
        let mut reader = Self { text, nodes: Vec::new(), open: Vec::new(), state: State::Header, lines: 0 };
        reader.begin(None, 0, false);
        reader
    }

    /// Is a header being read?
    pub(crate) fn in_header(&self) -> bool {
        self.state == State::Header
    }

    fn begin(&mut self, parent: Option<usize>, at: usize, digest: bool) {
        self.open.push(Open { node: self.nodes.len(), boundary: None });
        let media = MediaType::default();
        self.nodes.push(Node {
            parent,
            header: at..at,
            body: at..at,
            lines_before: 0,
            lines: 0,
            media,
            kind: Kind::Leaf,
            digest,
            floor: 0,
        });
        self.state = State::Header;
    }

    /// The next line: where it is, how it begins, and whether a line end ends it, as it does all but the last.
    pub(crate) fn line(&mut self, line: Range<usize>, text: &[u8], ended: bool) {
        if let Some((level, last)) = text.strip_prefix(b"--").and_then(|rest| self.boundary(rest)) {
            self.at_boundary(level, last, line);
        } else if self.state == State::Header && without_break(text).is_empty() {
            self.end_header(line.end);
        }
        self.lines += usize::from(ended);
    }

    /// The open multipart with the longest boundary that begins the line; and whether it is its last.
    fn boundary(&self, rest: &[u8]) -> Option<(usize, bool)> {
        let fits = |open: &Open| open.boundary.as_ref().filter(|own| rest.starts_with(own)).map(Vec::len);
        let found = self.open.iter().enumerate().filter_map(|(level, open)| Some((fits(open)?, level)));
        let (length, level) = found.max()?;
        Some((level, rest[length..].starts_with(b"--")))
    }

    fn at_boundary(&mut self, level: usize, last: bool, line: Range<usize>) {
        let depth = level + 1;
        self.close_above(depth, line.start);
        if last {
            self.open[level].boundary = None;
            self.nodes[self.open[level].node].floor = line.end;
            self.state = State::Body;
        } else if self.nodes.len() < PARTS_LIMIT {
            let parent = self.open[level].node;
            let digest = self.nodes[parent].media.is("multipart", "digest");
            self.begin(Some(parent), line.end, digest);
        } else {
            self.state = State::Body;
        }
    }

    /// Ends all parts above this level. The line break before a boundary belongs to the boundary (RFC 2046 §5.1.1).
    fn close_above(&mut self, depth: usize, at: usize) {
        let in_header = self.state == State::Header;
        let floor = self.open.last().map_or(0, |open| self.nodes[open.node].floor);
        let line_break = if in_header { 0 } else { self.text.break_length(floor, at) };
        let (mut end, mut lines) = (at - line_break, self.lines - usize::from(line_break > 0));
        if in_header && self.open.len() > depth {
            self.headers_only(at);
        } else if self.open.len() > depth {
            self.shorten_header(at);
        }
        while self.open.len() > depth {
            if let Some(open) = self.open.pop() {
                let node = &mut self.nodes[open.node];
                (end, lines) = (end.max(node.body.start), lines.max(node.lines_before));
                (node.body.end, node.lines) = (end, lines - node.lines_before);
            }
        }
    }

    /// The empty line of a header is the line break of a boundary that follows at once, as with Dovecot.
    fn shorten_header(&mut self, at: usize) {
        let Some(open) = self.open.last() else { return };
        let node = &mut self.nodes[open.node];
        if node.body.start == at && node.floor == 0 {
            node.header.end -= self.text.break_length(node.header.start, at);
        }
    }

    /// The header is over at `at`: what it says of the content decides what comes next.
    fn end_header(&mut self, at: usize) {
        let Some(open) = self.open.last_mut() else { return };
        let number = open.node;
        let node = &mut self.nodes[number];
        node.header.end = at;
        node.body = at..at;
        // With the empty line, which is not counted yet.
        node.lines_before = self.lines + 1;
        self.state = State::Body;
        node.media = media_type(self.text.header(node.header.clone()), node.digest);
        let room = self.open.len() < DEPTH_LIMIT && self.nodes.len() < PARTS_LIMIT;
        let node = &mut self.nodes[number];
        if node.media.is_kind("multipart") {
            node.kind = Kind::Parts;
            let boundary = node.media.parameter("boundary").filter(|_| room);
            let boundary = boundary.map(<[u8]>::to_vec);
            if let Some(open) = self.open.last_mut() {
                open.boundary = boundary;
            }
        } else if node.media.is("message", "rfc822") && room {
            node.kind = Kind::Message;
            self.begin(Some(number), at, false);
        }
    }

    /// The text ends here.
    pub(crate) fn finish(mut self, end: usize) -> (Part, T) {
        if self.state == State::Header {
            self.headers_only(end);
        }
        for open in std::mem::take(&mut self.open) {
            let node = &mut self.nodes[open.node];
            node.body.end = end;
            node.lines = self.lines.saturating_sub(node.lines_before);
        }
        (assemble(self.nodes), self.text)
    }

    /// The innermost part ends in its header.
    fn headers_only(&mut self, end: usize) {
        if let Some(open_node) = self.open.last().map(|open| open.node) {
            let node = &mut self.nodes[open_node];
            node.header.end = end;
            node.body = end..end;
            node.lines_before = self.lines;
            node.media = media_type(self.text.header(node.header.clone()), node.digest);
            if node.media.is_kind("multipart") {
                node.kind = Kind::Parts;
            } else if node.media.is("message", "rfc822") && self.nodes.len() < PARTS_LIMIT {
                self.empty_message(open_node, end);
            }
        }
    }

    /// A message of nothing, in a part that has nothing.
    fn empty_message(&mut self, parent: usize, at: usize) {
        self.nodes[parent].kind = Kind::Message;
        self.nodes.push(Node {
            parent: Some(parent),
            header: at..at,
            body: at..at,
            lines_before: self.lines,
            lines: 0,
            media: MediaType::text(),
            kind: Kind::Leaf,
            digest: false,
            floor: 0,
        });
    }
}

/// Children stand behind their parents: from the last to the first, each is put into its own.
fn assemble(nodes: Vec<Node>) -> Part {
    let mut children: Vec<Vec<Part>> = nodes.iter().map(|_| Vec::new()).collect();
    let mut root = None;
    for (number, node) in nodes.into_iter().enumerate().rev() {
        let mut own = std::mem::take(&mut children[number]);
        own.reverse();
        let inner = match node.kind {
            Kind::Leaf => Inner::Leaf,
            Kind::Parts => Inner::Parts(own),
            Kind::Message => own.pop().map_or(Inner::Leaf, |part| Inner::Message(Box::new(part))),
        };
        let mut media = node.media;
        if media == MediaType::default() && node.header.is_empty() {
            media = if node.digest { MediaType::message() } else { MediaType::text() };
        }
        let part = Part { header: node.header, body: node.body, lines: node.lines, media, inner };
        match node.parent {
            Some(parent) => children[parent].push(part),
            None => root = Some(part),
        }
    }
    let empty = || Part { header: 0..0, body: 0..0, lines: 0, media: MediaType::text(), inner: Inner::Leaf };
    root.unwrap_or_else(empty)
}

/// What Content-Type says, or what it is without.
fn media_type(header: &[u8], digest: bool) -> MediaType {
    let first = fields(header).find(|field| field.name.eq_ignore_ascii_case(b"Content-Type"));
    match first {
        Some(field) => MediaType::parse(field.value),
        None if digest => MediaType::message(),
        None => MediaType::text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `kind/subtype[body]` with what is in it.
    fn show(message: &str) -> String {
        shown(&Part::read(message.as_bytes()), message)
    }

    fn shown(part: &Part, message: &str) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let inner = match &part.inner {
            Inner::Leaf => format!("[{}]", message[part.body.clone()].escape_debug()),
            Inner::Parts(parts) => {
                format!("({})", parts.iter().map(|part| shown(part, message)).collect::<Vec<_>>().join(" "))
            }
            Inner::Message(part) => format!("<{}>", shown(part, message)),
        };
        format!("{}{inner}", text(&part.media.subtype))
    }

    fn multipart(body: &str) -> String {
        show(&format!("Content-Type: multipart/mixed; boundary=b\n\n{body}"))
    }

    #[test]
    fn bodies_are_found() {
        assert_eq!(show("A: b\n\nx\n"), "plain[x\\n]");
        assert_eq!(show("A: b"), "plain[]");
        assert_eq!(show("\nonly"), "plain[only]");
        assert_eq!(show(""), "plain[]");
    }

    #[test]
    fn parts_end_where_dovecot_ends_them() {
        for (body, expected) in [
            ("", "mixed()"),
            ("--b\n", "mixed(plain[])"),
            ("--b--\n", "mixed()"),
            ("pre\n--b\n\nx\n--b--\nepi\n--b\n\nno\n", "mixed(plain[x])"),
            ("--b\nA: b\n--b\n\ny\n--b--\n", "mixed(plain[] plain[y])"),
            ("--bb\n\nx\n--b--\n", "mixed(plain[x])"),
            ("--b\n\n\n\n--b\n\n\n--b--\n", "mixed(plain[\\n] plain[])"),
            ("--b\nnot a header\n--b\n\nx\n", "mixed(plain[] plain[x\\n])"),
            (
                "--b\nContent-Type: multipart/mixed; boundary=bc\n\n--bc\n\nin\n--bc--\n--b\n\nx",
                "mixed(mixed(plain[in]) plain[x])",
            ),
            (
                "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nin\n--b--\n--b\n\nx",
                "mixed(mixed(plain[in]) plain[x])",
            ),
            (
                "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nin\n--b\n\nx\n--b--",
                "mixed(mixed(plain[in]) plain[x])",
            ),
            (
                "--b\nContent-Type: message/rfc822\n\nSubject: in\n\nbody\n--b\n\nx",
                "mixed(rfc822<plain[body]> plain[x])",
            ),
            ("--b\nContent-Type: message/rfc822\n\n--b\n\nx\n--b--", "mixed(rfc822<plain[]> plain[x])"),
            (
                "--b\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nA: b\n\none\n--d--",
                "mixed(digest(rfc822<plain[one]>))",
            ),
        ] {
            assert_eq!(multipart(body), expected, "{body:?}");
        }
    }

    #[test]
    fn parts_have_numbers() {
        let message = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\n\n\
                       Subject: in\n\ninner\n--b--\n";
        let part = Part::read(message.as_bytes());
        let body = |path: &[u32]| part.find(path).map(|found| &message[found.part.body.clone()]);
        assert_eq!(body(&[1]), Some("one"));
        assert_eq!(body(&[2]), Some("Subject: in\n\ninner"));
        assert_eq!(body(&[2, 1]), Some("inner"));
        assert_eq!(body(&[1, 1]), Some("one"));
        for none in [[3].as_slice(), &[0], &[1, 2], &[1, 1, 1], &[2, 2], &[2, 1, 1], &[]] {
            assert_eq!(body(none), None, "{none:?}");
        }
        let plain = Part::read(b"A: b\n\nx");
        assert!(plain.find(&[1]).is_some_and(|found| found.whole));
        assert!(plain.find(&[1, 1]).is_none() && plain.find(&[2]).is_none());
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep: String = (0..10_000)
            .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"))
            .collect();
        Part::read(deep.as_bytes());
        Part::read("Content-Type: message/rfc822\n\n".repeat(10_000).as_bytes());
        let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n\n".repeat(20_000));
        let Inner::Parts(parts) = Part::read(many.as_bytes()).inner else { panic!("no multipart") };
        assert!(parts.len() < PARTS_LIMIT);
    }

    proptest! {
        #[test]
        fn parts_lie_within_each_other(lines in prop::collection::vec(prop::sample::select(vec![
            "\n", "--b\n", "--b--\n", "--bc\n", "x\n", "Content-Type: multipart/mixed; boundary=b\n",
            "Content-Type: multipart/mixed; boundary=bc\r\n", "Content-Type: message/rfc822\n", "\r\n", "x",
        ]), 0..40)) {
            let message = lines.concat();
            check(&Part::read(message.as_bytes()), 0..message.len())?;
        }
    }

    fn check(part: &Part, within: Range<usize>) -> Result<(), TestCaseError> {
        prop_assert!(part.header.start >= within.start && part.header.end <= part.body.start);
        prop_assert!(part.body.start <= part.body.end && part.body.end <= within.end);
        match &part.inner {
            Inner::Leaf => Ok(()),
            Inner::Parts(parts) => parts.iter().try_for_each(|inner| check(inner, part.body.clone())),
            Inner::Message(inner) => check(inner, part.body.clone()),
        }
    }
}
