//! Where somebody's mail lies, and whose it is.

use std::path::{Path, PathBuf};

use rewriting::exact_id;

use crate::account::Account;
use crate::location::Location;
use crate::passwd_file::Entry;
use crate::{Accounts, Unavailable};

/// A mailbox, and as whom it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The folder that nothing leaves.
    pub base: PathBuf,
    /// Below the base: a Maildir when it ends in `/`, else an mbox file; `./` is the base itself.
    pub path: String,
    /// With an mbox file, the directory of the other folders, absolute. It may lie outside of the base.
    pub folders: Option<PathBuf>,
    /// What a mail location says after its path (`LAYOUT=fs`), as it stands there.
    pub options: String,
    /// What the mail may grow to, as a table or a password file has it.
    pub quota: Option<String>,
    /// The groups that lists of rights may name, with commas between them, as a table or a password file has it.
    pub acl_groups: Option<String>,
}

/// Why somebody has no mailbox that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMailbox {
    /// There is none.
    #[error("no mailbox for {0}: give it one in virtual_mailbox_maps")]
    Unknown(String),
    /// The configuration is not in order.
    #[error("{0}")]
    Misconfigured(String),
    /// Nobody knows now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

pub(crate) fn find(accounts: &Accounts, account: &Account) -> Result<Mailbox, NoMailbox> {
    let extra = account.entry.as_ref().map(|entry| &entry.extra);
    let quota = match extra.and_then(|extra| extra.quota.clone()) {
        Some(quota) => Some(quota),
        None => in_table(accounts, &accounts.settings.limit_maps, &account.user)?,
    };
    let acl_groups = match extra.and_then(|extra| extra.acl_groups.clone()) {
        Some(groups) => Some(groups),
        None => in_table(accounts, &accounts.settings.acl_groups_maps, &account.user)?,
    };
    place(accounts, account).map(|mailbox| Mailbox { quota, acl_groups, ..mailbox })
}

fn in_table(accounts: &Accounts, maps: &str, user: &str) -> Result<Option<String>, NoMailbox> {
    let found = accounts.rewriting.find_address(&accounts.tables, maps, user).map_err(Unavailable::from)?;
    Ok(found.map(|found| found.value))
}

fn place(accounts: &Accounts, account: &Account) -> Result<Mailbox, NoMailbox> {
    if account.is_system {
        return of_system(accounts, account);
    }
    let named = account.entry.as_ref().and_then(|entry| entry.extra.mail.as_deref());
    match (named, virtual_path(accounts, &account.user)?, &account.entry) {
        (Some(location), _, Some(entry)) => of_location(accounts, account, entry, location),
        (_, Some(path), _) => of_virtual(accounts, account, path),
        (_, None, Some(entry)) => of_location(accounts, account, entry, &accounts.settings.mail_location),
        (_, None, None) => Err(NoMailbox::Unknown(account.user.clone())),
    }
}

fn virtual_path(accounts: &Accounts, user: &str) -> Result<Option<String>, NoMailbox> {
    let maps = &accounts.rewriting.settings().virtual_mailbox_maps;
    let found = accounts.rewriting.find_address(&accounts.tables, maps, user).map_err(Unavailable::from)?;
    Ok(found.map(|found| found.value))
}

fn of_virtual(accounts: &Accounts, account: &Account, path: String) -> Result<Mailbox, NoMailbox> {
    if accounts.settings.base.is_empty() {
        let text = "virtual_mailbox_base is empty: name the directory of all mailboxes in main.cf";
        return Err(NoMailbox::Misconfigured(text.to_owned()));
    }
    let (uid, gid) = virtual_owner(accounts, &account.user)?;
    let base = PathBuf::from(&accounts.settings.base);
    let is_maildir = path.ends_with('/');
    let below = format!("{}{}", path.trim_start_matches('/'), accounts.settings.folders_suffix);
    let folders = (!is_maildir).then(|| base.join(below));
    let options = if is_maildir { accounts.settings.layout.clone() } else { String::new() };
    Ok(Mailbox { uid, gid, base, path, folders, options, quota: None, acl_groups: None })
}

