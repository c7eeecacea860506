//! Domain specifications with macros in them (RFC 7208 §7.1), as they are read; [`crate::expansion`] fills them in.

/// A name with macros: `%{ir}.list.%{d2}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Specification(pub(crate) String);

impl Specification {
    /// Reads the longest specification that `text` begins with; also what is behind it.
    ///
    /// It ends in a label with a letter in it, or in a macro: so `example.com/24` ends before the slash, which may stand in
    /// a name as well.
    pub(crate) fn read(text: &str) -> Option<(Self, &str)> {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let mut at = 0;
        while let Some(length) = unit(&bytes[at..]) {
            at += length;
            starts.push(at);
        }
        let end = starts.into_iter().rev().find_map(|start| Some(start + ending(&bytes[start..])?))?;
        let (name, rest) = text.split_at(end);
        Some((Self(crate::normal(name)), rest))
    }
}

/// Is all of it a macro string (RFC 7208 §7.1)?
pub(crate) fn is_macro_string(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(length) = unit(rest) {
        rest = &rest[length..];
    }
    rest.is_empty()
}

/// The length of one macro, or of one byte that stands for itself.
fn unit(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'%' => macro_length(text),
        b'!'..=b'~' => Some(1),
        _ => None,
    }
}

fn macro_length(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'%' | b'_' | b'-' => Some(2),
        b'{' if text.get(2)?.is_ascii_alphabetic() => {
            let mut at = 3 + run(&text[3..], |byte| byte.is_ascii_digit());
            at += usize::from(text.get(at) == Some(&b'r'));
            at += run(&text[at..], is_delimiter);
            (text.get(at) == Some(&b'}')).then_some(at + 1)
        }
        _ => None,
    }
}

/// RFC 7208 §7.1: at what parts of a macro's value are split.
pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'+' | b',' | b'/' | b'_' | b'=')
}

fn run(text: &[u8], fits: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| fits(**byte)).count()
}

/// The length of what a specification may end with.
fn ending(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'.') {
        return if text.first() == Some(&b'%') { macro_length(text) } else { None };
    }
    let label = 1 + top_label(&text[1..])?;
    Some(label + usize::from(text.get(label) == Some(&b'.')))
}

/// A label with a letter or with a hyphen inside.
fn top_label(text: &[u8]) -> Option<usize> {
    let first = run(text, |byte| byte.is_ascii_alphanumeric());
    if first > 0 && text.get(first) == Some(&b'-') {
        let span = first + run(&text[first..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let end = text[..span].iter().rposition(|byte| *byte != b'-').map_or(0, |at| at + 1);
        if end > first {
            return Some(end);
        }
    }
    text[..first].iter().any(u8::is_ascii_alphabetic).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, &str)> {
        Specification::read(text).map(|(name, rest)| (name.0, rest))
    }

    #[test]
    fn names_end_where_a_prefix_begins() {
        assert_eq!(read("Example.com/24//64"), Some(("example.com".into(), "/24//64")));
        assert_eq!(read("a/b.example./8"), Some(("a/b.example".into(), "/8")));
        assert_eq!(read("%{ir}.%{v}._spf.%{d2}"), Some(("%{ir}.%{v}._spf.%{d2}".into(), "")));
        assert_eq!(read("x.xn--p1-ai"), Some(("x.xn--p1-ai".into(), "")));
        assert_eq!(read("x.a-"), Some(("x.a".into(), "-")));
        assert_eq!(read("x.1-2"), Some(("x.1-2".into(), "")));
        assert_eq!(read("%{i"), None);
        assert_eq!(read("localhost"), None);
        assert_eq!(read("1.2.3.4"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn macro_strings() {
        assert!(is_macro_string("") && is_macro_string("a%%b%{l1r+-}%_%-"));
        assert!(!is_macro_string("a b") && !is_macro_string("100%") && !is_macro_string("%{1}"));
        assert!(!is_macro_string("\u{fc}"));
    }
}
