//! What a client hears of without asking (RFC 5465): what it asked for, and what it knows already.

mod standing;
mod structure;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use imap_protocol::types::{
    Code, EventGroup, Events, FetchItem, MailboxFilter, MailboxName, MessageEvents, Numbers, Reply,
    SelectedEvents,
};
use imap_protocol::write::Out;
use mailbox::store::{FolderName, MailError, WatchPlace};

use crate::refusal::{Refused, refused};
use crate::state::State;
use crate::view::{Hearing, View};

use standing::Standing;
use structure::Snapshot;

/// So many mailboxes are watched for a session; who asks for more hears of none.
pub(crate) const MAILBOXES_LIMIT: usize = 1000;

/// What is watched, and so what may have changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The selected mailbox.
    Selected,
    /// The messages of another.
    Folder(FolderName),
    /// Which mailboxes there are, and what is noted of them.
    Folders,
}

/// Where changes are waited for.
pub(crate) type WatchList = Vec<(Subject, WatchPlace)>;

/// What may have changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) subjects: BTreeSet<Subject>,
    /// Not all can be watched.
    pub(crate) overflow: bool,
}

/// Which mailboxes a group is about, in names of folders.
#[derive(Debug)]
enum Scope {
    All,
    Subscribed,
    /// These and all below them.
    Below(Vec<FolderName>),
    These(Vec<FolderName>),
}

/// What a client has asked for with NOTIFY.
#[derive(Debug)]
pub(crate) struct Notifying {
    selected: Option<SelectedEvents>,
    groups: Vec<(Scope, Events)>,
    /// The mailboxes whose messages are watched, and how the client knows them.
    folders: BTreeMap<FolderName, Standing>,
    /// As the client knows it.
    snapshot: Snapshot,
    /// What may have changed and has not been looked at.
    changed: Changed,
    /// Where changes are to be waited for, when that is not what it was.
    watch_list: Option<WatchList>,
}

impl Notifying {
    /// A client that wants to hear of nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            selected: None,
            groups: Vec::new(),
            folders: BTreeMap::new(),
            snapshot: Snapshot::default(),
            changed: Changed::default(),
            watch_list: Some(Vec::new()),
        }
    }

    /// Does the client hear of anything between commands?
    pub(crate) fn hears(&self) -> bool {
        self.selected.is_some() || !self.groups.is_empty()
    }

    /// What it hears of the selected mailbox.
    pub(crate) fn hearing(&self) -> Hearing {
        match &self.selected {
            Some(events) => Hearing { messages: true, flags: events.flags, uid: true },
            None => Hearing::NOTHING,
        }
    }

    /// Messages of the selected mailbox vanish only in commands that permit it (RFC 5465 §6.1.2).
    pub(crate) fn delays_expunges(&self) -> bool {
        self.selected.as_ref().is_none_or(|events| events.delayed)
    }

    /// What is sent of a new message.
    pub(crate) fn fetch(&self) -> &[FetchItem] {
        self.selected.as_ref().map_or(&[], |events| &events.fetch)
    }

    /// What it hears of a mailbox that is not selected: several groups may be about it (RFC 5465 §6).
    fn events_of(&self, name: &FolderName) -> Events {
        let about = |scope: &Scope| match scope {
            Scope::All => true,
            Scope::Subscribed => self.snapshot.subscriptions.contains(name),
            Scope::Below(tops) => tops.iter().any(|top| name == top || name.is_below(top)),
            Scope::These(names) => names.contains(name),
        };
        let groups = self.groups.iter().filter(|(scope, _)| about(scope));
        groups.fold(Events::default(), |all, (_, events)| all.and(*events))
    }

    /// This is to be looked at later.
    pub(crate) fn put_off(&mut self, changed: Changed) {
        self.changed.subjects.extend(changed.subjects);
        self.changed.overflow |= changed.overflow;
    }

    /// Does it hear of the server's annotations? They belong to no mailbox.
    fn hears_of_server(&self) -> bool {
        self.groups.iter().any(|(_, events)| events.server_metadata)
    }

    /// Finds out whose messages are to be watched. False: too many.
    fn choose_folders(&mut self, first: bool, limit: usize) -> bool {
        let all = std::iter::once(FolderName::inbox()).chain(self.snapshot.names.keys().cloned());
        let is_chosen = |name: &FolderName| self.events_of(name).messages != MessageEvents::Nothing;
        let mut chosen = BTreeMap::new();
        for name in all.filter(is_chosen) {
            // One that has just come is empty to the client.
            let standing = if first { Standing::Unknown } else { Standing::New };
            chosen.insert(name, standing);
        }
        let fits = chosen.len() <= limit;
        for (name, standing) in &mut chosen {
            if let Some(known) = self.folders.remove(name) {
                *standing = known;
            }
        }
        self.folders = chosen;
        fits
    }
}

impl State {
    /// The client hears of this from now on, instead of what it heard of before.
    pub(crate) fn listen(
        &mut self,
        selected: Option<SelectedEvents>,
        groups: Vec<EventGroup>,
    ) -> Result<(), Refused> {
        let mut notifying = Notifying::nothing();
        notifying.selected = selected;
        notifying.groups =
            groups.into_iter().map(|group| (self.scope(group.mailboxes), group.events)).collect();
        if !notifying.groups.is_empty() {
            // Who listened before is told what happened since, by what it wants to hear now.
            if let Some(before) = &self.notify {
                notifying.folders = before.folders.clone();
                notifying.snapshot = before.snapshot.clone();
                notifying.changed.subjects = before.changed.subjects.clone();
                notifying.changed.subjects.insert(Subject::Folders);
            }
            if !notifying.snapshot.is_known {
                notifying.snapshot = Snapshot::of(&self.store, None)?;
            }
            if !notifying.choose_folders(true, self.site.notified_mailboxes) {
                let reply = Reply::no("Too many mailboxes to watch").with(Code::NotificationOverflow);
                return Err(refused(reply));
            }
        }
        self.notify = Some(Box::new(notifying));
        self.set_hearing();
        Ok(())
    }

