//! The file `dovecot-acl`: a line an entry, `user=joe lrw`, as Dovecot reads and writes it.

use crate::list::Granted;
use crate::{Acl, Identifier, Right, Rights};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadAcl {
    /// The first line is 1.
    pub line: usize,
    /// What.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no text.
    #[error("not UTF-8")]
    Encoding,
    /// It begins with a quote that does not end, or has something right behind it.
    #[error("quotes do not fit")]
    Quotes,
    /// It names no mailbox.
    #[error("the name of a mailbox is missing")]
    Mailbox,
    /// It names a mailbox and nobody.
    #[error("nobody is named behind the mailbox")]
    Nobody,
    /// It names nobody who is known.
    #[error(
        "unknown identifier \"{0}\"; known are anyone, authenticated, owner, user=, group=, group-override="
    )]
    Identifier(String),
    /// It names a right that there is not.
    #[error("unknown right \"{0}\"; rights are letters of lrwstipekxa, names follow a colon")]
    Right(char),
}

impl Acl {
    /// Reads a file. Empty lines and those that begin with `#` say nothing; entries for the same are one.
    ///
    /// # Errors
    /// [`BadAcl`]: what is half understood could give more rights than are meant.
    pub fn parse(text: &[u8]) -> Result<Self, BadAcl> {
        let mut acl = Self::default();
        for (place, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let bad = |problem| BadAcl { line: place + 1, problem };
            let line = std::str::from_utf8(line).map_err(|_| bad(Problem::Encoding))?;
            if let Some((identifier, granted)) = parse_line(line).map_err(bad)? {
                acl.add(identifier, granted);
            }
        }
        Ok(acl)
    }

    /// One more line; those for the same are one entry.
    pub(crate) fn add(&mut self, identifier: Identifier, granted: Granted) {
        let entry = self.entries.entry(identifier).or_default();
        entry.rights = entry.rights.and(granted.rights);
        entry.others.extend(granted.others);
    }

    /// The file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (identifier, granted) in &self.entries {
            text.push_str(&quoted(&identifier.to_string()));
            text.push(' ');
            text.extend(granted.rights.letters_by_name());
            if !granted.others.is_empty() {
                let others: Vec<&str> = granted.others.iter().map(String::as_str).collect();
                text.push_str(if granted.rights.is_empty() { ":" } else { " :" });
                text.push_str(&others.join(" "));
            }
            text.push('\n');
        }
        text
    }
}

fn parse_line(line: &str) -> Result<Option<(Identifier, Granted)>, Problem> {
    meaning(line).map(entry).transpose()
}

/// What a line has to say, if anything.
pub(crate) fn meaning(line: &str) -> Option<&str> {
    let line = line.trim_end_matches([' ', '\t', '\r']);
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// `user=joe lrw`
pub(crate) fn entry(line: &str) -> Result<(Identifier, Granted), Problem> {
    let (name, rights) = first_word(line)?;
    let identifier = Identifier::from_file(&name).ok_or(Problem::Identifier(name))?;
    Ok((identifier, granted(rights)?))
}

/// Up to a blank, or in quotes; and what follows.
pub(crate) fn first_word(line: &str) -> Result<(String, &str), Problem> {
    match line.strip_prefix('"') {
        Some(rest) => unquoted(rest),
        None => {
            Ok(line.split_once(' ').map_or((line.to_owned(), ""), |(name, rest)| (name.to_owned(), rest)))
        }
    }
}

/// `lrw`, `lr :custom`, `:lookup read`
fn granted(text: &str) -> Result<Granted, Problem> {
    let (letters, names) = text.split_once(':').unwrap_or((text, ""));
    let rights = letters.trim().chars().map(|letter| Right::of_letter(letter).ok_or(Problem::Right(letter)));
    let mut granted = Granted { rights: rights.collect::<Result<Rights, _>>()?, ..Granted::default() };
    for name in names.split(' ').filter(|name| !name.is_empty()) {
        match Right::of_name(name) {
            Some(right) => granted.rights = granted.rights.with(right),
            None => {
                granted.others.insert(name.to_owned());
            }
        }
    }
    Ok(granted)
}

/// Up to the closing quote, and what follows a blank behind it.
fn unquoted(text: &str) -> Result<(String, &str), Problem> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = &text[at + 1..];
                let follows = rest.is_empty() || rest.starts_with(' ');
                return if follows { Ok((name, rest)) } else { Err(Problem::Quotes) };
            }
            '\\' => name.push(letters.next().ok_or(Problem::Quotes)?.1),
            letter => name.push(letter),
        }
    }
    Err(Problem::Quotes)
}

