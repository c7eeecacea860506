//! How the client knows a mailbox that is not selected: the numbers of STATUS.

use imap_protocol::types::{MessageEvents, StatusItem};
use imap_protocol::write::{Out, StatusValue};
use mailbox::store::{FolderName, MailError, Summary};
use sys::clock;

use crate::refusal::{Refused, mailbox_name};
use crate::state::State;

/// What a client has been told of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing has been looked at yet: it counts as told as it is.
    Unknown,
    /// It has just been made: there is nothing in it.
    New,
    /// Not how it is.
    Untold,
    /// This.
    Told(Numbers),
}

/// What of a mailbox is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    uid_validity: u32,
    messages: usize,
    uid_next: u32,
    unseen: usize,
    highest_modseq: u64,
}

impl Standing {
    /// The client knows it as it is.
    pub(crate) fn of(summary: &Summary) -> Self {
        Self::Told(Numbers {
            uid_validity: summary.uid_validity,
            messages: summary.messages,
            uid_next: summary.uid_next,
            unseen: summary.unseen,
            highest_modseq: summary.highest_modseq,
        })
    }

    /// Is there something to tell, to one who hears of these events?
    fn differs(self, now: &Summary, events: MessageEvents, condstore: bool) -> bool {
        let told = match self {
            Self::Unknown => return false,
            Self::Untold => return true,
            Self::New => return now.messages > 0,
            Self::Told(told) => told,
        };
        let arrivals = (told.messages, told.uid_next) != (now.messages, now.uid_next);
        // RFC 5465 §5.1: without CONDSTORE flags show in UNSEEN alone.
        let flags = told.unseen != now.unseen
            || told.uid_validity != now.uid_validity
            || (condstore && told.highest_modseq != now.highest_modseq);
        match events {
            MessageEvents::Nothing => false,
            MessageEvents::NewAndGone => arrivals,
            MessageEvents::All => arrivals || flags,
        }
    }
}

impl State {
    /// Tells how a mailbox stands, when the client knows it otherwise.
    pub(super) fn tell_standing(&mut self, name: &FolderName, out: &mut Out) -> Result<(), Refused> {
        if self.is_selected(name) {
            return Ok(());
        }
        let Some(notify) = &self.notify else { return Ok(()) };
        let Some(standing) = notify.folders.get(name).copied() else { return Ok(()) };
        let events = notify.events_of(name).messages;
        let Some(now) = self.summary_of(name)? else { return Ok(()) };
        if standing.differs(&now, events, self.features.condstore) {
            let (modseq, validity) = (self.features.condstore, events == MessageEvents::All);
            self.write_standing(name, &now, modseq, validity, out);
        }
        self.set_standing(name, &now);
        Ok(())
    }

    /// `STATUS` of all mailboxes whose messages the client hears of (RFC 5465 §3.1).
    pub(crate) fn tell_all_standings(&mut self, out: &mut Out) -> Result<(), Refused> {
        for name in self.notified_folders() {
            if self.is_selected(&name) {
                continue;
            }
            let Some(now) = self.summary_of(&name)? else { continue };
            let events = self.notify.as_ref().map(|notify| notify.events_of(&name).messages);
            let modseq = self.features.condstore || events == Some(MessageEvents::All);
            self.write_standing(&name, &now, modseq, true, out);
            self.set_standing(&name, &now);
        }
        Ok(())
    }

    /// How mailboxes stand that nobody has looked at yet, the client knows, or will ask.
    pub(crate) fn look_at_standings(&mut self) -> Result<(), Refused> {
        for name in self.notified_folders() {
            let is_unknown = |state: &Self| {
                state.notify.as_ref().and_then(|notify| notify.folders.get(&name)) == Some(&Standing::Unknown)
            };
            if is_unknown(self)
                && let Some(now) = self.summary_of(&name)?
            {
                self.set_standing(&name, &now);
            }
        }
        Ok(())
    }

