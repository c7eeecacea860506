//! The queue manager's side of a delivery agent: requests come in, reports go out.

use std::collections::HashMap;
use std::fs::File;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, HandlerId, Letter};
use services::delivery::{DeliveryReport, DeliveryRequest, Goodbye};
use sys::sockets::Socket;

use crate::Clients;

/// An agent that takes requests of the queue manager, several at a time.
pub trait Deliverer: Sized + 'static {
    /// Its front desk.
    fn desk(&mut self) -> &mut Desk;

    /// Begins with all recipients of `request`. When each has its outcome, now or later, the report is given to
    /// [`Desk::report`] for `client`. `file` is the message where it has no queue file ([`DeliveryRequest::direct`]).
    fn take(
        &mut self,
        request: DeliveryRequest,
        file: Option<File>,
        client: HandlerId,
        events: &mut EventLoop<Self>,
    );

    /// Has it fallen behind its tables? See [`crate::is_behind`].
    fn is_behind(&self) -> bool {
        false
    }

    /// A job that was offloaded for a client is done.
    fn letter(&mut self, _letter: Letter) {}
}

/// The connections of an agent, and the reports that wait for the end of the turn.
#[derive(Debug, Default)]
pub struct Desk {
    clients: Clients,
    reports: HashMap<HandlerId, Vec<Attributes>>,
    /// A fresh agent takes its place.
    makes_way: bool,
}

impl Desk {
    /// The connections.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Leaves a report for `client`; [`send_reports`] sends it. A client that is gone needs none: the queue manager
    /// tries again what nobody has reported.
    pub fn report(&mut self, client: HandlerId, report: &DeliveryReport) {
        self.reports.entry(client).or_default().push(report.to_attributes());
    }
}

/// Takes a connection in. To be called by `Service::accepted`.
pub fn accept<A: Deliverer>(agent: &mut A, socket: Socket, events: &mut EventLoop<A>) {
    let taken = Channel::start(socket, Session, events);
    agent.desk().clients.welcome(taken);
}

/// Sends the reports of this turn, one write for each connection. To be called by `Service::turn_ends`.
pub fn send_reports<A: Deliverer>(agent: &mut A, events: &mut EventLoop<A>) {
    for (client, reports) in std::mem::take(&mut agent.desk().reports) {
        events.hand(client, Box::new(Reports(reports)), agent);
    }
}

/// Asks the queue manager to go on with the fresh agent that takes the place of one that has fallen behind. To be called
/// by `Service::draining`.
pub fn make_way<A: Deliverer>(agent: &mut A, events: &mut EventLoop<A>) {
    if agent.is_behind() {
        agent.desk().makes_way = true;
        events.stop_all(agent);
    }
}

/// A letter: what goes out together.
struct Reports(Vec<Attributes>);

/// One connection; what is under way on it is the agent's.
struct Session;

impl<A: Deliverer> Talk<A> for Session {
    const TAKES_FILES: bool = true;

    fn message(&mut self, message: Attributes, agent: &mut A, line: &mut Line<'_, A>) -> Fate {
        match DeliveryRequest::from_attributes(&message) {
            Ok(request) => {
                let file = if request.direct { line.take_file().map(File::from) } else { None };
                if agent.is_behind() {
                    line.send(&Goodbye::NotThis(request.serial).to_attributes());
                } else {
                    agent.take(request, file, line.me, line.events);
                }
                Fate::Keep
            }
            Err(error) => {
                log::warn!("malformed delivery request: {error}");
                Fate::Close
            }
        }
    }

    fn letter(&mut self, letter: Letter, agent: &mut A, line: &mut Line<'_, A>) -> Fate {
        match letter.downcast::<Reports>() {
            Ok(reports) => reports.0.iter().for_each(|report| line.send(report)),
            Err(letter) => agent.letter(letter),
        }
        Fate::Keep
    }

    fn stopping(&mut self, agent: &mut A, line: &mut Line<'_, A>) -> Fate {
        if agent.desk().makes_way {
            line.send(&Goodbye::NoMore.to_attributes());
        }
        Fate::Keep
    }

