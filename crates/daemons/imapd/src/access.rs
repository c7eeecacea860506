//! What the owner of the mailboxes may do with each (RFC 4314): the one place that asks, and says no.

use std::collections::BTreeSet;

use acl::{Lists, Right, Rights};
use imap_protocol::types::{Code, Flag, Flags, MailboxName, Reply};
use mailbox::store::{self, FlagScope, FolderName, MailError};

use crate::refusal::{Refused, refused};
use crate::state::State;

impl State {
    /// What may be done with a folder, which need not be there.
    pub(crate) fn rights(&self, name: &FolderName) -> Result<Rights, MailError> {
        if !self.site.counts_rights {
            return Ok(Rights::ALL);
        }
        Ok(self.judged(&self.store.rights(name)?))
    }

    /// What may be done where mailboxes are that lie in no other.
    pub(crate) fn rights_at_top(&self) -> Result<Rights, MailError> {
        if !self.site.counts_rights {
            return Ok(Rights::ALL);
        }
        Ok(self.judged(&self.store.rights_at_top()?))
    }

    fn judged(&self, lists: &Lists) -> Rights {
        lists.rights_of_owner(&self.user, &self.groups)
    }

    /// What may be done with a folder, if it is this.
    pub(crate) fn permit(&self, name: &FolderName, right: Right) -> Result<Rights, Refused> {
        self.permit_any(name, &[right], Code::NonExistent)
    }

    /// What may be done with a folder, if messages may be put there.
    pub(crate) fn permit_insert(&self, name: &FolderName) -> Result<Rights, Refused> {
        if self.has_selected(name) && !self.rights(name)?.has(Right::Insert) {
            return Err(denied());
        }
        self.permit_any(name, &[Right::Insert], Code::TryCreate)
    }

    /// What may be done with a folder, if annotations may be seen and made (RFC 5464 §3.3).
    pub(crate) fn permit_annotations(&self, name: &FolderName) -> Result<Rights, Refused> {
        const ONE_OF: [Right; 5] = [Right::Read, Right::WriteSeen, Right::Write, Right::Insert, Right::Post];
        self.permit(name, Right::Lookup)?;
        self.permit_any(name, &ONE_OF, Code::NonExistent)
    }

    /// Is a name subscribed to as that of a folder?
    pub(crate) fn is_known(&self, name: &FolderName) -> Result<bool, MailError> {
        Ok(self.rights(name)?.has_any(&[Right::Lookup, Right::Read, Right::Insert]))
    }

    /// Which of these folders show in lists; one of which nobody knows does not. As with Dovecot INBOX always does, and where
    /// nothing may be looked up at the top, others need a list that lets them be found.
    pub(crate) fn showing(&self, names: &[FolderName]) -> Result<BTreeSet<FolderName>, MailError> {
        let all = self.rights_at_top()?.has(Right::Lookup);
        let shows = |name: &FolderName| match self.store.rights(name) {
            Ok(lists) => self.judged(&lists).has(Right::Lookup) && (all || lists.lets_be_found()),
            Err(error) => {
                log::error!("{error}");
                false
            }
        };
        Ok(names.iter().filter(|name| name.is_inbox() || shows(name)).cloned().collect())
    }

    /// May what happens in a folder be told (RFC 5465 §5)?
    pub(crate) fn may_hear_of(&self, name: &FolderName) -> bool {
        self.rights(name).is_ok_and(|rights| rights.has(Right::Lookup) && rights.has(Right::Read))
    }

    /// May a folder be made or moved to where `name` is, and what lies above it? The first above it counts that is there or
    /// that the administrator's list names.
    pub(crate) fn permit_create(&self, name: &FolderName) -> Result<Option<FolderName>, Refused> {
        if !self.site.counts_rights {
            return Ok(None);
        }
        let above = self.first_above(name)?;
        let rights = match &above {
            Some(above) => self.rights(above)?,
            None => self.rights_at_top()?,
        };
        if rights.has(Right::Create) { Ok(above) } else { Err(denied()) }
    }

    fn first_above(&self, name: &FolderName) -> Result<Option<FolderName>, MailError> {
        if name.parent().is_none() {
            return Ok(None);
        }
        let there = self.store.list()?;
        for above in std::iter::successors(name.parent(), FolderName::parent) {
            let is_there = there.iter().any(|listed| listed.selectable && listed.name == above);
            if is_there || self.store.is_named_globally(&above)? {
                return Ok(Some(above));
            }
        }
        Ok(None)
    }

    fn permit_any(&self, name: &FolderName, any: &[Right], missing: Code) -> Result<Rights, Refused> {
        let rights = self.rights(name)?;
        match rights.has_any(any) {
            true => Ok(rights),
            false => Err(self.hidden_or(name, rights, missing, "Permission denied")),
        }
    }

