//! SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3).

use acl::{Change, Identifier, Right, Rights, Subject};
use imap_protocol::types::{Code, MailboxName, Reply};
use imap_protocol::write::Out;
use mailbox::store::{FolderName, MailError};
use sys::clock;

use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};

impl State {
    pub(crate) fn set_acl(
        &mut self,
        mailbox: &MailboxName,
        identifier: &Identifier,
        change: Change,
        rights: Rights,
    ) -> Outcome {
        self.permit_naming(identifier)?;
        let name = self.administered(mailbox)?;
        let user = &self.user;
        let set =
            self.store.change_acl(&name, clock::now_us(), |acl| acl.set(identifier, change, rights, user))?;
        set.map_err(|_| refused(Reply::no("Too many identifiers have rights").with(Code::Limit)))?;
        self.rights_changed(mailbox)?;
        Ok(Reply::ok("Setacl complete."))
    }

    pub(crate) fn delete_acl(&mut self, mailbox: &MailboxName, identifier: &Identifier) -> Outcome {
        let name = self.administered(mailbox)?;
        self.store.change_acl(&name, clock::now_us(), |acl| acl.delete(identifier))?;
        self.rights_changed(mailbox)?;
        Ok(Reply::ok("Deleteacl complete."))
    }

    pub(crate) fn get_acl(&mut self, mailbox: &MailboxName, out: &mut Out) -> Outcome {
        let name = self.administered(mailbox)?;
        out.acl(mailbox, &self.store.rights(&name)?.told(&self.user));
        Ok(Reply::ok("Getacl completed."))
    }

    /// As with Dovecot it is the same for all mailboxes and everybody, also those that are not there.
    pub(crate) fn list_rights(mailbox: &MailboxName, identifier: &[u8], out: &mut Out) -> Outcome {
        out.list_rights(mailbox, identifier);
        Ok(Reply::ok("Listrights completed."))
    }

    /// As with Dovecot, of a mailbox that is not there one has all rights, and the empty name is where mailboxes are that lie
    /// in no other.
    pub(crate) fn my_rights(&mut self, mailbox: &MailboxName, out: &mut Out) -> Outcome {
        if mailbox.as_str().is_empty() {
            out.my_rights(mailbox, self.rights_at_top()?);
            return Ok(Reply::ok("Myrights completed."));
        }
        let name = self.folder_name(mailbox)?;
        let rights = self.rights(&name)?;
        if rights == Rights::NONE || rights == Rights::NONE.with(Right::Post) {
            // RFC 4314 §3.5: whoever can do nothing learns nothing.
            return Err(MailError::NoFolder(name).into());
        }
        out.my_rights(mailbox, rights);
        Ok(Reply::ok("Myrights completed."))
    }

    /// Rights are not given to everybody, nor to all who have logged in, unless the administrator lets users do that.
    fn permit_naming(&self, identifier: &Identifier) -> Result<(), Refused> {
        let name = match identifier.subject {
            Subject::Anyone => "anyone",
            Subject::Authenticated => "authenticated",
            _ => return Ok(()),
        };
        if self.site.permits_anyone {
            return Ok(());
        }
        let text = format!("Error in IMAP command SETACL: '{name}' identifier is disallowed");
        Err(refused(Reply::bad(text)))
    }

    /// A mailbox that is there and whose rights are the client's to see and change.
    fn administered(&self, mailbox: &MailboxName) -> Result<FolderName, Refused> {
        let name = self.folder_name(mailbox)?;
        match self.store.folder(&name, clock::now_us()) {
            Err(MailError::NotSelectable(name)) => return Err(MailError::NoFolder(name).into()),
            there => there?,
        };
        let rights = self.rights(&name)?;
        if rights.has(Right::Admin) {
            return Ok(name);
        }
        let text = "You lack administrator privileges on this mailbox";
        Err(self.hidden_or(&name, rights, Code::NonExistent, text))
    }
}
