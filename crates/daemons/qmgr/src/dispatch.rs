//! Deliveries on their way: to which agent, over which connection, and what comes back.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, HandlerId, Letter};
use scheduling::scheduler::Reason;
use scheduling::{DESTINATION_SEPARATOR, Delivery, Feedback};
use services::delivery::{DeliveryReport, Goodbye, Outcome, Unreachable, Verdict};
use sys::error_text::reason;

use crate::service::Manager;

/// Deliveries on one connection before another is opened.
const DELIVERIES_PER_CONNECTION: usize = 8;
/// Connections to one transport.
const CONNECTIONS_PER_TRANSPORT: usize = 8;

/// The connections to delivery agents and what is under way on them.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    connections: HashMap<Arc<str>, Vec<Connection>>,
    flights: HashMap<u64, Flight>,
}

#[derive(Debug)]
struct Connection {
    id: HandlerId,
    in_flight: usize,
}

#[derive(Debug)]
struct Flight {
    delivery: Delivery,
    connection: HandlerId,
}

impl Agents {
    /// How many deliveries are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.flights.len()
    }

    /// The connection with the least to do, if it is not too busy or no more may be opened.
    fn least_busy(&self, transport: &str) -> Option<HandlerId> {
        let connections = self.connections.get(transport)?;
        let least = connections.iter().min_by_key(|connection| connection.in_flight)?;
        let take =
            least.in_flight < DELIVERIES_PER_CONNECTION || connections.len() >= CONNECTIONS_PER_TRANSPORT;
        take.then_some(least.id)
    }

    fn took_off(&mut self, flight: Flight) {
        if let Some(connection) = self.connection(&flight.delivery.transport, flight.connection) {
            connection.in_flight += 1;
        }
        self.flights.insert(flight.delivery.ticket, flight);
    }

    fn landed(&mut self, serial: u64) -> Option<Flight> {
        let flight = self.flights.remove(&serial)?;
        if let Some(connection) = self.connection(&flight.delivery.transport, flight.connection) {
            connection.in_flight -= 1;
        }
        Some(flight)
    }

    fn connection(&mut self, transport: &str, id: HandlerId) -> Option<&mut Connection> {
        self.connections.get_mut(transport)?.iter_mut().find(|connection| connection.id == id)
    }

    /// Nothing more goes out on this connection.
    fn retire(&mut self, transport: &str, id: HandlerId) {
        if let Some(connections) = self.connections.get_mut(transport) {
            connections.retain(|connection| connection.id != id);
        }
    }

    fn is_busy(&self, id: HandlerId) -> bool {
        self.flights.values().any(|flight| flight.connection == id)
    }

    /// The connection is gone: what was under way on it.
    fn gone(&mut self, transport: &str, id: HandlerId) -> Vec<Flight> {
        self.retire(transport, id);
        let lost: Vec<u64> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.connection == id)
            .map(|(serial, _)| *serial)
            .collect();
        lost.into_iter().filter_map(|serial| self.flights.remove(&serial)).collect()
    }
}

/// A request, with the message where it has no queue file.
struct Parcel {
    request: Attributes,
    file: Option<Arc<File>>,
}

/// One connection to a delivery agent.
pub(crate) struct AgentTalk {
    transport: Arc<str>,
    me: Option<HandlerId>,
    /// The agent makes way for a fresh one.
    leaves: bool,
}

impl Talk<Manager> for AgentTalk {
    fn message(&mut self, message: Attributes, manager: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        manager.look_at_the_clock();
        if let Some(goodbye) = Goodbye::from_attributes(&message) {
            self.leaves = true;
            manager.agents.retire(&self.transport, line.me);
            manager.not_taken(goodbye);
            return self.unless_over(manager, line.me);
        }
        match DeliveryReport::from_attributes(&message) {
            Ok(report) => {
                line.events
                    .set_deadline(line.me, Some(line.events.now() + manager.settings.delivery_timeout));
                manager.reported(report);
                self.unless_over(manager, line.me)
            }
            Err(error) => {
                log::warn!("private/{} socket: malformed response: {error}", self.transport);
                Fate::Close
            }
        }
    }

    /// A letter holds the requests of one turn.
    fn letter(&mut self, letter: Letter, manager: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        self.me = Some(line.me);
        if let Ok(requests) = letter.downcast::<Vec<Parcel>>() {
            for parcel in *requests {
                match parcel.file {
                    Some(file) => line.send_with(&parcel.request, file),
                    None => line.send(&parcel.request),
                }
            }
            line.events.set_deadline(line.me, Some(line.events.now() + manager.settings.delivery_timeout));
        }
        Fate::Keep
    }

    /// Nothing was heard for `ipc_timeout`: an idle connection is closed, a silent agent given up.
    fn elapsed(&mut self, _: &mut Manager, _: &mut Line<'_, Manager>) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, manager: &mut Manager, _: &mut EventLoop<Manager>) {
        manager.look_at_the_clock();
        if let Some(me) = self.me {
            manager.agent_gone(&self.transport, me);
        }
    }
}

impl AgentTalk {
    fn unless_over(&self, manager: &Manager, me: HandlerId) -> Fate {
        if self.leaves && !manager.agents.is_busy(me) { Fate::Close } else { Fate::Keep }
    }
}

