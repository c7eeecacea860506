//! Who may log in, by which secret, and where their mail lies: the one user database of the suite.
//!
//! Three sources, asked in turn: `virtual_password_maps` with the virtual mailbox tables, a password file in Dovecot's
//! form, and the users of this system. Lookups may wait for a disk; whoever has an event loop asks on a pool thread.

mod account;
mod file;
mod location;
mod mailbox;
mod passwd_file;
mod settings;
mod system_users;
mod usable;

use lookup::{Lookup, Part, Stop};
use passwords::Scheme;
use rewriting::Rewriting;
use tables::{Options, Tables};

pub use account::{Account, Password};
pub use mailbox::{Mailbox, NoMailbox};
pub use passwd_file::{Entry, Extra};
pub use settings::Settings;

use crate::passwd_file::PasswdFile;
use crate::system_users::SystemUsers;

/// The user database.
pub struct Accounts {
    settings: Settings,
    tables: Tables,
    rewriting: Rewriting,
    passwd_file: Option<PasswdFile>,
    system_users: Option<SystemUsers>,
}

/// A source could not be asked: nobody knows whether the user exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// A table.
    #[error("{0} can not be asked")]
    Table(String),
    /// A file, or the system's user database.
    #[error("{0}")]
    File(String),
}

impl From<Stop> for Unavailable {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed { table } => Self::Table(table),
            Stop::Wait => Self::Table("a table whose answer has not come".to_owned()),
        }
    }
}

impl Accounts {
    /// Opens the sources, with the rights that are still there. What can not be opened is logged, and fails when it is
    /// asked.
    pub fn open(settings: Settings, rewriting: Rewriting) -> Self {
        // `$1` would let a stranger's login choose a file.
        let tables = Tables::new(Options { substitution: false, ..Options::default() });
        let mailboxes = &rewriting.settings().virtual_mailbox_maps;
        let owners = &settings.owners;
        let owned = [&owners.virtual_uid_maps, &owners.virtual_gid_maps];
        let others = [mailboxes, &settings.password_maps, &settings.limit_maps, &settings.acl_groups_maps];
        for maps in owned.into_iter().chain(others) {
            tables.open_maps(maps);
        }
        Self {
            passwd_file: (!settings.passwd_file.is_empty()).then(|| PasswdFile::open(&settings.passwd_file)),
            system_users: settings.system_users.then(SystemUsers::open),
            settings,
            tables,
            rewriting,
        }
    }

    /// The name that a login stands for: in lower case, with a domain.
    pub fn canonical(&self, login: &str) -> String {
        let login = login.trim().to_lowercase();
        let domain = &self.settings.default_domain;
        if login.contains('@') || domain.is_empty() { login } else { format!("{login}@{domain}") }
    }

    /// Who logs in with `login`; none when nobody does.
    ///
    /// # Errors
    /// [`Unavailable`]: try again later.
    pub fn find(&self, login: &str) -> Result<Option<Account>, Unavailable> {
        let user = self.canonical(login);
        if !is_sound(&user) {
            return Ok(None);
        }
        if let Some(found) = self.tables.find(&self.settings.password_maps, &user, Part::Whole)? {
            return Ok(Some(Account::of_table(user, found.value)));
        }
        if let Some(entry) = self.passwd_entry(&user)? {
            return Ok(Some(Account::of_entry(user, entry)));
        }
        self.system_user(&user)
    }

    /// Where the mail of `account` lies.
    ///
    /// # Errors
    /// [`NoMailbox`] says whether somebody has to mend the configuration.
    pub fn mailbox(&self, account: &Account) -> Result<Mailbox, NoMailbox> {
        mailbox::find(self, account)
    }

    /// As [`Accounts::mailbox`] for somebody who does not log in now; such a user needs no password.
    ///
    /// # Errors
    /// As [`Accounts::mailbox`].
    pub fn mailbox_of(&self, user: &str) -> Result<Mailbox, NoMailbox> {
        let account = self.find(user)?;
        self.mailbox(&account.unwrap_or_else(|| Account::without_password(self.canonical(user))))
    }

    /// Scheme of stored passwords that name none.
    pub fn default_scheme(&self) -> Scheme {
        self.settings.default_scheme
    }

    /// The tables among the sources.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Has a file among the sources changed in a way that only a fresh process can follow?
    pub fn are_out_of_date(&self) -> bool {
        self.passwd_file.as_ref().is_some_and(PasswdFile::is_out_of_date)
            || self.system_users.as_ref().is_some_and(SystemUsers::is_out_of_date)
    }

    fn passwd_entry(&self, user: &str) -> Result<Option<Entry>, Unavailable> {
        let Some(file) = &self.passwd_file else { return Ok(None) };
        let found = file.find(user)?;
        match self.bare(user) {
            Some(bare) if found.is_none() => file.find(bare),
            _ => Ok(found),
        }
    }

    fn system_user(&self, user: &str) -> Result<Option<Account>, Unavailable> {
        match (&self.system_users, self.bare(user)) {
            (Some(users), Some(bare)) => Ok(users.find(bare)?.map(|entry| Account::of_system(user, entry))),
            _ => Ok(None),
        }
    }

    /// The user part of a login in the default domain.
    fn bare<'a>(&self, user: &'a str) -> Option<&'a str> {
        match user.rsplit_once('@') {
            Some((bare, domain)) => {
                domain.eq_ignore_ascii_case(&self.settings.default_domain).then_some(bare)
            }
            None => Some(user),
        }
    }
}

/// Is it a name that a table or a file can be asked for? Control characters and colons are not.
fn is_sound(user: &str) -> bool {
    const LIMIT_BYTES: usize = 1024;
    let sound = user.chars().all(|character| !character.is_control() && !":%/".contains(character));
    sound && !user.is_empty() && !user.starts_with('@') && user.len() <= LIMIT_BYTES
}
