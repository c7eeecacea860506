//! All that is said of a mailbox: its own list, and what the administrator's says of it.

use crate::{Acl, Identifier, Rights, Subject};

/// Both lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists {
    /// The mailbox's, which its owner can change.
    pub own: Acl,
    /// The administrator's, as far as it is about this mailbox; none: it is not.
    pub global: Option<Acl>,
}

/// Whom an entry is about, the weakest first. All groups of one line stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Anyone,
    Authenticated,
    Group,
    Owner,
    User,
    GroupOverride,
}

/// All of them.
const RANKS: [Rank; 6] =
    [Rank::Anyone, Rank::Authenticated, Rank::Group, Rank::Owner, Rank::User, Rank::GroupOverride];

/// What a list says of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    given: Option<Rights>,
    taken: Option<Rights>,
}

impl Lists {
    /// What the owner may do, whose name is `user`, and who is in these groups.
    ///
    /// As Dovecot judges: entries of a rank count instead of those of all ranks below, those for several groups together,
    /// and the administrator's list instead of the mailbox's. What is taken away is judged the same way by itself, and is
    /// gone at the end, but what the mailbox's list takes away comes back when the administrator's says anything of the user.
    /// The owner has all rights unless something is said of the owner, that user, or an overriding group; so in the mailbox's
    /// own list weaker entries do not matter.
    pub fn rights_of_owner(&self, user: &str, groups: &[String]) -> Rights {
        let own = Said::of(&self.own, &RANKS[3..], user, groups);
        let global = self.global.as_ref().map_or(Said::NOTHING, |acl| Said::of(acl, &RANKS, user, groups));
        let given = global.given.or(own.given).unwrap_or(Rights::ALL);
        let taken = if global == Said::NOTHING { own.taken } else { global.taken };
        given.without(taken.unwrap_or_default())
    }

    /// What GETACL tells the owner, whose name is `user`: who, and the letters of which rights. The owner goes by this name,
    /// but where there are several entries for the owner or that user. The administrator's are marked.
    pub fn told(&self, user: &str) -> Vec<(String, String)> {
        let myself = Subject::User(user.to_owned());
        let is_own = |subject: &Subject| *subject == Subject::Owner || *subject == myself;
        let by_name = self.lists().map(|(acl, _)| own_subjects(acl, is_own)).sum::<usize>() < 2;
        let named = |identifier: &Identifier| match identifier.subject {
            Subject::Owner if by_name => Identifier { subject: myself.clone(), ..identifier.clone() },
            _ => identifier.clone(),
        };
        let mut told = Vec::new();
        for (acl, is_global) in self.lists() {
            told.extend(acl.entries.iter().map(|(identifier, granted)| {
                let who = named(identifier);
                let who = if is_global { who.to_imap_global() } else { who.to_imap() };
                (who, granted.rights.to_imap_listed())
            }));
        }
        let mut entries = self.lists().flat_map(|(acl, _)| acl.entries.keys());
        if !entries.any(|identifier| !identifier.negative && is_own(&identifier.subject)) {
            let owner = Identifier { subject: Subject::Owner, negative: false };
            told.push((named(&owner).to_imap(), Rights::ALL.to_imap()));
        }
        told
    }

    /// Is the mailbox found by those who find none without being told so?
    pub fn lets_be_found(&self) -> bool {
        self.global.is_some() || self.own.lets_others_look()
    }

    /// The lists, and whether each is the administrator's.
    fn lists(&self) -> impl Iterator<Item = (&Acl, bool)> {
        std::iter::once((&self.own, false)).chain(self.global.iter().map(|global| (global, true)))
    }
}

/// How many entries are about the owner in one way or another; what is given to somebody and taken away are one.
fn own_subjects(acl: &Acl, is_own: impl Fn(&Subject) -> bool) -> usize {
    let mut subjects: Vec<&Subject> = acl.entries.keys().map(|identifier| &identifier.subject).collect();
    subjects.dedup();
    subjects.into_iter().filter(|subject| is_own(subject)).count()
}

