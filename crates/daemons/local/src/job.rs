//! A request of the queue manager, from its arrival to the report.

use std::fs::File;
use std::io;
use std::rc::Rc;

use mailbox::content::QueueContent;
use mailbox::job::Answer;
use queue_format::QueueId;
use reactor::{EventLoop, HandlerId, Letter};
use rewriting::{Leaf, Refusal};
use services::couriers::{NoDelivery, Ticket};
use services::delivery::{
    DeliveryReport, DeliveryRequest, Expansion, Outcome, Recipient, Times, Verdict, log_line,
};
use sys::clock;
use worker::deliveries::{Deliverer, Desk};

use crate::been_here::delivered_to;
use crate::forward::Posted;
use crate::outcome;
use crate::part::{Part, combine};
use crate::service::Local;
use crate::surroundings::System;

/// A request under way.
pub(crate) struct Request {
    pub(crate) request: DeliveryRequest,
    client: HandlerId,
    pub(crate) taken_us: u64,
    /// What each recipient has come to be, in no order.
    pub(crate) parts: Vec<Part>,
    /// Every recipient has all its parts.
    complete: bool,
}

impl Request {
    /// The session that asked.
    pub(crate) fn client(&self) -> HandlerId {
        self.client
    }
}

impl Deliverer for Local {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn is_behind(&self) -> bool {
        worker::is_behind(self)
    }

    fn take(
        &mut self,
        request: DeliveryRequest,
        _: Option<File>,
        client: HandlerId,
        events: &mut EventLoop<Self>,
    ) {
        let id = self.next_request;
        self.next_request += 1;
        let message = self.open_message(&request);
        let recipients = request.recipients.clone();
        let taken_us = clock::now_us();
        let state = Request { request, client, taken_us, parts: Vec::new(), complete: false };
        self.requests.insert(id, state);
        for (number, recipient) in recipients.iter().enumerate() {
            match &message {
                Ok((file, been_at)) => self.begin(id, number, recipient, (file, been_at), events),
                Err(error) => {
                    let ticket = self.add_part(id, Part::new(number, &recipient.address));
                    self.settle(ticket, outcome::unreadable(error));
                }
            }
        }
        if let Some(state) = self.requests.get_mut(&id) {
            state.complete = true;
        }
        self.report_if_done(id);
    }

    fn letter(&mut self, letter: Letter) {
        if let Ok(posted) = letter.downcast::<Posted>() {
            self.is_posted(*posted);
        }
    }
}

impl Local {
    /// The open queue file, and whom the message has been delivered to before.
    fn open_message(&self, request: &DeliveryRequest) -> io::Result<(Rc<File>, Vec<String>)> {
        let id: QueueId = request.queue_id.parse().map_err(io::Error::other)?;
        let file = self.queue.open_to_deliver(&id)?;
        let mut block = Vec::new();
        let mut content = QueueContent::new(&file, request.content_offset, &mut block);
        let been_at = delivered_to(&mut content).map_err(io::Error::other)?;
        Ok((Rc::new(file), been_at))
    }

    fn begin(
        &mut self,
        id: u64,
        number: usize,
        recipient: &Recipient,
        (file, been_at): (&Rc<File>, &[String]),
        events: &mut EventLoop<Self>,
    ) {
        let aliases = &self.settings.aliases;
        let leaves = self.rewriting.expand_local(&self.tables, &System, aliases, been_at, &recipient.address);
        let leaves = match leaves {
            Ok(leaves) => leaves,
            Err(stop) => {
                let ticket = self.add_part(id, Part::new(number, &recipient.address));
                return self.settle(ticket, outcome::lookup_failed(&stop));
            }
        };
        let alone = leaves.len() == 1;
        let expansion = expansion(&leaves, &recipient.address);
        for (place, leaf) in leaves.into_iter().enumerate() {
            let part = |address: &str| Part { number: place, alone, expansion, ..Part::new(number, address) };
            match leaf {
                Leaf::Mailbox { address, user, extension } => {
                    let ticket = self.add_part(id, part(&address));
                    self.send_to_user(ticket, &user, extension.as_deref(), file, events);
                }
                Leaf::Forward { recipients, .. } if self.only_verifies(id) => {
                    for address in recipients {
                        let ticket = self.add_part(id, part(&address));
                        self.settle(ticket, outcome::would_forward(&address));
                    }
                }
                Leaf::Forward { sender, recipients } => {
                    let ticket = self.add_part(id, part(&recipient.address));
                    self.send_on(ticket, sender, recipients, file, events);
                }
                Leaf::Null { address } => {
                    let ticket = self.add_part(id, part(&address));
                    self.settle(ticket, outcome::thrown_away(self.only_verifies(id)));
                }
                Leaf::Refused { address, why } => {
                    let ticket = self.add_part(id, part(&address));
                    self.settle(ticket, self.refused(&why));
                }
            }
        }
    }

