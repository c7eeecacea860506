//! The structure of a message as it streams by: header fields, where headers end, parts (RFC 5322, RFC 2046).
//!
//! Lines come in, perhaps in pieces; events tell what they are. No byte is lost but blanks between a field's name and its
//! colon: each field comes out whole with its line breaks, and each other line is body.

use crate::content_type::{Content, Encoding};
use crate::header::{Known, header_name, header_value};

/// Which headers these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The message's own.
    Primary,
    /// Of a part of a multipart.
    Part,
    /// Of a message within the message.
    Nested,
}

/// What a line, or the lines before it, turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole header field; its lines are joined by LF.
    Header {
        /// Whose.
        place: Place,
        /// The field with its name.
        text: Vec<u8>,
    },
    /// No more header fields here.
    HeadersEnd {
        /// Whose.
        place: Place,
    },
    /// Between the message's headers and body the blank line is missing: write one.
    MissingBlank,
    /// The line just given is body, or the blank line before it.
    Body {
        /// Bytes of this part's body before it.
        offset: u64,
    },
}

/// What a message has that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MimeErrors {
    /// More levels than allowed.
    pub nesting: bool,
    /// 8-bit text in a header field.
    pub eight_bit_header: bool,
    /// 8-bit text in a body that does not say so.
    pub eight_bit_body: bool,
    /// base64 or the like around content with parts (RFC 2045 §6.4).
    pub encoding_domain: bool,
}

/// What the scanner does and tolerates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Look for parts; else all behind the primary headers is one body (`disable_mime_input_processing`).
    pub structure: bool,
    /// Bytes of one header field; what is above is cut off (`header_size_limit`).
    pub header_bytes: usize,
    /// Parts within parts (`mime_nesting_limit`); two more are let through, as Postfix does.
    pub nesting: usize,
    /// Bytes of a boundary that are compared (`mime_boundary_length_limit`).
    pub boundary_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { structure: true, header_bytes: 102_400, nesting: 100, boundary_bytes: 2048 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Headers(Place),
    Body,
}

/// So many levels above the limit are still looked into.
const NESTING_GRACE: usize = 2;

/// A multipart that is open.
#[derive(Debug, Clone)]
struct Level {
    boundary: Vec<u8>,
    digest: bool,
}

/// Reads a message line by line.
#[derive(Debug, Clone)]
pub struct Scanner {
    limits: Limits,
    state: State,
    /// The field being gathered; empty when there is none.
    field: Vec<u8>,
    /// The last line given goes on.
    unfinished: bool,
    levels: Vec<Level>,
    content: Content,
    encoding: Encoding,
    offset: u64,
    errors: MimeErrors,
}

