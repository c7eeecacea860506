//! APPEND and REPLACE, piece by piece, for their messages are never held (RFC 3501 §9, RFC 3502, RFC 3516, RFC 4469, RFC
//! 6855, RFC 8508).

use crate::parse::{Cursor, LiteralMark, Parsed, Refusal, literal_mark};
use crate::types::{Append, Body, MailboxName, Messages};

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
    /// What has to be closed behind it.
    pub(crate) open: Open,
    /// What stands behind a URL on the same line.
    pub(crate) rest: Vec<u8>,
}

/// A parenthesis that is open behind a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// None: the piece is the message.
    No,
    /// `CATENATE (`: more pieces may follow.
    Catenate,
    /// `UTF8 (`: the piece is the message.
    Utf8,
}

/// Where messages go, and which one gives way to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) mailbox: MailboxName,
    /// REPLACE: the message of the selected mailbox that goes.
    pub(crate) replaced: Option<Messages>,
}

/// Do messages of the client follow the command of this name?
pub(crate) fn brings_messages(name: &str) -> bool {
    matches!(name, "APPEND" | "REPLACE" | "UID REPLACE")
}

/// The begin of the command `name`, one that [`brings_messages`], up to the first literal of a message.
pub(crate) fn upload_begin(name: &str, text: &[u8], utf8: bool) -> Parsed<(Option<Destination>, Next)> {
    if name != "APPEND" {
        return replace_begin(text, name.starts_with("UID "), utf8);
    }
    let (mailbox, next) = append_begin(text, utf8)?;
    Ok((mailbox.map(|mailbox| Destination { mailbox, replaced: None }), next))
}

/// replace = "REPLACE" SP seq-number SP mailbox append-message (RFC 8508 §4); `uid` where UID stands before it.
///
/// As [`append_begin`] otherwise.
fn replace_begin(text: &[u8], uid: bool, utf8: bool) -> Parsed<(Option<Destination>, Next)> {
    let mut cursor = Cursor::new(text, utf8);
    cursor.space()?;
    let messages = cursor.messages(uid)?;
    if !messages.set.names_one() {
        return Err(Refusal::new("REPLACE takes one message"));
    }
    let (mailbox, next) = append_begin(cursor.rest(), utf8)?;
    Ok((mailbox.map(|mailbox| Destination { mailbox, replaced: Some(messages) }), next))
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

/// What follows a message or a part of it; `open` is what is not closed yet.
pub(crate) fn append_next(text: &[u8], open: Open, utf8: bool) -> Parsed<Next> {
    let mut cursor = Cursor::new(text, utf8);
    if open != Open::No {
        while cursor.take(b' ') {}
        if open == Open::Utf8 {
            cursor.expect(b')')?;
        } else if !cursor.take(b')') {
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
/// append-data = literal / literal8 / "CATENATE" SP "(" cat-part *(SP cat-part) ")" / "UTF8" SP "(" literal8 ")"
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
    // RFC 6855 §4: only for those who have enabled it.
    let open = if cursor.utf8 && cursor.keyword("UTF8") {
        cursor.space()?;
        cursor.expect(b'(')?;
        Open::Utf8
    } else {
        Open::No
    };
    let mark = message_literal(cursor)?;
    if open == Open::Utf8 && !mark.binary {
        return Err(Refusal::arguments());
    }
    Ok(Next::Message(append, Piece { body: literal(mark), open, rest: Vec::new() }))
}

/// cat-part = "URL" SP astring / "TEXT" SP literal; `None` where the URL is a literal that has not come.
fn catenate_part(cursor: &mut Cursor<'_>) -> Parsed<Option<Piece>> {
    if cursor.keyword("TEXT") {
        cursor.space()?;
        let mark = message_literal(cursor)?;
        return Ok(Some(Piece { body: literal(mark), open: Open::Catenate, rest: Vec::new() }));
    }
    if !cursor.keyword("URL") {
        return Err(Refusal::arguments());
    }
    cursor.space()?;
    if at_literal(cursor) {
        return Ok(None);
    }
    let url = cursor.astring()?;
    Ok(Some(Piece { body: Body::Url(url), open: Open::Catenate, rest: cursor.rest().to_vec() }))
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

    fn piece(bytes: u64) -> Piece {
        let body = Body::Literal { bytes, waits: false, binary: false };
        Piece { body, open: Open::Catenate, rest: Vec::new() }
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
        assert_eq!(next, Next::Message(Append::default(), piece(4)));
        assert_eq!(append_next(b" TEXT {2+}", Open::Catenate, false), Ok(Next::Part(piece(2))));
        assert_eq!(append_next(b")", Open::Catenate, false), Ok(Next::End));
        assert!(append_next(b")x", Open::Catenate, false).is_err());
    }

    #[test]
    fn utf8_is_for_those_who_enabled_it() {
        let (_, next) = append_begin(b" box UTF8 (~{4+}", true).unwrap();
        assert!(matches!(next, Next::Message(_, Piece { open: Open::Utf8, .. })));
        assert_eq!(append_next(b")", Open::Utf8, true), Ok(Next::End));
        assert!(append_next(b" TEXT {2+}", Open::Utf8, true).is_err());
        assert!(append_begin(b" box UTF8 (~{4+}", false).is_err());
        assert!(append_begin(b" box UTF8 ({4+}", true).is_err());
    }

    #[test]
    fn replace_names_one_message() {
        let (destination, _) = replace_begin(b" 3 Drafts (\\Draft) {4+}", false, false).unwrap();
        assert_eq!(destination.unwrap().mailbox.as_str(), "Drafts");
        for bad in [" 1:2 Drafts {4+}", " 1,2 Drafts {4+}", " Drafts {4+}", " 0 Drafts {4+}"] {
            assert!(replace_begin(bad.as_bytes(), false, false).is_err(), "{bad}");
        }
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
