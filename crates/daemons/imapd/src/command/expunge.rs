//! EXPUNGE, UID EXPUNGE (RFC 3501 §6.4.3, RFC 4315 §2.1).

use acl::Right;
use imap_protocol::types::{Reply, SequenceSet};
use imap_protocol::write::Out;
use mailbox::store::Flags;
use sys::clock;

use crate::state::{Outcome, State};
use crate::view::News;

impl State {
    pub(crate) fn expunge(&mut self, set: Option<&SequenceSet>, out: &mut Out) -> Outcome {
        let saved = self.saved.clone();
        let (mut own, mut denied) = (Vec::new(), false);
        let view = self.selected()?;
        if !view.read_only {
            let only = set.map(|set| view.uid_set(set, &saved));
            let deleted: Vec<u32> = view.folder.read(|contents| {
                let deleted = contents.messages().iter().filter(|message| message.flags.has(Flags::DELETED));
                let wanted = |uid: &u32| only.as_ref().is_none_or(|only| only.contains(*uid));
                deleted
                    .map(|message| message.uid)
                    .filter(wanted)
                    .filter(|uid| view.number(*uid).is_some())
                    .collect()
            });
            denied = !deleted.is_empty() && !view.rights.has(Right::Expunge);
            if !deleted.is_empty() && !denied {
                own = view.folder.expunge_deleted(&deleted, clock::now_us())?;
            }
        }
        self.tell(News { expunges: true, uid: set.is_some(), own, ..News::default() }, out)?;
        // As with Dovecot it is no error.
        Ok(Reply::ok(if denied { "Expunge ignored: Permission denied." } else { "Expunge completed." }))
    }
}
