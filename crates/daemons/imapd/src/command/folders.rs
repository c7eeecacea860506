//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7, RFC 6154 §3).

use acl::{Acl, Right};
use imap_protocol::types::{Code, MailboxName, Reply, SpecialUse};
use imap_protocol::write::Out;
use mailbox::store::{FolderName, Listed, MailError};
use sys::clock;

use crate::access::denied;
use crate::refusal::{Refused, refused};
use crate::special_use;
use crate::state::{Outcome, State};

impl State {
    pub(crate) fn create(&mut self, mailbox: &MailboxName, uses: &[SpecialUse]) -> Outcome {
        if mailbox.is_inbox() {
            return Ok(Reply::no("Mailbox already exists").with(Code::AlreadyExists));
        }
        let name = self.folder_name(mailbox)?;
        if uses.iter().any(|special| matches!(special, SpecialUse::All | SpecialUse::Flagged)) {
            // Mailboxes that hold what lies elsewhere can not be made here.
            return Err(refused(Reply::no("Unsupported special use").with(Code::UseAttr)));
        }
        let now_us = clock::now_us();
        let above = self.permit_create(&name)?;
        if mailbox.as_str().ends_with(self.site.separator) && self.store.has_directories() {
            // RFC 3501 §6.3.3: mailboxes are to be made below it. It must be none itself where it would be a file.
            self.store.create_directory(&name)?;
            return Ok(Reply::ok("Create completed."));
        }
        self.store.create(&name, now_us)?;
        if let Some(above) = above {
            self.inherit_rights(&above, &name)?;
        }
        if !uses.is_empty() {
            self.store.set_attributes(Some(&name), &[special_use::entry(uses)], now_us)?;
        }
        // What lies above it comes with it.
        self.know(|folder| folder.is_some_and(|folder| *folder == name || name.is_below(folder)))?;
        Ok(Reply::ok("Create completed."))
    }

    /// As with Dovecot a new mailbox has the rights of the one above it.
    fn inherit_rights(&self, above: &FolderName, name: &FolderName) -> Result<(), MailError> {
        let rights = self.store.acl(above)?;
        if rights == Acl::default() {
            return Ok(());
        }
        self.store.change_acl(name, clock::now_us(), |acl| *acl = rights)
    }

    pub(crate) fn delete(&mut self, mailbox: &MailboxName, _out: &mut Out) -> Outcome {
        if mailbox.is_inbox() {
            return Ok(Reply::no("INBOX can't be deleted").with(Code::Cannot));
        }
        let name = self.folder_name(mailbox)?;
        let rights = self.permit(&name, Right::Delete)?;
        if !rights.has(Right::Expunge) {
            self.permit_only_if_empty(&name)?;
        }
        match self.store.delete(&name, clock::now_us()) {
            // A mere parent is no mailbox to Dovecot.
            Err(MailError::NotSelectable(name)) => Err(MailError::NoFolder(name).into()),
            other => {
                other?;
                self.know(|folder| folder == Some(&name))?;
                Ok(Reply::ok("Delete completed."))
            }
        }
    }

    /// As with Dovecot, who may not expunge messages loses none by deleting their mailbox either.
    fn permit_only_if_empty(&self, name: &FolderName) -> Result<(), Refused> {
        let now_us = clock::now_us();
        let folder = match self.store.folder(name, now_us) {
            // What can not be opened is told by the deletion.
            Err(MailError::NotSelectable(_) | MailError::NoFolder(_)) => return Ok(()),
            there => there?,
        };
        folder.sync(now_us)?;
        match folder.read(|contents| contents.summary()).messages {
            0 => Ok(()),
            _ => Err(denied()),
        }
    }

    pub(crate) fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Outcome {
        if from == to {
            return Ok(Reply::no("Can't rename mailbox to itself").with(Code::AlreadyExists));
        }
        if from.is_inbox() {
            return Ok(Reply::no("Renaming INBOX isn't supported").with(Code::Cannot));
        }
        let (from, to) = (self.folder_name(from)?, self.folder_name(to)?);
        self.permit(&from, Right::Delete)?;
        self.permit_create(&to)?;
        match self.store.rename(&from, &to, clock::now_us()) {
            Ok(()) => {
                let is_it = |folder: &FolderName, top: &FolderName| folder == top || folder.is_below(top);
                self.know(|folder| folder.is_some_and(|folder| is_it(folder, &from) || is_it(folder, &to)))?;
                Ok(Reply::ok("Rename completed."))
            }
            Err(MailError::FolderExists(_)) => {
                Err(refused(Reply::no("Target mailbox already exists").with(Code::AlreadyExists)))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn subscribe(&mut self, mailbox: &MailboxName, subscribed: bool) -> Outcome {
        let name = self.folder_name(mailbox)?;
        let now_us = clock::now_us();
        let is_there = |listed: &Listed| (listed.selectable || listed.is_directory) && listed.name == name;
        if subscribed && !self.store.list()?.iter().any(is_there) {
            return Err(MailError::NoFolder(name).into());
        }
        if subscribed && !self.is_known(&name)? {
            return Err(MailError::NoFolder(name).into());
        }
        self.store.subscribe(&name, subscribed, now_us)?;
        self.know(|folder| folder == Some(&name))?;
        Ok(Reply::ok(if subscribed { "Subscribe completed." } else { "Unsubscribe completed." }))
    }
}
