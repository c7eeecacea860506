//! The text of `subscriptions`: the folders a user wants to see.
//!
//! Version 2 begins with `V\t2\n\n`; a line holds the levels of a name, parted by TAB and escaped. Version 1 has a name a
//! line with the separator of the storage, and stays version 1.

use super::names::FolderName;

const SECOND_VERSION: &str = "V\t2\n\n";

/// A file of subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscriptions {
    /// The separator in a file of version 1; none for version 2.
    separator: Option<char>,
    /// What names a folder, in the order of the file, and the lines that do not.
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Name(FolderName),
    /// Kept as it is.
    Other(String),
}

impl Subscriptions {
    /// For a user who has no file yet.
    pub(crate) fn empty() -> Self {
        Self { separator: None, lines: Vec::new() }
    }

    /// Reads a file; `separator` parts levels in one of version 1.
    pub(crate) fn parse(text: &str, separator: char) -> Self {
        match text.strip_prefix(SECOND_VERSION) {
            Some(lines) => {
                let name = |line: &str| FolderName::from_levels(line.split('\t').map(unescape).collect());
                Self { separator: None, lines: parse_lines(lines, name) }
            }
            None => {
                let name = |line: &str| FolderName::parse(line, separator);
                Self { separator: Some(separator), lines: parse_lines(text, name) }
            }
        }
    }

    /// The file.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from(if self.separator.is_none() { SECOND_VERSION } else { "" });
        for line in &self.lines {
            match (line, self.separator) {
                (Line::Name(name), Some(separator)) => text.push_str(&name.to_text(separator)),
                (Line::Name(name), None) => {
                    let levels: Vec<String> = name.levels().iter().map(|level| escape(level)).collect();
                    text.push_str(&levels.join("\t"));
                }
                (Line::Other(other), _) => text.push_str(other),
            }
            text.push('\n');
        }
        text
    }

    /// In the order of the file.
    pub(crate) fn names(&self) -> impl Iterator<Item = &FolderName> {
        self.lines.iter().filter_map(|line| match line {
            Line::Name(name) => Some(name),
            Line::Other(_) => None,
        })
    }

    /// Adds or takes away a name; false when nothing changes by it.
    pub(crate) fn set(&mut self, name: &FolderName, subscribed: bool) -> bool {
        let present = self.names().any(|known| known == name);
        match (present, subscribed) {
            (false, true) => self.lines.push(Line::Name(name.clone())),
            (true, false) => self.lines.retain(|line| *line != Line::Name(name.clone())),
            _ => return false,
        }
        true
    }
}

fn parse_lines<E>(text: &str, name: impl Fn(&str) -> Result<FolderName, E>) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line = name(line).map_or_else(|_| Line::Other(line.to_owned()), Line::Name);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// `\001` leads an escaped byte: `1` itself, `t` TAB, `n` LF, `r` CR, `0` NUL.
fn unescape(level: &str) -> String {
    let mut out = String::with_capacity(level.len());
    let mut characters = level.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\u{1}' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('0') => '\0',
                Some('1') | None => '\u{1}',
                Some(other) => other,
            },
            other => other,
        });
    }
    out
}

/// Names hold no control characters, so nothing else needs it.
fn escape(level: &str) -> String {
    level.replace('\u{1}', "\u{1}1").replace('\t', "\u{1}t")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> FolderName {
        FolderName::parse(text, '/').unwrap()
    }

    #[test]
    fn the_second_version_is_edited() {
        let mut file = Subscriptions::parse("V\t2\n\nSub\tdeep\ninbox\na\tb\u{1}tc\n", '.');
        assert_eq!(file.names().cloned().collect::<Vec<_>>(), [name("Sub/deep"), FolderName::inbox()]);
        assert!(file.set(&name("x/y"), true) && !file.set(&name("x/y"), true));
        assert!(file.set(&FolderName::inbox(), false));
        assert_eq!(file.to_text(), "V\t2\n\nSub\tdeep\na\tb\u{1}tc\nx\ty\n");
    }

    #[test]
    fn the_first_version_stays_the_first() {
        let mut file = Subscriptions::parse("Sub.deep\nTrash\n", '.');
        file.set(&name("x/y"), true);
        file.set(&name("Trash"), false);
        assert_eq!(file.to_text(), "Sub.deep\nx.y\n");
        assert_eq!(Subscriptions::empty().to_text(), "V\t2\n\n");
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(names in prop::collection::vec("[a-z&-]{1,4}(/[a-z]{1,3}){0,2}", 0..10), first in any::<bool>()) {
            let mut file = if first { Subscriptions::parse("", '.') } else { Subscriptions::empty() };
            for text in &names {
                file.set(&name(text), true);
            }
            prop_assert_eq!(Subscriptions::parse(&file.to_text(), '.'), file);
        }

        #[test]
        fn lines_that_name_nothing_are_kept(text in "([a.\t\u{1}t/]{1,6}\n){0,8}") {
            let file = Subscriptions::parse(&format!("V\t2\n\n{text}"), '.');
            prop_assert_eq!(Subscriptions::parse(&file.to_text(), '.'), file);
        }
    }
}
