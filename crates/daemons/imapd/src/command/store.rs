//! STORE (RFC 3501 §6.4.6, RFC 7162 §3.1.3).

use imap_protocol::types::{Change, Code, Numbers, Reply, StoreRequest};
use imap_protocol::write::Out;
use mailbox::store::{FlagChange, How};
use sys::clock;

use crate::access::{permitted, scope};
use crate::state::{Outcome, State};
use crate::view::{News, split_flags};

impl State {
    pub(crate) fn store_flags(&mut self, request: &StoreRequest, out: &mut Out) -> Outcome {
        let saved = self.saved.clone();
        if request.unchanged_since.is_some() {
            self.enable_condstore(out);
        }
        let view = self.selected()?;
        let targets = view.resolve("STORE", &request.messages, &saved)?;
        if view.read_only {
            return Ok(Reply::ok("Store ignored with read-only mailbox."));
        }
        // RFC 4314 §4: what may not be changed stays, without a word.
        let scope = scope(view.rights);
        let (flags, keywords) = split_flags(&permitted(&request.flags, view.rights));
        let how = match request.change {
            Change::Replace => How::Replace,
            Change::Add => How::Add,
            Change::Remove => How::Remove,
        };
        let uids: Vec<u32> = targets.iter().map(|(_, uid)| *uid).collect();
        let change = FlagChange { how, flags, keywords, scope };
        let stored = view.folder.store(&uids, &change, request.unchanged_since, clock::now_us())?;
        let modified: Numbers = stored
            .modified
            .iter()
            .filter_map(|uid| if request.messages.uid { Some(*uid) } else { view.number(*uid) })
            .collect();
        let told = if request.silent {
            uids.iter().copied().filter(|uid| stored.modified.binary_search(uid).is_err()).collect()
        } else {
            Vec::new()
        };
        let uid = request.messages.uid;
        self.tell(News { expunges: uid, uid, told, own: uids }, out)?;
        let reply = Reply::ok("Store completed.");
        Ok(if modified.is_empty() { reply } else { reply.with(Code::Modified(modified)) })
    }
}
