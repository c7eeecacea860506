//! One connection: requests come in, the pool does the work, answers go out.

use std::sync::Arc;

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate, Letter};
use services::bounce::{BounceReply, BounceRequest};

use crate::job::Done;
use crate::service::Bounce;

/// A connection with this many unanswered requests.
#[derive(Default)]
pub(crate) struct Conversation {
    unanswered: usize,
}

/// What became of the request with this number.
struct Answer(u64, Done);

impl Talk<Bounce> for Conversation {
    fn message(&mut self, message: Attributes, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) -> Fate {
        let request = match BounceRequest::from_attributes(&message) {
            Ok(request) => request,
            Err(error) => {
                log::warn!("request: {error}");
                return Fate::Close;
            }
        };
        let (serial, job) = (request.serial, Arc::clone(&bounce.job));
        match line.events.offload(line.me, move || Answer(serial, job.run(&request))) {
            Ok(()) => self.unanswered += 1,
            Err(error) => {
                log::warn!("{error}");
                line.send(&BounceReply { serial, done: false }.to_attributes());
            }
        }
        Fate::Keep
    }

    fn letter(&mut self, letter: Letter, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) -> Fate {
        let Ok(answer) = letter.downcast::<Answer>() else { return Fate::Keep };
        let Answer(serial, done) = *answer;
        self.unanswered -= 1;
        bounce.served += 1;
        for id in done.queued {
            bounce.notifier.arrived(id.as_str());
        }
        line.send(&BounceReply { serial, done: done.done }.to_attributes());
        Fate::Keep
    }

    /// An idle connection ends; one with unanswered requests is heard out.
    fn stopping(&mut self, _bounce: &mut Bounce, _line: &mut Line<'_, Bounce>) -> Fate {
        if self.unanswered == 0 { Fate::Close } else { Fate::Keep }
    }

    fn ended(&mut self, bounce: &mut Bounce, _events: &mut EventLoop<Bounce>) {
        bounce.clients.gone();
    }
}
