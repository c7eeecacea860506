//! What one asks of the services `bounce`, `defer` and `trace`: keep a recipient's result, send a report.
//!
//! Each of the three keeps one log per message, in the spool folder of its own name; the socket decides
//! which. A request is answered by one [`BounceReply`] with the same `serial`, in any order. An answer with
//! `done` means: appended and synced, or report queued and synced. Without it nothing is promised, and the
//! caller tries again later.

use attributes::{Attributes, Missing};

use crate::delivery::{Expansion, Outcome, Recipient, Verdict};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BounceRequest {
    /// Chosen by the caller; the reply carries it back.
    pub serial: u64,
    /// The message's queue file name, also the name of the log.
    pub queue_id: String,
    /// What to do.
    pub command: Command,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Appends to the log of this service; at least one.
    Append(Vec<Failure>),
    /// Sends what the log says and removes the log: a non-delivery report (`bounce`; also `defer`, when the
    /// message has expired), or a success or verify report (`trace`).
    Flush(Original),
    /// Sends a delay warning from the log (`defer`), which stays.
    Warn(Original),
    /// Sends a non-delivery report for this recipient alone, past the log: for mail whose sender a list's
    /// owner has replaced.
    One(Box<(Original, Failure)>),
}

/// The message that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Original {
    /// The spool folder where the queue file lies: "active".
    pub queue_name: String,
    /// "7bit", "8bit" or empty when not known.
    pub encoding: String,
    /// The queue file's SMTPUTF8 flags.
    pub sendopts: u32,
    /// RFC 3461 ENVID, decoded; empty when absent.
    pub envelope_id: String,
    /// RFC 3461 RET: 0 none, 1 FULL, 2 HDRS.
    pub return_flags: u32,
    /// Who is told; empty for the null sender.
    pub sender: String,
    /// `trace` only: the user asked for a report (`sendmail -bv`, `-v`), not RFC 3461 NOTIFY=SUCCESS.
    pub verify: bool,
    /// Each recipient's report goes to a return address of its own (VERP), made with these; empty for one report.
    pub verp_delimiters: String,
}

/// One recipient's result, as the log keeps it. Successes stand in the log of `trace`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// Who.
    pub recipient: Recipient,
    /// RFC 3463 status: "5.1.1".
    pub status: String,
    /// RFC 3464 §2.3.3: "failed", "delayed", "delivered", "relayed", "expanded".
    pub action: String,
    /// The reason in words.
    pub reason: String,
    /// RFC 3464 Diagnostic-Code, `type; text`; empty: the reason stands in.
    pub diagnostic: String,
    /// RFC 3464 Remote-MTA: a host's name; empty when none spoke.
    pub remote_mta: String,
}

/// The relay of who delivers nothing.
const NO_RELAY: &str = "none";

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BounceReply {
    /// The request's number.
    pub serial: u64,
    /// It is done and on disk.
    pub done: bool,
}

impl Failure {
    /// The entry of the services `bounce` and `defer` for what a delivery agent reported.
    pub fn new(recipient: &Recipient, outcome: &Outcome) -> Self {
        let action = match outcome.verdict {
            Verdict::Bounced => "failed",
            Verdict::Deferred => "delayed",
            Verdict::Sent if outcome.remote_mta.is_empty() && !outcome.relayed => "delivered",
            Verdict::Sent => "relayed",
        };
        Self {
            recipient: recipient.clone(),
            status: outcome.status.clone(),
            action: action.to_owned(),
            reason: outcome.text.clone(),
            diagnostic: outcome.diagnostic.clone(),
            remote_mta: outcome.remote_mta.clone(),
        }
    }

    /// The entry of the service `trace`, which tells by whom; `only_tried` for `sendmail -bv`.
    pub fn traced(recipient: &Recipient, outcome: &Outcome, only_tried: bool) -> Self {
        let mut entry = Self::new(recipient, outcome);
        if outcome.relay != NO_RELAY {
            entry.reason = format!("delivery via {}: {}", outcome.relay, outcome.text);
        }
        if only_tried {
            let sent = outcome.verdict == Verdict::Sent;
            (if sent { "deliverable" } else { "undeliverable" }).clone_into(&mut entry.action);
        }
        entry
    }

    /// The entry of the service `trace` for a recipient in whose place an alias put others (RFC 3464 §2.3.3).
    pub fn expanded(recipient: &Recipient, expansion: Expansion, outcome: &Outcome) -> Self {
        Self {
            recipient: recipient.clone(),
            status: "2.0.0".to_owned(),
            action: expansion.action().to_owned(),
            reason: format!("delivery via {}: alias expanded", outcome.relay),
            ..Self::default()
        }
    }

    fn write(&self, message: &mut Attributes) {
        message.push("recipient", &self.recipient.address);
        message.push("original_recipient", &self.recipient.original);
        message.push("offset", self.recipient.record_offset);
        message.push("dsn_orig_rcpt", &self.recipient.dsn_original);
        message.push("notify_flags", self.recipient.notify);
        message.push("status", &self.status);
        message.push("action", &self.action);
        message.push("reason", &self.reason);
        message.push("diagnostic", &self.diagnostic);
        message.push("remote_mta", &self.remote_mta);
    }

    /// Takes one attribute that follows `recipient`.
    fn read(&mut self, name: &str, value: &str) -> Result<(), Missing> {
        match name {
            "original_recipient" => value.clone_into(&mut self.recipient.original),
            "offset" => {
                self.recipient.record_offset = value.parse().map_err(|_| Missing { name: "offset" })?
            }
            "dsn_orig_rcpt" => value.clone_into(&mut self.recipient.dsn_original),
            "notify_flags" => {
                self.recipient.notify = value.parse().map_err(|_| Missing { name: "notify_flags" })?
            }
            "status" => value.clone_into(&mut self.status),
            "action" => value.clone_into(&mut self.action),
            "reason" => value.clone_into(&mut self.reason),
            "diagnostic" => value.clone_into(&mut self.diagnostic),
            "remote_mta" => value.clone_into(&mut self.remote_mta),
            _ => {}
        }
        Ok(())
    }
}

