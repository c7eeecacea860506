//! The words of a command line.

/// One word as the client wrote it, quotes and brackets included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The text.
    pub(crate) text: String,
    /// A quote or bracket in it is never closed.
    pub(crate) broken: bool,
}

/// How many brackets and quotes may stand within one another.
const NESTING_LIMIT: usize = 10;

/// Splits `line` at blanks, save those between quotes or brackets. The second word ends behind `FROM:` and
/// `TO:`, for the address may follow without a blank (RFC 5321 §4.1.2).
pub(crate) fn split(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_matches(is_blank);
    while !rest.is_empty() {
        let (length, broken) = token_length(rest, tokens.len() == 1);
        tokens.push(Token { text: rest[..length].to_owned(), broken });
        rest = rest[length..].trim_start_matches(is_blank);
    }
    tokens
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn token_length(text: &str, second: bool) -> (usize, bool) {
    if second {
        for label in ["from:", "to:"] {
            if text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)) {
                return (label.len(), false);
            }
        }
    }
    let bytes = text.as_bytes();
    let (mut at, mut broken) = (0, false);
    while at < bytes.len() && !is_blank(char::from(bytes[at])) {
        let end = match bytes[at] {
            b'<' => closing(bytes, at, b'>', 0),
            b'[' => closing(bytes, at, b']', 0),
            b'"' => closing(bytes, at, b'"', 0),
            b'\\' => Some((at + 2).min(bytes.len())),
            _ => Some(at + 1),
        };
        broken |= end.is_none();
        at = end.unwrap_or(bytes.len());
    }
    (next_boundary(text, at), broken)
}

/// Where the text that opens at `start` ends, behind its closing byte.
fn closing(bytes: &[u8], start: usize, last: u8, depth: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            byte if *byte == last => return Some(at + 1),
            b'\\' => at + 2,
            b'"' if depth < NESTING_LIMIT => closing(bytes, at, b'"', depth + 1)?,
            b'<' if last == b'>' && depth < NESTING_LIMIT => closing(bytes, at, b'>', depth + 1)?,
            _ => at + 1,
        };
    }
    None
}

fn next_boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn blanks_part_words_but_not_within_quotes_and_brackets() {
        assert_eq!(words("MAIL FROM:<a b> SIZE=1"), ["MAIL", "FROM:", "<a b>", "SIZE=1"]);
        assert_eq!(words(" NOOP\t"), ["NOOP"]);
        assert_eq!(words("MAIL FROM:\"a b\"@c x"), ["MAIL", "FROM:", "\"a b\"@c", "x"]);
        assert_eq!(words("MAIL FROM : <a>"), ["MAIL", "FROM", ":", "<a>"]);
        assert_eq!(words("RCPT to:Foo <a@b>"), ["RCPT", "to:", "Foo", "<a@b>"]);
        assert_eq!(words("MAIL FROM:a\\ b@c"), ["MAIL", "FROM:", "a\\ b@c"]);
        assert_eq!(words("  "), Vec::<String>::new());
    }

    #[test]
    fn what_is_never_closed_is_broken() {
        for (line, broken) in [("<a", true), ("\"a", true), ("<<a>", true), ("<<a>>", false), ("<\"a>", true)]
        {
            assert_eq!(split(line)[0].broken, broken, "{line}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_letters_stay_whole() {
        assert!(split(&"<".repeat(100_000))[0].broken);
        assert_eq!(words("\\é x"), ["\\é", "x"]);
    }
}
