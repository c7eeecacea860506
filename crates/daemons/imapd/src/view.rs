//! What a client knows of the mailbox it has selected: sequence numbers, and what it has not been told yet.

mod parking;

pub(crate) use parking::ParkedView;

use std::collections::BTreeSet;
use std::sync::Arc;

use acl::{Right, Rights};
use imap_protocol::types::{Code, Flag, Flags, Keyword, MailboxName, Messages, Numbers, Reply, SequenceSet};
use imap_protocol::write::Out;
use mailbox::store::{self, Contents, Folder, Message, Uid, Vanished};
use sys::clock;

use crate::access::permitted;
use crate::refusal::{Refused, refused};
use crate::state::Features;

/// The selected mailbox as its client sees it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) folder: Arc<Folder>,
    pub(crate) name: MailboxName,
    pub(crate) read_only: bool,
    /// What may be done with it.
    pub(crate) rights: Rights,
    /// The UID of each sequence number.
    pub(crate) uids: Vec<Uid>,
    /// Changes up to this modification sequence are known.
    seen: u64,
    /// Messages that are `\Recent` in this session.
    pub(crate) recent: BTreeSet<Uid>,
    /// Messages that are gone, which the client has not been told yet: its sequence numbers still count them.
    gone: Vec<Uid>,
    /// So many keywords of the folder the client knows.
    keywords: usize,
    recent_told: usize,
    /// The client has been told this modification sequence.
    modseq_told: u64,
    /// Nothing is `\Recent` to this client (RFC 9051).
    rev2: bool,
    pub(crate) hearing: Hearing,
    /// Messages of which the client has heard only that they are there.
    fresh: Vec<Uid>,
}

/// What of a mailbox the client hears without asking: all of it, unless NOTIFY says less (RFC 5465 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// Messages that come and go.
    pub(crate) messages: bool,
    /// Flags that others change.
    pub(crate) flags: bool,
    /// Flags come with UIDs (RFC 5465 §5.1).
    pub(crate) uid: bool,
}

impl Hearing {
    /// All of it.
    pub(crate) const ALL: Self = Self { messages: true, flags: true, uid: false };
    /// What the client does itself alone.
    pub(crate) const NOTHING: Self = Self { messages: false, flags: false, uid: false };

    fn has_all(self) -> bool {
        self.messages && self.flags
    }
}

/// What of the news may be told.
#[derive(Debug, Default, Clone)]
pub(crate) struct News {
    /// Messages may vanish.
    pub(crate) expunges: bool,
    /// The client thinks in UIDs.
    pub(crate) uid: bool,
    /// It has been told the flags of these already, or does not want them (sorted).
    pub(crate) told: Vec<Uid>,
    /// What happened to these the client has done itself (sorted): it is told in any case.
    pub(crate) own: Vec<Uid>,
}

impl News {
    /// Has the client done it itself?
    pub(crate) fn is_own(&self, uid: Uid) -> bool {
        self.own.binary_search(&uid).is_ok()
    }
}

impl View {
    /// Opens the mailbox; the caller has synced the folder.
    pub(crate) fn open(
        folder: Arc<Folder>,
        name: MailboxName,
        read_only: bool,
        rights: Rights,
        features: Features,
    ) -> Result<Self, Refused> {
        let read_only = read_only || rights.is_read_only();
        let recent: BTreeSet<Uid> = if read_only {
            // RFC 3501 §6.3.2: they stay recent for who comes next.
            folder.read(Contents::recent)
        } else {
            folder.claim_recent(clock::now_us())?.into_iter().collect()
        };
        let (uids, seen, keywords) = folder.read(|contents| {
            let uids = contents.messages().iter().map(|message| message.uid).collect();
            (uids, contents.summary().highest_modseq, contents.keywords().len())
        });
        let recent_told = recent.len();
        let mut view = Self {
            folder,
            name,
            read_only,
            rights,
            uids,
            seen,
            recent,
            gone: Vec::new(),
            keywords,
            recent_told,
            modseq_told: seen,
            rev2: false,
            hearing: Hearing::ALL,
            fresh: Vec::new(),
        };
        if features.rev2 {
            view.forget_recent();
        }
        Ok(view)
    }

