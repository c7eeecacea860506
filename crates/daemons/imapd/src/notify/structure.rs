//! Which mailboxes there are, what is subscribed to and what is noted: as the client knows it, and what has changed.

use std::collections::{BTreeMap, BTreeSet};

use imap_protocol::types::MailboxName;
use imap_protocol::write::Out;
use mailbox::store::{Attribute, FolderIdentity, FolderName, MailError, Store};

use super::Notifying;
use crate::refusal::{Refused, mailbox_name};
use crate::state::State;

/// Names, and what has them.
pub(super) type Names = BTreeMap<FolderName, FolderIdentity>;
/// Values of annotations; without a folder they are the server's.
type Annotations = BTreeMap<(Option<FolderName>, String), Vec<u8>>;

/// What there was at one time.
#[derive(Debug, Default, Clone)]
pub(super) struct Snapshot {
    /// Somebody has looked.
    pub(super) is_known: bool,
    /// All folders but INBOX.
    pub(super) names: Names,
    pub(super) subscriptions: BTreeSet<FolderName>,
    annotations: Annotations,
}

impl Snapshot {
    /// Looks. What can not be read now is as it was.
    pub(super) fn of(store: &Store, before: Option<&Self>) -> Result<Self, MailError> {
        let subscriptions = store.subscriptions()?.into_iter().collect();
        let annotations = match (store.attributes(), before) {
            (Ok(all), _) => annotations(all),
            // A mailbox that can have no annotations has none.
            (Err(MailError::Unsupported { .. }), _) => Annotations::new(),
            (Err(_), Some(before)) => before.annotations.clone(),
            (Err(error), None) => return Err(error),
        };
        Ok(Self { is_known: true, names: store.identities()?, subscriptions, annotations })
    }

    /// What concerns these is as it is now; all else stays.
    pub(super) fn take_over(&mut self, now: &Self, concerns: impl Fn(Option<&FolderName>) -> bool) {
        self.names.retain(|name, _| !concerns(Some(name)));
        self.subscriptions.retain(|name| !concerns(Some(name)));
        self.annotations.retain(|(folder, _), _| !concerns(folder.as_ref()));
        let names = now.names.iter().filter(|(name, _)| concerns(Some(name)));
        self.names.extend(names.map(|(name, identity)| (name.clone(), *identity)));
        self.subscriptions.extend(now.subscriptions.iter().filter(|name| concerns(Some(name))).cloned());
        let annotations = now.annotations.iter().filter(|((folder, _), _)| concerns(folder.as_ref()));
        self.annotations.extend(annotations.map(|(key, value)| (key.clone(), value.clone())));
    }

    /// Folders that have another name in `now`: the old and the new one, without those that merely lie below another one.
    fn renamed(&self, now: &Self) -> Vec<(FolderName, FolderName)> {
        let mut found: Vec<(FolderName, FolderName)> = Vec::new();
        let gone: Vec<_> = self.names.iter().filter(|(name, _)| !now.names.contains_key(name)).collect();
        let come: Vec<_> = now.names.iter().filter(|(name, _)| !self.names.contains_key(name)).collect();
        for (old, identity) in gone {
            let Some((new, _)) = come.iter().find(|(_, later)| identity.is_same(later)) else { continue };
            let moves_along =
                |(from, to): &(FolderName, FolderName)| old.is_below(from) && old.moved(from, to) == **new;
            // Names are sorted: a parent comes before what lies below it.
            if !found.iter().any(moves_along) {
                found.push((old.clone(), (*new).clone()));
            }
        }
        found
    }

    /// Gives all that was noted of folders to their new names.
    fn rename(&mut self, renamed: &[(FolderName, FolderName)]) {
        let moved = |name: &FolderName| {
            let of = |(from, to): &(FolderName, FolderName)| {
                (name == from || name.is_below(from)).then(|| name.moved(from, to))
            };
            renamed.iter().find_map(of)
        };
        let names = std::mem::take(&mut self.names);
        self.names =
            names.into_iter().map(|(name, identity)| (moved(&name).unwrap_or(name), identity)).collect();
        let annotations = std::mem::take(&mut self.annotations);
        let follow = |folder: Option<FolderName>| folder.map(|name| moved(&name).unwrap_or(name));
        self.annotations = annotations
            .into_iter()
            .map(|((folder, entry), value)| ((follow(folder), entry), value))
            .collect();
    }
}