impl Said {
    const NOTHING: Self = Self { given: None, taken: None };

    /// By entries of these ranks, of which the last counts.
    fn of(acl: &Acl, ranks: &[Rank], user: &str, groups: &[String]) -> Self {
        let last = |negative| ranks.iter().rev().find_map(|rank| said(acl, *rank, negative, user, groups));
        Self { given: last(false), taken: last(true) }
    }
}

/// The rights in the entries of a rank that are about this user; none where there is no such entry.
fn said(acl: &Acl, rank: Rank, negative: bool, user: &str, groups: &[String]) -> Option<Rights> {
    let about = |subject: Subject| {
        let found = acl.entries.get(&Identifier { subject, negative });
        found.map(|granted| granted.rights)
    };
    match rank {
        Rank::Anyone => about(Subject::Anyone),
        Rank::Authenticated => about(Subject::Authenticated),
        Rank::Group => together(groups.iter().filter_map(|group| about(Subject::Group(group.clone())))),
        Rank::Owner => about(Subject::Owner),
        Rank::User => about(Subject::User(user.to_owned())),
        Rank::GroupOverride => {
            together(groups.iter().filter_map(|group| about(Subject::GroupOverride(group.clone()))))
        }
    }
}

fn together(rights: impl Iterator<Item = Rights>) -> Option<Rights> {
    rights.reduce(Rights::and)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GlobalFile;

    fn lists(own: &str, global: &str) -> Lists {
        let about = |line: &str| format!("m {line}\n");
        let file: String = global.lines().map(about).collect();
        let global = GlobalFile::parse(file.as_bytes()).unwrap().of("m");
        Lists { own: Acl::parse(own.as_bytes()).unwrap(), global }
    }

    fn rights(own: &str, global: &str) -> String {
        lists(own, global).rights_of_owner("me", &["staff".to_owned(), "crew".to_owned()]).to_imap()
    }

    fn told(own: &str, global: &str) -> String {
        let told = lists(own, global).told("me");
        told.iter().map(|(name, rights)| format!("{name} {rights} ")).collect()
    }

    /// What Dovecot answered to each of these.
    #[test]
    fn the_owner_is_judged_as_by_dovecot() {
        for (text, expected) in [
            ("", "lrwstipekxacd"),
            ("owner lr", "lr"),
            ("user=me lr", "lr"),
            ("owner", ""),
            ("owner lrw\nuser=me l", "l"),
            ("user=me l\nowner lrw", "l"),
            ("user=me l\nuser=me rw", "lrw"),
            ("anyone lr", "lrwstipekxacd"),
            ("anyone lr\n-anyone r\n-authenticated l", "lrwstipekxacd"),
            ("group=staff lr\nowner w", "w"),
            ("-owner w", "lrstipekxacd"),
            ("-user=me lw", "rstipekxacd"),
            ("owner lrw\n-owner r", "lw"),
            ("-owner r\nowner lrw", "lw"),
            ("user=me lrw\n-group=staff r", "lrw"),
            ("owner lrw\n-user=me r", "lw"),
            ("owner lrw\n-owner r\nuser=me rt", "td"),
            ("user=Me lr", "lrwstipekxacd"),
            // Groups.
            ("group=staff lra", "lrwstipekxacd"),
            ("-group=staff lr", "lrwstipekxacd"),
            ("group-override=crew lra", "lra"),
            ("group-override=nope lra", "lrwstipekxacd"),
            ("group-override=Staff l", "lrwstipekxacd"),
            ("group-override=crew", ""),
            ("group-override=crew lra\nuser=me wa", "lra"),
            ("group-override=staff la\ngroup-override=crew r\nuser=me w", "lra"),
            ("-group-override=crew lr", "wstipekxacd"),
            ("owner lrwsa\n-group-override=crew rw", "lsa"),
            ("group-override=crew lrwsa\n-user=me rw", "lsa"),
            ("-group-override=staff w\n-group-override=crew r", "lstipekxacd"),
            ("-group-override=crew lrwstipekxa\nuser=me lrw", ""),
            // What is taken away last counts instead of what was before.
            ("-owner w\n-user=me r", "lwstipekxacd"),
            ("-user=me w\n-group-override=crew r", "lwstipekxacd"),
            ("-owner w\nuser=me lrwsa", "lrsa"),
        ] {
            assert_eq!(rights(text, ""), expected, "{text}");
        }
    }

    /// The same, with the administrator's list behind the mailbox's.
    #[test]
    fn the_administrators_list_is_the_stronger() {
        for (own, global, expected) in [
            ("", "owner lra", "lra"),
            ("", "anyone lra", "lra"),
            ("", "authenticated lra\nanyone l", "lra"),
            ("", "group=staff lra\nanyone l", "lra"),
            ("", "anyone l\n-owner lr", ""),
            ("", "-owner k", "lrwstipexacd"),
            ("owner lrwtsa", "anyone l", "l"),
            ("owner lrwtsa", "user=me lra", "lra"),
            ("user=me lrwtsa", "owner lra\nanyone l", "lra"),
            ("owner lrwtsa", "anyone l\n-anyone r", "l"),
            ("owner lrwtsa", "-group-override=crew lr", "wstad"),
            ("group-override=crew l", "anyone lr", "lr"),
            ("-owner l", "owner lra", "lra"),
            ("-group-override=crew l", "anyone lra", "lra"),
            ("-owner w", "-anyone l", "rwstipekxacd"),
            ("owner lra\n-owner r", "-anyone l", "ra"),
            ("owner lra\n-owner r", "anyone lra\n-anyone a", "lr"),
            ("-owner l\nuser=me lra", "owner lraw", "lrwa"),
            ("-owner l", "group=nope lra\n-user=you l", "rwstipekxacd"),
            ("", "-owner l\nuser=me lra", "ra"),
            ("", "-anyone l\nowner lra", "ra"),
        ] {
            assert_eq!(rights(own, global), expected, "{own} behind {global}");
        }
    }

    /// Also told by Dovecot.
    #[test]
    fn the_owner_goes_by_name_where_it_is_clear_who_that_is() {
        for (own, global, expected) in [
            ("", "", "me lrwstipekxacd "),
            ("owner alr\nuser=z r", "", "me alr z r "),
            ("-owner w", "", "-me w me lrwstipekxacd "),
            ("owner alrw\n-owner r\nuser=me alrw", "", "owner alrw -owner r me alrw "),
            ("-user=me r\nuser=z r", "", "-me r z r me lrwstipekxacd "),
            ("-owner w\n-user=me r", "", "-owner w -me r owner lrwstipekxacd "),
            (
                "user=z l\nuser=b r\nanyone l\nauthenticated l\ngroup-override=k l\ngroup=k r\n-user=z r\nowner alrw",
                "",
                "anyone l authenticated l $k r me alrw b r z l -z r !$k l ",
            ),
            ("", "owner lra\nanyone l", "#anyone l #me alr "),
            ("", "group=staff lra\nanyone l", "#anyone l #$staff alr me lrwstipekxacd "),
            ("owner lrwtsa", "owner lra\nanyone l", "owner alrwtsd #anyone l #owner alr "),
            ("user=me lrwtsa", "owner lra", "me alrwtsd #owner alr "),
            ("owner lrwtsa", "user=me lra", "owner alrwtsd #me alr "),
            ("owner lrwtsa", "group-override=crew lra", "me alrwtsd #!$crew alr "),
            ("", "-owner l\nowner lra", "#me alr -#me l "),
        ] {
            assert_eq!(told(own, global), expected, "{own} behind {global}");
        }
    }
}
