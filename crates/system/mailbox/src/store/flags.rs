//! What is marked on a message: system flags and keywords.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// How many keywords a folder can have. Maildir names have letters for the first 26; the others are in our index.
pub const KEYWORDS_LIMIT: usize = 64;

/// System flags (RFC 3501 §2.3.2), a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u8);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// `\Draft`, in a Maildir name `D`.
    pub const DRAFT: Self = Self(1);
    /// `\Flagged`, `F`.
    pub const FLAGGED: Self = Self(2);
    /// `P` (passed on) of a Maildir name; kept, shown to nobody.
    pub const PASSED: Self = Self(4);
    /// `\Answered`, `R`.
    pub const ANSWERED: Self = Self(8);
    /// `\Seen`, `S`.
    pub const SEEN: Self = Self(16);
    /// `\Deleted`, `T`.
    pub const DELETED: Self = Self(32);
    /// All that a client can set.
    pub const CLIENT: Self = Self(1 | 2 | 8 | 16 | 32);

    /// Are all of `other` set?
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is none set?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits, for a record on disk.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// From a record on disk.
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & 63)
    }

    /// The flag that a letter of a Maildir name stands for.
    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        LETTERS.iter().find(|(_, known)| *known == letter).map(|(flag, _)| *flag)
    }

    /// The letters of a Maildir name, sorted.
    pub(crate) fn letters(self) -> impl Iterator<Item = u8> {
        LETTERS.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, letter)| letter)
    }
}

/// In the order of the alphabet.
const LETTERS: [(Flags, u8); 6] = [
    (Flags::DRAFT, b'D'),
    (Flags::FLAGGED, b'F'),
    (Flags::PASSED, b'P'),
    (Flags::ANSWERED, b'R'),
    (Flags::SEEN, b'S'),
    (Flags::DELETED, b'T'),
];

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & 63)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({})", self.letters().map(char::from).collect::<String>())
    }
}

/// Keywords of a message: bit n stands for the n-th name of its folder ([`super::Contents::keywords`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct KeywordSet(pub u64);

impl KeywordSet {
    /// Is the folder's keyword number `index` set?
    pub const fn has(self, index: usize) -> bool {
        index < KEYWORDS_LIMIT && self.0 & (1 << index) != 0
    }

    /// The numbers that are set.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..KEYWORDS_LIMIT).filter(move |index| self.has(*index))
    }

    /// With number `index` set.
    pub(crate) const fn with(self, index: usize) -> Self {
        Self(self.0 | 1 << index)
    }
}

/// What STORE does with flags (RFC 3501 §6.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
    /// `FLAGS`: these and no others.
    Replace,
}

/// Which marks may be changed, or go with a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagScope {
    /// System flags.
    pub flags: Flags,
    /// All keywords, or none.
    pub keywords: bool,
}

impl FlagScope {
    /// All of them.
    pub const ALL: Self = Self { flags: Flags(63), keywords: true };
}

/// A change of flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagChange {
    /// Added, removed or put in place of what is there.
    pub how: How,
    /// System flags.
    pub flags: Flags,
    /// Keywords by name, compared without case. New names become keywords of the folder.
    pub keywords: Vec<String>,
    /// Others stay as they are.
    pub scope: FlagScope,
}