    /// From now on nothing is `\Recent`.
    pub(crate) fn forget_recent(&mut self) {
        self.rev2 = true;
        self.recent.clear();
        self.recent_told = 0;
    }

    /// The modification sequence up to which the client knows everything, when it has not been told.
    pub(crate) fn untold_modseq(&mut self) -> Option<u64> {
        let untold = self.gone.is_empty() && self.seen > self.modseq_told;
        self.modseq_told = if untold { self.seen } else { self.modseq_told };
        untold.then_some(self.seen)
    }

    /// How many messages the client knows of.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.uids.len()).unwrap_or(u32::MAX)
    }

    /// The sequence number of a UID.
    pub(crate) fn number(&self, uid: Uid) -> Option<u32> {
        let place = self.uids.binary_search(&uid).ok()?;
        u32::try_from(place + 1).ok()
    }

    /// The messages that a command names: sequence number and UID of each, rising.
    pub(crate) fn resolve(
        &self,
        command: &str,
        messages: &Messages,
        saved: &Numbers,
    ) -> Result<Vec<(u32, Uid)>, Refused> {
        if messages.uid || messages.set == SequenceSet::Saved {
            return Ok(self.with_uids(&self.uid_set(&messages.set, saved)));
        }
        let asks_last = messages.set.names_one() && messages.set.names_last();
        if messages.set.largest_named() > self.len() || (self.len() == 0 && asks_last) {
            return Err(refused(Reply::bad(format!("Error in IMAP command {command}: Invalid messageset"))));
        }
        Ok(self.numbered(&messages.set.resolve(self.len(), saved)))
    }

    /// All messages that the client knows of.
    pub(crate) fn all(&self) -> Vec<(u32, Uid)> {
        (1..).zip(self.uids.iter().copied()).collect()
    }

    /// A set of UIDs; `*` is the highest.
    pub(crate) fn uid_set(&self, set: &SequenceSet, saved: &Numbers) -> Numbers {
        set.resolve(self.uids.last().copied().unwrap_or(0), saved)
    }

    fn numbered(&self, numbers: &Numbers) -> Vec<(u32, Uid)> {
        let uid = |number: u32| Some((number, *self.uids.get(number as usize - 1)?));
        numbers.iter().map_while(uid).collect()
    }

    /// Those of a set of UIDs that are here.
    pub(crate) fn with_uids(&self, uids: &Numbers) -> Vec<(u32, Uid)> {
        let mut found = Vec::new();
        for (first, last) in uids.ranges() {
            let from = self.uids.partition_point(|uid| uid < first);
            let to = self.uids.partition_point(|uid| uid <= last);
            found.extend((from..to).map(|place| (place as u32 + 1, self.uids[place])));
        }
        found
    }

    /// The flags that the folder has, system flags and keywords.
    pub(crate) fn known_flags(&self) -> Flags {
        let names = self.folder.read(|contents| contents.keywords().to_vec());
        let keywords = names.iter().filter_map(|name| Keyword::new(name.as_bytes())).map(Flag::Keyword);
        Flag::SYSTEM.into_iter().chain(keywords).collect()
    }

    /// `* FLAGS`, and which of them stay.
    pub(crate) fn write_flags(&self, out: &mut Out) {
        let flags = self.known_flags();
        out.flags(&flags);
        let reply = if self.read_only {
            Reply::ok("Read-only mailbox.").with(Code::PermanentFlags(Flags::default(), false))
        } else {
            let (flags, more) = (permitted(&flags, self.rights), self.rights.has(Right::Write));
            Reply::ok("Flags permitted.").with(Code::PermanentFlags(flags, more))
        };
        out.untagged(&reply);
    }

    /// Tells the client what is new since it was last told. The caller has synced the folder.
    pub(crate) fn tell(&mut self, news: &News, features: Features, out: &mut Out) -> Result<(), Refused> {
        let (changes, names) = self.folder.read(|contents| {
            let changes = contents.changes_since(self.seen);
            let names = if changes.changed.is_empty() { Vec::new() } else { contents.keywords().to_vec() };
            (changes, names)
        });
        if self.hearing.has_all() {
            self.seen = changes.upto;
        }
        self.note_gone(&changes.vanished, news);
        if names.len() > self.keywords && (self.hearing.flags || !news.own.is_empty()) {
            self.keywords = names.len();
            self.write_flags(out);
        }
        if news.expunges {
            self.tell_gone(features, out);
        }
        let last = self.uids.last().copied().unwrap_or(0);
        let first_new = changes.changed.partition_point(|message| message.uid <= last);
        let (changed, new) = changes.changed.split_at(first_new);
        if features.condstore && self.hearing.has_all() {
            let told = changed.iter().map(|message| message.modseq).max().unwrap_or(0);
            self.modseq_told = self.modseq_told.max(told);
        }
        for message in changed {
            self.tell_changed(message, &names, news, features, out);
        }
        self.tell_new(new, news, out)?;
        if self.recent_told != self.recent.len() {
            self.recent_told = self.recent.len();
            out.recent(self.recent_told);
        }
        Ok(())
    }

    /// What the next [`View::tell`] is about: messages that are gone, and those that are new or have changed. Sorted.
    pub(crate) fn pending(&self, news: &News) -> (Vec<Uid>, Vec<Uid>) {
        let changes = self.folder.read(|contents| contents.changes_since(self.seen));
        let mut gone = self.gone.clone();
        gone.append(&mut self.heard_of(&changes.vanished, news));
        gone.sort_unstable();
        gone.dedup();
        let last = self.uids.last().copied().unwrap_or(0);
        let heard = |uid: &Uid| match *uid > last {
            true => self.hearing.messages,
            false => self.hearing.flags || news.is_own(*uid),
        };
        (gone, changes.changed.iter().map(|message| message.uid).filter(heard).collect())
    }

    /// Messages that the client has not been told are gone.
    pub(crate) fn has_untold_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Does the client know all that has happened up to now?
    pub(crate) fn knows_all(&self) -> bool {
        let highest = self.folder.read(|contents| contents.summary().highest_modseq);
        self.gone.is_empty() && highest <= self.seen
    }

    /// Messages that others brought, of which the client has heard only that they are there.
    pub(crate) fn take_fresh(&mut self) -> Vec<Uid> {
        std::mem::take(&mut self.fresh)
    }

    /// Those of vanished messages that the client knows of and is to hear of.
    fn heard_of(&self, vanished: &Vanished, news: &News) -> Vec<Uid> {
        let mut gone = self.known_of(vanished);
        gone.retain(|uid| self.hearing.messages || news.is_own(*uid));
        gone
    }

    fn note_gone(&mut self, vanished: &Vanished, news: &News) {
        let mut gone = self.heard_of(vanished, news);
        if gone.is_empty() {
            return;
        }
        self.gone.append(&mut gone);
        self.gone.sort_unstable();
        self.gone.dedup();
    }

    /// Those of vanished messages that the client knows of.
    fn known_of(&self, vanished: &Vanished) -> Vec<Uid> {
        match vanished {
            Vanished::These(uids) => {
                uids.iter().copied().filter(|uid| self.uids.binary_search(uid).is_ok()).collect()
            }
            Vanished::AllMissing => {
                let there: Vec<Uid> = self
                    .folder
                    .read(|contents| contents.messages().iter().map(|message| message.uid).collect());
                self.uids.iter().copied().filter(|uid| there.binary_search(uid).is_err()).collect()
            }
        }
    }

    /// RFC 3501 §7.4.1: from the highest on, so that the numbers below stay.
    fn tell_gone(&mut self, features: Features, out: &mut Out) {
        if self.gone.is_empty() {
            return;
        }
        let gone = std::mem::take(&mut self.gone);
        if features.qresync {
            out.vanished(false, &gone.iter().copied().collect());
        } else {
            for uid in gone.iter().rev() {
                if let Some(number) = self.number(*uid) {
                    out.expunge(number);
                }
            }
        }
        self.uids.retain(|uid| gone.binary_search(uid).is_err());
        for uid in &gone {
            self.recent.remove(uid);
        }
    }

    fn tell_changed(
        &self,
        message: &Message,
        names: &[String],
        news: &News,
        features: Features,
        out: &mut Out,
    ) {
        let Some(number) = self.number(message.uid) else { return };
        if !self.hearing.flags && !news.is_own(message.uid) {
            return;
        }
        let told = news.told.binary_search(&message.uid).is_ok();
        if told && !features.condstore {
            return;
        }
        let mut fetch = out.fetch(number);
        if news.uid || features.qresync || self.hearing.uid {
            fetch.uid(message.uid);
        }
        if features.condstore {
            fetch.modseq(message.modseq);
        }
        if !told {
            fetch.flag_names(flag_names(message, names, self.recent.contains(&message.uid)).into_iter());
        }
        fetch.end();
    }

    fn tell_new(&mut self, new: &[Message], news: &News, out: &mut Out) -> Result<(), Refused> {
        if new.is_empty() || !self.hearing.messages {
            return Ok(());
        }
        self.fresh.extend(new.iter().map(|message| message.uid).filter(|uid| !news.is_own(*uid)));
        self.uids.extend(new.iter().map(|message| message.uid));
        if !self.read_only {
            let claimed = self.folder.claim_recent(clock::now_us())?;
            self.recent.extend(claimed.into_iter().filter(|_| !self.rev2));
        } else if !self.rev2 {
            let recent = self.folder.read(Contents::recent);
            self.recent.extend(new.iter().map(|message| message.uid).filter(|uid| recent.contains(uid)));
        }
        out.exists(self.uids.len());
        Ok(())
    }
}

