//! An active message: whom it still has to reach, and what is known so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use queue::{QueueName, RecipientSource};
use queue_format::envelope::Envelope;
use queue_format::{QueueId, Recipient};
use services::bounce::Original;
use services::delivery::{self, DelayDecimals, Trace};

use crate::direct::Direct;

/// A message in the active queue.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: QueueId,
    /// Sender, sizes, attributes; the recipients are in `recipients`.
    pub(crate) envelope: Envelope,
    /// Where more recipients come from.
    pub(crate) more: Option<RecipientSource>,
    /// Those in memory whose result is not known yet, by the number that each keeps.
    pub(crate) recipients: BTreeMap<u32, Slot>,
    /// The number of the first that has no way yet, and of the next that is read.
    pub(crate) first_without_way: u32,
    next_slot: u32,
    /// The transports of those that have left memory since they were counted last.
    pub(crate) freed: Vec<Arc<str>>,
    /// Answers of the disk and of bounce(8) that are awaited.
    pub(crate) waiting: usize,
    pub(crate) stage: Stage,
    /// Somebody could not be reached for now.
    pub(crate) deferred: bool,
    /// bounce/ID exists.
    pub(crate) bounce_log: bool,
    /// trace/ID exists.
    pub(crate) trace_log: bool,
    /// defer/ID exists.
    pub(crate) defer_log: bool,
    /// How often the disk has refused to have the message moved or removed.
    pub(crate) refusals: u32,
    /// Offsets of recipients that are done and not yet marked in the file.
    pub(crate) unmarked: Vec<u64>,
    /// `postsuper -f`: return to the sender at this attempt.
    pub(crate) force_expire: bool,
    /// `postqueue -i`, `postqueue -f`: try dead destinations too.
    pub(crate) unthrottle: bool,
    /// An earlier queue manager had it in its active queue.
    pub(crate) in_doubt: bool,
    pub(crate) active_us: u64,
    /// Failures are reported together also with VERP (`disable_verp_bounces`).
    pub(crate) one_report: bool,
    /// What its sender wants to know beyond failures.
    pub(crate) trace: Trace,
    /// `info_log_address_format = internal`
    pub(crate) log_internal_form: bool,
    /// `delay_logging_resolution_limit`
    pub(crate) delay_decimals: DelayDecimals,
    /// `soft_bounce`, but for a message that only asks.
    pub(crate) soft_bounce: bool,
    /// What it has instead of a queue file, while it has none.
    pub(crate) direct: Option<Direct>,
    /// It had none when its deliveries began: what agents crossed off, they crossed off in memory.
    pub(crate) began_directly: bool,
}

/// One recipient in memory.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) recipient: Recipient,
    /// The form of the address that the delivery agent gets.
    pub(crate) resolved: String,
    /// By which transport, once that is known.
    pub(crate) transport: Option<Arc<str>>,
    /// How often an agent vanished with it.
    pub(crate) lost: u8,
}

/// How an attempt ended for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It needs no other attempt.
    Done,
    /// Nor here, and the agent has crossed it off.
    CrossedOff,
    /// It needs another attempt.
    Another,
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Recipients are being delivered to.
    Delivering,
    /// Everybody's result is known; reports are under way.
    Reporting,
    /// Too old: its sender is being told.
    Expiring,
    /// Its sender is being warned; then it waits until this time, in seconds since 1970.
    Warning(u64),
    /// On its way out of the active queue.
    Leaving,
}

impl Message {
    /// A message as it was read.
    pub(crate) fn new(id: QueueId, mut loaded: queue::Loaded, active_us: u64) -> Self {
        let recipients = std::mem::take(&mut loaded.envelope.recipients);
        let trace = Trace(loaded.envelope.trace.map_or(0, |(flags, _)| flags));
        let mut message = Self {
            id,
            envelope: loaded.envelope,
            more: loaded.more,
            recipients: BTreeMap::new(),
            first_without_way: 0,
            next_slot: 0,
            freed: Vec::new(),
            waiting: 0,
            stage: Stage::Delivering,
            deferred: false,
            bounce_log: false,
            trace_log: false,
            defer_log: false,
            refusals: 0,
            unmarked: Vec::new(),
            force_expire: false,
            unthrottle: false,
            in_doubt: false,
            active_us,
            one_report: false,
            trace,
            log_internal_form: false,
            delay_decimals: DelayDecimals::default(),
            soft_bounce: false,
            direct: None,
            began_directly: false,
        };
        message.take_recipients(recipients);
        message
    }

    /// Adds these recipients to those in memory, but for those already done.
    pub(crate) fn take_recipients(&mut self, recipients: Vec<Recipient>) {
        for recipient in recipients.into_iter().filter(|recipient| !recipient.done) {
            let resolved = recipient.address.clone();
            self.recipients.insert(self.next_slot, Slot { resolved, recipient, transport: None, lost: 0 });
            self.next_slot += 1;
        }
    }

    /// Recipients in memory whose result is not known yet.
    pub(crate) fn open(&self) -> usize {
        self.recipients.len()
    }

    /// The numbers of the recipients that have no way yet; from now on they have one.
    pub(crate) fn take_without_way(&mut self) -> Vec<u32> {
        let first = std::mem::replace(&mut self.first_without_way, self.next_slot);
        self.recipients.range(first..).map(|(slot, _)| *slot).collect()
    }

