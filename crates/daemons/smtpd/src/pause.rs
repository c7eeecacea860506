//! Time that has to go by (`sleep` among restrictions).

use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId};

use crate::facts::{Fact, Found, Wanted};
use crate::service::Smtpd;

/// After `time` the asker gets a letter.
pub(crate) fn begin(time: Duration, wanted: Wanted, asker: HandlerId, events: &mut EventLoop<Smtpd>) {
    match events.add(Box::new(Pause { wanted: Some(wanted), asker })) {
        Ok(pause) => events.set_deadline(pause, Some(events.now() + time)),
        Err(error) => log::warn!("sleep: {error}"),
    }
}

struct Pause {
    wanted: Option<Wanted>,
    asker: HandlerId,
}

impl Handler<Smtpd> for Pause {
    fn elapsed(&mut self, _: &mut Smtpd, events: &mut EventLoop<Smtpd>, _: HandlerId) -> Fate {
        if let Some(wanted) = self.wanted.take() {
            events.post_box().send(self.asker, Box::new(Fact(wanted, Found::Time)));
        }
        Fate::Close
    }
}
