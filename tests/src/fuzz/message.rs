//! Headers and MIME structure of a message.

use message::content_type::{Content, Encoding};
use message::header::{Charset, header_value};
use message::scanner::Limits;
use message::{Event, Scanner, header_name};

/// How the lines are cut changes nothing of what is found, and no more is kept than the limits allow.
pub(super) fn run(input: &[u8]) {
    let ([settings], text) = super::head(input);
    let limits = Limits { structure: settings & 1 == 0, header_bytes: 200, nesting: 5, ..Limits::default() };
    let piece = usize::from(settings >> 1) + 1;
    let whole = scan(text, &limits, usize::MAX);
    if text.split(|byte| *byte == b'\n').all(|line| shows_at_once(line, piece)) {
        let pieces = scan(text, &limits, piece);
        assert_eq!(fields(&whole), fields(&pieces), "headers are the same however their lines come in");
    }
    for field in fields(&whole) {
        assert!(field.len() <= limits.header_bytes, "a field of {} bytes", field.len());
        let name = header_name(&field);
        let value = header_value(&field);
        assert!(name.unwrap_or_default().len() + value.len() <= field.len());
        let _ = (Content::parse(value, limits.boundary_bytes), Encoding::parse(value));
        let (charset, read) = Charset::decode(&field);
        assert_eq!(charset.encode(&read), field, "bytes survive being read as text");
    }
}

/// Real pieces are longer than any boundary or name of a header: what a line is shows in the first.
fn shows_at_once(line: &[u8], piece: usize) -> bool {
    let first = &line[..line.len().min(piece)];
    header_name(line) == header_name(first) && (first == line || !line.starts_with(b"-"))
}

fn scan(text: &[u8], limits: &Limits, piece: usize) -> Vec<Event> {
    let mut scanner = Scanner::new(limits.clone());
    let mut events = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut rest = line;
        while rest.len() > piece {
            let (now, later) = rest.split_at(piece);
            scanner.line(now, false, &mut events);
            rest = later;
        }
        scanner.line(rest, true, &mut events);
    }
    scanner.end(&mut events);
    events
}

fn fields(events: &[Event]) -> Vec<Vec<u8>> {
    let field = |event: &Event| match event {
        Event::Header { text, .. } => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(field).collect()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "From: a@b\nTo: c@d\nSubject: x\n y\n\nbody\n",
        "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nx\n--b--\ny\n",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: inner\n\nx\n--b\n\n--b--\n",
        "Content-Type: message/rfc822\n\nContent-Type: multipart/alternative; boundary=z\n\n--z\n\n--z--\n",
        "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset*=utf-8''x\nX\n",
        "Resent-To: a\nReceived: from x by y; Thu, 1 Jan 1970 00:00:00 +0000\n\t(z)\nBcc: q\nno header\n",
    ]
    .map(|text| [b"\x06", text.as_bytes()].concat())
    .to_vec()
}
