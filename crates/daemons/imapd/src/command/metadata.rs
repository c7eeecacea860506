//! GETMETADATA, SETMETADATA (RFC 5464).

use imap_protocol::types::{Code, Depth, EntryName, MailboxName, MetadataOptions, Reply};
use imap_protocol::write::Out;
use mailbox::store::{FolderName, MailError};
use sys::clock;

use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};

/// A value is not longer, bytes.
const VALUE_LIMIT_BYTES: usize = 64 * 1024;
/// So many annotations has a mailbox, or the server.
const ENTRIES_LIMIT: usize = 200;

impl State {
    pub(crate) fn get_metadata(
        &mut self,
        mailbox: &MailboxName,
        options: MetadataOptions,
        entries: &[EntryName],
        out: &mut Out,
    ) -> Outcome {
        let folder = self.annotated(mailbox)?;
        let known = self.store.attributes()?;
        let own = known.iter().filter(|one| one.folder == folder);
        let asked = own.filter(|one| entries.iter().any(|entry| entry.covers(&one.entry, options.depth)));
        let limit = options.max_size.unwrap_or(u64::MAX);
        let (short, long): (Vec<_>, Vec<_>) = asked.partition(|one| one.value.len() as u64 <= limit);
        let mut shown: Vec<(&str, Option<&[u8]>)> =
            short.iter().map(|one| (one.entry.as_str(), Some(one.value.as_slice()))).collect();
        for entry in entries.iter().filter(|_| options.depth == Depth::Zero) {
            // What is asked for by name and is not there is NIL.
            if !short.iter().chain(&long).any(|one| one.entry == entry.as_str()) {
                shown.push((entry.as_str(), None));
            }
        }
        if !shown.is_empty() {
            out.metadata(mailbox, &shown);
        }
        let reply = Reply::ok("Getmetadata completed.");
        Ok(match long.iter().map(|one| one.value.len() as u64).max() {
            Some(bytes) => reply.with(Code::MetadataLongEntries(bytes)),
            None => reply,
        })
    }

    pub(crate) fn set_metadata(
        &mut self,
        mailbox: &MailboxName,
        entries: &[(EntryName, Option<Vec<u8>>)],
    ) -> Outcome {
        let folder = self.annotated(mailbox)?;
        if entries
            .iter()
            .any(|(_, value)| value.as_ref().is_some_and(|value| value.len() > VALUE_LIMIT_BYTES))
        {
            let code = Code::MetadataMaxSize(VALUE_LIMIT_BYTES as u64);
            return Err(refused(Reply::no("Value is too long").with(code)));
        }
        let there = self.store.attributes()?.iter().filter(|one| one.folder == folder).count();
        let more = entries.iter().filter(|(_, value)| value.is_some()).count();
        if more > 0 && there + more > ENTRIES_LIMIT {
            return Err(refused(Reply::no("Too many annotations").with(Code::MetadataTooMany)));
        }
        let changes: Vec<_> =
            entries.iter().map(|(entry, value)| (entry.as_str().to_owned(), value.clone())).collect();
        self.store.set_attributes(folder.as_ref(), &changes, clock::now_us())?;
        self.know(|one| one == folder.as_ref())?;
        Ok(Reply::ok("Setmetadata completed."))
    }

    /// The folder; none for the server, whose name is empty.
    fn annotated(&self, mailbox: &MailboxName) -> Result<Option<FolderName>, Refused> {
        if mailbox.as_str().is_empty() {
            return Ok(None);
        }
        let name = self.folder_name(mailbox)?;
        match self.store.folder(&name, clock::now_us()) {
            // A mere parent may have a comment as well.
            Ok(_) | Err(MailError::NotSelectable(_)) => {
                self.permit_annotations(&name)?;
                Ok(Some(name))
            }
            Err(error) => Err(error.into()),
        }
    }
}