fn annotations(all: Vec<Attribute>) -> Annotations {
    all.into_iter().map(|one| ((one.folder, one.entry), one.value)).collect()
}

/// What is told of folders.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences {
    /// Names that come with a LIST response, and what they were before.
    listed: BTreeMap<FolderName, Option<FolderName>>,
    /// Entries that changed, by folder.
    noted: BTreeMap<Option<FolderName>, Vec<String>>,
}

impl Differences {
    /// Between what the client knows and what is there now, as far as it hears of it.
    fn new(notify: &Notifying, mut before: Snapshot, now: &Snapshot) -> Self {
        let mut found = Self::default();
        let renamed = before.renamed(now);
        for (old, new) in &renamed {
            if notify.events_of(old).names || notify.events_of(new).names {
                found.listed.insert(new.clone(), Some(old.clone()));
            }
        }
        before.rename(&renamed);
        let come_or_gone = before
            .names
            .keys()
            .filter(|name| !now.names.contains_key(name))
            .chain(now.names.keys().filter(|name| !before.names.contains_key(name)));
        for name in come_or_gone {
            // RFC 5465 §5.4: its parent is affected as well.
            for name in std::iter::once(name.clone()).chain(name.parent()) {
                if notify.events_of(&name).names {
                    found.listed.entry(name).or_default();
                }
            }
        }
        for name in before.subscriptions.symmetric_difference(&now.subscriptions) {
            if notify.events_of(name).subscriptions {
                found.listed.entry(name.clone()).or_default();
            }
        }
        found.note(notify, &before, now);
        found
    }

    fn note(&mut self, notify: &Notifying, before: &Snapshot, now: &Snapshot) {
        let keys: BTreeSet<_> = before.annotations.keys().chain(now.annotations.keys()).collect();
        for key in keys {
            let (folder, entry) = key;
            let heard = match folder {
                None => notify.hears_of_server(),
                // Those of a mailbox that has gone went with it.
                Some(name) => {
                    (name.is_inbox() || now.names.contains_key(name))
                        && notify.events_of(name).mailbox_metadata
                }
            };
            if heard && before.annotations.get(key) != now.annotations.get(key) {
                self.noted.entry(folder.clone()).or_default().push(entry.clone());
            }
        }
    }
}

impl State {
    /// Tells which mailboxes came, went, have other names, are subscribed to or not, or have other annotations.
    pub(super) fn tell_folders(&mut self, out: &mut Out) -> Result<(), Refused> {
        let Some(notify) = &mut self.notify else { return Ok(()) };
        let before = std::mem::take(&mut notify.snapshot);
        let now = match Snapshot::of(&self.store, Some(&before)) {
            Ok(now) => now,
            Err(error) => {
                notify.snapshot = before;
                return Err(error.into());
            }
        };
        // A mailbox may be heard of because it was subscribed to, or because it is now.
        notify.snapshot.subscriptions = before.subscriptions.union(&now.subscriptions).cloned().collect();
        let differences = Differences::new(notify, before, &now);
        notify.snapshot = now;
        let fits = notify.choose_folders(false, self.site.notified_mailboxes);
        self.write_differences(&differences, out)?;
        if fits {
            self.renew_watch_list();
        } else {
            self.overflow(out);
        }
        Ok(())
    }

    fn write_differences(&mut self, differences: &Differences, out: &mut Out) -> Result<(), Refused> {
        let separator = self.site.separator;
        if !differences.listed.is_empty() {
            self.write_affected(&differences.listed, out)?;
        }
        for (folder, entries) in &differences.noted {
            let name = match folder {
                None => MailboxName::new("").ok(),
                Some(folder) => mailbox_name(folder, separator),
            };
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            if let Some(name) = name {
                out.metadata_changed(&name, &entries);
            }
        }
        Ok(())
    }
}
