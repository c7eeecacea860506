//! Long lines of a report, cut at blanks so that mail programs of every age show them whole.

/// No line gets longer than this many bytes, unless one word is.
const LINE_LIMIT_BYTES: usize = 79;
/// What every line but the first begins with.
const INDENT: &str = "    ";

/// `text` in lines, each with its line end.
pub(crate) fn wrap(text: &str) -> String {
    wrap_at(LINE_LIMIT_BYTES, text)
}

/// As [`wrap`], with another limit.
pub(crate) fn wrap_at(limit_bytes: usize, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    let mut room = limit_bytes;
    loop {
        let end = line_length(rest, room);
        out += &rest[..end];
        out.push('\n');
        rest = rest[end..].trim_start_matches(BLANK);
        if rest.is_empty() {
            return out;
        }
        out += INDENT;
        room = limit_bytes - INDENT.len();
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// How much of `text` fits: whole words, at least one.
fn line_length(text: &str, room: usize) -> usize {
    let mut fits = 0;
    let mut at = 0;
    while at < text.len() {
        let word = at + text[at..].len() - text[at..].trim_start_matches(BLANK).len();
        let end = text[word..].find(BLANK).map_or(text.len(), |length| word + length);
        if fits > 0 && end > room {
            break;
        }
        if word < end {
            fits = end;
        }
        at = end;
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::wrap;
    use proptest::prelude::*;

    /// As Postfix 3.7 wrote them.
    #[test]
    fn lines_break_where_postfix_breaks_them() {
        let letters = "a b c d e f g h i j k l m n o p q r s t u v w x y z ";
        let text = format!("<x@a.example>: {letters}A B C D E F G H I J K L {letters}X");
        assert_eq!(
            wrap(&text),
            "<x@a.example>: a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F\n    \
             G H I J K L a b c d e f g h i j k l m n o p q r s t u v w x y z X\n"
        );
        let (z, v) = ("z".repeat(100), "v".repeat(75));
        assert_eq!(
            wrap(&format!("<x@c.example>: y {z} www  two   spaces and {v} end")),
            format!("<x@c.example>: y\n    {z}\n    www  two   spaces and\n    {v}\n    end\n")
        );
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_is_long(words in prop::collection::vec("[a-zü]{1,90}", 1..40)) {
            let out = wrap(&words.join(" "));
            prop_assert_eq!(out.split_whitespace().collect::<Vec<_>>(), words);
            for line in out.lines() {
                prop_assert!(line.len() <= 79 || !line.trim_start().contains(' '), "{}", line);
            }
        }
    }
}