impl Manager {
    /// Sends every delivery that may be made now.
    pub(crate) fn dispatch(&mut self, events: &mut EventLoop<Self>) {
        let mut outgoing: HashMap<HandlerId, Vec<Parcel>> = HashMap::new();
        while let Some(delivery) = self.scheduler.next(self.now_us) {
            match self.connect(&delivery.transport, events) {
                Ok(connection) => {
                    if let Some(request) = self.request(&delivery) {
                        outgoing.entry(connection).or_default().push(request);
                        self.agents.took_off(Flight { delivery, connection });
                    } else {
                        self.scheduler.finished(
                            self.now_us,
                            delivery.ticket,
                            Feedback::Alive,
                            &Reason::none(),
                            0,
                        );
                    }
                }
                Err(error) => {
                    log::warn!("connect to transport private/{}: {}", delivery.transport, reason(&error));
                    self.transport_failed(delivery);
                }
            }
        }
        if !outgoing.is_empty() {
            // Who reads the log wants to see a message become active before it is delivered.
            maillog::flush();
        }
        for (connection, requests) in outgoing {
            events.hand(connection, Box::new(requests), self);
        }
    }

    fn request(&self, delivery: &Delivery) -> Option<Parcel> {
        let message = self.messages.get(&delivery.job.message)?;
        let nexthop = delivery.destination.split(DESTINATION_SEPARATOR).next().unwrap_or("");
        let request = message.request(delivery.ticket, nexthop, &delivery.job.recipients).to_attributes();
        let file = message.direct.as_ref().map(|direct| Arc::clone(&direct.file));
        Some(Parcel { request, file })
    }

    /// A connection to the transport: one that is open and not too busy, or a new one.
    fn connect(&mut self, transport: &Arc<str>, events: &mut EventLoop<Self>) -> std::io::Result<HandlerId> {
        if let Some(connection) = self.agents.least_busy(transport) {
            return Ok(connection);
        }
        let opened = sys::sockets::connect_unix(&std::path::Path::new("private").join(&**transport))
            .and_then(|socket| {
                Channel::start(
                    socket,
                    AgentTalk { transport: Arc::clone(transport), me: None, leaves: false },
                    events,
                )
            });
        let connections = self.agents.connections.entry(Arc::clone(transport)).or_default();
        match (opened, connections.first()) {
            (Ok(id), _) => {
                connections.push(Connection { id, in_flight: 0 });
                Ok(id)
            }
            // The agents take no more connections for now: the one that is open has to do.
            (Err(_), Some(open)) => Ok(open.id),
            (Err(error), None) => Err(error),
        }
    }

    /// Nobody listens: all that waits for this transport waits longer.
    fn transport_failed(&mut self, delivery: Delivery) {
        let transport = Arc::clone(&delivery.transport);
        let reason = Reason { status: "4.3.0".into(), text: "mail transport unavailable".into() };
        self.scheduler.put_back(self.now_us, delivery);
        let until = self.now_us + self.settings.transport_retry_us;
        let orphans = self.scheduler.close_transport(&transport, until, reason.clone());
        for job in orphans {
            if *transport == *self.settings.retry_service {
                self.settle_here(
                    job,
                    &Outcome::new(Verdict::Deferred, &reason.status, reason.text.clone(), "none"),
                );
            } else {
                self.postpone(job, &reason.status, &reason.text);
            }
        }
    }

    /// An agent has answered.
    fn reported(&mut self, report: DeliveryReport) {
        let Some(flight) = self.agents.landed(report.serial) else { return };
        let Delivery { ticket, job, .. } = flight.delivery;
        let (feedback, reason) = judge(&report);
        let orphans =
            self.scheduler.finished(self.now_us, ticket, feedback, &reason, self.settings.minimal_backoff_us);
        for orphan in orphans {
            self.postpone(
                orphan,
                &reason.status,
                &format!("delivery temporarily suspended: {}", reason.text),
            );
        }
        let unknown = Outcome::new(Verdict::Deferred, "4.3.0", "unknown mail transport error", "none");
        let outcomes = job.recipients.iter().enumerate().map(|(place, slot)| {
            (*slot, report.outcomes.get(place).cloned().unwrap_or_else(|| unknown.clone()))
        });
        self.take_outcomes(job.message, outcomes.collect());
    }

    /// An agent that makes way has not looked at a request: the next one gets it.
    fn not_taken(&mut self, goodbye: Goodbye) {
        if let Goodbye::NotThis(serial) = goodbye
            && let Some(flight) = self.agents.landed(serial)
        {
            self.scheduler.put_back(self.now_us, flight.delivery);
        }
    }

    /// The agent ended or fell silent with deliveries under way.
    fn agent_gone(&mut self, transport: &str, connection: HandlerId) {
        for flight in self.agents.gone(transport, connection) {
            self.lost(flight.delivery);
        }
    }
}

/// A destination has failed when the agent says so, and has put somebody off for it. What becomes of recipients says
/// nothing about it: a status of 4.4.1 may be the text of a table.
fn judge(report: &DeliveryReport) -> (Feedback, Reason) {
    let is_put_off = |outcome: &Outcome| outcome.verdict == Verdict::Deferred;
    match &report.unreachable {
        Some(Unreachable { status, text }) if report.outcomes.iter().any(is_put_off) => {
            (Feedback::Failed, Reason { status: status.clone(), text: text.clone() })
        }
        _ => (Feedback::Alive, Reason::none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_agent_knows_that_a_destination_is_dead() {
        let put_off = Outcome::new(Verdict::Deferred, "4.4.1", "refused", "none");
        let unreachable = Unreachable { status: "4.4.1".into(), text: "refused".into() };
        let judged = |outcome: &Outcome, unreachable: Option<&Unreachable>| {
            let report = DeliveryReport {
                serial: 1,
                outcomes: vec![outcome.clone()],
                unreachable: unreachable.cloned(),
            };
            judge(&report).0
        };
        assert_eq!(judged(&put_off, None), Feedback::Alive);
        assert_eq!(judged(&put_off, Some(&unreachable)), Feedback::Failed);
        let sent = Outcome::new(Verdict::Sent, "2.0.0", "ok", "none");
        assert_eq!(judged(&sent, Some(&unreachable)), Feedback::Alive);
    }
}
