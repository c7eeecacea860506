//! The text form of alias files, aliases(5): `name: value, value`, in the tokens of RFC 5322 addresses.

use crate::source::{LineProblem, check_utf8};
use address::{Token, external_text, internal_text, scan};

/// An alias that leads to more tokens than this is cut.
const TOKEN_LIMIT: usize = 1_000_000;

/// Name (without quotes) and value (with them, in the form that lookups take apart again) of a line.
///
/// # Errors
/// [`LineProblem`]: the line says nothing.
pub(crate) fn name_and_value(line: &[u8], utf8: bool) -> Result<(Vec<u8>, Vec<u8>), LineProblem> {
    check_utf8(line, utf8)?;
    let Ok(text) = std::str::from_utf8(line) else {
        // A character a byte, there and back: what is no ASCII has no meaning for the scanner.
        let text: String = line.iter().copied().map(char::from).collect();
        let bytes = |text: String| text.chars().map(|character| character as u8).collect();
        return take_apart(&text).map(|(name, value)| (bytes(name), bytes(value)));
    };
    take_apart(text).map(|(name, value)| (name.into_bytes(), value.into_bytes()))
}

fn take_apart(line: &str) -> Result<(String, String), LineProblem> {
    let tokens = scan(line, TOKEN_LIMIT);
    let colon = tokens.iter().position(|token| token.is(':')).ok_or(LineProblem::NoPair)?;
    let (name, value) = (&tokens[..colon], &tokens[colon + 1..]);
    let has = |character: char| name.iter().any(|token: &Token| token.is(character));
    if name.is_empty() || value.is_empty() || has(',') {
        return Err(LineProblem::NoPair);
    }
    if has('@') || has('%') {
        return Err(LineProblem::NotLocal);
    }
    let mut text = external_text(value);
    if value.last().is_some_and(|last| last.is(',')) {
        // So does Postfix, and one wants to find no difference when one compares two indexes.
        text.push(' ');
    }
    Ok((internal_text(name), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: &str) -> Result<(String, String), LineProblem> {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        name_and_value(line.as_bytes(), true).map(|(name, value)| (text(name), text(value)))
    }

    #[test]
    fn names_lose_their_quotes_and_values_keep_them() {
        let ok = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(pair("cont: a,\n  b,c"), ok("cont", "a, b, c"));
        assert_eq!(pair("\"q u\": b, \"c d\" ,e@f (x)"), ok("q u", "b, \"c d\", e@f (x)"));
        assert_eq!(pair("list: :include:/etc/list"), ok("list", ":include:/etc/list"));
        assert_eq!(pair("prog : \"|/usr/bin/prog arg\""), ok("prog", "\"|/usr/bin/prog arg\""));
        assert_eq!(pair("1:2:3"), ok("1", "2:3"));
        assert_eq!(name_and_value(b"k: \xe9", false), Ok((b"k".to_vec(), b"\xe9".to_vec())));
    }

    #[test]
    fn lines_without_name_or_value_are_refused() {
        for line in ["nocolon value", ": value", "empty:", "a,b: c", "\"trail"] {
            assert_eq!(pair(line), Err(LineProblem::NoPair), "{line}");
        }
        assert_eq!(pair("user@domain: x"), Err(LineProblem::NotLocal));
        assert_eq!(name_and_value(b"k: \xe9", true), Err(LineProblem::NotUtf8("k: ?".into())));
    }
}
