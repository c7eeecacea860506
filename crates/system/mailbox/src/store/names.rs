//! Names of folders.

use std::fmt;

use super::mutf7;

/// The name of a folder: its levels, from the outside inwards, each in modified UTF-7 (RFC 3501 §5.1.3), as it is on
/// disk and on the wire of IMAP4rev1. So a name that somebody else wrote badly still names its folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderName {
    levels: Vec<String>,
}

/// Why a text names no folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" can not be the name of a folder: {problem}")]
pub struct BadName {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Longest name in bytes, all levels together; a directory's name can have 255.
pub(super) const NAME_LIMIT_BYTES: usize = 240;
/// Most levels.
pub(super) const LEVELS_LIMIT: usize = 20;

impl FolderName {
    /// INBOX.
    pub fn inbox() -> Self {
        Self { levels: vec!["INBOX".into()] }
    }

    /// A name as IMAP4rev1 has it: modified UTF-7, the levels parted by `separator`. INBOX in any case is INBOX.
    ///
    /// # Errors
    /// [`BadName`]: an empty level, one that is `.` or `..`, a control character, a `/` in a level, too long. Bad
    /// modified UTF-7 is no error: such a folder may exist. For CREATE and RENAME ask [`FolderName::is_well_formed`].
    pub fn parse(name: &str, separator: char) -> Result<Self, BadName> {
        let levels: Vec<String> = name.split(separator).map(str::to_owned).collect();
        match Self::problem(&levels) {
            Some(problem) => Err(BadName { name: name.to_owned(), problem }),
            None => Ok(Self { levels }.with_inbox_upper()),
        }
    }

    /// A name in UTF-8 (IMAP4rev2, UTF8=ACCEPT).
    ///
    /// # Errors
    /// As [`FolderName::parse`].
    pub fn from_utf8(name: &str, separator: char) -> Result<Self, BadName> {
        let levels: Vec<String> = name.split(separator).map(mutf7::encode).collect();
        match Self::problem(&levels) {
            Some(problem) => Err(BadName { name: name.to_owned(), problem }),
            None => Ok(Self { levels }.with_inbox_upper()),
        }
    }

    /// From levels that are in modified UTF-7.
    ///
    /// # Errors
    /// As [`FolderName::parse`].
    pub fn from_levels(levels: Vec<String>) -> Result<Self, BadName> {
        match Self::problem(&levels) {
            Some(problem) => Err(BadName { name: levels.join("/"), problem }),
            None => Ok(Self { levels }.with_inbox_upper()),
        }
    }

    /// Is it INBOX itself?
    pub fn is_inbox(&self) -> bool {
        matches!(self.levels.as_slice(), [only] if only == "INBOX")
    }

    /// Is every level good modified UTF-7 in its one canonical form? A new folder's name should be.
    pub fn is_well_formed(&self) -> bool {
        self.levels.iter().all(|level| mutf7::decode(level).is_some())
    }

    /// The levels in modified UTF-7.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// In modified UTF-7, the levels parted by `separator`.
    pub fn to_text(&self, separator: char) -> String {
        self.levels.join(separator.encode_utf8(&mut [0; 4]))
    }

    /// In UTF-8, the levels parted by `separator`; a level that is not modified UTF-7 as it is.
    pub fn to_utf8(&self, separator: char) -> String {
        let levels: Vec<String> =
            self.levels.iter().map(|level| mutf7::decode(level).unwrap_or_else(|| level.clone())).collect();
        levels.join(separator.encode_utf8(&mut [0; 4]))
    }

    /// The folder that this one lies in; none for one at the top.
    pub fn parent(&self) -> Option<Self> {
        match self.levels.split_last() {
            Some((_, above)) if !above.is_empty() => Some(Self { levels: above.to_vec() }),
            _ => None,
        }
    }

    /// Does `self` lie below `above`, at any depth?
    pub fn is_below(&self, above: &Self) -> bool {
        self.levels.len() > above.levels.len() && self.levels.starts_with(&above.levels)
    }

    /// The name of `self`, which is `from` or lies below it, after `from` became `to`.
    pub fn moved(&self, from: &Self, to: &Self) -> Self {
        let rest = self.levels.get(from.levels.len()..).unwrap_or_default();
        Self { levels: [to.levels.as_slice(), rest].concat() }
    }

    fn with_inbox_upper(mut self) -> Self {
        if let [only] = self.levels.as_mut_slice()
            && only.eq_ignore_ascii_case("INBOX")
        {
            "INBOX".clone_into(only);
        }
        self
    }

    fn problem(levels: &[String]) -> Option<&'static str> {
        let total: usize = levels.iter().map(|level| level.len() + 1).sum();
        if total > NAME_LIMIT_BYTES + 1 {
            return Some("it is too long");
        }
        if levels.len() > LEVELS_LIMIT {
            return Some("it has too many levels");
        }
        levels.iter().find_map(|level| match level.as_str() {
            "" => Some("a level is empty"),
            "." | ".." => Some("a level is . or .."),
            other if other.contains('/') => Some("a level contains /"),
            other if other.chars().any(char::is_control) => Some("it contains a control character"),
            _ => None,
        })
    }
}

/// With `/` between levels, as UTF-8.
impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utf8('/'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inbox_is_one_folder_in_any_case_and_only_at_the_top() {
        assert!(FolderName::parse("inBox", '.').unwrap().is_inbox());
        let below = FolderName::parse("a.inbox", '.').unwrap();
        assert_eq!(below.to_text('/'), "a/inbox");
        assert_eq!(FolderName::parse("Inbox.a", '.').unwrap().levels(), ["Inbox", "a"]);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", ".", "a..b", "a.", ".a", "a\nb", "a/b"] {
            assert!(FolderName::parse(name, '.').is_err(), "{name:?}");
        }
        for name in ["..", "a/../b", "a/./b", "/", "a\0b"] {
            assert!(FolderName::parse(name, '/').is_err(), "{name:?}");
        }
        assert!(FolderName::parse(&"x".repeat(241), '/').is_err());
        assert!(FolderName::parse(&["x"; 21].join("/"), '/').is_err());
    }

    #[test]
    fn a_name_follows_its_parent() {
        let name = |text| FolderName::parse(text, '/').unwrap();
        assert!(name("a/b/c").is_below(&name("a")) && !name("ab").is_below(&name("a")));
        assert_eq!(name("a/b/c").moved(&name("a/b"), &name("x")), name("x/c"));
        assert_eq!(name("a/b").parent(), Some(name("a")));
    }

    proptest! {
        #[test]
        fn a_name_in_utf8_comes_back(levels in prop::collection::vec("[a-z&äß漢😀 ~-]{1,8}", 1..4)) {
            let text = levels.join("/");
            if let Ok(name) = FolderName::from_utf8(&text, '/') {
                prop_assert!(name.is_well_formed());
                prop_assert_eq!(name.to_utf8('/').to_lowercase(), text.to_lowercase());
                prop_assert_eq!(FolderName::parse(&name.to_text('/'), '/').unwrap(), name);
            }
        }
    }
}
