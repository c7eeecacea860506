//! APPEND, piece by piece, for its messages are never held (RFC 3501 §9, RFC 3502, RFC 3516, RFC 4469).

use crate::parse::{Cursor, LiteralMark, Parsed, Refusal, literal_mark};
use crate::types::{Append, Body, MailboxName};

/// What a line of APPEND leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// A message begins: its data, and its first piece.
    Message(Append, Piece),
    /// The message goes on (CATENATE).
    Part(Piece),
    /// A literal of another kind stands at the end of the line: it belongs to the line.
    Literal,
    /// No message is left.
    End,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) body: Body,
    /// More pieces may follow: CATENATE is open.
    pub(crate) open: bool,
    /// What stands behind a URL on the same line.
    pub(crate) rest: Vec<u8>,
}

/// append = "APPEND" SP mailbox 1*append-message, up to the first literal of a message.
///
/// `text` begins behind the command's name and ends at the end of a line, with no line break. [`Next::Literal`] when the
/// literal that begins there is the mailbox's name, or a URL, and has to come first.
pub(crate) fn append_begin(text: &[u8], utf8: bool) -> Parsed<(Option<MailboxName>, Next)> {
    let mut cursor = Cursor::new(text, utf8);
    cursor.space()?;
    if at_literal(&cursor) {
        return Ok((None, Next::Literal));
    }
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    Ok((Some(mailbox), append_message(&mut cursor)?))
}

/// What follows a message or a part of it; `open` where CATENATE is not closed yet.
pub(crate) fn append_next(text: &[u8], open: bool, utf8: bool) -> Parsed<Next> {
    let mut cursor = Cursor::new(text, utf8);
    if open {
        while cursor.take(b' ') {}
        if !cursor.take(b')') {
            return Ok(match catenate_part(&mut cursor)? {
                Some(piece) => Next::Part(piece),
                None => Next::Literal,
            });
        }
    }
    while cursor.take(b' ') {}
    if cursor.is_done() { Ok(Next::End) } else { append_message(&mut cursor) }
}

/// append-message = [flag-list SP] [date-time SP] append-data
///
/// append-data = literal / literal8 / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
fn append_message(cursor: &mut Cursor<'_>) -> Parsed<Next> {
    let mut append = Append::default();
    if cursor.peek() == Some(b'(') {
        append.flags = cursor.flag_list()?;
        cursor.space()?;
    }
    if cursor.peek() == Some(b'"') {
        append.date = Some(cursor.date_time()?);
        cursor.space()?;
    }
    if cursor.keyword("CATENATE") {
        cursor.space()?;
        cursor.expect(b'(')?;
        return Ok(match catenate_part(cursor)? {
            Some(piece) => Next::Message(append, piece),
            None => Next::Literal,
        });
    }
    let mark = message_literal(cursor)?;
    Ok(Next::Message(append, Piece { body: literal(mark), open: false, rest: Vec::new() }))
}

/// cat-part = "URL" SP astring / "TEXT" SP literal; `None` where the URL is a literal that has not come.
fn catenate_part(cursor: &mut Cursor<'_>) -> Parsed<Option<Piece>> {
    if cursor.keyword("TEXT") {
        cursor.space()?;
        let mark = message_literal(cursor)?;
        return Ok(Some(Piece { body: literal(mark), open: true, rest: Vec::new() }));
    }
    if !cursor.keyword("URL") {
        return Err(Refusal::arguments());
    }
    cursor.space()?;
    if at_literal(cursor) {
        return Ok(None);
    }
    let url = cursor.astring()?;
    Ok(Some(Piece { body: Body::Url(url), open: true, rest: cursor.rest().to_vec() }))
}

/// Only a literal is left of the line.
fn at_literal(cursor: &Cursor<'_>) -> bool {
    let rest = cursor.rest();
    literal_mark(rest).is_some_and(|mark| mark.is_ok_and(|mark| mark.length == rest.len()))
}

fn message_literal(cursor: &mut Cursor<'_>) -> Parsed<LiteralMark> {
    let rest = cursor.rest();
    match literal_mark(rest) {
        Some(Ok(mark)) if mark.length == rest.len() => Ok(mark),
        Some(Err(refusal)) => Err(refusal),
        _ => Err(Refusal::arguments()),
    }
}

fn literal(mark: LiteralMark) -> Body {
    Body::Literal { bytes: mark.bytes, waits: mark.waits, binary: mark.binary }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: u64, open: bool) -> Piece {
        Piece { body: Body::Literal { bytes, waits: false, binary: false }, open, rest: Vec::new() }
    }

    #[test]
    fn the_first_line_is_read() {
        let (name, next) =
            append_begin(b" box (\\Seen $x) \"01-Feb-2001 03:04:05 +0600\" {20+}", false).unwrap();
        assert_eq!(name.unwrap().as_str(), "box");
        let Next::Message(append, piece) = next else { panic!("no message") };
        assert!(append.date.is_some());
        assert_eq!(append.flags.iter().count(), 2);
        assert_eq!(piece.body, Body::Literal { bytes: 20, waits: false, binary: false });
    }

    #[test]
    fn a_name_may_be_a_literal() {
        assert_eq!(append_begin(b" {3+}", false), Ok((None, Next::Literal)));
        let (name, _) = append_begin(b" {3+}\r\nbox {4+}", false).unwrap();
        assert_eq!(name.unwrap().as_str(), "box");
    }

    #[test]
    fn catenate_goes_on_until_it_is_closed() {
        let (_, next) = append_begin(b" box CATENATE (TEXT {4+}", false).unwrap();
        assert_eq!(next, Next::Message(Append::default(), piece(4, true)));
        assert_eq!(append_next(b" TEXT {2+}", true, false), Ok(Next::Part(piece(2, true))));
        assert_eq!(append_next(b")", true, false), Ok(Next::End));
        assert!(append_next(b")x", true, false).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            " box",
            " box NIL {3}",
            " box (\\Recent) {3}",
            " box \"32-Foo-2001 03:04:05 +0600\" {1+}",
            " box x",
        ] {
            assert!(append_begin(bad.as_bytes(), false).is_err(), "{bad}");
        }
    }
}
