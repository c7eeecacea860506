//! APPEND, with CATENATE, and REPLACE (RFC 3501 §6.3.11, RFC 3502, RFC 4469, RFC 8508).

use std::sync::Arc;

use acl::{Right, Rights};
use imap_protocol::session::AppendStep;
use imap_protocol::types::{self, Code, MailboxName, Messages, Reply};
use imap_protocol::write::Out;
use mailbox::store::{Addition, Folder, FolderName, Uid, Upload};
use sys::clock;

use crate::access::{denied, permitted};
use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};
use crate::view::{News, split_flags};

/// Microseconds of a second.
const SECOND_US: u64 = 1_000_000;

/// Messages on their way into a mailbox.
#[derive(Debug)]
pub(crate) struct Appending {
    folder: Arc<Folder>,
    /// What may be done there.
    rights: Rights,
    name: FolderName,
    whole: Vec<Addition>,
    message: types::Append,
    upload: Option<Upload>,
    /// The message of the selected mailbox that gives way.
    replaced: Option<Uid>,
}

impl Appending {
    pub(crate) fn step(&mut self, state: &State, step: AppendStep) -> Result<(), Refused> {
        match step {
            AppendStep::Message(message, _bytes) => {
                self.upload = Some(self.folder.upload(clock::now_us())?);
                self.message = message;
            }
            AppendStep::Bytes(bytes) => {
                if let Some(upload) = &mut self.upload {
                    upload.write(&bytes)?;
                }
            }
            AppendStep::Url(url) => self.take_url(state, &url)?,
            AppendStep::MessageEnd => self.message_end(),
            AppendStep::Open { .. } | AppendStep::Commit | AppendStep::Abort => {}
        }
        Ok(())
    }

    fn message_end(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        let message = std::mem::take(&mut self.message);
        let (flags, keywords) = split_flags(&permitted(&message.flags, self.rights));
        let now = i64::try_from(clock::now_us() / SECOND_US).unwrap_or(i64::MAX);
        let received = message.date.map_or(now, |date| date.seconds);
        self.whole.push(Addition { upload, flags, keywords, received });
    }

    fn take_url(&mut self, state: &State, url: &[u8]) -> Result<(), Refused> {
        let text = String::from_utf8_lossy(url).into_owned();
        let bad = |why: &'static str| refused(Reply::no(why).with(Code::BadUrl(text.clone())));
        let content = crate::url::fetch(state, &text).map_err(bad)?;
        match &mut self.upload {
            Some(upload) => Ok(upload.write(&content)?),
            None => Ok(()),
        }
    }
}

impl State {
    pub(crate) fn begin_append(
        &mut self,
        mailbox: &MailboxName,
        replaced: Option<&Messages>,
    ) -> Result<Appending, Refused> {
        let replaced = replaced.map(|messages| self.replaced(messages)).transpose()?;
        let (folder, rights) = self.target(mailbox)?;
        let name = self.folder_name(mailbox)?;
        let message = types::Append::default();
        Ok(Appending { folder, rights, name, whole: Vec::new(), message, upload: None, replaced })
    }

    /// The one message that REPLACE names.
    fn replaced(&mut self, messages: &Messages) -> Result<Uid, Refused> {
        let saved = self.saved.clone();
        let view = self.selected()?;
        if view.read_only {
            return Err(refused(Reply::no("Mailbox is read-only").with(Code::ReadOnly)));
        }
        if !view.rights.has(Right::WriteDeleted) || !view.rights.has(Right::Expunge) {
            return Err(denied());
        }
        match view.resolve("REPLACE", messages, &saved)?.as_slice() {
            [(_, uid)] => Ok(*uid),
            _ => Err(refused(Reply::no("No such message").with(Code::NonExistent))),
        }
    }

    pub(crate) fn commit(&mut self, appending: Appending, out: &mut Out) -> Outcome {
        let uids = appending.folder.append(appending.whole, clock::now_us())?;
        let here = self.view.as_ref().is_some_and(|view| Arc::ptr_eq(&view.folder, &appending.folder));
        let mut own = if here { uids.clone() } else { Vec::new() };
        let added = uids.len();
        let uid_validity = appending.folder.read(|contents| contents.summary().uid_validity);
        // Who may not read there does not learn what the messages are there.
        let code = appending
            .rights
            .has(Right::Read)
            .then(|| Code::AppendUid { uid_validity, uids: uids.into_iter().collect() });
        self.know_added(&appending.name, added)?;
        let Some(replaced) = appending.replaced else {
            self.tell(News { expunges: true, own, ..News::default() }, out)?;
            return Ok(Reply { code, ..Reply::ok("Append completed.") });
        };
        // RFC 8508 §4.1: APPENDUID comes untagged, before the EXPUNGE.
        if code.is_some() {
            out.untagged(&Reply { code, ..Reply::ok("Replacement message ready") });
        }
        self.selected()?.folder.expunge(&[replaced], clock::now_us())?;
        own.insert(0, replaced);
        self.tell(News { expunges: true, own, ..News::default() }, out)?;
        Ok(Reply::ok("Replace completed."))
    }
}