impl Original {
    fn write(&self, message: &mut Attributes) {
        message.push("queue_name", &self.queue_name);
        message.push("encoding", &self.encoding);
        message.push("sendopts", self.sendopts);
        message.push("envelope_id", &self.envelope_id);
        message.push("ret_flags", self.return_flags);
        message.push("sender", &self.sender);
        message.push("verify", u8::from(self.verify));
        message.push("verp_delimiters", &self.verp_delimiters);
    }

    fn read(message: &Attributes) -> Result<Self, Missing> {
        let text = |name| message.text(name).map(str::to_owned);
        Ok(Self {
            queue_name: text("queue_name")?,
            encoding: text("encoding")?,
            sendopts: message.parse("sendopts")?,
            envelope_id: text("envelope_id")?,
            return_flags: message.parse("ret_flags")?,
            sender: text("sender")?,
            verify: message.parse::<u8>("verify")? != 0,
            verp_delimiters: text("verp_delimiters")?,
        })
    }
}

impl BounceRequest {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let word = match &self.command {
            Command::Append(_) => "append",
            Command::Flush(_) => "flush",
            Command::Warn(_) => "warn",
            Command::One(_) => "one",
        };
        let mut message = Attributes::new()
            .with("serial", self.serial)
            .with("request", word)
            .with("queue_id", &self.queue_id);
        match &self.command {
            Command::Append(failures) => failures.iter().for_each(|failure| failure.write(&mut message)),
            Command::Flush(original) | Command::Warn(original) => original.write(&mut message),
            Command::One(both) => {
                let (original, failure) = both.as_ref();
                original.write(&mut message);
                failure.write(&mut message);
            }
        }
        message
    }

    /// Reads what [`BounceRequest::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let command = match message.text("request")? {
            "append" => Command::Append(read_failures(message)?),
            "flush" => Command::Flush(Original::read(message)?),
            "warn" => Command::Warn(Original::read(message)?),
            "one" => {
                Command::One(Box::new((Original::read(message)?, read_failures(message)?.swap_remove(0))))
            }
            _ => return Err(Missing { name: "request" }),
        };
        Ok(Self { serial: message.parse("serial")?, queue_id: message.text("queue_id")?.to_owned(), command })
    }
}

/// A `recipient` attribute opens an entry; those that follow belong to it. Never empty on `Ok`.
fn read_failures(message: &Attributes) -> Result<Vec<Failure>, Missing> {
    let mut failures: Vec<Failure> = Vec::new();
    for (name, value) in message.iter() {
        if name == "recipient" {
            let recipient = Recipient { address: value.to_owned(), ..Recipient::default() };
            failures.push(Failure { recipient, ..Failure::default() });
        } else if let Some(last) = failures.last_mut() {
            last.read(name, value)?;
        }
    }
    if failures.is_empty() { Err(Missing { name: "recipient" }) } else { Ok(failures) }
}

impl BounceReply {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        Attributes::new().with("serial", self.serial).with("done", u8::from(self.done))
    }

    /// Reads what [`BounceReply::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not a number.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        Ok(Self { serial: message.parse("serial")?, done: message.parse::<u8>("done")? != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        let recipient =
            Recipient { address: "r@x".into(), record_offset: 77, notify: 8, ..Recipient::default() };
        let outcome = Outcome {
            remote_mta: "mx.example".into(),
            diagnostic: "smtp; 550 no".into(),
            ..Outcome::new(Verdict::Bounced, "5.1.1", "host said: 550 no", "mx.example[192.0.2.1]:25")
        };
        Failure::new(&recipient, &outcome)
    }

    #[test]
    fn every_request_crosses_the_socket_unchanged() {
        let original = Original {
            queue_name: "active".into(),
            sender: "s@x".into(),
            verify: true,
            verp_delimiters: "+=".into(),
            ..Original::default()
        };
        let commands = [
            Command::Append(vec![failure(), Failure { status: "5.0.0".into(), ..failure() }]),
            Command::Flush(original.clone()),
            Command::Warn(original.clone()),
            Command::One(Box::new((original, failure()))),
        ];
        for command in commands {
            let request = BounceRequest { serial: 3, queue_id: "ABC".into(), command };
            assert_eq!(BounceRequest::from_attributes(&request.to_attributes()), Ok(request));
        }
    }

    #[test]
    fn a_delivery_counts_as_relayed_when_a_remote_system_took_it() {
        let mut outcome = Outcome::new(Verdict::Sent, "2.0.0", "delivered to maildir", "virtual");
        let local = Failure::traced(&Recipient::default(), &outcome, false);
        assert_eq!(
            (local.action.as_str(), local.reason.as_str()),
            ("delivered", "delivery via virtual: delivered to maildir")
        );
        outcome.remote_mta = "mx.example".into();
        assert_eq!(Failure::traced(&Recipient::default(), &outcome, false).action, "relayed");
        assert_eq!(Failure::traced(&Recipient::default(), &outcome, true).action, "deliverable");
        let here = Outcome::new(Verdict::Bounced, "5.1.1", "unknown user", NO_RELAY);
        let tried = Failure::traced(&Recipient::default(), &here, true);
        assert_eq!((tried.action.as_str(), tried.reason.as_str()), ("undeliverable", "unknown user"));
    }
}
