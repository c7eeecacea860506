//! One connection of the queue manager.

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate, Letter};
use services::delivery::DeliveryRequest;

use crate::forward::Posted;
use crate::service::Local;

/// A connection; what is under way on it is in `Local::requests`.
pub(crate) struct Session;

impl Talk<Local> for Session {
    fn message(&mut self, message: Attributes, agent: &mut Local, line: &mut Line<'_, Local>) -> Fate {
        match DeliveryRequest::from_attributes(&message) {
            Ok(request) => {
                agent.take(request, line.me, line.events);
                Fate::Keep
            }
            Err(error) => {
                log::warn!("malformed delivery request: {error}");
                Fate::Close
            }
        }
    }

    /// A letter holds the reports of one turn, or tells what became of a message that is sent on.
    fn letter(&mut self, letter: Letter, agent: &mut Local, line: &mut Line<'_, Local>) -> Fate {
        match letter.downcast::<Vec<Attributes>>() {
            Ok(reports) => reports.iter().for_each(|report| line.send(report)),
            Err(letter) => {
                if let Ok(posted) = letter.downcast::<Posted>() {
                    agent.is_posted(*posted);
                }
            }
        }
        Fate::Keep
    }

    fn ended(&mut self, agent: &mut Local, _events: &mut EventLoop<Local>) {
        agent.clients.gone();
    }
}
