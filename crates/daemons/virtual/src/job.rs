//! A request of the queue manager, from its arrival to the report.

use std::fs::File;
use std::io;
use std::rc::Rc;

use mailbox::job::{Answer, Job};
use queue::Queue;
use queue_format::QueueId;
use reactor::{EventLoop, HandlerId};
use services::couriers::{Assignment, NoDelivery, Ticket};
use services::delivery::{DeliveryReport, DeliveryRequest, Outcome, Times, Verdict, log_line};
use services::spawn::CourierRequest;
use sys::clock;
use worker::deliveries::{Deliverer, Desk};

use crate::outcome;
use crate::recipient::Destination;
use crate::service::Virtual;

/// A request under way.
pub(crate) struct Request {
    request: DeliveryRequest,
    client: HandlerId,
    taken_us: u64,
    /// Of each recipient, as they come in.
    outcomes: Vec<Option<Outcome>>,
    /// Of each recipient that has one.
    destinations: Vec<Option<Destination>>,
}

impl Deliverer for Virtual {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn is_behind(&self) -> bool {
        worker::is_behind(self)
    }

    fn take(
        &mut self,
        request: DeliveryRequest,
        file: Option<File>,
        client: HandlerId,
        events: &mut EventLoop<Self>,
    ) {
        let id = self.next_request;
        self.next_request += 1;
        let file = file.map_or_else(|| self.open_message(&request.queue_id), |file| Ok(Rc::new(file)));
        let recipients: Vec<String> =
            request.recipients.iter().map(|recipient| recipient.address.clone()).collect();
        let count = recipients.len();
        let state = Request {
            request,
            client,
            taken_us: clock::now_us(),
            outcomes: vec![None; count],
            destinations: (0..count).map(|_| None).collect(),
        };
        self.requests.insert(id, state);
        for (number, address) in recipients.iter().enumerate() {
            let ticket = Ticket { request: id, recipient: number };
            let begun = match &file {
                Ok(file) => self.begin(ticket, address, file, events),
                Err(error) => Err(outcome::unreadable(error)),
            };
            if let Err(outcome) = begun {
                self.settle(ticket, *outcome);
            }
        }
    }
}

impl Virtual {
    fn open_message(&self, queue_id: &str) -> io::Result<Rc<File>> {
        let id: QueueId = queue_id.parse().map_err(io::Error::other)?;
        self.queue.open_to_deliver(&id).map(Rc::new)
    }

    /// Finds the mailbox and has a courier go there; an outcome when there is no need to.
    fn begin(
        &mut self,
        ticket: Ticket,
        address: &str,
        file: &Rc<File>,
        events: &mut EventLoop<Self>,
    ) -> Result<(), Box<Outcome>> {
        let destination = self.find_destination(address)?;
        let Some(state) = self.requests.get_mut(&ticket.request) else { return Ok(()) };
        if state.request.trace.only_verifies() {
            return Err(Box::new(outcome::would_deliver(&destination)));
        }
        let recipient = &state.request.recipients[ticket.recipient];
        let head =
            destination.head(&state.request, ticket.recipient, state.taken_us, self.settings.tells_original);
        let job = Job {
            place: destination.place.clone(),
            name: state.request.delivery_name(recipient),
            head,
            record_offset: state.request.crossing_offset(recipient),
            content_offset: state.request.content_offset,
            limit_bytes: self.settings.limit_bytes,
            quota: destination.quota,
            only_measure: None,
            queue_id: state.request.queue_id.clone(),
            in_doubt: state.request.in_doubt,
            unless_exists: Vec::new(),
        };
        let assignment = Assignment { ticket, job, file: Rc::clone(file) };
        let owner = destination.owner.clone();
        state.destinations[ticket.recipient] = Some(destination);
        let courier = CourierRequest::Virtual { recipient: address.to_owned() };
        if let Err(why) = self.couriers.assign(&owner, &courier, assignment, events) {
            self.errand_is_over(ticket, Err(why), events);
        }
        Ok(())
    }

    /// A courier has come back, or none could be sent.
    pub(crate) fn errand_is_over(
        &mut self,
        ticket: Ticket,
        outcome: Result<Answer, NoDelivery>,
        events: &mut EventLoop<Self>,
    ) {
        if outcome == Ok(Answer::Moved) {
            return self.follow(ticket, events);
        }
        let Some(state) = self.requests.get_mut(&ticket.request) else { return };
        let Some(destination) = state.destinations[ticket.recipient].take() else { return };
        let recipient = &state.request.recipients[ticket.recipient];
        let mut outcome = outcome::of(outcome, &destination, &recipient.address);
        let offset = state.request.crossing_offset(recipient);
        if state.request.direct && outcome.verdict == Verdict::Sent && !outcome.crossed_off && offset > 0 {
            // Nobody crosses off in memory that is sealed: the message has got its queue file meanwhile.
            outcome.crossed_off = cross_off(&self.queue, &state.request.queue_id, offset);
        }
        self.settle(ticket, outcome);
    }

    /// The message has got a queue file before a courier came to it: that is delivered, locked against others.
    fn follow(&mut self, ticket: Ticket, events: &mut EventLoop<Self>) {
        let Some(state) = self.requests.get_mut(&ticket.request) else { return };
        // By another queue manager, maybe.
        state.request.in_doubt = true;
        let address = state.request.recipients[ticket.recipient].address.clone();
        let opened = state.request.queue_id.parse::<QueueId>().map_err(io::Error::other);
        let begun = match opened.and_then(|id| self.queue.open_wherever(&id)) {
            Ok(file) => self.begin(ticket, &address, &Rc::new(file), events),
            Err(error) => Err(outcome::unreadable(&error)),
        };
        if let Err(outcome) = begun {
            self.settle(ticket, *outcome);
        }
    }

    /// Logs an outcome; with the last one of a request the report is ready.
    fn settle(&mut self, ticket: Ticket, outcome: Outcome) {
        let outcome = self.filter.apply(outcome);
        let Some(state) = self.requests.get_mut(&ticket.request) else { return };
        let times =
            Times { taken_us: state.taken_us, connected_us: state.taken_us, done_us: clock::now_us() };
        let recipient = &state.request.recipients[ticket.recipient];
        log::info!("{}", log_line(&state.request, recipient, &outcome, times));
        state.outcomes[ticket.recipient] = Some(outcome);
        if state.outcomes.iter().any(Option::is_none) {
            return;
        }
        if let Some(state) = self.requests.remove(&ticket.request) {
            let outcomes = state.outcomes.into_iter().flatten().collect();
            let report = DeliveryReport { serial: state.request.serial, outcomes, unreachable: None };
            self.desk.report(state.client, &report);
        }
    }
}

fn cross_off(queue: &Queue, id: &str, offset: u64) -> bool {
    let Ok(id) = id.parse::<QueueId>() else { return false };
    match queue.cross_off_late(&id, offset) {
        Ok(()) => return true,
        // All the others had it, and so it went.
        Err(error) if error.is_gone() => {}
        Err(error) => log::warn!("{id}: {error}"),
    }
    false
}
