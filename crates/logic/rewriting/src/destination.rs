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
    /// Reads a list separated by commas or blanks; quotes keep what is within together, comments in parentheses
    /// are left out.
    pub fn parse_list(list: &str) -> Vec<Self> {
        Items { rest: list }.map(Self::of).collect()
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
}

impl Iterator for Items<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut item = String::new();
        let mut begun = false;
        while let Some(character) = self.take() {
            match character {
                ',' | ' ' | '\t' | '\r' | '\n' if begun => break,
                ',' | ' ' | '\t' | '\r' | '\n' | '<' | '>' => continue,
                '(' => {
                    self.skip_comment();
                    continue;
                }
                '"' => self.take_quoted(&mut item),
                _ => item.push(character),
            }
            begun = true;
        }
        begun.then_some(item)
    }
}

impl Items<'_> {
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
        let list = r#"joe, "John Doe"@example.com  \self <ann@x> (a note (nested)), "|/bin/cat -n, x", /var/log/mail, :include:/etc/list"#;
        let address = |text: &str| Destination::Address(text.into());
        let expected = [
            address("joe"),
            address("John Doe@example.com"),
            address("\\self"),
            address("ann@x"),
            Destination::Command("/bin/cat -n, x".into()),
            Destination::File("/var/log/mail".into()),
            Destination::Include("/etc/list".into()),
        ];
        assert_eq!(Destination::parse_list(list), expected);
        assert_eq!(Destination::parse_list(" , ,"), []);
        assert_eq!(Destination::parse_list("\"unclosed"), [address("unclosed")]);
        assert_eq!(Destination::parse_list("(unclosed"), []);
    }
}
