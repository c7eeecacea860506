//! Is there room in a mailbox? Asked by an SMTP server before it takes a message, by its policy protocol: lines
//! `name=value`, and an empty one that ends the request (Postfix's SMTPD_POLICY_README).

use std::fs::File;
use std::io;
use std::rc::Rc;

use mailbox::job::{Answer, Job};
use reactor::channel::{Line, Talk, TextLine};
use reactor::{EventLoop, Fate, Letter};
use services::couriers::{Assignment, NoDelivery, Ticket};
use services::spawn::CourierRequest;

use crate::service::Virtual;

/// Lines of one request; an SMTP server has about thirty.
const LINES_LIMIT: usize = 1000;
/// What is answered about those who have room, and those whom somebody else has to judge.
const NO_OBJECTION: &str = "DUNNO";
/// A courier gets an open file with each job.
const NOTHING: &str = "/dev/null";

/// An SMTP server that asks.
#[derive(Default)]
pub(crate) struct Asker {
    lines: usize,
    recipient: String,
    size_bytes: u64,
}

/// A letter: a courier has looked.
pub(crate) struct Looked(pub(crate) Result<Answer, NoDelivery>);

impl Asker {
    fn judge(&mut self, agent: &mut Virtual, line: &mut Line<'_, Virtual>) {
        if !self.ask(agent, line) {
            self.answer(NO_OBJECTION, line);
        }
    }

    /// Has a courier look, if somebody has to: then the answer comes later.
    fn ask(&self, agent: &mut Virtual, line: &mut Line<'_, Virtual>) -> bool {
        // An address that is none, or not ours, or not in order, is not refused for its quota.
        let Ok(destination) = agent.find_destination(&self.recipient) else { return false };
        if destination.quota.limits.is_none() && agent.settings.limit_bytes == 0 {
            return false;
        }
        let ticket = Ticket { request: agent.next_request, recipient: 0 };
        agent.next_request += 1;
        let job = Job {
            place: destination.place,
            name: String::new(),
            head: String::new(),
            content_offset: 0,
            limit_bytes: agent.settings.limit_bytes,
            quota: destination.quota,
            only_measure: Some(self.size_bytes),
            record_offset: 0,
            queue_id: String::new(),
            in_doubt: false,
            unless_exists: Vec::new(),
        };
        let courier = CourierRequest::Virtual { recipient: self.recipient.clone() };
        let sent = File::open(NOTHING).map(Rc::new).and_then(|file| {
            let assignment = Assignment { ticket, job, file };
            let sent = agent.couriers.assign(&destination.owner, &courier, assignment, line.events);
            sent.map_err(io::Error::other)
        });
        match sent {
            Ok(()) => drop(agent.questions.insert(ticket.request, line.me)),
            Err(error) => log::warn!("quota of {}: {error}", self.recipient),
        }
        agent.questions.contains_key(&ticket.request)
    }

    fn answer(&mut self, action: &str, line: &mut Line<'_, Virtual>) {
        *self = Self::default();
        line.send_bytes(format!("action={action}\n\n").as_bytes());
    }
}

impl Talk<Virtual, TextLine> for Asker {
    fn message(&mut self, message: TextLine, agent: &mut Virtual, line: &mut Line<'_, Virtual>) -> Fate {
        self.lines += 1;
        match message.0.split_once('=') {
            _ if self.lines > LINES_LIMIT => return Fate::Close,
            Some(("recipient", recipient)) => recipient.clone_into(&mut self.recipient),
            Some(("size", size)) => self.size_bytes = size.parse().unwrap_or(0),
            None if message.0.is_empty() => self.judge(agent, line),
            _ => {}
        }
        Fate::Keep
    }

    fn letter(&mut self, letter: Letter, agent: &mut Virtual, line: &mut Line<'_, Virtual>) -> Fate {
        let Ok(looked) = letter.downcast::<Looked>() else { return Fate::Keep };
        match looked.0 {
            Ok(Answer::Failed { status, text, .. }) if status.0 == 5 => {
                log::info!("to=<{}>, size={}: {text}", self.recipient, self.size_bytes);
                self.answer(&agent.settings.over_quota, line);
            }
            Ok(Answer::Failed { text, .. }) => {
                log::warn!("quota of {}: {text}", self.recipient);
                self.answer(NO_OBJECTION, line);
            }
            Ok(_) => self.answer(NO_OBJECTION, line),
            Err(error) => {
                log::warn!("quota of {}: {error}", self.recipient);
                self.answer(NO_OBJECTION, line);
            }
        }
        Fate::Keep
    }

    fn ended(&mut self, agent: &mut Virtual, _events: &mut EventLoop<Virtual>) {
        agent.askers.gone();
    }
}
