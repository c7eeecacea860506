//! Searches whose results are kept up to date for the client (RFC 5267 §4.3).

use imap_protocol::types::{Code, FetchItem, Numbers, Reply, SearchKey, SequenceSet};
use imap_protocol::write::Out;
use mailbox::store::Uid;

use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};
use crate::view::{News, View};

/// So many searches of a session are kept up to date.
const UPDATES_LIMIT: usize = 10;

/// A search that is kept up to date.
#[derive(Debug)]
pub(crate) struct Update {
    tag: String,
    /// UID SEARCH: its client thinks in UIDs.
    uid: bool,
    /// Without message sequence numbers, for those change.
    key: SearchKey,
    /// The result as the client knows it, rising.
    found: Vec<Uid>,
    /// What is sent of a new message that belongs to it (RFC 5465 §7).
    fetch: Vec<FetchItem>,
}

impl Update {
    /// Takes out messages that are about to go; tells those that were in the result.
    fn remove(&mut self, view: &View, going: &[Uid], out: &mut Out) {
        let gone: Vec<Uid> = self.found.extract_if(.., |uid| going.binary_search(uid).is_ok()).collect();
        self.write("REMOVEFROM", view, &gone, out);
    }

    /// Of `changed`, those in `now` belong to the result, the others do not. Answers those that came to it.
    fn change(&mut self, view: &View, changed: &[Uid], now: &[Uid], out: &mut Out) -> Vec<Uid> {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for uid in changed {
            match (self.found.binary_search(uid), now.binary_search(uid).is_ok()) {
                (Ok(place), false) => removed.push(self.found.remove(place)),
                (Err(place), true) => {
                    self.found.insert(place, *uid);
                    added.push(*uid);
                }
                _ => {}
            }
        }
        self.write("REMOVEFROM", view, &removed, out);
        self.write("ADDTO", view, &added, out);
        added
    }

    fn write(&self, change: &str, view: &View, uids: &[Uid], out: &mut Out) {
        let number = |uid: &Uid| if self.uid { Some(*uid) } else { view.number(*uid) };
        let numbers: Numbers = uids.iter().filter_map(number).collect();
        if !numbers.is_empty() {
            out.esearch_change(&self.tag, self.uid, change, &numbers);
        }
    }
}

impl State {
    /// From now on the client hears of changes in this result.
    pub(crate) fn keep_updated(
        &mut self,
        tag: &str,
        uid: bool,
        key: &SearchKey,
        fetch: &[FetchItem],
        found: &[(u32, Uid)],
        out: &mut Out,
    ) -> Result<(), Refused> {
        if self.updates.len() >= UPDATES_LIMIT {
            let code = Code::NoUpdate(tag.to_owned());
            out.untagged(&Reply::no("Too many searches are kept up to date").with(code));
            return Ok(());
        }
        let saved = self.saved.clone();
        let key = frozen(key, self.selected()?, &saved);
        let mut found: Vec<Uid> = found.iter().map(|(_, uid)| *uid).collect();
        found.sort_unstable();
        self.updates.push(Update { tag: tag.to_owned(), uid, key, found, fetch: fetch.to_vec() });
        Ok(())
    }

    /// CANCELUPDATE (RFC 5267 §4.3.4): all of these or none.
    pub(crate) fn cancel_updates(&mut self, tags: &[String]) -> Outcome {
        let is_known = |tag: &String| self.updates.iter().any(|update| update.tag == *tag);
        if !tags.iter().all(is_known) {
            return Err(refused(Reply::no("Unknown tag")));
        }
        self.updates.retain(|update| !tags.contains(&update.tag));
        Ok(Reply::ok("Updates cancelled."))
    }

    /// Messages are about to be told as gone: results lose them first, while their numbers still mean something.
    pub(crate) fn update_gone(&mut self, going: &[Uid], out: &mut Out) {
        let Some(view) = &self.view else { return };
        for update in &mut self.updates {
            update.remove(view, going, out);
        }
    }

    /// These messages are new or have changed; those above `last` are new.
    pub(crate) fn update_changed(
        &mut self,
        changed: &[Uid],
        last: Uid,
        news: &News,
        out: &mut Out,
    ) -> Result<(), Refused> {
        for place in 0..self.updates.len() {
            let Some(view) = &self.view else { return Ok(()) };
            let targets: Vec<_> = changed.iter().filter_map(|uid| Some((view.number(*uid)?, *uid))).collect();
            let now: Vec<Uid> =
                self.find_among(&self.updates[place].key, &targets)?.iter().map(|(_, uid)| *uid).collect();
            let (Some(view), update) = (&self.view, &mut self.updates[place]) else { return Ok(()) };
            let mut added = update.change(view, changed, &now, out);
            added.retain(|uid| *uid > last && !news.is_own(*uid));
            let fetch = update.fetch.clone();
            self.send_fresh(added, &fetch);
        }
        Ok(())
    }
}

/// The condition with UIDs instead of sequence numbers and of `$`. Depth is bounded, as the parser bounds it.
fn frozen(key: &SearchKey, view: &View, saved: &Numbers) -> SearchKey {
    let inner = |key: &SearchKey| frozen(key, view, saved);
    match key {
        SearchKey::And(keys) => SearchKey::And(keys.iter().map(inner).collect()),
        SearchKey::Or(one, two) => SearchKey::Or(Box::new(inner(one)), Box::new(inner(two))),
        SearchKey::Not(key) => SearchKey::Not(Box::new(inner(key))),
        SearchKey::Sequence(SequenceSet::Saved) | SearchKey::Uid(SequenceSet::Saved) => these(saved),
        SearchKey::Sequence(set) => {
            let numbers = set.resolve(view.len(), saved);
            these(&numbers.iter().filter_map(|number| view.uids.get(number as usize - 1).copied()).collect())
        }
        SearchKey::Uid(set) => these(&view.uid_set(set, saved)),
        other => other.clone(),
    }
}

fn these(uids: &Numbers) -> SearchKey {
    if uids.is_empty() {
        return SearchKey::Not(Box::new(SearchKey::All));
    }
    SearchKey::Uid(SequenceSet::from(uids))
}