    /// RFC 4314 §6: who may not look does not learn that there is something.
    pub(crate) fn hidden_or(
        &self,
        name: &FolderName,
        rights: Rights,
        missing: Code,
        text: &'static str,
    ) -> Refused {
        if rights.has(Right::Lookup) {
            return refused(Reply::no(text).with(Code::NoPerm));
        }
        let name = name.to_text(self.site.separator);
        refused(Reply::no(format!("Mailbox doesn't exist: {name}")).with(missing))
    }

    /// Who has it open knows of it.
    fn has_selected(&self, name: &FolderName) -> bool {
        let selected = self.view.as_ref().and_then(|view| self.folder_name(&view.name).ok());
        selected.is_some_and(|selected| selected == *name)
    }

    /// The rights of a folder have been changed here: they hold for the selected mailbox at once.
    pub(crate) fn rights_changed(&mut self, mailbox: &MailboxName) -> Result<(), Refused> {
        if self.view.as_ref().is_none_or(|view| view.name != *mailbox) {
            return Ok(());
        }
        let rights = self.rights(&self.folder_name(mailbox)?)?;
        if let Some(view) = &mut self.view {
            view.rights = rights;
        }
        Ok(())
    }
}

/// The client knows of the mailbox, and may not do this.
pub(crate) fn denied() -> Refused {
    refused(Reply::no("Permission denied").with(Code::NoPerm))
}

/// Which marks of messages may be changed.
pub(crate) fn scope(rights: Rights) -> FlagScope {
    use store::Flags as Marks;
    if rights == Rights::ALL {
        return FlagScope::ALL;
    }
    let permitted = |right, marks| if rights.has(right) { marks } else { Marks::NONE };
    let others = Marks::ANSWERED | Marks::FLAGGED | Marks::DRAFT | Marks::PASSED;
    let flags = permitted(Right::Write, others)
        | permitted(Right::WriteSeen, Marks::SEEN)
        | permitted(Right::WriteDeleted, Marks::DELETED);
    FlagScope { flags, keywords: rights.has(Right::Write) }
}

