//! A list of entries: who has which rights, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Identifier, Right, Rights, Subject};

/// So many entries may a client make.
const ENTRIES_LIMIT: usize = 1000;

/// What SETACL does with the rights it names (RFC 4314 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// These and no others.
    Replace,
    /// `+`
    Add,
    /// `-`
    Remove,
}

/// There are as many entries as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyEntries;

/// A list. What it means for somebody is judged by [`crate::Lists`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    pub(crate) entries: BTreeMap<Identifier, Granted>,
}

/// What an entry gives or takes away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Granted {
    pub(crate) rights: Rights,
    /// Rights that mean nothing here, which are kept.
    pub(crate) others: BTreeSet<String>,
}

impl Acl {
    /// Carries out SETACL by the owner, whose name is `user`, and who keeps the right to do it again.
    ///
    /// # Errors
    /// [`TooManyEntries`], and nothing is changed.
    pub fn set(
        &mut self,
        identifier: &Identifier,
        change: Change,
        rights: Rights,
        user: &str,
    ) -> Result<(), TooManyEntries> {
        let is_own =
            identifier.subject == Subject::Owner || identifier.subject == Subject::User(user.to_owned());
        let before = self.entries.get(identifier);
        if before.is_none() && self.entries.len() >= ENTRIES_LIMIT {
            return Err(TooManyEntries);
        }
        let had = match before {
            Some(granted) => granted.rights,
            None if is_own && !identifier.negative => self.given_to_owner(),
            None => Rights::NONE,
        };
        let mut now = match change {
            Change::Replace => rights,
            Change::Add => had.and(rights),
            Change::Remove => had.without(rights),
        };
        if is_own {
            let admin = Rights::NONE.with(Right::Admin);
            now = if identifier.negative { now.without(admin) } else { now.and(admin) };
        }
        if before.is_none() && change != Change::Replace && now == had {
            // There is nothing to note.
            return Ok(());
        }
        let granted = self.entries.entry(identifier.clone()).or_default();
        granted.rights = now;
        if change == Change::Replace {
            granted.others.clear();
        }
        Ok(())
    }

    /// Carries out DELETEACL; there may be no such entry.
    pub fn delete(&mut self, identifier: &Identifier) {
        self.entries.remove(identifier);
    }

    /// Is there an entry by which somebody else may find the mailbox? The owner's name counts as somebody's, as with Dovecot.
    pub fn lets_others_look(&self) -> bool {
        let mut given = self.entries.iter().filter(|(identifier, _)| !identifier.negative);
        given.any(|(identifier, granted)| {
            identifier.subject != Subject::Owner && granted.rights.has(Right::Lookup)
        })
    }

    /// What is given to the owner as such.
    fn given_to_owner(&self) -> Rights {
        let owner = Identifier { subject: Subject::Owner, negative: false };
        self.entries.get(&owner).map_or(Rights::ALL, |granted| granted.rights)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Lists;

    fn read(text: &str) -> Acl {
        Acl::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn rights_are_put_added_and_taken() {
        let mut acl = read("user=z r");
        let mut set = |who: &str, change, rights: &str| {
            let who = Identifier::from_imap(who.as_bytes()).unwrap();
            acl.set(&who, change, Rights::from_imap(rights).unwrap(), "me").unwrap();
            acl.to_text()
        };
        assert_eq!(set("z", Change::Add, "w"), "user=z rw\n");
        assert_eq!(set("z", Change::Remove, "rw"), "user=z \n");
        assert_eq!(set("q", Change::Remove, "l"), "user=z \n");
        assert_eq!(set("-z", Change::Replace, "d"), "user=z \n-user=z et\n");
        assert_eq!(set("me", Change::Replace, ""), "user=me a\nuser=z \n-user=z et\n");
        assert_eq!(set("owner", Change::Remove, "la"), "owner akxeiprwts\nuser=me a\nuser=z \n-user=z et\n");
    }

    #[test]
    fn the_first_change_of_the_owners_own_rights_begins_with_all() {
        for (change, rights, after) in [
            (Change::Remove, "r", "user=me akxeilpwts\n"),
            (Change::Add, "r", ""),
            (Change::Replace, "lr", "user=me alr\n"),
        ] {
            let mut acl = Acl::default();
            let me = Identifier::from_imap(b"me").unwrap();
            acl.set(&me, change, Rights::from_imap(rights).unwrap(), "me").unwrap();
            assert_eq!(acl.to_text(), after);
        }
    }

    #[test]
    fn entries_are_bounded() {
        let mut acl = Acl::default();
        let mut add = |number: usize| {
            let who = Identifier::from_imap(format!("u{number}").as_bytes()).unwrap();
            acl.set(&who, Change::Replace, Rights::ALL, "me")
        };
        assert!((0..ENTRIES_LIMIT).all(|number| add(number).is_ok()));
        assert_eq!(add(ENTRIES_LIMIT), Err(TooManyEntries));
        assert_eq!(add(0), Ok(()));
    }

    #[test]
    fn others_look_where_they_are_let() {
        for (text, look) in
            [("owner lr", false), ("user=z lr", true), ("-user=z l", false), ("anyone r", false)]
        {
            assert_eq!(read(text).lets_others_look(), look, "{text}");
        }
    }

    proptest! {
        /// Whatever the owner does, what was done can be undone.
        #[test]
        fn the_owner_stays_in_charge(steps in prop::collection::vec((
            prop::sample::select(vec!["me", "-me", "owner", "-owner", "z", "$g", "anyone"]), 0..3_u8, "[lrwstipekxacd]{0,5}",
        ), 0..20)) {
            let mut acl = Acl::default();
            for (who, change, rights) in steps {
                let who = Identifier::from_imap(who.as_bytes()).unwrap();
                let change = [Change::Replace, Change::Add, Change::Remove][usize::from(change)];
                acl.set(&who, change, Rights::from_imap(&rights).unwrap(), "me").unwrap();
                let lists = Lists { own: acl.clone(), global: None };
                prop_assert!(lists.rights_of_owner("me", &[]).has(Right::Admin));
                prop_assert_eq!(Acl::parse(acl.to_text().as_bytes()).unwrap(), acl.clone());
            }
        }
    }
}
