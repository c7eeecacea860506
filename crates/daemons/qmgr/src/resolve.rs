//! Where each recipient's mail goes: transport, nexthop, and the address for the agent.

use std::collections::HashMap;

use lookup::{Lookup, Stop};
use rewriting::{Class, Rewriting};
use scheduling::{DESTINATION_SEPARATOR, Job, MessageKey};
use services::delivery::{Outcome, Verdict};

use crate::message::{End, Message};
use crate::service::Manager;
use crate::settings::{Settings, transport_limits};

/// What becomes of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Route {
    /// To a delivery agent.
    Agent { transport: String, nexthop: String, recipient: String },
    /// A report about a report that could not be delivered: nobody is left to tell.
    Discard,
}

/// The ways of a message's recipients.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Transport and nexthop, and who goes there.
    destinations: Vec<((String, String), Vec<u32>)>,
    /// Those nobody is told of.
    discarded: Vec<u32>,
}

impl Routes {
    /// Has everybody an agent of this transport?
    pub(crate) fn all_go_to(&self, transport: &str) -> bool {
        self.discarded.is_empty() && self.destinations.iter().all(|((name, _), _)| name == transport)
    }
}

/// The parts that routing needs.
struct Router<'a> {
    settings: &'a Settings,
    rewriting: &'a Rewriting,
    tables: &'a dyn Lookup,
}

impl Router<'_> {
    fn route(&self, message: &Message, recipient: &str) -> Route {
        let recipient = message.envelope.redirect.as_deref().unwrap_or(recipient);
        let resolved = match self.rewriting.resolve(self.tables, message.sender(), recipient) {
            Ok(resolved) => resolved,
            Err(Stop::Wait | Stop::Failed { .. }) => {
                return self.report(
                    &self.settings.retry_service,
                    "4.3.0 address resolver failure",
                    recipient,
                );
            }
        };
        if resolved.malformed {
            return self.report(&self.settings.error_service, "5.1.3 bad address syntax", recipient);
        }
        if resolved.class == Class::Local && self.is_double_bounce(&resolved.recipient) {
            return Route::Discard;
        }
        let (transport, nexthop) = match &message.envelope.filter {
            Some(filter) => self.filter(filter, &resolved.recipient),
            None => (resolved.transport, resolved.nexthop),
        };
        if self.settings.is_deferred(&transport) {
            return self.report(
                &self.settings.retry_service,
                "4.3.2 deferred transport",
                &resolved.recipient,
            );
        }
        Route::Agent { transport, nexthop, recipient: resolved.recipient }
    }

    fn report(&self, service: &str, text: &str, recipient: &str) -> Route {
        Route::Agent {
            transport: service.to_owned(),
            nexthop: text.to_owned(),
            recipient: recipient.to_owned(),
        }
    }

    fn is_double_bounce(&self, recipient: &str) -> bool {
        let user = recipient.rsplit_once('@').map_or(recipient, |(user, _)| user);
        user.eq_ignore_ascii_case(&self.settings.double_bounce_sender)
    }

    /// `transport:nexthop` of a content filter; without a nexthop, `default_filter_nexthop` or else the recipient's domain.
    fn filter(&self, filter: &str, recipient: &str) -> (String, String) {
        let (transport, nexthop) = filter.split_once(':').unwrap_or((filter, ""));
        let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
        let choices = [nexthop, &self.settings.default_filter_nexthop, domain];
        let nexthop = choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or("");
        (transport.to_owned(), nexthop.to_owned())
    }
}

impl Manager {
    /// Finds a way for each recipient in memory and puts them into the queues of their destinations.
    pub(crate) fn assign(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.force_expire && message.defer_log {
            message.take_without_way().into_iter().for_each(|slot| message.settle(slot, End::Another));
            return;
        }
        if message.force_expire {
            let slots = message.take_without_way();
            return self.postpone(
                Job { message: key, recipients: slots },
                "4.7.0",
                "message is administratively expired",
            );
        }
        let Some(mut message) = self.messages.remove(&key) else { return };
        let routes = self.routes(&mut message);
        self.messages.insert(key, message);
        self.follow(key, routes);
    }

