//! COPY, MOVE (RFC 3501 §6.4.7, RFC 6851, RFC 4315 §3).

use std::sync::Arc;

use acl::{Right, Rights};
use imap_protocol::types::{Code, MailboxName, Messages, Numbers, Reply};
use imap_protocol::write::Out;
use mailbox::store::{Copied, Folder, MailError, Uid};
use sys::clock;

use crate::access::{denied, scope};
use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};
use crate::view::News;

/// What a client is told that has named no message that is there, wherever it was to go.
const NOTHING: &str = "No messages found.";

/// Messages that go somewhere.
struct Ends {
    uids: Vec<Uid>,
    target: Arc<Folder>,
    /// What may be done there.
    rights: Rights,
}

impl State {
    pub(crate) fn copy(&mut self, messages: &Messages, mailbox: &MailboxName, out: &mut Out) -> Outcome {
        let Some(Ends { uids, target, rights }) = self.ends("COPY", messages, mailbox, out)? else {
            self.tell(News { expunges: messages.uid, uid: messages.uid, ..News::default() }, out)?;
            return Ok(Reply::ok(NOTHING));
        };
        let folder = Arc::clone(&self.selected()?.folder);
        let copied = folder.copy(&uids, &target, scope(rights), clock::now_us())?;
        let own = if is_same(&folder, &target) {
            copied.iter().map(|copied| copied.to).collect()
        } else {
            Vec::new()
        };
        self.tell(News { expunges: messages.uid, uid: messages.uid, own, ..News::default() }, out)?;
        self.know_added(&self.folder_name(mailbox)?, copied.len())?;
        let reply = Reply::ok("Copy completed.");
        Ok(match copied_code(&copied, &target, rights) {
            Some(code) => reply.with(code),
            None => reply,
        })
    }

    pub(crate) fn move_messages(
        &mut self,
        messages: &Messages,
        mailbox: &MailboxName,
        out: &mut Out,
    ) -> Outcome {
        let Some(Ends { uids, target, rights }) = self.ends("MOVE", messages, mailbox, out)? else {
            self.tell(News { expunges: true, uid: messages.uid, ..News::default() }, out)?;
            return Ok(Reply::ok(NOTHING));
        };
        let view = self.selected()?;
        if view.read_only {
            return Err(refused(Reply::no("Mailbox is read-only").with(Code::ReadOnly)));
        }
        if !view.rights.has(Right::Expunge) {
            return Err(denied());
        }
        let folder = Arc::clone(&view.folder);
        let moved = folder.move_to(&uids, &target, scope(rights), clock::now_us())?;
        if let Some(code) = copied_code(&moved, &target, rights) {
            out.untagged(&Reply::ok("Moved UIDs.").with(code));
        }
        let mut own: Vec<Uid> = moved.iter().map(|moved| moved.from).collect();
        if is_same(&folder, &target) {
            own.extend(moved.iter().map(|moved| moved.to));
        }
        own.sort_unstable();
        self.tell(News { expunges: true, uid: messages.uid, own, ..News::default() }, out)?;
        self.know_added(&self.folder_name(mailbox)?, moved.len())?;
        Ok(Reply::ok("Move completed."))
    }

    /// The messages, and where they go; none where there are none, and then it does not matter where.
    fn ends(
        &mut self,
        command: &str,
        messages: &Messages,
        mailbox: &MailboxName,
        out: &mut Out,
    ) -> Result<Option<Ends>, Refused> {
        let saved = self.saved.clone();
        let targets = self.selected()?.resolve(command, messages, &saved)?;
        let uids: Vec<Uid> = targets.into_iter().map(|(_, uid)| uid).collect();
        if uids.is_empty() {
            return Ok(None);
        }
        let (target, rights) = self.target(mailbox)?;
        let folder = Arc::clone(&self.selected()?.folder);
        folder.sync(clock::now_us())?;
        if folder.read(|contents| uids.iter().any(|uid| contents.message(*uid).is_none())) {
            // RFC 3501 §6.4.7: all or none.
            self.tell(News { expunges: true, ..News::default() }, out)?;
            let text = "Some of the requested messages no longer exist.";
            return Err(refused(Reply::no(text).with(Code::ExpungeIssued)));
        }
        Ok(Some(Ends { uids, target, rights }))
    }

    /// A mailbox to put messages into; one that is missing may be created (RFC 3501 §6.4.7).
    pub(crate) fn target(&self, mailbox: &MailboxName) -> Result<(Arc<Folder>, Rights), Refused> {
        let missing = || {
            let text = format!("Mailbox doesn't exist: {}", mailbox.to_wire(false));
            refused(Reply::no(text).with(Code::TryCreate))
        };
        let name = self.folder_name(mailbox)?;
        let now_us = clock::now_us();
        let folder = match self.store.folder(&name, now_us) {
            Err(MailError::NoFolder(_) | MailError::NotSelectable(_)) => return Err(missing()),
            other => other?,
        };
        let rights = self.permit_insert(&name)?;
        folder.sync(now_us)?;
        Ok((folder, rights))
    }
}

/// Two sessions of a folder share it, and so do both ends of a copy.
fn is_same(one: &Arc<Folder>, other: &Arc<Folder>) -> bool {
    Arc::ptr_eq(one, other)
}

/// Who may not read there does not learn what the messages are there.
fn copied_code(copied: &[Copied], target: &Folder, rights: Rights) -> Option<Code> {
    if !rights.has(Right::Read) {
        return None;
    }
    let uid_validity = target.read(|contents| contents.summary().uid_validity);
    let from: Numbers = copied.iter().map(|copied| copied.from).collect();
    let to: Numbers = copied.iter().map(|copied| copied.to).collect();
    (!copied.is_empty()).then_some(Code::CopyUid { uid_validity, from, to })
}
