//! A delivery agent that defers everything it is asked to deliver.

use std::marker::PhantomData;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::delivery::{DeliveryReport, DeliveryRequest, Outcome, Times, Verdict, log_line};
use sys::sockets::{Peer, Socket};
use worker::{Service, Setup, StartError};

use crate::{Missing, say_what_is_missing};

/// RFC 3463 §3.4: other or undefined mail system status; it may be different another time.
const STATUS: &str = "4.3.0";

/// The agent for the program `M`.
#[derive(Debug)]
pub struct Agent<M> {
    sessions: usize,
    program: PhantomData<M>,
}

impl<M: Missing> Service for Agent<M> {
    const PROGRAM: &'static str = M::PROGRAM;
    const POOL_THREADS: usize = 1;

    fn open(_setup: &Setup) -> Result<Self, StartError> {
        say_what_is_missing::<M>("mail for it stays in the queue");
        Ok(Self { sessions: 0, program: PhantomData })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        match Channel::start(socket, Conversation, events) {
            Ok(_) => self.sessions += 1,
            Err(error) => log::warn!("connection of the queue manager: {error}"),
        }
    }

    fn sessions(&self) -> usize {
        self.sessions
    }
}

/// One connection of the queue manager.
struct Conversation;

impl<M: Missing> Talk<Agent<M>> for Conversation {
    fn message(&mut self, message: Attributes, _agent: &mut Agent<M>, line: &mut Line<'_, Agent<M>>) -> Fate {
        match DeliveryRequest::from_attributes(&message) {
            Ok(request) => {
                line.send(&deferred::<M>(&request).to_attributes());
                Fate::Keep
            }
            Err(error) => {
                log::warn!("delivery request: {error}");
                Fate::Close
            }
        }
    }

    fn ended(&mut self, agent: &mut Agent<M>, _events: &mut EventLoop<Agent<M>>) {
        agent.sessions -= 1;
    }
}

/// The report that defers every recipient; each is logged.
fn deferred<M: Missing>(request: &DeliveryRequest) -> DeliveryReport {
    let text = format!("mail transport unavailable in this version: {}", M::WHAT);
    let outcome = Outcome::new(Verdict::Deferred, STATUS, text, "none");
    let now = sys::clock::now_us();
    let times = Times { taken_us: now, connected_us: now, done_us: now };
    for recipient in &request.recipients {
        log::info!("{}", log_line(request, recipient, &outcome, times));
    }
    DeliveryReport { serial: request.serial, outcomes: vec![outcome; request.recipients.len()] }
}

#[cfg(test)]
mod tests {
    use services::delivery::Recipient;

    use super::*;

    struct Smtp;
    impl Missing for Smtp {
        const PROGRAM: &'static str = "smtp";
        const WHAT: &'static str = "outgoing SMTP";
    }

    #[test]
    fn every_recipient_is_deferred_and_none_is_lost() {
        let recipients = vec![Recipient { address: "a@b".into(), ..Recipient::default() }; 3];
        let report =
            deferred::<Smtp>(&DeliveryRequest { serial: 9, recipients, ..DeliveryRequest::default() });
        assert_eq!((report.serial, report.outcomes.len()), (9, 3));
        for outcome in report.outcomes {
            assert_eq!((outcome.verdict, outcome.status.as_str()), (Verdict::Deferred, "4.3.0"));
            assert_eq!(outcome.text, "mail transport unavailable in this version: outgoing SMTP");
        }
    }
}