    /// The client has put so many messages there itself; when nobody else did anything there, it knows.
    pub(crate) fn know_added(&mut self, name: &FolderName, added: usize) -> Result<(), Refused> {
        let Some(notify) = &self.notify else { return Ok(()) };
        let Some(Standing::Told(told)) = notify.folders.get(name).copied() else { return Ok(()) };
        if let Some(now) = self.summary_of(name)?
            && told.messages + added == now.messages
            && told.uid_next as usize + added == now.uid_next as usize
        {
            self.set_standing(name, &now);
        }
        Ok(())
    }

    fn notified_folders(&self) -> Vec<FolderName> {
        self.notify.as_ref().map(|notify| notify.folders.keys().cloned().collect()).unwrap_or_default()
    }

    fn is_selected(&self, name: &FolderName) -> bool {
        let selected = self.view.as_ref().map(|view| self.folder_name(&view.name));
        matches!(selected, Some(Ok(selected)) if selected == *name)
    }

    /// None: it has gone meanwhile, or is nothing to be told of.
    fn summary_of(&self, name: &FolderName) -> Result<Option<Summary>, Refused> {
        if !self.may_hear_of(name) {
            return Ok(None);
        }
        let now_us = clock::now_us();
        let synced = self.store.folder(name, now_us).and_then(|folder| {
            folder.sync(now_us)?;
            Ok(folder.read(|contents| contents.summary()))
        });
        match synced {
            Ok(summary) => Ok(Some(summary)),
            Err(MailError::NoFolder(_) | MailError::NotSelectable(_)) => Ok(None),
            Err(MailError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn set_standing(&mut self, name: &FolderName, now: &Summary) {
        if let Some(standing) = self.notify.as_mut().and_then(|notify| notify.folders.get_mut(name)) {
            *standing = Standing::of(now);
        }
    }

    /// RFC 5465 §5.1 to §5.3: what each of the events needs, as Dovecot tells it.
    fn write_standing(&self, name: &FolderName, now: &Summary, modseq: bool, validity: bool, out: &mut Out) {
        let Some(wire) = mailbox_name(name, self.site.separator) else { return };
        let number = StatusValue::Number;
        let mut values = vec![
            (StatusItem::Messages, number(now.messages as u64)),
            (StatusItem::UidNext, number(u64::from(now.uid_next))),
        ];
        if validity {
            values.push((StatusItem::UidValidity, number(u64::from(now.uid_validity))));
        }
        values.push((StatusItem::Unseen, number(now.unseen as u64)));
        if modseq {
            values.push((StatusItem::HighestModSeq, number(now.highest_modseq)));
        }
        out.status_of(&wire, &values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_depends_on_what_is_heard() {
        let before = Summary {
            uid_validity: 7,
            uid_next: 5,
            highest_modseq: 100,
            messages: 3,
            unseen: 1,
            ..Summary::default()
        };
        let told = Standing::of(&before);
        let (few, all) = (MessageEvents::NewAndGone, MessageEvents::All);
        let arrived = Summary { messages: 4, uid_next: 6, highest_modseq: 101, ..before };
        let seen = Summary { unseen: 0, highest_modseq: 101, ..before };
        let flagged = Summary { highest_modseq: 101, ..before };
        let anew = Summary { uid_validity: 8, ..before };
        for (now, expected) in [
            (before, [false, false, false]),
            (arrived, [true, true, true]),
            (seen, [false, true, true]),
            (flagged, [false, false, true]),
            (anew, [false, true, true]),
        ] {
            let found = [
                told.differs(&now, few, false),
                told.differs(&now, all, false),
                told.differs(&now, all, true),
            ];
            assert_eq!(found, expected, "{now:?}");
        }
        assert!(!told.differs(&arrived, MessageEvents::Nothing, true));
        assert!(
            Standing::Untold.differs(&before, few, false) && !Standing::Unknown.differs(&before, all, true)
        );
        let empty = Summary { messages: 0, ..before };
        assert!(Standing::New.differs(&before, few, false) && !Standing::New.differs(&empty, few, false));
    }
}
