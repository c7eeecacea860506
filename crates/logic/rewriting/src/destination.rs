//! The right-hand side of an alias: what may stand there, and how it is read (aliases(5)).

/// One thing an alias leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// An address or a bare name, in internal form; with a `\` in front it is no alias.
    Address(String),
    /// `|command`
    Command(String),
    /// `/file`, a Maildir when it ends in `/`
    File(String),
    /// `:include:/file`
    Include(String),
}

impl Destination {
    /// Reads a list separated by commas or blanks (RFC 5322 §3.4): quotes keep what is within together; comments, the
    /// names of groups, and phrases before an address in angles are left out.
    pub fn parse_list(list: &str) -> Vec<Self> {
        Items { rest: list, phrase: Vec::new(), found: Vec::new() }.read().into_iter().map(Self::of).collect()
    }

    fn of(text: String) -> Self {
        if let Some(file) = text.strip_prefix(":include:") {
            return Self::Include(file.trim().to_owned());
        }
        match text.as_bytes().first() {
            Some(b'|') => Self::Command(text[1..].to_owned()),
            Some(b'/') => Self::File(text),
            _ => Self::Address(text),
        }
    }
}

struct Items<'a> {
    rest: &'a str,
    /// Words since the last comma: addresses, unless one in angles follows.
    phrase: Vec<String>,
    found: Vec<String>,
}

impl Items<'_> {
    fn read(mut self) -> Vec<String> {
        loop {
            let (word, end) = self.word();
            match end {
                Some('<' | ':') => self.phrase.clear(),
                _ => self.phrase.extend(word),
            }
            if !matches!(end, Some(' ')) {
                self.found.append(&mut self.phrase);
            }
            if end.is_none() {
                return self.found;
            }
        }
    }

    /// A word, if there is one, and what ends it; a blank stands for all of them.
    fn word(&mut self) -> (Option<String>, Option<char>) {
        let mut word: Option<String> = None;
        while let Some(character) = self.take() {
            match character {
                ' ' | '\t' | '\r' | '\n' if word.is_some() => return (word, Some(' ')),
                ' ' | '\t' | '\r' | '\n' => {}
                ',' | ';' | '<' | '>' => return (word, Some(character)),
                // Not the first one of `:include:`, nor one in the name of a file.
                ':' if word.as_ref().is_some_and(|word| !word.starts_with([':', '/', '|'])) => {
                    return (word, Some(character));
                }
                '(' => self.skip_comment(),
                '"' => self.take_quoted(word.get_or_insert_default()),
                _ => word.get_or_insert_default().push(character),
            }
        }
        (word, None)
    }

    fn take(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn take_quoted(&mut self, item: &mut String) {
        while let Some(character) = self.take() {
            match character {
                '"' => return,
                '\\' => item.extend(self.take()),
                _ => item.push(character),
            }
        }
    }

    fn skip_comment(&mut self) {
        let mut depth = 1_usize;
        while let Some(character) = self.take() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_begin() {
        let list = r#"joe, "John Doe"@example.com,  \self <ann@x> (a note (nested)), "|/bin/cat -n, x", /var/log/mail, :include:/etc/list"#;
        let address = |text: &str| Destination::Address(text.into());
        let expected = [
            address("joe"),
            address("John Doe@example.com"),
            address("ann@x"),
            Destination::Command("/bin/cat -n, x".into()),
            Destination::File("/var/log/mail".into()),
            Destination::Include("/etc/list".into()),
        ];
        assert_eq!(Destination::parse_list(list), expected);
        assert_eq!(Destination::parse_list(" , ,<>"), []);
        assert_eq!(
            Destination::parse_list("a b, some group: c, \"d e\" f <g@h>; i<j> k"),
            ["a", "b", "c", "g@h", "j", "k"].map(address)
        );
        assert_eq!(Destination::parse_list("\"unclosed"), [address("unclosed")]);
        assert_eq!(Destination::parse_list("(unclosed"), []);
    }
}