/// The names of a message's flags in the order of Dovecot.
pub(crate) fn flag_names<'n>(message: &Message, names: &'n [String], recent: bool) -> Vec<&'n str> {
    let system = SYSTEM.iter().filter(|(flag, _)| message.flags.has(*flag)).map(|(_, name)| *name);
    let recent = recent.then_some("\\Recent");
    let keywords = message.keywords.iter().filter_map(|place| names.get(place));
    system.chain(recent).chain(keywords.map(String::as_str).filter(|name| !name.is_empty())).collect()
}

const SYSTEM: [(store::Flags, &str); 5] = [
    (store::Flags::ANSWERED, "\\Answered"),
    (store::Flags::FLAGGED, "\\Flagged"),
    (store::Flags::DELETED, "\\Deleted"),
    (store::Flags::SEEN, "\\Seen"),
    (store::Flags::DRAFT, "\\Draft"),
];

/// System flags as the store has them, and the keywords.
pub(crate) fn split_flags(flags: &Flags) -> (store::Flags, Vec<String>) {
    let (mut system, mut keywords) = (store::Flags::NONE, Vec::new());
    for flag in flags.iter() {
        system |= match flag {
            Flag::Answered => store::Flags::ANSWERED,
            Flag::Flagged => store::Flags::FLAGGED,
            Flag::Deleted => store::Flags::DELETED,
            Flag::Seen => store::Flags::SEEN,
            Flag::Draft => store::Flags::DRAFT,
            Flag::Keyword(keyword) => {
                keywords.push(keyword.as_str().to_owned());
                continue;
            }
        };
    }
    (system, keywords)
}