/// In quotes where there is a blank.
fn quoted(name: &str) -> String {
    if !name.contains(' ') {
        return name.to_owned();
    }
    let escaped: String = name
        .chars()
        .flat_map(|letter| matches!(letter, '"' | '\\').then_some('\\').into_iter().chain([letter]))
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Files that Dovecot wrote.
    #[test]
    fn files_are_written_as_dovecot_writes_them() {
        for text in [
            "",
            "anyone l\nowner alrw :custom\nuser=q lr\nuser=z r :bar foo\n",
            "\"user=a b\" l\nuser=a\"b l\nuser=b l\n-user=z s\n",
            "group=k l\n\"group=k j\" l\nowner akxeipwts\n\"user=a \\\"b\\\\\" l\n\"user=a b\" l\n\"-user=a b\" l\nuser=a\\b l\n",
            "-owner w\nuser=u1 akxeilprwts\n-user=u1 a\nuser=z r\n",
            "owner alr\nuser=z w\n-user=z \n",
            "group= l\ngroup=$g l\n-user= l\nuser=!g l\nuser=\u{e4} l\ngroup-override=g l\n-group-override=g l\n",
        ] {
            assert_eq!(Acl::parse(text.as_bytes()).unwrap().to_text(), text);
        }
    }

    #[test]
    fn files_of_people_are_read() {
        for (text, clean) in [
            ("# why\n\nowner  lr  \r\n", "owner lr\n"),
            ("anonymous lr", "anyone lr\n"),
            ("owner lr:custom", "owner lr :custom\n"),
            ("owner :lookup read", "owner lr\n"),
            ("owner :mine", "owner :mine\n"),
            ("owner", "owner \n"),
            ("\"owner\" lr", "owner lr\n"),
            ("owner lrl\nowner w", "owner lrw\n"),
        ] {
            assert_eq!(Acl::parse(text.as_bytes()).unwrap().to_text(), clean, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, line, problem) in [
            ("owner lrq", 1, Problem::Right('q')),
            ("owner lr w", 1, Problem::Right(' ')),
            ("anyone l\nowner lrwcd", 2, Problem::Right('c')),
            ("  owner lr", 1, Problem::Identifier(String::new())),
            ("owner\tlr", 1, Problem::Identifier("owner\tlr".to_owned())),
            ("- owner lr", 1, Problem::Identifier("-".to_owned())),
            ("user=with space l", 1, Problem::Right('c')),
            ("\"user=abc l", 1, Problem::Quotes),
            ("\"user=a b\"l", 1, Problem::Quotes),
        ] {
            assert_eq!(Acl::parse(text.as_bytes()), Err(BadAcl { line, problem }), "{text}");
        }
        assert!(Acl::parse(b"user=\xe4 l").is_err());
    }

    proptest! {
        #[test]
        fn any_file_is_read_and_what_is_read_stays(text in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(acl) = Acl::parse(&text) {
                prop_assert_eq!(Acl::parse(acl.to_text().as_bytes()), Ok(acl));
            }
        }

        #[test]
        fn words_of_the_format_are_read_and_what_is_read_stays(words in prop::collection::vec(prop::sample::select(vec![
            "owner", "user=", "group=x", "-", "\"", "\\", " ", "lr", ":", "custom", "lookup", "\n", "#", "anyone", "\t", "\r",
        ]), 0..20)) {
            let text = words.concat();
            if let Ok(acl) = Acl::parse(text.as_bytes()) {
                prop_assert_eq!(Acl::parse(acl.to_text().as_bytes()), Ok(acl));
            }
        }
    }
}
