//! What LIST asks for and tells (RFC 3501 §6.3.8, RFC 5258, RFC 6154).

use crate::types::StatusItem;

/// A name with wildcards, in text: `*` is anything, `%` anything but the separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does the name fit? Time is bounded by the product of both lengths.
    pub fn matches(&self, name: &str, separator: char) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        // INBOX in any case names INBOX (RFC 3501 §5.1), also where a name below it follows.
        let is_inbox = name.split(separator).next() == Some("INBOX");
        let same = |place: usize, wanted: char, letter: char| {
            wanted == letter || (is_inbox && place < 5 && wanted.eq_ignore_ascii_case(&letter))
        };
        let mut reached = vec![false; pattern.len() + 1];
        reached[0] = true;
        skip_wildcards(&pattern, &mut reached);
        for (place, letter) in name.chars().enumerate() {
            let mut next = vec![false; pattern.len() + 1];
            for (at, wanted) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match wanted {
                    '*' => next[at] = true,
                    '%' if letter != separator => next[at] = true,
                    '%' => {}
                    wanted if same(place, *wanted, letter) => next[at + 1] = true,
                    _ => {}
                }
            }
            skip_wildcards(&pattern, &mut next);
            reached = next;
        }
        reached[pattern.len()]
    }
}

/// A wildcard may stand for nothing.
fn skip_wildcards(pattern: &[char], reached: &mut [bool]) {
    for (at, letter) in pattern.iter().enumerate() {
        if reached[at] && matches!(letter, '*' | '%') {
            reached[at + 1] = true;
        }
    }
}

/// Selection options (RFC 5258 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListSelection {
    /// `SUBSCRIBED`
    pub subscribed: bool,
    /// `REMOTE`: changes nothing here, all is local.
    pub remote: bool,
    /// `RECURSIVEMATCH`; never alone.
    pub recursive_match: bool,
    /// `SPECIAL-USE` (RFC 6154 §5)
    pub special_use: bool,
}

/// Return options (RFC 5258 §3.2, RFC 5819, RFC 6154, RFC 8440).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListReturn {
    /// `SUBSCRIBED`
    pub subscribed: bool,
    /// `CHILDREN`
    pub children: bool,
    /// `SPECIAL-USE`
    pub special_use: bool,
    /// `MYRIGHTS` (RFC 8440)
    pub my_rights: bool,
    /// `STATUS (...)`; empty where it is not asked for.
    pub status: Vec<StatusItem>,
}

/// LIST and LSUB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// The reference name, as text.
    pub reference: String,
    /// At least one.
    pub patterns: Vec<Pattern>,
    /// What is chosen.
    pub selection: ListSelection,
    /// What is told of each.
    pub returns: ListReturn,
    /// Selection options, a list of patterns or return options stand there: RFC 5258 applies.
    pub extended: bool,
}

/// An attribute of a mailbox in a LIST response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxAttribute {
    /// `\Noselect`
    NoSelect,
    /// `\NonExistent`
    NonExistent,
    /// `\Subscribed`
    Subscribed,
    /// `\HasChildren`
    HasChildren,
    /// `\HasNoChildren`
    HasNoChildren,
    /// `\Noinferiors`
    NoInferiors,
    /// What it is for.
    Use(SpecialUse),
}

/// What a mailbox is for (RFC 6154 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\All`
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`
    Flagged,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
    /// `\Important` (RFC 8457)
    Important,
}

impl SpecialUse {
    const NAMES: [(Self, &'static str); 8] = [
        (Self::All, "\\All"),
        (Self::Archive, "\\Archive"),
        (Self::Drafts, "\\Drafts"),
        (Self::Flagged, "\\Flagged"),
        (Self::Junk, "\\Junk"),
        (Self::Sent, "\\Sent"),
        (Self::Trash, "\\Trash"),
        (Self::Important, "\\Important"),
    ];

    /// Its name in responses.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// The use of that name.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| own.as_bytes().eq_ignore_ascii_case(name)).map(|(own, _)| *own)
    }
}

impl MailboxAttribute {
    /// Its name in responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSelect => "\\Noselect",
            Self::NonExistent => "\\NonExistent",
            Self::Subscribed => "\\Subscribed",
            Self::HasChildren => "\\HasChildren",
            Self::HasNoChildren => "\\HasNoChildren",
            Self::NoInferiors => "\\NoInferiors",
            Self::Use(special) => special.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("*", "a.b", true),
            ("%", "a.b", false),
            ("%", "a", true),
            ("a.%", "a.b", true),
            ("a.%", "a", false),
            ("a*b", "ab", true),
            ("inbox", "INBOX", true),
            ("inbox.%", "INBOX.x", true),
            ("InB%", "INBOX", true),
            ("x", "X", false),
            ("%.%", "a.b", true),
            ("", "", true),
            ("*%*", "", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name, '.'), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        assert!(!Pattern::new("*a".repeat(60) + "b").matches(&"a".repeat(1000), '.'));
    }

    #[test]
    fn the_table_of_uses_is_in_order() {
        for (special, name) in SpecialUse::NAMES {
            assert_eq!(special.name(), name);
        }
    }
}