    /// The client hears of nothing from now on.
    pub(crate) fn hear_nothing(&mut self) {
        self.notify = Some(Box::new(Notifying::nothing()));
        self.set_hearing();
    }

    /// Names that can be no mailbox's are passed over (RFC 5465 §3.1).
    fn scope(&self, filter: MailboxFilter) -> Scope {
        let names =
            |names: Vec<MailboxName>| names.iter().filter_map(|name| self.folder_name(name).ok()).collect();
        match filter {
            // RFC 5465 §6.3: where the delivery agent may put mail is not known here.
            MailboxFilter::Inboxes | MailboxFilter::Personal => Scope::All,
            MailboxFilter::Subscribed => Scope::Subscribed,
            MailboxFilter::Subtree(tops) => Scope::Below(names(tops)),
            MailboxFilter::Mailboxes(these) => Scope::These(names(these)),
        }
    }

    /// What the client hears of the selected mailbox holds for the one that is selected now.
    pub(crate) fn set_hearing(&mut self) {
        let Some(notify) = &self.notify else { return };
        if let Some(view) = &mut self.view {
            view.hearing = notify.hearing();
        }
    }

    /// Another mailbox is selected now, or none.
    pub(crate) fn selection_changed(&mut self) {
        self.set_hearing();
        self.renew_watch_list();
    }

    /// The selected mailbox is selected no more.
    pub(crate) fn leave_view(&mut self) -> Option<View> {
        let view = self.view.take()?;
        self.saved = Numbers::default();
        self.updates.clear();
        self.fresh.clear();
        self.fetching_fresh = None;
        if let Ok(name) = self.folder_name(&view.name)
            && let Some(notify) = &mut self.notify
            && let Some(standing) = notify.folders.get_mut(&name)
        {
            *standing = match view.knows_all() {
                true => Standing::of(&view.folder.read(|contents| contents.summary())),
                false => Standing::Untold,
            };
            notify.changed.subjects.insert(Subject::Folder(name));
        }
        Some(view)
    }

    /// Finds out where changes are to be waited for.
    pub(crate) fn renew_watch_list(&mut self) {
        let selected = self.view.as_ref().and_then(|view| self.folder_name(&view.name).ok());
        let Some(notify) = &mut self.notify else { return };
        let mut list = WatchList::new();
        if let (Some(view), Some(_)) = (&self.view, &notify.selected) {
            list.push((Subject::Selected, view.folder.watch_place()));
        }
        if !notify.groups.is_empty() {
            list.push((Subject::Folders, self.store.watch_place()));
            for name in notify.folders.keys().filter(|name| Some(*name) != selected.as_ref()) {
                if let Ok(place) = self.store.watch_place_of(name) {
                    list.push((Subject::Folder(name.clone()), place));
                }
            }
        }
        notify.watch_list = Some(list);
    }

    /// Where changes are to be waited for, when that is not what it was.
    pub(crate) fn take_watch_list(&mut self) -> Option<WatchList> {
        self.notify.as_mut()?.watch_list.take()
    }

    /// Does the client hear of what happens between commands?
    pub(crate) fn hears(&self) -> bool {
        self.notify.as_ref().is_some_and(|notify| notify.hears())
    }

    /// Is there something that it is to hear right behind the command?
    pub(crate) fn has_news(&self) -> bool {
        let waits = |notify: &Notifying| {
            let vanished = !notify.delays_expunges() && self.view.as_ref().is_some_and(View::has_untold_gone);
            vanished || !notify.changed.subjects.is_empty() || notify.changed.overflow
        };
        !self.fresh.is_empty() || self.notify.as_ref().is_some_and(|notify| notify.hears() && waits(notify))
    }

    /// Tells what has happened to mailboxes that are not selected.
    pub(crate) fn tell_mailboxes(&mut self, changed: Changed, out: &mut Out) -> Result<(), Refused> {
        let Some(notify) = &mut self.notify else { return Ok(()) };
        let Changed { mut subjects, overflow } = std::mem::take(&mut notify.changed);
        subjects.extend(changed.subjects);
        if overflow || changed.overflow {
            self.overflow(out);
            return Ok(());
        }
        if subjects.remove(&Subject::Folders) {
            self.tell_folders(out)?;
        }
        for subject in subjects {
            if let Subject::Folder(name) = subject {
                self.tell_standing(&name, out)?;
            }
        }
        Ok(())
    }

    /// RFC 5465 §5.8
    fn overflow(&mut self, out: &mut Out) {
        let reply = Reply::ok("Too much to watch: nothing is told from now on");
        out.untagged(&reply.with(Code::NotificationOverflow));
        self.hear_nothing();
    }

    /// What the client has done itself it is not told of (RFC 5465 §5): how `concerns` stands now it knows. None is the
    /// server.
    pub(crate) fn know(&mut self, concerns: impl Fn(Option<&FolderName>) -> bool) -> Result<(), MailError> {
        let Some(notify) = self.notify.as_mut().filter(|notify| !notify.groups.is_empty()) else {
            return Ok(());
        };
        let now = Snapshot::of(&self.store, Some(&notify.snapshot))?;
        notify.snapshot.take_over(&now, concerns);
        Ok(())
    }
}
