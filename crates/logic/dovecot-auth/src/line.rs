//! The words on a line.

/// A line, word by word: first the command, then numbers and `name=value` or `flag`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(Vec<String>);

impl Words {
    /// A line that begins with `command`.
    pub fn new(command: &str) -> Self {
        Self(vec![command.to_owned()])
    }

    /// One more word.
    #[must_use]
    pub fn with(mut self, word: impl ToString) -> Self {
        self.0.push(word.to_string());
        self
    }

    /// One more `name=value`.
    #[must_use]
    pub fn with_pair(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.with(format!("{name}={value}"))
    }

    /// One more word, if `there`.
    #[must_use]
    pub fn with_flag(self, name: &str, there: bool) -> Self {
        if there { self.with(name) } else { self }
    }

    /// One more `name=value`, if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with_pair(name, value),
            None => self,
        }
    }

    /// Takes a line apart.
    pub fn parse(line: &str) -> Self {
        Self(line.split('\t').map(unescape).collect())
    }

    /// The first word.
    pub fn command(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The word at `place`; 0 is the command.
    pub fn word(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(String::as_str)
    }

    /// The number at `place`.
    pub fn number(&self, place: usize) -> Option<u32> {
        let word = self.word(place)?;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.parse().ok()).flatten()
    }

    /// The value of the last `name=value`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().rev().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.next()
    }

    /// Is the word there by itself?
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().skip(1).any(|word| word == name)
    }

    /// The bytes of the line, with its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words: Vec<_> = self.0.iter().map(|word| escape(word)).collect();
        let mut line = words.join("\t").into_bytes();
        line.push(b'\n');
        line
    }
}

/// `\001` stands before what a line can not hold.
fn escape(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for character in word.chars() {
        match character {
            '\u{1}' => escaped.push_str("\u{1}1"),
            '\0' => escaped.push_str("\u{1}0"),
            '\t' => escaped.push_str("\u{1}t"),
            '\r' => escaped.push_str("\u{1}r"),
            '\n' => escaped.push_str("\u{1}n"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn unescape(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\u{1}') {
            (other, false) => plain.push(other),
            (_, true) => match characters.next() {
                Some('0') => plain.push('\0'),
                Some('1') => plain.push('\u{1}'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_place_and_by_name() {
        let words = Words::parse("AUTH\t12\tPLAIN\tservice=smtp\tsecured\trip=::1");
        assert_eq!((words.command(), words.number(1), words.word(2)), ("AUTH", Some(12), Some("PLAIN")));
        assert_eq!((words.value("rip"), words.value("ri"), words.value("lip")), (Some("::1"), None, None));
        assert!(words.has("secured") && !words.has("AUTH"));
        assert_eq!(Words::parse("X\t+1").number(1), None);
    }

    proptest::proptest! {
        #[test]
        fn any_words_cross_unchanged(words: Vec<String>) {
            let line = words.iter().fold(Words::new("X"), Words::with);
            let bytes = line.to_bytes();
            let text = std::str::from_utf8(&bytes).unwrap().strip_suffix('\n').unwrap();
            proptest::prop_assert!(!text.contains('\n'));
            proptest::prop_assert_eq!(Words::parse(text), line);
        }
    }
}