    /// A message that is redirected goes there once: its first recipient stands for all.
    pub(crate) fn needs_no_copy(&self, slot: u32) -> bool {
        self.envelope.redirect.is_some() && slot > 0
    }

    /// The envelope sender; empty for the null sender.
    pub(crate) fn sender(&self) -> &str {
        self.envelope.sender.as_deref().unwrap_or("")
    }

    /// When the queue file was made, or else when the message arrived: its age counts from there.
    pub(crate) fn created_seconds(&self) -> u64 {
        self.envelope.created_seconds.unwrap_or_else(|| self.envelope.arrival_seconds())
    }

    /// A recipient as agents and bounce(8) are told of it.
    pub(crate) fn recipient(&self, slot: u32) -> delivery::Recipient {
        let slot = &self.recipients[&slot];
        let original = if slot.recipient.original == slot.resolved { "" } else { &slot.recipient.original };
        delivery::Recipient {
            address: slot.resolved.clone(),
            original: original.to_owned(),
            record_offset: slot.recipient.offset,
            dsn_original: slot.recipient.dsn_original.clone(),
            notify: slot.recipient.notify,
        }
    }

    /// The message as bounce(8) is told of it.
    pub(crate) fn original(&self) -> Original {
        Original {
            queue_name: QueueName::Active.as_str().to_owned(),
            encoding: self.attribute("encoding"),
            sendopts: self.envelope.size.map_or(0, |size| size.send_options),
            envelope_id: self.envelope.envelope_id.clone(),
            return_flags: self.envelope.return_flags,
            sender: self.sender().to_owned(),
            verify: self.trace.only_verifies() || self.trace.reports_all(),
            verp_delimiters: if self.one_report { "" } else { self.verp_delimiters().unwrap_or("") }
                .to_owned(),
        }
    }

    /// The request to a delivery agent for these recipients.
    pub(crate) fn request(&self, serial: u64, nexthop: &str, slots: &[u32]) -> delivery::DeliveryRequest {
        let arrival = self.envelope.arrival.unwrap_or_default();
        delivery::DeliveryRequest {
            serial,
            queue_id: self.id.to_string(),
            direct: self.direct.is_some(),
            content_offset: self.envelope.content_offset,
            content_size: self.envelope.message_bytes(),
            nexthop: nexthop.to_owned(),
            encoding: self.attribute("encoding"),
            sendopts: self.envelope.size.map_or(0, |size| size.send_options),
            sender: self.sender_for(slots),
            envelope_id: self.envelope.envelope_id.clone(),
            return_flags: self.envelope.return_flags,
            arrived_us: u64::try_from(arrival.as_micros()).unwrap_or(0),
            active_us: self.active_us,
            client: self.client(),
            rewrite_context: self.attribute("rewrite_context"),
            in_doubt: self.in_doubt || slots.iter().any(|slot| self.recipients[slot].lost > 0),
            trace: self.trace,
            log_internal_form: self.log_internal_form,
            delay_decimals: self.delay_decimals,
            soft_bounce: self.soft_bounce,
            recipients: slots.iter().map(|slot| self.recipient(*slot)).collect(),
        }
    }

    /// The delimiters of VERP; none without a sender, for there is nothing to put a recipient into.
    pub(crate) fn verp_delimiters(&self) -> Option<&str> {
        self.envelope.verp_delimiters.as_deref().filter(|_| !self.sender().is_empty())
    }

    /// The sender that a delivery has: with VERP, one of its own for its one recipient.
    fn sender_for(&self, slots: &[u32]) -> String {
        let (Some(delimiters), Some(slot)) = (self.verp_delimiters(), slots.first()) else {
            return self.sender().to_owned();
        };
        let recipient = &self.recipients[slot].recipient;
        address::verp_sender(self.sender(), &recipient.original, delimiters)
    }

    fn client(&self) -> delivery::Client {
        delivery::Client {
            name: self.attribute("log_client_name"),
            address: self.attribute("log_client_address"),
            port: self.attribute("log_client_port"),
            protocol: self.attribute("log_protocol_name"),
            helo: self.attribute("log_helo_name"),
            ident: self.attribute("log_ident"),
            sasl_method: self.attribute("sasl_method"),
            sasl_username: self.attribute("sasl_username"),
        }
    }

    fn attribute(&self, name: &str) -> String {
        self.envelope.attribute(name).unwrap_or("").to_owned()
    }

    /// How many recipients the message still has, for the log.
    pub(crate) fn recipients_left(&self) -> u64 {
        match (&self.more, self.envelope.size) {
            (Some(_), Some(size)) => size.recipients.max(self.open() as u64),
            _ => self.open() as u64,
        }
    }

    /// The result of a recipient is known and kept.
    pub(crate) fn settle(&mut self, slot: u32, end: End) {
        let Some(slot) = self.recipients.remove(&slot) else { return };
        self.freed.extend(slot.transport);
        match end {
            End::Done => self.unmarked.push(slot.recipient.offset),
            End::CrossedOff => {}
            End::Another => self.deferred = true,
        }
    }
}
