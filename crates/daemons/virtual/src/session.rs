//! One connection of the queue manager.

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate, Letter};
use services::delivery::DeliveryRequest;

use crate::service::Virtual;

/// A connection; what is under way on it is in `Virtual::requests`.
pub(crate) struct Session;

impl Talk<Virtual> for Session {
    fn message(&mut self, message: Attributes, agent: &mut Virtual, line: &mut Line<'_, Virtual>) -> Fate {
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

    /// A letter holds the reports of one turn.
    fn letter(&mut self, letter: Letter, _agent: &mut Virtual, line: &mut Line<'_, Virtual>) -> Fate {
        if let Ok(reports) = letter.downcast::<Vec<Attributes>>() {
            reports.iter().for_each(|report| line.send(report));
        }
        Fate::Keep
    }

    fn ended(&mut self, agent: &mut Virtual, _events: &mut EventLoop<Virtual>) {
        agent.clients.gone();
    }
}
