//! Where somebody's mail lies.

use std::sync::Arc;

use accounts::{Accounts, Mailbox, NoMailbox};
use dovecot_auth::{Failure, ServerLine};
use reactor::channel::Line;

use crate::connection::Connection;
use crate::service::Authd;

impl Connection {
    /// Has a thread find out.
    pub(crate) fn look_up(&mut self, id: u32, user: String, authd: &mut Authd, line: &mut Line<'_, Authd>) {
        let knowledge = Arc::clone(&authd.knowledge);
        match line.events.offload(line.me, move || answer(&knowledge.accounts, id, &user)) {
            Ok(()) => self.goes_out(),
            Err(error) => {
                log::warn!("look a user up: {error}");
                line.send_bytes(&temporary(id).to_bytes());
            }
        }
    }
}

fn answer(accounts: &Accounts, id: u32, user: &str) -> ServerLine {
    match accounts.mailbox_of(user) {
        Ok(mailbox) => found(id, accounts.canonical(user), mailbox),
        Err(NoMailbox::Unknown(_)) => ServerLine::NotFound { id },
        Err(error) => {
            log::warn!("mailbox of {user}: {error}");
            temporary(id)
        }
    }
}

fn found(id: u32, name: String, mailbox: Mailbox) -> ServerLine {
    let below = mailbox.path.trim_start_matches("./").trim_end_matches('/');
    let absolute = mailbox.base.join(below).display().to_string();
    let absolute = absolute.trim_end_matches('/');
    let place = match &mailbox.folders {
        Some(folders) => format!("mbox:{}:INBOX={absolute}", folders.display()),
        None if mailbox.path.ends_with('/') => format!("maildir:{absolute}"),
        None => format!("mbox:{absolute}"),
    };
    let options = if mailbox.options.is_empty() { String::new() } else { format!(":{}", mailbox.options) };
    ServerLine::User {
        id,
        name,
        uid: mailbox.uid,
        gid: mailbox.gid,
        home: mailbox.base.display().to_string(),
        mail: format!("{place}{options}"),
        quota_rule: mailbox.quota,
        acl_groups: mailbox.acl_groups,
        path: mailbox.path,
    }
}

fn temporary(id: u32) -> ServerLine {
    ServerLine::Failure(Failure { id, temporary: true, ..Failure::default() })
}
