//! One who may log in.

use crate::passwd_file::Entry;

/// An account, as far as logging in goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The whole name.
    pub user: String,
    /// What proves that somebody is the user.
    pub password: Password,
    /// From which addresses (`allow_nets` of a password file): networks, separated by commas. None is everywhere.
    pub networks: Option<String>,
    pub(crate) entry: Option<Entry>,
    pub(crate) is_system: bool,
}

/// What proves that somebody is a user.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// A stored password, `{SCHEME}secret`.
    Stored(String),
    /// Any password will do (`nopassword` of a password file).
    Any,
    /// Nothing: there is no password, or the account is locked.
    Nothing,
}

impl Account {
    pub(crate) fn of_table(user: String, stored: String) -> Self {
        Self { user, password: Password::Stored(stored), networks: None, entry: None, is_system: false }
    }

    pub(crate) fn without_password(user: String) -> Self {
        Self { user, password: Password::Nothing, networks: None, entry: None, is_system: false }
    }

    /// An empty password is none, unless the entry says that any will do.
    pub(crate) fn of_entry(user: String, entry: Entry) -> Self {
        let password = match entry.password.as_str() {
            _ if entry.extra.nologin => Password::Nothing,
            "" if entry.extra.nopassword => Password::Any,
            "" => Password::Nothing,
            stored => Password::Stored(stored.to_owned()),
        };
        let networks = entry.extra.allow_nets.clone();
        Self { user, password, networks, entry: Some(entry), is_system: false }
    }

    pub(crate) fn of_system(user: &str, entry: Entry) -> Self {
        Self { is_system: true, ..Self::of_entry(user.to_owned(), entry) }
    }
}

impl std::fmt::Debug for Password {
    /// Never the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stored(_) => "Stored",
            Self::Any => "Any",
            Self::Nothing => "Nothing",
        })
    }
}