    /// The way of each recipient in memory that has none yet.
    pub(crate) fn routes(&self, message: &mut Message) -> Routes {
        let router = Router { settings: &self.settings, rewriting: &self.rewriting, tables: &self.tables };
        let mut routes = Routes::default();
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for number in message.take_without_way() {
            if message.needs_no_copy(number) {
                message.settle(number, End::Done);
                continue;
            }
            match router.route(message, &message.recipients[&number].recipient.address) {
                Route::Discard => routes.discarded.push(number),
                Route::Agent { transport, nexthop, recipient } => {
                    if let Some(slot) = message.recipients.get_mut(&number) {
                        slot.resolved = recipient;
                    }
                    let destination = (transport, nexthop);
                    match places.get(&destination) {
                        Some(place) => routes.destinations[*place].1.push(number),
                        None => {
                            places.insert(destination.clone(), routes.destinations.len());
                            routes.destinations.push((destination, vec![number]));
                        }
                    }
                }
            }
        }
        routes
    }

    /// Puts the recipients into the queues of their destinations.
    pub(crate) fn follow(&mut self, key: MessageKey, routes: Routes) {
        for ((transport, nexthop), recipients) in routes.destinations {
            self.count_taken(key, &transport, &recipients);
            self.enqueue(&transport, &nexthop, Job { message: key, recipients });
        }
        if !routes.discarded.is_empty() {
            let outcome = Outcome::new(
                Verdict::Sent,
                "2.0.0",
                "undeliverable postmaster notification discarded",
                "none",
            );
            self.settle_here(Job { message: key, recipients: routes.discarded }, &outcome);
        }
    }

    /// Puts recipients into the queue of a destination, or puts them off while it is closed.
    fn enqueue(&mut self, transport: &str, nexthop: &str, job: Job) {
        let one_each = self.limits_of(transport) == 1;
        let Some(message) = self.messages.get(&job.message) else { return };
        let unthrottle = message.unthrottle;
        let one_sender_each = message.verp_delimiters().is_some();
        let jobs: Vec<(String, Job)> = match one_each {
            false if one_sender_each => {
                let alone = |slot: &u32| Job { message: job.message, recipients: vec![*slot] };
                job.recipients.iter().map(|slot| (nexthop.to_owned(), alone(slot))).collect()
            }
            false => vec![(nexthop.to_owned(), job)],
            true => job
                .recipients
                .iter()
                .map(|slot| {
                    let recipient = &message.recipients[slot].resolved;
                    let destination = format!("{nexthop}{DESTINATION_SEPARATOR}{recipient}");
                    (destination, Job { message: job.message, recipients: vec![*slot] })
                })
                .collect(),
        };
        for (destination, job) in jobs {
            let taken = self.scheduler.enqueue(self.now_us, transport, &destination, job.clone(), unthrottle);
            match taken {
                Err(refused) if refused.whole_transport => {
                    self.postpone(job, &refused.reason.status, &refused.reason.text);
                }
                Err(refused) => {
                    let text = format!("delivery temporarily suspended: {}", refused.reason.text);
                    self.postpone(job, &refused.reason.status, &text);
                }
                Ok(()) => self.warn_of_clog(transport, &destination),
            }
        }
    }

    /// Recipients in one delivery of this transport, whose limits are read when it is first met.
    fn limits_of(&mut self, transport: &str) -> u32 {
        if let Some(limits) = self.scheduler.limits(transport) {
            return limits.recipients;
        }
        let limits = transport_limits(&self.config, transport);
        let recipients = limits.recipients;
        self.scheduler.set_limits(transport, limits);
        recipients
    }

    /// Has the `retry` service log that these recipients wait, as agents do; where that is closed too, does it here.
    pub(crate) fn postpone(&mut self, job: Job, status: &str, text: &str) {
        let retry = self.settings.retry_service.clone();
        self.limits_of(&retry);
        let nexthop = format!("{status} {text}");
        if self.scheduler.enqueue(self.now_us, &retry, &nexthop, job.clone(), false).is_err() {
            self.settle_here(job, &Outcome::new(Verdict::Deferred, status, text, "none"));
        }
    }
}
