//! The list that holds for the mailboxes of all users: a line an entry, as in a mailbox's own file, with the mailboxes in
//! front that it is about: `Shared/* user=joe lr`, as Dovecot has it.

use crate::file::{entry, first_word, meaning};
use crate::list::Granted;
use crate::{Acl, BadAcl, Identifier, Problem};

/// A file that has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GlobalFile {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// Of names of mailboxes: `*` is any number of bytes, also separators, `?` one.
    pattern: String,
    identifier: Identifier,
    granted: Granted,
}

impl GlobalFile {
    /// Reads a file. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// [`BadAcl`]: what is half understood could give more rights than are meant.
    pub fn parse(text: &[u8]) -> Result<Self, BadAcl> {
        let mut lines = Vec::new();
        for (place, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let bad = |problem| BadAcl { line: place + 1, problem };
            let line = std::str::from_utf8(line).map_err(|_| bad(Problem::Encoding))?;
            lines.extend(meaning(line).map(parse_line).transpose().map_err(bad)?);
        }
        Ok(Self { lines })
    }

    /// What it says of the mailbox of this name, in UTF-8, as clients see it; the empty name is what lies above all. None
    /// where no line is about it.
    pub fn of(&self, mailbox: &str) -> Option<Acl> {
        let mut about =
            self.lines.iter().filter(|line| fits(line.pattern.as_bytes(), mailbox.as_bytes())).peekable();
        about.peek()?;
        let mut acl = Acl::default();
        about.for_each(|line| acl.add(line.identifier.clone(), line.granted.clone()));
        Some(acl)
    }
}

fn parse_line(line: &str) -> Result<Line, Problem> {
    let (pattern, rest) = first_word(line)?;
    if pattern.is_empty() && !line.starts_with('"') {
        return Err(Problem::Mailbox);
    }
    // What follows quotes begins with the blank.
    let rest = if line.starts_with('"') { rest.strip_prefix(' ').unwrap_or_default() } else { rest };
    if rest.is_empty() {
        return Err(Problem::Nobody);
    }
    let (identifier, granted) = entry(rest)?;
    Ok(Line { pattern, identifier, granted })
}

/// Takes each `*` for as little as will do, and for more when what follows does not fit.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, here));
            }
            Some(byte) if *byte == b'?' || *byte == name[here] => {
                at += 1;
                here += 1;
            }
            _ => {
                let Some((behind, taken)) = star else { return false };
                star = Some((behind, taken + 1));
                (at, here) = (behind, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which of these the line is about, as by Dovecot.
    fn about(line: &str) -> Vec<&'static str> {
        let file = GlobalFile::parse(line.as_bytes()).unwrap();
        ["INBOX", "p1", "a b", "p.x", "\u{fc}", ""]
            .into_iter()
            .filter(|name| file.of(name).is_some())
            .collect()
    }

    #[test]
    fn a_line_is_about_the_mailboxes_that_dovecot_takes_it_for() {
        for (pattern, names) in [
            ("p1", &["p1"][..]),
            ("\"p1\"", &["p1"]),
            ("p?", &["p1"]),
            ("p%", &[]),
            ("*", &["INBOX", "p1", "a b", "p.x", "\u{fc}", ""]),
            ("**", &["INBOX", "p1", "a b", "p.x", "\u{fc}", ""]),
            ("\"a b\"", &["a b"]),
            ("a*", &["a b"]),
            ("p*", &["p1", "p.x"]),
            ("*x", &["p.x"]),
            ("*p*1*", &["p1"]),
            ("P1", &[]),
            ("inbox", &[]),
            ("INBOX", &["INBOX"]),
            ("\"p\\1\"", &["p1"]),
            ("\u{fc}", &["\u{fc}"]),
            ("[p]1", &[]),
            ("\"\"", &[""]),
        ] {
            assert_eq!(about(&format!("{pattern} owner lr")), names, "{pattern}");
        }
        assert_eq!(about("# p1 owner lr\n\n"), [""; 0]);
    }

    #[test]
    fn lines_about_a_mailbox_are_one_list() {
        let file =
            GlobalFile::parse(b"a owner l\n* owner r\na \"user=b c\" :lookup\n-a owner x\na -owner t\n");
        let list = file.unwrap().of("a").unwrap();
        assert_eq!(list.to_text(), "owner lr\n-owner t\n\"user=b c\" l\n");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, line, problem) in [
            ("a\\ b owner l", 1, Problem::Identifier("b".into())),
            ("p1  owner l", 1, Problem::Identifier(String::new())),
            ("p1\towner l", 1, Problem::Identifier("l".into())),
            (" p1 owner l", 1, Problem::Mailbox),
            ("a owner l\np1", 2, Problem::Nobody),
            ("\"p1\"", 1, Problem::Nobody),
            ("p1 bogus l", 1, Problem::Identifier("bogus".into())),
            ("p1 owner lQ", 1, Problem::Right('Q')),
            ("\"p1 owner l", 1, Problem::Quotes),
        ] {
            assert_eq!(GlobalFile::parse(text.as_bytes()), Err(BadAcl { line, problem }), "{text}");
        }
        assert!(GlobalFile::parse(b"p1 owner").is_ok());
    }

    proptest! {
        #[test]
        fn any_file_is_read_and_asked(text in prop::collection::vec(any::<u8>(), 0..200), name in ".{0,20}") {
            if let Ok(file) = GlobalFile::parse(&text) {
                file.of(&name);
            }
        }

        /// Held against the rule in so many words.
        #[test]
        fn patterns_fit_what_they_say(pattern in "[ab?*]{0,8}", name in "[ab.]{0,8}") {
            fn plainly(pattern: &[u8], name: &[u8]) -> bool {
                match (pattern.split_first(), name.split_first()) {
                    (None, found) => found.is_none(),
                    (Some((b'*', rest)), found) => {
                        plainly(rest, name) || found.is_some_and(|(_, others)| plainly(pattern, others))
                    }
                    (Some((byte, rest)), Some((found, others))) => {
                        (*byte == b'?' || byte == found) && plainly(rest, others)
                    }
                    (Some(_), None) => false,
                }
            }
            prop_assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), plainly(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
