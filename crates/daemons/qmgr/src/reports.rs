//! What bounce(8) is asked for: keep a recipient's result, tell the sender.

use std::collections::HashMap;
use std::path::Path;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, HandlerId, Letter};
use scheduling::MessageKey;
use services::bounce::{BounceReply, BounceRequest, Command, Failure};
use sys::error_text::reason;

use crate::service::Manager;

/// The three services of bounce(8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ReportService {
    Bounce,
    Defer,
    Trace,
}

/// What a request was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Keep the results of these recipients.
    Append(Vec<u32>),
    /// Tell the sender of those that failed, succeeded, or expired.
    Flush,
    /// Tell the sender of the delay.
    Warn,
}

#[derive(Debug)]
struct Pending {
    key: MessageKey,
    service: ReportService,
    purpose: Purpose,
}

/// The connections to bounce(8) and the requests on them.
#[derive(Debug, Default)]
pub(crate) struct Reporters {
    connections: HashMap<ReportService, HandlerId>,
    outgoing: Vec<(ReportService, u64, Attributes)>,
    pending: HashMap<u64, Pending>,
    last_serial: u64,
}

impl Reporters {
    /// How many answers are awaited.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Something is to be sent.
    pub(crate) fn is_ready(&self) -> bool {
        !self.outgoing.is_empty()
    }

    fn ask(
        &mut self,
        service: ReportService,
        key: MessageKey,
        purpose: Purpose,
        queue_id: &str,
        command: Command,
    ) {
        self.last_serial += 1;
        let serial = self.last_serial;
        let request = BounceRequest { serial, queue_id: queue_id.to_owned(), command };
        self.pending.insert(serial, Pending { key, service, purpose });
        self.outgoing.push((service, serial, request.to_attributes()));
    }
}

/// One connection to bounce(8).
struct ReportTalk {
    service: ReportService,
}

impl Talk<Manager> for ReportTalk {
    fn message(&mut self, message: Attributes, manager: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        manager.look_at_the_clock();
        match BounceReply::from_attributes(&message) {
            Ok(reply) => {
                manager.report_answered(reply.serial, reply.done);
                let idle = !manager.reporters.pending.values().any(|pending| pending.service == self.service);
                let deadline = (!idle).then(|| line.events.now() + manager.settings.delivery_timeout);
                line.events.set_deadline(line.me, deadline);
                Fate::Keep
            }
            Err(error) => {
                log::warn!("{:?} service: malformed response: {error}", self.service);
                Fate::Close
            }
        }
    }

    fn letter(&mut self, letter: Letter, manager: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        if let Ok(requests) = letter.downcast::<Vec<Attributes>>() {
            requests.iter().for_each(|request| line.send(request));
            line.events.set_deadline(line.me, Some(line.events.now() + manager.settings.delivery_timeout));
        }
        Fate::Keep
    }

    fn elapsed(&mut self, _: &mut Manager, _: &mut Line<'_, Manager>) -> Fate {
        Fate::Close
    }

    /// What was asked and not answered is not done, as far as anybody knows.
    fn ended(&mut self, manager: &mut Manager, _: &mut EventLoop<Manager>) {
        manager.look_at_the_clock();
        manager.reporters.connections.remove(&self.service);
        let pending = manager.reporters.pending.iter();
        let lost: Vec<u64> = pending
            .filter(|(_, pending)| pending.service == self.service)
            .map(|(serial, _)| *serial)
            .collect();
        lost.into_iter().for_each(|serial| manager.report_answered(serial, false));
    }
}

impl Manager {
    /// Has results kept.
    pub(crate) fn append(
        &mut self,
        service: ReportService,
        key: MessageKey,
        slots: Vec<u32>,
        failures: Vec<Failure>,
    ) {
        self.ask(service, key, Purpose::Append(slots), Command::Append(failures));
    }

    /// Asks for something about an active message; the answer comes to [`Manager::report_done`].
    pub(crate) fn ask(
        &mut self,
        service: ReportService,
        key: MessageKey,
        purpose: Purpose,
        command: Command,
    ) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.waiting += 1;
        let id = message.id.to_string();
        self.reporters.ask(service, key, purpose, &id, command);
    }

    /// Sends what was asked in this turn.
    pub(crate) fn send_reports(&mut self, events: &mut EventLoop<Self>) {
        let mut batches: HashMap<ReportService, (Vec<u64>, Vec<Attributes>)> = HashMap::new();
        for (service, serial, request) in std::mem::take(&mut self.reporters.outgoing) {
            let batch = batches.entry(service).or_default();
            batch.0.push(serial);
            batch.1.push(request);
        }
        for (service, (serials, requests)) in batches {
            match self.reporter(service, events) {
                Ok(connection) => events.hand(connection, Box::new(requests), self),
                Err(error) => {
                    log::warn!("connect to private/{}: {}", self.service_name(service), reason(&error));
                    serials.into_iter().for_each(|serial| self.report_answered(serial, false));
                }
            }
        }
    }

    fn reporter(
        &mut self,
        service: ReportService,
        events: &mut EventLoop<Self>,
    ) -> std::io::Result<HandlerId> {
        if let Some(connection) = self.reporters.connections.get(&service) {
            return Ok(*connection);
        }
        let socket = sys::sockets::connect_unix(&Path::new("private").join(self.service_name(service)))?;
        let connection = Channel::start(socket, ReportTalk { service }, events)?;
        self.reporters.connections.insert(service, connection);
        Ok(connection)
    }

    fn service_name(&self, service: ReportService) -> &str {
        match service {
            ReportService::Bounce => &self.settings.bounce_service,
            ReportService::Defer => &self.settings.defer_service,
            ReportService::Trace => &self.settings.trace_service,
        }
    }

    fn report_answered(&mut self, serial: u64, done: bool) {
        if let Some(Pending { key, service, purpose }) = self.reporters.pending.remove(&serial) {
            self.report_done(key, service, purpose, done);
        }
    }
}
