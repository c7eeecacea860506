//! STATUS (RFC 3501 §6.3.10).

use acl::Right;
use imap_protocol::types::{Code, MailboxName, Reply, StatusItem};
use imap_protocol::write::{Out, StatusValue};
use mailbox::store::{Flags, Folder, FolderName};
use sys::clock;

use crate::refusal::Refused;
use crate::state::{Outcome, State};
use crate::view::News;

/// The unit of `DELETED-STORAGE`, bytes.
const KIB: u64 = 1024;

impl State {
    pub(crate) fn status(&mut self, mailbox: &MailboxName, items: &[StatusItem], out: &mut Out) -> Outcome {
        let name = self.folder_name(mailbox)?;
        let selected = self.view.as_ref().is_some_and(|view| view.name == *mailbox);
        self.write_status(mailbox, &name, items, out)?;
        if selected {
            self.tell(News { expunges: true, ..News::default() }, out)?;
            return Ok(Reply::ok("Status on selected mailbox completed.").with(Code::ClientBug));
        }
        Ok(Reply::ok("Status completed."))
    }

    /// `* STATUS`
    pub(crate) fn write_status(
        &mut self,
        mailbox: &MailboxName,
        name: &FolderName,
        items: &[StatusItem],
        out: &mut Out,
    ) -> Result<(), Refused> {
        let now_us = clock::now_us();
        let folder = self.store.folder(name, now_us)?;
        self.permit(name, Right::Read)?;
        folder.sync(now_us)?;
        if items.contains(&StatusItem::HighestModSeq) {
            self.enable_condstore(out);
        }
        let mut summary = folder.read(|contents| contents.summary());
        if let Some(view) = self.view.as_ref().filter(|view| view.name == *mailbox && !view.read_only) {
            summary.recent = view.recent.len();
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let number = |number: usize| StatusValue::Number(number as u64);
            let value = match item {
                StatusItem::Messages => number(summary.messages),
                StatusItem::Recent => number(summary.recent),
                StatusItem::UidNext => StatusValue::Number(u64::from(summary.uid_next)),
                StatusItem::UidValidity => StatusValue::Number(u64::from(summary.uid_validity)),
                StatusItem::Unseen => number(summary.unseen),
                StatusItem::HighestModSeq => StatusValue::Number(summary.highest_modseq),
                StatusItem::Deleted => number(summary.deleted),
                StatusItem::MailboxId => StatusValue::Id(hexadecimal::encode(&summary.guid)),
                StatusItem::AppendLimit => StatusValue::None,
                StatusItem::Size => StatusValue::Number(size_of(&folder, Flags::NONE)?),
                StatusItem::DeletedStorage => {
                    StatusValue::Number(size_of(&folder, Flags::DELETED)?.div_ceil(KIB))
                }
            };
            values.push((*item, value));
        }
        out.status_of(mailbox, &values);
        Ok(())
    }
}

/// The sum of the sizes of the messages that have these flags.
fn size_of(folder: &Folder, flags: Flags) -> Result<u64, Refused> {
    let uids: Vec<u32> = folder.read(|contents| {
        let chosen = contents.messages().iter().filter(|message| message.flags.has(flags));
        chosen.map(|message| message.uid).collect()
    });
    Ok(folder.wire_sizes(&uids)?.into_iter().flatten().sum())
}