/// Those of flags that may be changed.
pub(crate) fn permitted(flags: &Flags, rights: Rights) -> Flags {
    let right_for = |flag: &Flag| match flag {
        Flag::Seen => Right::WriteSeen,
        Flag::Deleted => Right::WriteDeleted,
        _ => Right::Write,
    };
    flags.iter().filter(|flag| rights.has(right_for(flag))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use imap_protocol::session::{Answer, Done};
    use imap_protocol::types::{Command, Condition, SelectOptions, StatusItem};
    use mailbox::store::{Settings, Stores};

    use super::*;
    use crate::state::Site;

    fn session(root: &Path, counts_rights: bool) -> State {
        let site = Site {
            separator: '.',
            special_uses: Vec::new(),
            notified_mailboxes: 10,
            counts_rights,
            permits_anyone: false,
        };
        let store = Stores::new(Settings::new("vm", 1)).open(root).unwrap();
        State::new(Arc::new(site), "me".to_owned(), store)
    }

    fn run(state: &mut State, command: Command) -> Done {
        match state.run("a", command) {
            Answer::Done(done) => *done,
            other => panic!("{other:?}"),
        }
    }

    /// `+` where it is done, else what the client is told: that it may not, or that there is nothing.
    fn outcome(state: &mut State, command: Command) -> char {
        let reply = run(state, command).reply;
        match (reply.condition, reply.code) {
            (Condition::Ok, _) => '+',
            (_, Some(Code::NoPerm)) => '-',
            (_, Some(Code::NonExistent)) => '?',
            other => panic!("{other:?}"),
        }
    }

    fn name(text: &str) -> MailboxName {
        MailboxName::new(text).unwrap()
    }

    /// SELECT, STATUS, CREATE below, GETACL, MYRIGHTS, SUBSCRIBE, DELETE of a mailbox with these rights.
    fn outcomes(rights: &str, counts_rights: bool) -> String {
        let root = tempfile::tempdir().unwrap();
        let mut state = session(root.path(), counts_rights);
        run(&mut state, Command::Create { mailbox: name("m"), uses: Vec::new() });
        std::fs::write(root.path().join(".m/dovecot-acl"), format!("owner {rights}\n")).unwrap();
        let m = || name("m");
        let commands = [
            Command::Select { mailbox: m(), options: SelectOptions::default(), read_only: false },
            Command::Status(m(), vec![StatusItem::Messages]),
            Command::Create { mailbox: name("m.x"), uses: Vec::new() },
            Command::GetAcl(m()),
            Command::MyRights(m()),
            Command::Subscribe(m()),
            Command::Unselect,
            Command::Delete(m()),
        ];
        commands.into_iter().map(|command| outcome(&mut state, command)).collect()
    }

    /// As Dovecot answers.
    #[test]
    fn each_right_lets_one_thing_be_done() {
        for (rights, expected) in [
            ("lrwstipekxa", "++++++++"),
            ("lr", "++--+++-"),
            ("r", "++-?+++?"),
            ("l", "----+++-"),
            ("i", "??-?+++?"),
            ("k", "??+?+?+?"),
            ("x", "??-?+?++"),
            ("a", "??-++?+?"),
            ("p", "??-???+?"),
            ("", "??-???+?"),
        ] {
            assert_eq!(outcomes(rights, true), expected, "{rights}");
        }
    }

    #[test]
    fn lists_of_rights_mean_nothing_where_they_are_off() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("dovecot-acl"), "what is this\n").unwrap();
        assert_eq!(session(root.path(), false).rights(&FolderName::inbox()).unwrap(), Rights::ALL);
        assert!(session(root.path(), true).rights(&FolderName::inbox()).is_err());
    }

    #[test]
    fn a_new_mailbox_has_the_rights_of_the_one_above() {
        let root = tempfile::tempdir().unwrap();
        let mut state = session(root.path(), true);
        let mut create =
            |text: &str| outcome(&mut state, Command::Create { mailbox: name(text), uses: Vec::new() });
        assert_eq!(create("m"), '+');
        std::fs::write(root.path().join(".m/dovecot-acl"), "owner lrka\nuser=z l\n").unwrap();
        assert_eq!([create("m.x.y"), create("n"), create("n.x")], ['+'; 3]);
        let inherited = std::fs::read_to_string(root.path().join(".m.x.y/dovecot-acl")).unwrap();
        assert_eq!(inherited, "owner aklr\nuser=z l\n");
        assert!(!root.path().join(".n.x/dovecot-acl").exists());
    }

    #[test]
    fn what_must_not_show_stands_for_what_lies_below_it_alone() {
        let root = tempfile::tempdir().unwrap();
        let mut state = session(root.path(), true);
        for text in ["a", "a.b", "c", "c.d", "c.e"] {
            run(&mut state, Command::Create { mailbox: name(text), uses: Vec::new() });
        }
        for hidden in [".a", ".c", ".c.d"] {
            std::fs::write(root.path().join(hidden).join("dovecot-acl"), "owner r\n").unwrap();
        }
        let mut list = |pattern: &str| {
            use imap_protocol::types::{ListRequest, ListReturn, ListSelection, Pattern};
            let request = ListRequest {
                reference: String::new(),
                patterns: vec![Pattern::new(pattern)],
                selection: ListSelection::default(),
                returns: ListReturn { my_rights: true, children: true, ..ListReturn::default() },
                extended: true,
            };
            String::from_utf8(run(&mut state, Command::List(request)).untagged).unwrap()
        };
        assert_eq!(
            list("*"),
            "* LIST (\\HasNoChildren) \".\" INBOX\r\n* MYRIGHTS INBOX lrwstipekxacd\r\n\
             * LIST (\\HasNoChildren) \".\" a.b\r\n* MYRIGHTS a.b lrwstipekxacd\r\n\
             * LIST (\\HasNoChildren) \".\" c.e\r\n* MYRIGHTS c.e lrwstipekxacd\r\n"
        );
        assert_eq!(
            list("%"),
            "* LIST (\\HasNoChildren) \".\" INBOX\r\n* MYRIGHTS INBOX lrwstipekxacd\r\n\
             * LIST (\\NonExistent \\HasChildren) \".\" a\r\n* LIST (\\NonExistent \\HasChildren) \".\" c\r\n"
        );
    }

    #[test]
    fn flags_need_a_right_each() {
        use imap_protocol::types::Keyword;
        let all: Flags = Flag::SYSTEM.into_iter().chain(Keyword::new(b"kw").map(Flag::Keyword)).collect();
        for (rights, expected) in [
            ("lr", ""),
            ("s", "\\Seen"),
            ("t", "\\Deleted"),
            ("w", "\\Answered \\Flagged \\Draft kw"),
            ("wst", "\\Answered \\Flagged \\Deleted \\Seen \\Draft kw"),
        ] {
            let rights = Rights::from_imap(rights).unwrap();
            let left: Vec<String> =
                permitted(&all, rights).iter().map(|flag| flag.as_str().to_owned()).collect();
            assert_eq!(left.join(" "), expected);
            assert_eq!(scope(rights).keywords, expected.contains("kw"));
            assert_eq!(scope(rights).flags.has(store::Flags::SEEN), expected.contains("Seen"));
            assert_eq!(scope(rights).flags.has(store::Flags::ANSWERED), expected.contains("Answered"));
            assert_eq!(scope(rights).flags.has(store::Flags::DELETED), expected.contains("Deleted"));
        }
        assert_eq!(scope(Rights::ALL), FlagScope::ALL);
    }
}
