//! A view put away as a few words while its client says nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use acl::Rights;
use attributes::Attributes;
use imap_protocol::types::{MailboxName, Numbers};
use mailbox::store::Folder;

use super::{Hearing, View};
use crate::parking::{numbers_of_text, numbers_to_text};

/// What is left of a view; the client knows of everything up to `seen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParkedView {
    pub(crate) name: MailboxName,
    pub(crate) read_only: bool,
    pub(crate) uid_validity: u32,
    pub(crate) uids: Numbers,
    pub(crate) seen: u64,
    pub(crate) recent: Numbers,
    pub(crate) keywords: usize,
    pub(crate) modseq_told: u64,
    pub(crate) rev2: bool,
    /// Messages that are gone, which the client has not been told yet.
    pub(crate) gone: Numbers,
}

impl View {
    /// None while there is something on the way to the client.
    pub(crate) fn parked(&self) -> Option<ParkedView> {
        let is_told = self.fresh.is_empty() && self.recent_told == self.recent.len();
        if !is_told || self.hearing != Hearing::ALL {
            return None;
        }
        Some(ParkedView {
            name: self.name.clone(),
            read_only: self.read_only,
            uid_validity: self.folder.read(|contents| contents.summary().uid_validity),
            uids: self.uids.iter().copied().collect(),
            seen: self.seen,
            recent: self.recent.iter().copied().collect(),
            keywords: self.keywords,
            modseq_told: self.modseq_told,
            rev2: self.rev2,
            gone: self.gone.iter().copied().collect(),
        })
    }
}

impl ParkedView {
    pub(crate) fn write(&self, words: &mut Attributes) {
        words.push("mailbox", self.name.as_str());
        words.push("read_only", u8::from(self.read_only));
        words.push("uid_validity", self.uid_validity);
        words.push("uids", numbers_to_text(&self.uids));
        words.push("seen", self.seen);
        words.push("recent", numbers_to_text(&self.recent));
        words.push("keywords", self.keywords);
        words.push("modseq_told", self.modseq_told);
        words.push("rev2", u8::from(self.rev2));
        words.push("gone", numbers_to_text(&self.gone));
    }

    pub(crate) fn read(words: &Attributes) -> Option<Self> {
        Some(Self {
            name: MailboxName::new(words.get("mailbox")?).ok()?,
            read_only: words.get("read_only")? == "1",
            uid_validity: words.parse("uid_validity").ok()?,
            uids: numbers_of_text(words.get("uids")?)?,
            seen: words.parse("seen").ok()?,
            recent: numbers_of_text(words.get("recent")?)?,
            keywords: words.parse("keywords").ok()?,
            modseq_told: words.parse("modseq_told").ok()?,
            rev2: words.get("rev2")? == "1",
            gone: numbers_of_text(words.get("gone")?)?,
        })
    }

    /// The view again, as its client knows it, with the rights of now; the caller has synced the folder. None when it is another folder
    /// by now, or one that has forgotten what happened since.
    pub(crate) fn reopen(self, folder: Arc<Folder>, rights: Rights) -> Option<View> {
        let summary = folder.read(|contents| contents.summary());
        if summary.uid_validity != self.uid_validity || summary.highest_modseq < self.seen {
            return None;
        }
        let recent: BTreeSet<u32> = self.recent.iter().collect();
        Some(View {
            folder,
            name: self.name,
            read_only: self.read_only || rights.is_read_only(),
            rights,
            uids: self.uids.iter().collect(),
            seen: self.seen,
            recent_told: recent.len(),
            recent,
            gone: self.gone.iter().collect(),
            keywords: self.keywords,
            modseq_told: self.modseq_told,
            rev2: self.rev2,
            hearing: Hearing::ALL,
            fresh: Vec::new(),
        })
    }
}
