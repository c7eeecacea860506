//! Where changes are waited for on behalf of a client that has asked for it with NOTIFY.

use std::collections::{BTreeSet, HashMap};

use mailbox::store::{WatchKey, WatchPlace};
use reactor::{EventLoop, HandlerId};

use crate::notify::{Changed, Subject, WatchList};
use crate::resident::Mailboxes;

/// What is watched for a session.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_key: HashMap<WatchKey, (Subject, WatchPlace)>,
    /// What has changed since the session looked.
    changed: BTreeSet<WatchKey>,
    overflow: bool,
}

impl Watches {
    /// Watches these and no others. True when there is something to look at: what was not watched until now may have changed
    /// before, or something can not be watched.
    pub(crate) fn replace(
        &mut self,
        wanted: WatchList,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> bool {
        let before = std::mem::take(&mut self.by_key);
        let mut keys: HashMap<&WatchPlace, WatchKey> =
            before.iter().map(|(key, (_, place))| (place, *key)).collect();
        for (subject, place) in wanted {
            let known = keys.remove(&place);
            let Some(key) = known.or_else(|| mailboxes.watch(&place, me, events)) else {
                self.overflow = true;
                continue;
            };
            let is_same = known.and_then(|key| before.get(&key)).is_some_and(|(old, _)| *old == subject);
            if !is_same {
                self.changed.insert(key);
            }
            self.by_key.insert(key, (subject, place));
        }
        for key in keys.into_values() {
            // One directory more or less of the same folders is the same watch.
            mailboxes.unwatch(key, me);
        }
        self.changed.retain(|key| self.by_key.contains_key(key));
        self.overflow || !self.changed.is_empty()
    }

    /// Something has happened there. False: nothing of ours.
    pub(crate) fn note(&mut self, key: WatchKey) -> bool {
        let ours = self.by_key.contains_key(&key);
        if ours {
            self.changed.insert(key);
        }
        ours
    }

    /// Is nothing watched?
    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// What is to be looked at.
    pub(crate) fn take_changed(&mut self) -> Changed {
        let keys = std::mem::take(&mut self.changed);
        let subjects = keys.iter().filter_map(|key| self.by_key.get(key)).map(|(subject, _)| subject.clone());
        Changed { subjects: subjects.collect(), overflow: std::mem::take(&mut self.overflow) }
    }

    /// Watches nothing more.
    pub(crate) fn end(&mut self, mailboxes: &mut Mailboxes, me: HandlerId) {
        for key in std::mem::take(&mut self.by_key).into_keys() {
            mailboxes.unwatch(key, me);
        }
        self.changed.clear();
    }
}
