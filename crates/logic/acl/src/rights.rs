//! What one may do (RFC 4314 §2.1).

use std::fmt;

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `l`: the mailbox shows in lists.
    Lookup,
    /// `r`: it can be selected, and its STATUS asked.
    Read,
    /// `w`: flags but `\Seen` and `\Deleted` can be changed.
    Write,
    /// `s`: `\Seen` can be changed.
    WriteSeen,
    /// `t`: `\Deleted` can be changed.
    WriteDeleted,
    /// `i`: messages can be put there.
    Insert,
    /// `p`: mail can be sent there. Means nothing here: deliveries ask nobody.
    Post,
    /// `e`: messages can be expunged.
    Expunge,
    /// `k`: mailboxes can be made below it, or moved there.
    Create,
    /// `x`: it can be deleted or get another name.
    Delete,
    /// `a`: its rights can be seen and changed.
    Admin,
}

/// All rights with their letters and the names that a file may have instead, in the order in which IMAP tells them.
const TABLE: [(Right, char, &str); 11] = [
    (Right::Lookup, 'l', "lookup"),
    (Right::Read, 'r', "read"),
    (Right::Write, 'w', "write"),
    (Right::WriteSeen, 's', "write-seen"),
    (Right::WriteDeleted, 't', "write-deleted"),
    (Right::Insert, 'i', "insert"),
    (Right::Post, 'p', "post"),
    (Right::Expunge, 'e', "expunge"),
    (Right::Create, 'k', "create"),
    (Right::Delete, 'x', "delete"),
    (Right::Admin, 'a', "admin"),
];

/// The same in the order of their names, which is that of Dovecot's files.
const BY_NAME: [Right; 11] = [
    Right::Admin,
    Right::Create,
    Right::Delete,
    Right::Expunge,
    Right::Insert,
    Right::Lookup,
    Right::Post,
    Right::Read,
    Right::Write,
    Right::WriteDeleted,
    Right::WriteSeen,
];

impl Right {
    /// The right of that letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        TABLE.iter().find(|(_, own, _)| *own == letter).map(|(right, _, _)| *right)
    }

    /// The right of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, _, own)| *own == name).map(|(right, _, _)| *right)
    }

    fn letter(self) -> char {
        TABLE[self as usize].1
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Rights(u16);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self((1 << TABLE.len()) - 1);
    /// Those without which a mailbox that is selected can not be changed in any way.
    const CHANGES: [Right; 5] =
        [Right::Write, Right::WriteSeen, Right::WriteDeleted, Right::Insert, Right::Expunge];

    /// Is it among them?
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    /// Is one of these among them?
    pub fn has_any(self, rights: &[Right]) -> bool {
        rights.iter().any(|right| self.has(*right))
    }

    /// With this one.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u16)
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Is there none?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Can a mailbox only be read with them?
    pub fn is_read_only(self) -> bool {
        !self.has_any(&Self::CHANGES)
    }

    /// Rights as a client names them: the letters of RFC 4314, and `c` and `d` of RFC 2086, which stand for `kx` and `et`
    /// (RFC 4314 §2.1.1).
    ///
    /// # Errors
    /// The first letter that means nothing.
    pub fn from_imap(letters: &str) -> Result<Self, char> {
        letters.chars().try_fold(Self::NONE, |rights, letter| {
            Ok(match letter {
                'c' => rights.with(Right::Create).with(Right::Delete),
                'd' => rights.with(Right::Expunge).with(Right::WriteDeleted),
                letter => rights.with(Right::of_letter(letter).ok_or(letter)?),
            })
        })
    }

    /// As MYRIGHTS tells them, with `c` and `d` for clients that know RFC 2086 alone (RFC 4314 §2.1.1).
    pub fn to_imap(self) -> String {
        let letters = TABLE.iter().filter(|(right, _, _)| self.has(*right)).map(|(_, letter, _)| *letter);
        letters.chain(self.virtual_letters()).collect()
    }

    /// As GETACL tells those of an entry: in the order of the file.
    pub fn to_imap_listed(self) -> String {
        self.letters_by_name().chain(self.virtual_letters()).collect()
    }

    /// As they stand in a file.
    pub(crate) fn letters_by_name(self) -> impl Iterator<Item = char> {
        BY_NAME.into_iter().filter(move |right| self.has(*right)).map(Right::letter)
    }

    fn virtual_letters(self) -> impl Iterator<Item = char> {
        let create = self.has_any(&[Right::Create, Right::Delete]).then_some('c');
        let delete = self.has_any(&[Right::Expunge, Right::WriteDeleted]).then_some('d');
        create.into_iter().chain(delete)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({})", self.letters_by_name().collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_rights() {
        for (place, (right, letter, name)) in TABLE.iter().enumerate() {
            assert_eq!(*right as usize, place);
            assert_eq!((Right::of_letter(*letter), Right::of_name(name)), (Some(*right), Some(*right)));
        }
        assert_eq!(BY_NAME.into_iter().collect::<Rights>(), Rights::ALL);
    }

    #[test]
    fn old_letters_stand_for_two_rights_each() {
        assert_eq!(Rights::from_imap("cd").unwrap().to_imap_listed(), "kxetcd");
        assert_eq!(Rights::from_imap("lq"), Err('q'));
        assert_eq!(Rights::ALL.to_imap(), "lrwstipekxacd");
        assert_eq!(Rights::ALL.to_imap_listed(), "akxeilprwtscd");
        for (rights, told) in [("lk", "lkc"), ("xl", "lxc"), ("lt", "ltd"), ("el", "led"), ("", "")] {
            assert_eq!(Rights::from_imap(rights).unwrap().to_imap(), told);
        }
    }

    #[test]
    fn who_can_change_nothing_reads_only() {
        for (rights, read_only) in
            [("lr", true), ("lrpkxa", true), ("lri", false), ("lrs", false), ("lre", false)]
        {
            assert_eq!(Rights::from_imap(rights).unwrap().is_read_only(), read_only, "{rights}");
        }
    }
}
