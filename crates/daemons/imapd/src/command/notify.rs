//! NOTIFY (RFC 5465 §3.1).

use imap_protocol::types::{NotifyRequest, NotifySet, Reply};
use imap_protocol::write::Out;

use crate::refusal::Refused;
use crate::state::{Outcome, State};
use crate::view::News;

impl State {
    pub(crate) fn notify(&mut self, request: NotifyRequest, out: &mut Out) -> Outcome {
        match request {
            NotifyRequest::Nothing => self.hear_nothing(),
            NotifyRequest::Set(set) => self.notify_set(set, out)?,
        }
        Ok(Reply::ok("NOTIFY completed."))
    }

    fn notify_set(&mut self, set: NotifySet, out: &mut Out) -> Result<(), Refused> {
        self.listen(set.selected, set.groups)?;
        // It is a NOOP as well.
        self.tell(News { expunges: true, ..News::default() }, out)?;
        if set.status {
            self.tell_all_standings(out)?;
        } else {
            self.look_at_standings()?;
        }
        self.renew_watch_list();
        Ok(())
    }
}