    /// Where an alias leads to nothing, and nobody else is to have the mail.
    fn refused(&self, why: &Refusal) -> Outcome {
        match (why, self.settings.not_available_to_strangers) {
            (Refusal::UnknownUser(_) | Refusal::Required(_), Some(parameter)) => {
                outcome::not_available(parameter)
            }
            _ => outcome::refused(why),
        }
    }

    /// `sendmail -bv`
    pub(crate) fn only_verifies(&self, id: u64) -> bool {
        self.requests.get(&id).is_some_and(|state| state.request.trace.only_verifies())
    }

    fn add_part(&mut self, id: u64, part: Part) -> Ticket {
        let parts = self.requests.get_mut(&id).map(|state| &mut state.parts);
        let recipient = parts.map_or(0, |parts| {
            parts.push(part);
            parts.len() - 1
        });
        Ticket { request: id, recipient }
    }

    /// A courier has come back, or none could be sent.
    pub(crate) fn courier_is_back(&mut self, ticket: Ticket, outcome: Result<Answer, NoDelivery>) {
        let part = self.requests.get(&ticket.request).and_then(|state| state.parts.get(ticket.recipient));
        if let Some(destination) = part.and_then(|part| part.destination.as_ref()) {
            let outcome = outcome::of(outcome, destination);
            self.settle(ticket, outcome);
        }
    }

    /// Logs what became of a part.
    pub(crate) fn settle(&mut self, ticket: Ticket, outcome: Outcome) {
        let outcome = self.filter.apply(outcome);
        let Some(state) = self.requests.get_mut(&ticket.request) else { return };
        let Some(part) = state.parts.get_mut(ticket.recipient) else { return };
        let times =
            Times { taken_us: state.taken_us, connected_us: state.taken_us, done_us: clock::now_us() };
        let recipient = &state.request.recipients[part.recipient];
        let original = recipient.before_aliases();
        let shown =
            Recipient { address: part.address.clone(), original: original.to_owned(), ..recipient.clone() };
        log::info!("{}", log_line(&state.request, &shown, &outcome, times));
        part.outcome = Some(outcome);
        self.report_if_done(ticket.request);
    }

    fn report_if_done(&mut self, id: u64) {
        let is_done =
            |state: &Request| state.complete && state.parts.iter().all(|part| part.outcome.is_some());
        if !self.requests.get(&id).is_some_and(is_done) {
            return;
        }
        let Some(state) = self.requests.remove(&id) else { return };
        let count = state.request.recipients.len();
        let outcomes = (0..count).map(|recipient| combine(&state.parts, recipient)).collect();
        let report = DeliveryReport { serial: state.request.serial, outcomes, unreachable: None };
        self.desk.report(state.client, &report);
    }
}

/// Has an alias put others in this recipient's place?
fn expansion(leaves: &[Leaf], recipient: &str) -> Option<Expansion> {
    let leads_away = |leaf: &Leaf| match leaf {
        Leaf::Mailbox { address, .. } | Leaf::Null { address } | Leaf::Refused { address, .. } => {
            !address.eq_ignore_ascii_case(recipient)
        }
        Leaf::Forward { .. } => true,
    };
    let is_list = |leaf: &Leaf| matches!(leaf, Leaf::Forward { sender: Some(_), .. });
    match leaves.iter().any(is_list) {
        true => Some(Expansion::List),
        false => leaves.iter().any(leads_away).then_some(Expansion::Alias),
    }
}

/// Only for recipients whose expansion came to nothing at all: an empty alias.
pub(crate) fn nothing() -> Outcome {
    Outcome::new(Verdict::Sent, "2.0.0", "no recipients after alias expansion", outcome::RELAY)
}
