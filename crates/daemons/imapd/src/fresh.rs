//! New messages of the selected mailbox that the client wants to have a look at without asking (RFC 5465 §5.2, §7).

use imap_protocol::types::FetchItem;
use imap_protocol::write::Out;
use mailbox::store::Uid;

use crate::command::fetch::Fetching;
use crate::refusal::Refused;
use crate::state::State;

/// Messages, and what is sent of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fresh {
    pub(crate) uids: Vec<Uid>,
    pub(crate) items: Vec<FetchItem>,
}

impl State {
    /// This is to be sent of these. What is to be sent of some already comes with it (RFC 5465 §5.2).
    pub(crate) fn send_fresh(&mut self, mut uids: Vec<Uid>, items: &[FetchItem]) {
        if items.is_empty() {
            return;
        }
        for mut before in std::mem::take(&mut self.fresh) {
            let both: Vec<Uid> = before.uids.extract_if(.., |uid| uids.contains(uid)).collect();
            uids.retain(|uid| !both.contains(uid));
            let more = items.iter().filter(|item| !before.items.contains(item));
            let joined = before.items.iter().chain(more).cloned().collect();
            self.keep_fresh(before);
            self.keep_fresh(Fresh { uids: both, items: joined });
        }
        self.keep_fresh(Fresh { uids, items: items.to_vec() });
    }

    fn keep_fresh(&mut self, fresh: Fresh) {
        if !fresh.uids.is_empty() {
            self.fresh.push(fresh);
        }
    }

    /// Sends the next piece; true when there is more.
    pub(crate) fn write_fresh(&mut self, out: &mut Out) -> Result<bool, Refused> {
        while let Some(mut fetching) = self.next_fresh() {
            if !fetching.write_piece(self, out)? {
                self.fetching_fresh = Some(fetching);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn next_fresh(&mut self) -> Option<Box<Fetching>> {
        if let Some(going_on) = self.fetching_fresh.take() {
            return Some(going_on);
        }
        let fresh = (!self.fresh.is_empty()).then(|| self.fresh.remove(0))?;
        let view = self.view.as_ref()?;
        Some(Box::new(Fetching::of_fresh(view, &fresh.uids, fresh.items)))
    }
}
