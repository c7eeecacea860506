//! A connection on the public socket: names of new messages, messages to be delivered directly, or trigger letters.

use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate, HandlerId, Letter};
use services::qmgr::{Answer, Request};

use crate::service::Manager;

/// One client of `public/qmgr`.
#[derive(Debug, Default)]
pub(crate) struct TriggerClient {
    me: Option<HandlerId>,
}

/// A letter: what this client is answered.
pub(crate) struct Answers(pub(crate) Vec<Answer>);

impl Talk<Manager, Request> for TriggerClient {
    const TAKES_FILES: bool = true;

    fn message(&mut self, request: Request, manager: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        self.me = Some(line.me);
        manager.look_at_the_clock();
        match request {
            Request::Direct(id) => {
                let file = line.take_file();
                manager.take_direct(id, file, line.me);
            }
            Request::Settled(id) => manager.settled(id),
            other => manager.asked(other),
        }
        Fate::Keep
    }

    fn letter(&mut self, letter: Letter, _: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        if let Ok(answers) = letter.downcast::<Answers>() {
            answers.0.iter().for_each(|answer| line.send(&answer.to_attributes()));
        }
        Fate::Keep
    }

    fn ended(&mut self, manager: &mut Manager, _: &mut EventLoop<Manager>) {
        manager.look_at_the_clock();
        manager.trigger_clients.gone();
        if let Some(me) = self.me {
            manager.client_is_gone(me);
        }
    }
}
