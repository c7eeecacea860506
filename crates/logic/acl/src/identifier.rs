//! Whom an entry is about (RFC 4314 §2).

use std::fmt;

/// Bytes of an identifier.
const LIMIT_BYTES: usize = 512;

/// Whom. In the order in which entries stand in a file, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Everybody, also without a name.
    Anyone,
    /// Everybody who has logged in.
    Authenticated,
    /// Members of a group.
    Group(String),
    /// Whose mailbox it is.
    Owner,
    /// One user.
    User(String),
    /// Members of a group, whatever is said of them as users.
    GroupOverride(String),
}

/// Whom, and whether rights are given or taken away. Those that are given come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// Whom.
    pub subject: Subject,
    /// Rights are taken away.
    pub negative: bool,
}

/// Why a client can not name somebody so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadIdentifier {
    /// There is nothing.
    Empty,
    /// It is no UTF-8, has control characters or is too long.
    Text,
    /// It stands for entries that hold for all mailboxes, which nobody has.
    Global,
}

impl Identifier {
    /// An identifier as IMAP has it. `$` leads a group, `!$` one whose entry overrides others, `-` is for rights that are
    /// taken away.
    ///
    /// # Errors
    /// [`BadIdentifier`]
    pub fn from_imap(name: &[u8]) -> Result<Self, BadIdentifier> {
        if name.is_empty() {
            return Err(BadIdentifier::Empty);
        }
        if name.starts_with(b"#") {
            return Err(BadIdentifier::Global);
        }
        let text = std::str::from_utf8(name).map_err(|_| BadIdentifier::Text)?;
        if text.len() > LIMIT_BYTES || text.chars().any(char::is_control) {
            return Err(BadIdentifier::Text);
        }
        let (negative, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        Ok(Self { subject: Subject::from_imap(name), negative })
    }

    /// As IMAP has it.
    pub fn to_imap(&self) -> String {
        self.told_as("")
    }

    /// As IMAP tells one of a list that holds for the mailboxes of all users, which no client can change.
    pub(crate) fn to_imap_global(&self) -> String {
        self.told_as("#")
    }

    fn told_as(&self, mark: &str) -> String {
        format!("{}{mark}{}", if self.negative { "-" } else { "" }, self.subject.to_imap())
    }

    /// As a file has it.
    pub(crate) fn from_file(name: &str) -> Option<Self> {
        let (negative, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
        Some(Self { subject: Subject::from_file(name)?, negative })
    }
}

impl Subject {
    fn from_imap(name: &str) -> Self {
        match name {
            "anyone" => Self::Anyone,
            "authenticated" => Self::Authenticated,
            "owner" => Self::Owner,
            name => match (name.strip_prefix("!$"), name.strip_prefix('$')) {
                (Some(group), _) => Self::GroupOverride(group.to_owned()),
                (None, Some(group)) => Self::Group(group.to_owned()),
                (None, None) => Self::User(name.to_owned()),
            },
        }
    }

    fn to_imap(&self) -> String {
        match self {
            Self::Anyone => "anyone".to_owned(),
            Self::Authenticated => "authenticated".to_owned(),
            Self::Group(group) => format!("${group}"),
            Self::Owner => "owner".to_owned(),
            Self::User(user) => user.clone(),
            Self::GroupOverride(group) => format!("!${group}"),
        }
    }

    fn from_file(name: &str) -> Option<Self> {
        Some(match name.split_once('=') {
            None => match name {
                "anyone" | "anonymous" => Self::Anyone,
                "authenticated" => Self::Authenticated,
                "owner" => Self::Owner,
                _ => return None,
            },
            Some(("user", user)) => Self::User(user.to_owned()),
            Some(("group", group)) => Self::Group(group.to_owned()),
            Some(("group-override", group)) => Self::GroupOverride(group.to_owned()),
            Some(_) => return None,
        })
    }
}

/// As a file has it, but for quotes.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-" } else { "" })?;
        match &self.subject {
            Subject::Anyone => f.write_str("anyone"),
            Subject::Authenticated => f.write_str("authenticated"),
            Subject::Group(group) => write!(f, "group={group}"),
            Subject::Owner => f.write_str("owner"),
            Subject::User(user) => write!(f, "user={user}"),
            Subject::GroupOverride(group) => write!(f, "group-override={group}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_and_files_name_the_same() {
        for (imap, file) in [
            ("anyone", "anyone"),
            ("joe", "user=joe"),
            ("-joe", "-user=joe"),
            ("$g", "group=g"),
            ("-!$g", "-group-override=g"),
            ("!g", "user=!g"),
            ("ANYONE", "user=ANYONE"),
            ("group=x", "user=group=x"),
            ("-", "-user="),
            ("owner", "owner"),
        ] {
            let identifier = Identifier::from_imap(imap.as_bytes()).unwrap();
            assert_eq!(identifier.to_string(), file);
            assert_eq!(Identifier::from_file(file), Some(identifier.clone()));
            assert_eq!(identifier.to_imap(), imap);
        }
        for bad in ["bogus", "anyone=x", "user", "", "Owner", "-"] {
            assert_eq!(Identifier::from_file(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        for (name, why) in [
            (&b""[..], BadIdentifier::Empty),
            (b"#x", BadIdentifier::Global),
            (b"a\tb", BadIdentifier::Text),
            (b"a\nowner lr", BadIdentifier::Text),
            (b"\xe4", BadIdentifier::Text),
            (&[b'x'; 513], BadIdentifier::Text),
        ] {
            assert_eq!(Identifier::from_imap(name), Err(why));
        }
    }
}