    fn ended(&mut self, agent: &mut A, _events: &mut EventLoop<A>) {
        agent.desk().clients.gone();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use services::delivery::{Outcome, Recipient, Verdict};

    use super::*;

    /// Answers each request at once.
    #[derive(Default)]
    struct Prompt(Desk, bool);

    impl Deliverer for Prompt {
        fn desk(&mut self) -> &mut Desk {
            &mut self.0
        }

        fn is_behind(&self) -> bool {
            self.1
        }

        fn take(
            &mut self,
            request: DeliveryRequest,
            _: Option<File>,
            client: HandlerId,
            _: &mut EventLoop<Self>,
        ) {
            let outcomes = vec![Outcome::new(Verdict::Sent, "2.0.0", "done", "here")];
            self.0.report(client, &DeliveryReport { serial: request.serial, outcomes, unreachable: None });
        }
    }

    fn turn(agent: &mut Prompt, events: &mut EventLoop<Prompt>) {
        events.turn(agent, Some(Duration::ZERO)).unwrap();
        send_reports(agent, events);
        events.turn_is_over();
    }

    #[test]
    fn the_reports_of_a_turn_reach_whoever_asked_and_nonsense_ends_the_connection() {
        let (mut manager, agents_end) = UnixStream::pair().unwrap();
        let mut events = EventLoop::new(1).unwrap();
        let mut agent = Prompt::default();
        let socket = Socket::from_descriptor(OwnedFd::from(agents_end)).unwrap();
        accept(&mut agent, socket, &mut events);
        let mut requests = Vec::new();
        for serial in [7, 8] {
            let recipients = vec![Recipient { address: "user@example.com".into(), ..Recipient::default() }];
            let request = DeliveryRequest { serial, recipients, ..DeliveryRequest::default() };
            request.to_attributes().encode(&mut requests);
        }
        manager.write_all(&requests).unwrap();
        turn(&mut agent, &mut events);
        let mut answer = vec![0; 4096];
        let length = manager.read(&mut answer).unwrap();
        let (first, used) = Attributes::decode(&answer[..length]).unwrap().unwrap();
        let (second, rest) = Attributes::decode(&answer[used..length]).unwrap().unwrap();
        assert_eq!(used + rest, length);
        let serials = [first, second].map(|report| DeliveryReport::from_attributes(&report).unwrap().serial);
        assert_eq!(serials, [7, 8]);
        assert_eq!(agent.0.clients().here(), 1);

        let mut nonsense = Vec::new();
        Attributes::new().with("what", "this").encode(&mut nonsense);
        manager.write_all(&nonsense).unwrap();
        turn(&mut agent, &mut events);
        assert_eq!(manager.read(&mut answer).unwrap(), 0);
        assert_eq!((agent.0.clients().here(), agent.0.clients().come()), (0, 1));
    }

    #[test]
    fn an_agent_that_has_fallen_behind_takes_nothing_and_says_goodbye() {
        let (mut manager, agents_end) = UnixStream::pair().unwrap();
        let mut events = EventLoop::new(1).unwrap();
        let mut agent = Prompt(Desk::default(), true);
        accept(&mut agent, Socket::from_descriptor(OwnedFd::from(agents_end)).unwrap(), &mut events);
        let recipients = vec![Recipient { address: "user@example.com".into(), ..Recipient::default() }];
        let request = DeliveryRequest { serial: 9, recipients, ..DeliveryRequest::default() };
        let mut bytes = Vec::new();
        request.to_attributes().encode(&mut bytes);
        manager.write_all(&bytes).unwrap();
        turn(&mut agent, &mut events);
        make_way(&mut agent, &mut events);
        turn(&mut agent, &mut events);
        let mut answer = vec![0; 4096];
        let length = manager.read(&mut answer).unwrap();
        let (first, used) = Attributes::decode(&answer[..length]).unwrap().unwrap();
        let (second, rest) = Attributes::decode(&answer[used..length]).unwrap().unwrap();
        assert_eq!(used + rest, length);
        let goodbyes = [first, second].map(|message| Goodbye::from_attributes(&message));
        assert_eq!(goodbyes, [Some(Goodbye::NotThis(9)), Some(Goodbye::NoMore)]);
    }
}