impl Scanner {
    /// At the begin of a message.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Headers(Place::Primary),
            field: Vec::new(),
            unfinished: false,
            levels: Vec::new(),
            content: Content::Leaf,
            encoding: Encoding::SevenBit,
            offset: 0,
            errors: MimeErrors::default(),
        }
    }

    /// Is all that follows body, whatever it is? Then the caller need not ask any more.
    pub fn only_body_follows(&self) -> bool {
        self.state == State::Body && self.levels.is_empty()
    }

    /// What was found that should not be there.
    pub fn errors(&self) -> MimeErrors {
        self.errors
    }

    /// Takes a line, without its line end, and appends what it means to `events`. A line may come in pieces: all
    /// but the last have `complete` false.
    pub fn line(&mut self, line: &[u8], complete: bool, events: &mut Vec<Event>) {
        let continues = std::mem::replace(&mut self.unfinished, !complete);
        match self.state {
            State::Headers(place) => self.header_line(place, line, continues, events),
            State::Body => self.body_line(line, continues, events),
        }
    }

    /// The message ends here.
    pub fn end(&mut self, events: &mut Vec<Event>) {
        if let State::Headers(place) = self.state {
            self.end_field(place, events);
            self.end_headers(place, events);
        }
    }

    fn header_line(&mut self, place: Place, line: &[u8], continues: bool, events: &mut Vec<Event>) {
        if !self.field.is_empty() && (continues || matches!(line.first(), Some(b' ' | b'\t'))) {
            if !continues {
                self.append(b"\n");
            }
            self.append(line);
            return;
        }
        self.end_field(place, events);
        if let (false, Some(name)) = (continues, header_name(line)) {
            self.begin_field(name, line);
            return;
        }
        self.end_headers(place, events);
        if line.is_empty() {
            self.body(line, events);
            self.offset = 0;
            return;
        }
        if place == Place::Primary {
            events.push(Event::MissingBlank);
        }
        match self.state {
            State::Headers(place) => self.header_line(place, line, continues, events),
            State::Body => self.body_line(line, continues, events),
        }
    }

    /// Blanks between the name and the colon go (RFC 5322 §4.5.8).
    fn begin_field(&mut self, name: &[u8], line: &[u8]) {
        self.append(name);
        self.append(line[name.len()..].trim_ascii_start());
    }

    fn append(&mut self, text: &[u8]) {
        let room = self.limits.header_bytes.saturating_sub(self.field.len());
        self.field.extend_from_slice(&text[..room.min(text.len())]);
    }

    fn end_field(&mut self, place: Place, events: &mut Vec<Event>) {
        if self.field.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.field);
        self.errors.eight_bit_header |= !text.is_ascii();
        if self.limits.structure {
            self.note_content(&text);
        }
        events.push(Event::Header { place, text });
    }

    fn note_content(&mut self, field: &[u8]) {
        match header_name(field).and_then(Known::by_name) {
            Some(Known::ContentType) => {
                self.content = Content::parse(header_value(field), self.limits.boundary_bytes);
            }
            Some(Known::ContentTransferEncoding) => self.encoding = Encoding::parse(header_value(field)),
            _ => {}
        }
    }

    /// Headers are over: what they said of the content decides what comes next.
    fn end_headers(&mut self, place: Place, events: &mut Vec<Event>) {
        events.push(Event::HeadersEnd { place });
        self.state = State::Body;
        self.offset = 0;
        let content = std::mem::take(&mut self.content);
        if matches!(content, Content::Leaf | Content::OtherMessage) {
            return;
        }
        self.errors.encoding_domain |= self.encoding.transforms();
        match content {
            Content::Message if !self.encoding.transforms() => self.begin_headers(Place::Nested, false),
            Content::Multipart { boundary, digest } => self.open_level(Level { boundary, digest }),
            _ => {}
        }
    }

    fn open_level(&mut self, level: Level) {
        if self.levels.len() >= self.limits.nesting.saturating_add(NESTING_GRACE) {
            self.errors.nesting = true;
        } else {
            self.levels.push(level);
        }
    }

    fn begin_headers(&mut self, place: Place, message: bool) {
        self.state = State::Headers(place);
        self.content = if message { Content::Message } else { Content::Leaf };
        self.encoding = Encoding::SevenBit;
    }

    fn body_line(&mut self, line: &[u8], continues: bool, events: &mut Vec<Event>) {
        let boundary = if continues || !line.starts_with(b"--") { None } else { self.boundary(&line[2..]) };
        match boundary {
            None => {
                self.errors.eight_bit_body |= self.encoding.is_seven_bit() && !line.is_ascii();
                self.body(line, events);
            }
            Some((level, last)) => {
                self.body(line, events);
                self.offset = 0;
                self.close_levels(level, last);
            }
        }
    }

    fn body(&mut self, line: &[u8], events: &mut Vec<Event>) {
        events.push(Event::Body { offset: self.offset });
        self.offset += line.len() as u64;
    }

    /// The open multipart whose boundary begins `text`, and whether it is its last one (RFC 2046 §5.1.1).
    fn boundary(&self, text: &[u8]) -> Option<(usize, bool)> {
        let level = self.levels.iter().rposition(|level| text.starts_with(&level.boundary))?;
        Some((level, text[self.levels[level].boundary.len()..].starts_with(b"--")))
    }

    fn close_levels(&mut self, level: usize, last: bool) {
        let keep = if last { level } else { level + 1 };
        self.levels.truncate(keep);
        self.encoding = Encoding::SevenBit;
        if !last {
            let digest = self.levels[level].digest;
            self.begin_headers(Place::Part, digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs whole lines through a scanner; a field is `P:`, `M:` or `N:` with its text, a body line `b offset`, `-` the end of
    /// headers, `+` a missing blank line.
    fn run(limits: Limits, message: &str) -> (Vec<String>, MimeErrors) {
        let mut scanner = Scanner::new(limits);
        let mut events = Vec::new();
        for line in message.lines() {
            scanner.line(line.as_bytes(), true, &mut events);
        }
        scanner.end(&mut events);
        let show = |event: Event| match event {
            Event::Header { place, text } => {
                let place = match place {
                    Place::Primary => "P",
                    Place::Part => "M",
                    Place::Nested => "N",
                };
                format!("{place}:{}", String::from_utf8_lossy(&text))
            }
            Event::HeadersEnd { .. } => "-".into(),
            Event::MissingBlank => "+".into(),
            Event::Body { offset } => format!("b {offset}"),
        };
        (events.into_iter().map(show).collect(), scanner.errors())
    }

    fn seen(message: &str) -> Vec<String> {
        run(Limits::default(), message).0
    }

    #[test]
    fn fields_are_gathered_over_their_lines() {
        assert_eq!(seen("A: 1\nB: 2\n\tx\n  y\n\nbody"), ["P:A: 1", "P:B: 2\n\tx\n  y", "-", "b 0", "b 0"]);
        assert_eq!(seen("A \t:  1"), ["P:A:  1", "-"]);
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_body() {
        assert_eq!(seen("A: 1\nno field\nx"), ["P:A: 1", "-", "+", "b 0", "b 8"]);
        assert_eq!(seen("no field"), ["-", "+", "b 0"]);
        assert_eq!(seen("A: 1"), ["P:A: 1", "-"]);
        assert_eq!(seen(""), ["-"]);
        assert_eq!(seen("\nA: 1"), ["-", "b 0", "b 0"]);
    }

    const MIXED: &str =
        "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nA: 1\n\npart\n--b--\nend";

    #[test]
    fn parts_have_headers_of_their_own() {
        let expected = ["b 0", "b 0", "b 8", "M:A: 1", "-", "b 0", "b 0", "b 4", "b 0"];
        assert_eq!(&seen(MIXED)[2..], expected);
    }

    #[test]
    fn without_structure_all_is_one_body() {
        let limits = Limits { structure: false, ..Limits::default() };
        assert!(run(limits, MIXED).0[2..].iter().all(|event| event.starts_with('b')));
    }

    #[test]
    fn a_message_within_has_nested_headers() {
        let message = "Content-Type: message/rfc822\n\nSubject: in\n\nbody";
        assert_eq!(&seen(message)[2..], ["b 0", "N:Subject: in", "-", "b 0", "b 0"]);
        let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\nbody";
        assert!(seen(digest).contains(&"N:Subject: in".to_owned()));
    }

    #[test]
    fn an_outer_boundary_ends_inner_parts() {
        let message = "Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n\
                       --in\n\ntext\n--out\nA: 1\n\n";
        assert!(seen(message).contains(&"M:A: 1".to_owned()));
    }

    #[test]
    fn errors_are_noted() {
        let errors = |message: &str| run(Limits { nesting: 0, ..Limits::default() }, message).1;
        assert!(errors("A: \u{e9}").eight_bit_header);
        assert!(errors("A: 1\n\n\u{e9}").eight_bit_body);
        assert!(!errors("Content-Transfer-Encoding: 8bit\n\n\u{e9}").eight_bit_body);
        assert!(
            errors("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n").encoding_domain
        );
        let nested = |depth| -> String {
            (0..depth)
                .map(|level| format!("Content-Type: multipart/mixed; boundary={level}\n\n--{level}\n"))
                .collect()
        };
        assert!(errors(&nested(3)).nesting && !errors(&nested(2)).nesting);
    }

    #[test]
    fn a_field_above_the_limit_is_cut() {
        let limits = Limits { header_bytes: 6, ..Limits::default() };
        assert_eq!(run(limits, "A: 123456\n 7\nB: 1").0, ["P:A: 123", "P:B: 1", "-"]);
    }

    /// Header fields come out as they went in, and all other lines are body: put together again, nothing is missing.
    fn rebuild(message: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut scanner = Scanner::new(Limits::default());
        let mut lines = Vec::new();
        for line in message {
            let mut events = Vec::new();
            scanner.line(line, true, &mut events);
            collect(&events, line, &mut lines);
        }
        let mut events = Vec::new();
        scanner.end(&mut events);
        collect(&events, b"", &mut lines);
        lines
    }

    fn collect(events: &[Event], line: &[u8], lines: &mut Vec<Vec<u8>>) {
        for event in events {
            match event {
                Event::Header { text, .. } => {
                    lines.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec))
                }
                Event::Body { .. } => lines.push(line.to_vec()),
                Event::HeadersEnd { .. } | Event::MissingBlank => {}
            }
        }
    }

    proptest! {
        #[test]
        fn no_line_is_ever_lost(message in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>().prop_filter("no line end", |byte| !b"\n :".contains(byte)), 0..12),
                Just(b"Content-Type: multipart/mixed; boundary=b".to_vec()),
                Just(b"Content-Type: message/rfc822".to_vec()),
                Just(b"--b".to_vec()),
                Just(b"--b--".to_vec()),
                Just(b"A: 1".to_vec()),
                Just(b" folded".to_vec()),
                Just(Vec::new()),
            ], 0..30)) {
            prop_assert_eq!(rebuild(&message), message);
        }
    }
}
