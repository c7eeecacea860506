//! Lists of tags: `v=1; a=rsa-sha256; b=...` (RFC 6376 §3.2).

/// Tags with their values, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    tags: Vec<Tag>,
    /// Pieces between semicolons, with those that hold nothing.
    pieces: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    name: String,
    value: String,
    /// Where in the text its value begins, blanks and all, and where the next tag does.
    value_start: usize,
    end: usize,
}

impl Tags {
    /// Reads a list; `None` when a piece of it has no `=`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut list = Self::default();
        let mut start = 0;
        for piece in text.split(';') {
            list.pieces += 1;
            if !piece.trim_matches(is_blank).is_empty() {
                let equals = piece.find('=')?;
                list.tags.push(Tag {
                    name: piece[..equals].trim_matches(is_blank).to_owned(),
                    value: piece[equals + 1..].trim_matches(is_blank).to_owned(),
                    value_start: start + equals + 1,
                    end: start + piece.len(),
                });
            }
            start += piece.len() + 1;
        }
        Some(list)
    }

    /// The value of a tag; the last one counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.last(name).map(|tag| tag.value.as_str())
    }

    /// The value without blanks in it.
    pub(crate) fn packed(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.split(is_blank).collect())
    }

    /// Is there a name twice, or a piece without a tag before the end?
    pub(crate) fn is_odd(&self, text: &str) -> bool {
        let mut names: Vec<&str> = self.tags.iter().map(|tag| tag.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let last_is_empty =
            text.rsplit(';').next().is_some_and(|piece| piece.trim_matches(is_blank).is_empty());
        names.len() != self.pieces - usize::from(last_is_empty && self.pieces > 1)
    }

    /// The names of all tags.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(|tag| tag.name.as_str())
    }

    /// The text that was read, without the value of a tag (RFC 6376 §3.7).
    pub(crate) fn without_value(&self, name: &str, text: &[u8]) -> Vec<u8> {
        match self.last(name) {
            Some(tag) => [&text[..tag.value_start], &text[tag.end..]].concat(),
            None => text.to_vec(),
        }
    }

    fn last(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().rev().find(|tag| tag.name == name)
    }
}

/// Blanks and line ends.
pub(crate) fn is_blank(char: char) -> bool {
    char.is_ascii_whitespace() || char == '\x0b'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_read() {
        let text = " v = 1;a=x; b = ab\r\n\tcd ;; h=from : to;a=y;";
        let tags = Tags::parse(text).unwrap();
        assert_eq!((tags.get("v"), tags.get("a"), tags.get("c")), (Some("1"), Some("y"), None));
        assert_eq!(tags.packed("b").unwrap(), "abcd");
        assert_eq!(tags.without_value("b", text.as_bytes()), b" v = 1;a=x; b =;; h=from : to;a=y;");
        assert!(tags.is_odd(text) && !Tags::parse("a=1; b=2; ").unwrap().is_odd("a=1; b=2; "));
        assert!(Tags::parse("a=1; b").is_none() && Tags::parse("").is_some());
    }

    proptest! {
        #[test]
        fn any_text(text in "[a-z=; \t\r\n\u{fc}]{0,60}") {
            if let Some(tags) = Tags::parse(&text) {
                let _ = tags.is_odd(&text);
                for name in tags.names() {
                    let without = tags.without_value(name, text.as_bytes());
                    let again = Tags::parse(std::str::from_utf8(&without).unwrap()).unwrap();
                    prop_assert_eq!(again.get(name), Some(""));
                }
            }
        }
    }
}
