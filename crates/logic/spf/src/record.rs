//! A record: `v=spf1 mx include:example.org -all` (RFC 7208 §4.5, §4.6).

use crate::specification::{Specification, is_macro_string};
use crate::terms::{Qualifier, Term, mechanism, required};

/// Why a record does not read. One term that does not spoils all of it (RFC 7208 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The text says what it is.
pub enum Unreadable {
    #[error("`{0}` is no mechanism")]
    Mechanism(String),
    #[error("`{0}` is too much")]
    Junk(String),
    #[error("`{0}` begins with no domain")]
    Domain(String),
    #[error("`{0}` is no address")]
    Address(String),
    #[error("`{0}` is no length of a network's prefix")]
    PrefixLength(String),
    #[error("`{0}` is no value of a modifier")]
    Modifier(String),
    #[error("the modifier {0} stands twice")]
    Twice(&'static str),
}

/// A record that reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    pub(crate) terms: Vec<Term>,
    pub(crate) redirect: Option<Specification>,
    pub(crate) explanation: Option<Specification>,
}

impl Record {
    /// Is the text a record at all? Others are about other things.
    pub fn is_one(text: &str) -> bool {
        let begin = text.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("v=spf1"));
        begin && (text.len() == 6 || text.as_bytes()[6] == b' ')
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The first term that does not read.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut record = Self::default();
        let terms = text.split(' ').skip(1).filter(|term| !term.is_empty());
        terms.into_iter().try_for_each(|term| record.add(term))?;
        Ok(record)
    }

    fn add(&mut self, text: &str) -> Result<(), Unreadable> {
        let (qualifier, bare) = qualifier(text);
        let name_end = bare.find(|char| !is_name_char(char)).unwrap_or(bare.len());
        let (name, rest) = bare.split_at(name_end);
        if !name.starts_with(|char: char| char.is_ascii_alphabetic()) {
            return Err(Unreadable::Junk(text.to_owned()));
        }
        match rest.bytes().next() {
            None | Some(b':' | b'/') => {
                let qualifier = qualifier.unwrap_or(Qualifier::Pass);
                self.terms.push(Term { qualifier, mechanism: mechanism(name, rest)? });
                Ok(())
            }
            Some(b'=') if qualifier.is_none() => self.modify(name, &rest[1..]),
            _ => Err(Unreadable::Junk(text.to_owned())),
        }
    }

    fn modify(&mut self, name: &str, value: &str) -> Result<(), Unreadable> {
        let (place, name) = match name.to_ascii_lowercase().as_str() {
            "redirect" => (&mut self.redirect, "redirect"),
            "exp" => (&mut self.explanation, "exp"),
            // RFC 7208 §6: others mean nothing, but they have to read.
            _ if is_macro_string(value) => return Ok(()),
            _ => return Err(Unreadable::Modifier(value.to_owned())),
        };
        let (domain, rest) = required(value)?;
        if !rest.is_empty() {
            return Err(Unreadable::Modifier(value.to_owned()));
        }
        if place.replace(domain).is_some() { Err(Unreadable::Twice(name)) } else { Ok(()) }
    }
}

fn qualifier(text: &str) -> (Option<Qualifier>, &str) {
    let qualifier = match text.bytes().next() {
        Some(b'+') => Qualifier::Pass,
        Some(b'-') => Qualifier::Fail,
        Some(b'~') => Qualifier::SoftFail,
        Some(b'?') => Qualifier::Neutral,
        _ => return (None, text),
    };
    (Some(qualifier), &text[1..])
}

/// RFC 7208 §4.6.1: of names of terms.
fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_texts_of_this_version_are_records() {
        assert!(Record::is_one("v=spf1") && Record::is_one("V=SPF1 -all"));
        assert!(!Record::is_one("v=spf10") && !Record::is_one("spf2.0/pra") && !Record::is_one(" v=spf1"));
        assert!(!Record::is_one("") && !Record::is_one("v=spf1\t-all"));
    }

    #[test]
    fn records_read() {
        let record = Record::parse("v=spf1  mx ~a:x.example  x=%{d} redirect=%{d}.example -ALL ").unwrap();
        assert_eq!(record.terms.len(), 3);
        assert_eq!(record.terms[2].qualifier, Qualifier::Fail);
        assert_eq!(record.redirect, Some(Specification("%{d}.example".into())));
    }

    #[test]
    fn records_that_do_not_read() {
        for bad in ["foo", "-redirect=x.example", "redirect=localhost", "exp=", "x=a%b", "-", "a\tb", "1=x"] {
            assert!(Record::parse(&format!("v=spf1 {bad} -all")).is_err(), "{bad}");
        }
        let twice = Record::parse("v=spf1 exp=a.example exp=b.example");
        assert_eq!(twice, Err(Unreadable::Twice("exp")));
    }

    proptest! {
        #[test]
        fn any_text_reads_or_not(text in "v=spf1( ([-+~?]?(a|mx|ptr|ip4|ip6|all|exists|include|exp|redirect)[:=/]?[%{}a-z0-9./:]{0,12}|\\PC{0,8})){0,5}") {
            prop_assert!(Record::is_one(&text));
            let _ = Record::parse(&text);
        }
    }
}
