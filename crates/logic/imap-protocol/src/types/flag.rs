//! Flags of messages (RFC 3501 §2.3.2).

use std::fmt;

/// Bytes of a keyword; longer ones are refused, as Dovecot does.
const KEYWORD_LIMIT_BYTES: usize = 128;

/// A flag that a client can set. `\Recent` is none: only the server gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Seen`
    Seen,
    /// `\Draft`
    Draft,
    /// A word of the clients' own.
    Keyword(Keyword),
}

/// A keyword: an atom. Its case is kept and means nothing.
#[derive(Debug, Clone, PartialOrd, Ord)]
pub struct Keyword(String);

impl Keyword {
    /// `None` where the text is no atom (RFC 3501 §9 `flag-keyword`).
    pub fn new(text: &[u8]) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= KEYWORD_LIMIT_BYTES && text.iter().copied().all(is_atom);
        fits.then(|| Self(text.iter().copied().map(char::from).collect()))
    }

    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

/// ATOM-CHAR of RFC 3501 §9.
fn is_atom(byte: u8) -> bool {
    is_astring(byte) && byte != b']'
}

/// ASTRING-CHAR of RFC 3501 §9: ATOM-CHAR and `]`.
pub(crate) fn is_astring(byte: u8) -> bool {
    (33..=126).contains(&byte) && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
}

impl Flag {
    /// The system flags in the order in which servers list them.
    pub const SYSTEM: [Self; 5] = [Self::Answered, Self::Flagged, Self::Deleted, Self::Seen, Self::Draft];

    /// A flag as a client writes it; `None` for `\Recent`, unknown system flags and what is no atom.
    pub fn new(text: &[u8]) -> Option<Self> {
        if text.first() != Some(&b'\\') {
            return Keyword::new(text).map(Self::Keyword);
        }
        Self::SYSTEM.into_iter().find(|flag| flag.as_str().as_bytes().eq_ignore_ascii_case(text))
    }

    /// As it stands in responses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Seen => "\\Seen",
            Self::Draft => "\\Draft",
            Self::Keyword(keyword) => keyword.as_str(),
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Flags without order, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags(Vec<Flag>);

impl Flags {
    /// Adds a flag that is not there yet.
    pub fn insert(&mut self, flag: Flag) {
        if !self.0.contains(&flag) {
            self.0.push(flag);
        }
    }

    /// Is it there?
    pub fn contains(&self, flag: &Flag) -> bool {
        self.0.contains(flag)
    }

    /// In the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Flag> {
        self.0.iter()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut all = Self::default();
        flags.into_iter().for_each(|flag| all.insert(flag));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_flags_are_a_closed_set() {
        assert_eq!(Flag::new(b"\\seen"), Some(Flag::Seen));
        assert_eq!(Flag::new(b"\\Recent"), None);
        assert_eq!(Flag::new(b"\\Foo"), None);
    }

    #[test]
    fn keywords_are_atoms_and_their_case_means_nothing() {
        assert_eq!(Flag::new(b"$Label1"), Flag::new(b"$label1"));
        for bad in [b"".as_slice(), b"a b", b"a(", b"\xe9", b"a\"b", b"a]"] {
            assert_eq!(Flag::new(bad), None, "{bad:?}");
        }
        assert_eq!(Flag::new(&[b'x'; 200]), None);
    }

    #[test]
    fn a_flag_is_there_once() {
        let flags: Flags = [Flag::Seen, Flag::Seen, Flag::Draft].into_iter().collect();
        assert_eq!(flags.iter().count(), 2);
    }
}