fn virtual_owner(accounts: &Accounts, user: &str) -> Result<(u32, u32), NoMailbox> {
    let owner = accounts.rewriting.mailbox_owner(&accounts.tables, &accounts.settings.owners, user);
    owner.map_err(|why| match why {
        rewriting::NoMailbox::Stop(stop) => NoMailbox::Unavailable(stop.into()),
        other => NoMailbox::Misconfigured(other.to_string()),
    })
}

fn of_location(
    accounts: &Accounts,
    account: &Account,
    entry: &Entry,
    text: &str,
) -> Result<Mailbox, NoMailbox> {
    let location = Location::parse(text, &account.user, &entry.home).ok_or_else(|| {
        NoMailbox::Misconfigured(format!(
            "mail location \"{text}\" of {}: only maildir: and mbox: with an absolute path, or ~ and a home folder",
            account.user
        ))
    })?;
    let (uid, gid) = match (entry.uid.as_str(), entry.gid.as_str()) {
        ("", _) | (_, "") => virtual_owner(accounts, &account.user)?,
        (uid, gid) => (own_id(account, uid)?, own_id(account, gid)?),
    };
    // As Dovecot has it: the directory of an mbox location holds the folders, and INBOX unless that is elsewhere.
    let folders = (!location.is_maildir).then(|| location.path.clone());
    let inbox = match location.inbox {
        None if location.is_maildir => location.path,
        None => location.path.join("inbox"),
        Some(inbox) => inbox,
    };
    let home = Path::new(&entry.home);
    let (base, below) = match inbox.strip_prefix(home) {
        Ok(below) if home.is_absolute() => (home.to_owned(), below.to_owned()),
        _ if location.is_maildir => (inbox.clone(), PathBuf::new()),
        _ => split_file(&inbox),
    };
    let ending = if location.is_maildir { "/" } else { "" };
    let path = match below.to_string_lossy().trim_end_matches('/') {
        "" => "./".to_owned(),
        below => format!("{below}{ending}"),
    };
    Ok(Mailbox { uid, gid, base, path, folders, options: location.options, quota: None, acl_groups: None })
}

fn split_file(path: &Path) -> (PathBuf, PathBuf) {
    let folder = path.parent().unwrap_or(Path::new("/"));
    (folder.to_owned(), path.file_name().map(PathBuf::from).unwrap_or_default())
}

fn own_id(account: &Account, text: &str) -> Result<u32, NoMailbox> {
    exact_id(text).ok_or_else(|| {
        NoMailbox::Misconfigured(format!("{}: bad uid or gid {text} in passwd_file", account.user))
    })
}

/// local(8): `home_mailbox` below the home folder, else a file of the user's name in the spool.
fn of_system(accounts: &Accounts, account: &Account) -> Result<Mailbox, NoMailbox> {
    let unknown = || NoMailbox::Unknown(account.user.clone());
    let entry = account.entry.as_ref().ok_or_else(unknown)?;
    let (uid, gid) = (own_id(account, &entry.uid)?, own_id(account, &entry.gid)?);
    let settings = &accounts.settings;
    let name = account.user.split('@').next().unwrap_or_default();
    let (base, path) = match settings.home_mailbox.as_str() {
        "" if settings.spool.ends_with('/') => (&settings.spool, format!("{name}/")),
        "" => (&settings.spool, name.to_owned()),
        below => (&entry.home, below.to_owned()),
    };
    let folders = (!path.ends_with('/')).then(|| Path::new(&entry.home).join(&settings.folder_directory));
    let base = PathBuf::from(base);
    Ok(Mailbox { uid, gid, base, path, folders, options: String::new(), quota: None, acl_groups: None })
}
