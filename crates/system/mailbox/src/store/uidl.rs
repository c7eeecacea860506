//! How a UIDL is made (Dovecot's `pop3_uidl_format`).

use super::Uid;

/// Longest and widest that anything may be: RFC 1939 §7 allows 70 characters.
const WIDTH_LIMIT: usize = 70;

/// How a UIDL is made from what is known about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UidlFormat {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number { of: Number, width: usize, zeros: bool, hexadecimal: bool },
    File,
    Guid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Uid,
    UidValidity,
}

/// A format that names no message in particular, or that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("UIDL format \"{text}\": {problem}; the default is %08Xu%08Xv")]
pub struct BadUidlFormat {
    /// The format.
    pub text: String,
    /// What is wrong.
    pub problem: &'static str,
}

/// What a UIDL is made from.
pub(crate) struct Facts<'a> {
    pub(crate) uid: Uid,
    pub(crate) uid_validity: u32,
    pub(crate) file: &'a str,
    pub(crate) guid: &'a str,
}

impl UidlFormat {
    /// Reads a format: text with `%u` (UID), `%v` (UIDVALIDITY), `%f` (base name of the Maildir file) and `%g` (GUID). Between `%`
    /// and `u` or `v`: a width, with a leading 0 filled up with zeros, and `X` for hexadecimal, which comes in lower case.
    ///
    /// # Errors
    /// [`BadUidlFormat`]: an unknown letter (`%m` among them), or none of `%u`, `%f` and `%g`.
    pub fn parse(text: &str) -> Result<Self, BadUidlFormat> {
        let bad = |problem| BadUidlFormat { text: text.to_owned(), problem };
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            pieces.push(Piece::Text(rest[..at].to_owned()));
            let (piece, after) = parse_piece(&rest[at + 1..]).map_err(bad)?;
            pieces.push(piece);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let names_one = |piece: &Piece| {
            matches!(piece, Piece::File | Piece::Guid | Piece::Number { of: Number::Uid, .. })
        };
        if !pieces.iter().any(names_one) {
            return Err(bad("it needs one of %u, %f and %g to tell messages apart"));
        }
        let text_of =
            |piece: &Piece| if let Piece::Text(text) = piece { text.clone() } else { String::new() };
        if !pieces.iter().map(text_of).all(|text| text.bytes().all(|byte| (0x21..0x7f).contains(&byte))) {
            return Err(bad("it has characters that a UIDL can not have"));
        }
        Ok(Self { pieces })
    }

    /// The UIDL of a message.
    pub(crate) fn expand(&self, facts: &Facts<'_>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::File => out.push_str(facts.file),
                Piece::Guid => out.push_str(facts.guid),
                Piece::Number { of, width, zeros, hexadecimal } => {
                    let number = match of {
                        Number::Uid => facts.uid,
                        Number::UidValidity => facts.uid_validity,
                    };
                    let digits = if *hexadecimal { format!("{number:x}") } else { number.to_string() };
                    let fill = if *zeros { "0" } else { "" };
                    out.push_str(&fill.repeat(width.saturating_sub(digits.len())));
                    out.push_str(&digits);
                }
            }
        }
        out
    }
}

/// What stands behind a `%`, and the rest.
fn parse_piece(text: &str) -> Result<(Piece, &str), &'static str> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (width, rest) = text.split_at(digits);
    let zeros = width.starts_with('0');
    let width = if width.is_empty() { 0 } else { width.parse().map_err(|_| "a width is too large")? };
    if width > WIDTH_LIMIT {
        return Err("a width is too large");
    }
    let hexadecimal = rest.starts_with('X');
    let rest = rest.strip_prefix('X').unwrap_or(rest);
    let number = |of| Piece::Number { of, width, zeros, hexadecimal };
    let piece = match rest.chars().next() {
        Some('u') => number(Number::Uid),
        Some('v') => number(Number::UidValidity),
        Some('f') => Piece::File,
        Some('g') => Piece::Guid,
        Some('%') => Piece::Text("%".into()),
        Some('m') => return Err("%m, the MD5 sum of the header, is not in this version"),
        _ => return Err("an unknown letter follows %"),
    };
    Ok((piece, &rest[1..]))
}

impl Default for UidlFormat {
    /// Dovecot's: UID and UIDVALIDITY, 8 hexadecimal digits each.
    fn default() -> Self {
        let number = |of| Piece::Number { of, width: 8, zeros: true, hexadecimal: true };
        Self { pieces: vec![number(Number::Uid), number(Number::UidValidity)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(format: &str) -> String {
        let facts = Facts { uid: 3, uid_validity: 0x4996_02d2, file: "1.2.h,S=3", guid: "abc" };
        UidlFormat::parse(format).unwrap().expand(&facts)
    }

    #[test]
    fn formats_of_several_servers_are_known() {
        for (format, uidl) in [
            ("%08Xu%08Xv", "00000003499602d2"),
            ("%v-%u", "1234567890-3"),
            ("UID%u-%v", "UID3-1234567890"),
            ("%v.%u", "1234567890.3"),
            ("%f", "1.2.h,S=3"),
            ("%g", "abc"),
            ("%%%u", "%3"),
        ] {
            assert_eq!(expanded(format), uidl, "{format}");
        }
        let default = UidlFormat::default();
        assert_eq!(
            default.expand(&Facts { uid: 1, uid_validity: 2, file: "", guid: "" }),
            "0000000100000002"
        );
    }

    #[test]
    fn formats_that_tell_nothing_apart_are_refused() {
        for format in ["", "x", "%v", "%m", "%u %v", "%", "%q%u", "%999u", "%99999999999999999999u"] {
            assert!(UidlFormat::parse(format).is_err(), "{format}");
        }
    }
}
