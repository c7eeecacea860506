//! `pillarbox user`: what authd would say of a user.

use std::path::Path;

use accounts::{Account, Accounts, Password, Settings};
use passwords::Stored;
use rewriting::Rewriting;

use crate::postfix::Site;

/// Prints who `address` is and where the mail lies; never the secret.
pub(crate) fn print(config_directory: Option<&Path>, address: &str) -> Result<(), String> {
    let site = Site::read(worker::configuration::directory(config_directory))
        .map_err(|problem| problem.to_string())?;
    let rewriting = Rewriting::new(rewriting::Settings::from(&site.config));
    let accounts = Accounts::open(Settings::from(&site.config), rewriting);
    let account = accounts.find(address).map_err(|error| error.to_string())?;
    println!("user      {}", accounts.canonical(address));
    println!("password  {}", shown(&accounts, account.as_ref()));
    if let Some(networks) = account.as_ref().and_then(|account| account.networks.as_deref()) {
        println!("from      {networks}");
    }
    let mailbox = accounts.mailbox_of(address).map_err(|error| error.to_string())?;
    let kind = if mailbox.path.ends_with('/') { "Maildir" } else { "mbox" };
    println!("mailbox   {kind} {}", mailbox.base.join(mailbox.path.trim_start_matches("./")).display());
    if let Some(folders) = &mailbox.folders {
        println!("folders   {}", folders.display());
    }
    if let Some(quota) = &mailbox.quota {
        println!("quota     {quota}");
    }
    if let Some(groups) = &mailbox.acl_groups {
        println!("groups    {groups}");
    }
    println!("owner     uid {} gid {}", mailbox.uid, mailbox.gid);
    Ok(())
}

fn shown(accounts: &Accounts, account: Option<&Account>) -> String {
    match account.map(|account| &account.password) {
        None => "none: this user can not log in".to_owned(),
        Some(Password::Nothing) => "none, or locked: this user can not log in".to_owned(),
        Some(Password::Any) => "any (nopassword)".to_owned(),
        Some(Password::Stored(text)) => match Stored::parse(text, accounts.default_scheme()) {
            Ok(stored) if stored.is_weak() => format!("stored as {}, which is weak", stored.scheme()),
            Ok(stored) => format!("stored as {}", stored.scheme()),
            Err(error) => format!("can not be used: {error}"),
        },
    }
}
