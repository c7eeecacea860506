//! What the queue manager asks of a delivery agent, and what the agent answers.
//!
//! The queue manager keeps connections to `private/<transport>` and sends many [`DeliveryRequest`]s on each;
//! the agent answers each with one [`DeliveryReport`] with the same `serial`, in any order. The agent delivers,
//! logs each recipient and crosses it off if it can; the queue manager crosses off whom the agent has not, and has the
//! bounce service told.

mod log_line;
mod outcome;

use attributes::{Attributes, Missing};

pub use log_line::{DelayDecimals, Times, delay, log_line};
use outcome::read_verdict;
pub use outcome::{Expansion, Member, Outcome, Verdict, is_status, split_status};

/// One message, for recipients that share transport and nexthop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryRequest {
    /// Chosen by the queue manager; the report carries it back.
    pub serial: u64,
    /// The queue file's name; it lies in `active/`.
    pub queue_id: String,
    /// It does not: the open file comes along (see [`crate::qmgr`]).
    pub direct: bool,
    /// Where the first content record starts in the queue file, in bytes.
    pub content_offset: u64,
    /// Size of the message content in bytes, as `size=` in the log.
    pub content_size: u64,
    /// Where to: a host for smtp, a text for error, often the recipient's domain.
    pub nexthop: String,
    /// "7bit", "8bit" or empty when not known.
    pub encoding: String,
    /// The queue file's SMTPUTF8 flags.
    pub sendopts: u32,
    /// Envelope sender, empty for the null sender.
    pub sender: String,
    /// RFC 3461 ENVID, decoded; empty when absent.
    pub envelope_id: String,
    /// RFC 3461 RET: 0 none, 1 FULL, 2 HDRS.
    pub return_flags: u32,
    /// When the message arrived: microseconds since 1970.
    pub arrived_us: u64,
    /// When it entered the active queue: microseconds since 1970.
    pub active_us: u64,
    /// `log_client_name` and its siblings, as the queue file has them.
    pub client: Client,
    /// "local" or "remote".
    pub rewrite_context: String,
    /// An earlier attempt may have died before it could tell whom it had delivered to.
    pub in_doubt: bool,
    /// What the sender wants to know beyond failures.
    pub trace: Trace,
    /// Log lines show addresses as they are inside, without quotes (`info_log_address_format = internal`).
    pub log_internal_form: bool,
    /// `delay_logging_resolution_limit`
    pub delay_decimals: DelayDecimals,
    /// What is refused for good is tried again, and the log calls it `SOFTBOUNCE` (`soft_bounce`).
    pub soft_bounce: bool,
    /// Who gets it; at least one.
    pub recipients: Vec<Recipient>,
}

/// The client that brought the message (queue file attributes `log_*`, `sasl_*`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// Verified name or "unknown".
    pub name: String,
    /// Address without brackets.
    pub address: String,
    /// TCP port.
    pub port: String,
    /// "ESMTP", "SMTP", ...
    pub protocol: String,
    /// What it said in HELO.
    pub helo: String,
    /// Queue id at an upstream server, or ours.
    pub ident: String,
    /// SASL mechanism, empty without.
    pub sasl_method: String,
    /// SASL login, empty without.
    pub sasl_username: String,
}

/// One recipient of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The address to deliver to.
    pub address: String,
    /// As it was before aliases; empty when the same.
    pub original: String,
    /// Offset of the recipient's record in the queue file, in bytes.
    pub record_offset: u64,
    /// RFC 3461 ORCPT `rfc822;addr`, empty when absent.
    pub dsn_original: String,
    /// RFC 3461 NOTIFY bits: 1 NEVER, 2 SUCCESS, 4 FAILURE, 8 DELAY; 0 unset.
    pub notify: u32,
}

impl Recipient {
    /// The address before aliases.
    pub fn before_aliases(&self) -> &str {
        if self.original.is_empty() { &self.address } else { &self.original }
    }
}

/// What a status is read as that is none.
const UNKNOWN_STATUS: &str = "4.0.0";

/// RFC 3461 NOTIFY=SUCCESS, as in the queue file.
const NOTIFY_SUCCESS: u32 = 2;

/// `trace_flags` of the queue file: the sender wants a report of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trace(pub u32);

impl Trace {
    /// Postfix's flag for `sendmail -bv`.
    const VERIFY: u32 = 1 << 9;
    /// Postfix's flag for `sendmail -v`.
    const RECORD: u32 = 1 << 10;
    /// Postfix's flag for mail whose delay the sender knows of (`confirm_delay_cleared`).
    const RECORD_DELAYED: u32 = 1 << 11;

    /// With what came of a delay that the sender was told of.
    #[must_use]
    pub fn with_cleared_delay(self) -> Self {
        Self(self.0 | Self::RECORD_DELAYED)
    }

    /// `sendmail -bv`: nothing is delivered, only tried.
    pub fn only_verifies(self) -> bool {
        self.0 & Self::VERIFY != 0
    }

    /// `sendmail -v`: the first attempt is reported, whatever comes of it.
    pub fn reports_all(self) -> bool {
        self.0 & Self::RECORD != 0
    }

    /// No user watches the delivery.
    pub fn is_plain(self) -> bool {
        !self.only_verifies() && !self.reports_all()
    }

    /// A delay was reported, so its end is.
    pub fn reports_cleared_delay(self) -> bool {
        self.0 & Self::RECORD_DELAYED != 0
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// The request's number.
    pub serial: u64,
    /// One per recipient of the request, in its order.
    pub outcomes: Vec<Outcome>,
    /// The destination itself could not be reached, or did not want to talk: it is to be left alone for a while.
    /// An agent that delivers on this host has nothing to say here, whatever becomes of the recipients.
    pub unreachable: Option<Unreachable>,
}

/// Why a destination is to be left alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unreachable {
    /// RFC 3463, "4.4.1".
    pub status: String,
    /// In words, for those whose delivery is not even tried.
    pub text: String,
}

impl DeliveryRequest {
    /// Where the agent crosses this recipient off as soon as it has the message; 0 when the queue manager does it,
    /// because a report of success has to be kept first (RFC 3461 §4.1, `sendmail -v`).
    pub fn crossing_offset(&self, recipient: &Recipient) -> u64 {
        let reported = recipient.notify & NOTIFY_SUCCESS != 0 || self.trace != Trace::default();
        if reported { 0 } else { recipient.record_offset }
    }

    /// Names the delivery to one recipient: the same at each attempt, and no other message's on this host.
    pub fn delivery_name(&self, recipient: &Recipient) -> String {
        format!("{}.Q{}R{}", self.arrived_us / 1_000_000, self.queue_id, recipient.record_offset)
    }

    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let mut message = Attributes::new()
            .with("serial", self.serial)
            .with("queue_id", &self.queue_id)
            .with("direct", u8::from(self.direct))
            .with("offset", self.content_offset)
            .with("size", self.content_size)
            .with("nexthop", &self.nexthop)
            .with("encoding", &self.encoding)
            .with("sendopts", self.sendopts)
            .with("sender", &self.sender)
            .with("envelope_id", &self.envelope_id)
            .with("ret_flags", self.return_flags)
            .with("arrived", self.arrived_us)
            .with("active", self.active_us)
            .with("rewrite_context", &self.rewrite_context)
            .with("log_client_name", &self.client.name)
            .with("log_client_address", &self.client.address)
            .with("log_client_port", &self.client.port)
            .with("log_protocol_name", &self.client.protocol)
            .with("log_helo_name", &self.client.helo)
            .with("log_ident", &self.client.ident)
            .with("sasl_method", &self.client.sasl_method)
            .with("sasl_username", &self.client.sasl_username);
        if self.in_doubt {
            message.push("in_doubt", 1);
        }
        if self.trace != Trace::default() {
            message.push("trace_flags", self.trace.0);
        }
        if self.log_internal_form {
            message.push("log_internal", 1);
        }
        if self.soft_bounce {
            message.push("soft_bounce", 1);
        }
        if self.delay_decimals != DelayDecimals::default() {
            message.push("delay_decimals", self.delay_decimals.0);
        }
        for recipient in &self.recipients {
            message.push("recipient", &recipient.address);
            message.push("original_recipient", &recipient.original);
            message.push("record_offset", recipient.record_offset);
            message.push("dsn_orig_rcpt", &recipient.dsn_original);
            message.push("notify_flags", recipient.notify);
        }
        message
    }

    /// Reads what [`DeliveryRequest::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not a number.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let text = |name| message.text(name).map(str::to_owned);
        Ok(Self {
            serial: message.parse("serial")?,
            queue_id: text("queue_id")?,
            direct: message.parse::<u8>("direct")? != 0,
            content_offset: message.parse("offset")?,
            content_size: message.parse("size")?,
            nexthop: text("nexthop")?,
            encoding: text("encoding")?,
            sendopts: message.parse("sendopts")?,
            sender: text("sender")?,
            envelope_id: text("envelope_id")?,
            return_flags: message.parse("ret_flags")?,
            arrived_us: message.parse("arrived")?,
            active_us: message.parse("active")?,
            rewrite_context: text("rewrite_context")?,
            client: Client {
                name: text("log_client_name")?,
                address: text("log_client_address")?,
                port: text("log_client_port")?,
                protocol: text("log_protocol_name")?,
                helo: text("log_helo_name")?,
                ident: text("log_ident")?,
                sasl_method: text("sasl_method")?,
                sasl_username: text("sasl_username")?,
            },
            in_doubt: message.get("in_doubt").is_some(),
            log_internal_form: message.get("log_internal").is_some(),
            soft_bounce: message.get("soft_bounce").is_some(),
            delay_decimals: match message.get("delay_decimals") {
                Some(_) => DelayDecimals(message.parse("delay_decimals")?),
                None => DelayDecimals::default(),
            },
            trace: Trace(message.get("trace_flags").map_or(Ok(0), |_| message.parse("trace_flags"))?),
            recipients: read_recipients(message)?,
        })
    }
}

/// A `recipient` attribute opens a recipient; the four that follow belong to it.
fn read_recipients(message: &Attributes) -> Result<Vec<Recipient>, Missing> {
    let mut recipients: Vec<Recipient> = Vec::new();
    for (name, value) in message.iter() {
        if name == "recipient" {
            recipients.push(Recipient { address: value.to_owned(), ..Recipient::default() });
            continue;
        }
        let Some(last) = recipients.last_mut() else { continue };
        match name {
            "original_recipient" => value.clone_into(&mut last.original),
            "record_offset" => {
                last.record_offset = value.parse().map_err(|_| Missing { name: "record_offset" })?;
            }
            "dsn_orig_rcpt" => value.clone_into(&mut last.dsn_original),
            "notify_flags" => last.notify = value.parse().map_err(|_| Missing { name: "notify_flags" })?,
            _ => {}
        }
    }
    if recipients.is_empty() { Err(Missing { name: "recipient" }) } else { Ok(recipients) }
}

impl DeliveryReport {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let mut message = Attributes::new().with("serial", self.serial);
        if let Some(unreachable) = &self.unreachable {
            message.push("site_status", &unreachable.status);
            message.push("site_reason", &unreachable.text);
        }
        for outcome in &self.outcomes {
            message.push("verdict", outcome.verdict.word());
            message.push("status", &outcome.status);
            message.push("text", &outcome.text);
            message.push("relay", &outcome.relay);
            message.push("remote_mta", &outcome.remote_mta);
            message.push("diagnostic", &outcome.diagnostic);
            if outcome.crossed_off {
                message.push("crossed_off", 1);
            }
            if outcome.relayed {
                message.push("relayed", 1);
            }
            if let Some(expansion) = outcome.expansion {
                message.push("expansion", expansion.action());
            }
            for member in &outcome.members {
                message.push("member", &member.address);
                message.push("member_verdict", member.verdict.word());
                message.push("member_status", &member.status);
                message.push("member_text", &member.text);
            }
        }
        message
    }

    /// Reads what [`DeliveryReport::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (name, value) in message.iter() {
            if name == "verdict" {
                outcomes.push(Outcome::new(read_verdict(value)?, "", "", ""));
                continue;
            }
            let Some(last) = outcomes.last_mut() else { continue };
            match name {
                "status" => value.clone_into(&mut last.status),
                "text" => value.clone_into(&mut last.text),
                "relay" => value.clone_into(&mut last.relay),
                "remote_mta" => value.clone_into(&mut last.remote_mta),
                "diagnostic" => value.clone_into(&mut last.diagnostic),
                "crossed_off" => last.crossed_off = value == "1",
                "relayed" => last.relayed = value == "1",
                "expansion" => last.expansion = Expansion::of_action(value),
                "member" => last.members.push(Member::of(value)),
                _ => {
                    if let Some(member) = last.members.last_mut() {
                        member.read(name, value)?;
                    }
                }
            }
        }
        let unreachable = message.text("site_status").ok().map(|status| Unreachable {
            status: if is_status(status) { status.to_owned() } else { UNKNOWN_STATUS.to_owned() },
            text: message
                .get("site_reason")
                .filter(|text| !text.is_empty())
                .unwrap_or("unknown error")
                .to_owned(),
        });
        Ok(Self { serial: message.parse("serial")?, outcomes, unreachable })
    }
}

/// What an agent says whose place a fresh one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// Send no more requests on this connection, and close it after the report that is still due.
    NoMore,
    /// As `NoMore`, and give the request with this serial to the fresh agent: it was not looked at.
    NotThis(u64),
}

impl Goodbye {
    /// The message that goes over the socket.
    pub fn to_attributes(self) -> Attributes {
        let message = Attributes::new().with("goodbye", 1);
        match self {
            Self::NoMore => message,
            Self::NotThis(serial) => message.with("serial", serial),
        }
    }

    /// Reads what [`Goodbye::to_attributes`] wrote; `None` for a report.
    pub fn from_attributes(message: &Attributes) -> Option<Self> {
        message.text("goodbye").ok()?;
        Some(message.parse("serial").map_or(Self::NoMore, Self::NotThis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> DeliveryRequest {
        DeliveryRequest {
            serial: 7,
            queue_id: "E13879EA1AF".into(),
            sender: "a@b.example".into(),
            arrived_us: 1_000_000,
            active_us: 1_020_000,
            in_doubt: true,
            log_internal_form: false,
            soft_bounce: false,
            trace: Trace(Trace::RECORD),
            recipients: vec![
                Recipient {
                    address: "r@x".into(),
                    original: "o@x".into(),
                    notify: 4,
                    ..Recipient::default()
                },
                Recipient { address: "s@x".into(), record_offset: 9, ..Recipient::default() },
            ],
            ..DeliveryRequest::default()
        }
    }

    /// An alias with a member that is not there, and one that is the alias itself.
    fn expanded() -> Outcome {
        let member = |address: &str, verdict, text: &str| Member {
            address: address.into(),
            verdict,
            status: "5.1.1".into(),
            text: text.into(),
        };
        Outcome {
            expansion: Some(Expansion::List),
            members: vec![
                member("m@x", Verdict::Bounced, "unknown user"),
                member("r@x", Verdict::Sent, "forwarded"),
            ],
            ..Outcome::new(Verdict::Bounced, "5.1.1", "unknown user", "local")
        }
    }

    #[test]
    fn reports_name_the_members_of_an_alias() {
        let recipient = Recipient { address: "r@x".into(), notify: 2, ..Recipient::default() };
        let results = expanded().results(&recipient);
        let shown: Vec<_> = results
            .iter()
            .map(|(who, what)| (who.address.as_str(), who.original.as_str(), what.verdict))
            .collect();
        assert_eq!(shown, [("m@x", "r@x", Verdict::Bounced), ("r@x", "", Verdict::Sent)]);
        let plain = Outcome::new(Verdict::Sent, "2.0.0", "x", "virtual");
        assert_eq!(plain.results(&recipient), [(recipient, plain)]);
    }

    #[test]
    fn request_and_report_cross_the_socket_unchanged() {
        let request = DeliveryRequest { delay_decimals: DelayDecimals(4), ..request() };
        assert_eq!(DeliveryRequest::from_attributes(&request.to_attributes()), Ok(request));
        let report = DeliveryReport {
            serial: 7,
            outcomes: vec![
                Outcome {
                    crossed_off: true,
                    ..Outcome::new(Verdict::Sent, "2.0.0", "delivered to maildir", "virtual")
                },
                Outcome::new(Verdict::Deferred, "4.3.5", "mail system configuration error", "none"),
                expanded(),
            ],
            unreachable: Some(Unreachable { status: "4.4.1".into(), text: "refused".into() }),
        };
        assert_eq!(DeliveryReport::from_attributes(&report.to_attributes()), Ok(report));
    }

    #[test]
    fn what_is_wrong_with_a_destination_has_a_status_and_a_text() {
        let odd = Unreachable { status: "zz".into(), text: String::new() };
        let report = DeliveryReport { serial: 1, outcomes: Vec::new(), unreachable: Some(odd) };
        let read = DeliveryReport::from_attributes(&report.to_attributes()).unwrap();
        let put_right = Unreachable { status: "4.0.0".into(), text: "unknown error".into() };
        assert_eq!(read.unreachable, Some(put_right));
    }

    #[test]
    fn a_request_without_recipients_is_refused() {
        let bare = DeliveryRequest { recipients: Vec::new(), ..request() };
        assert_eq!(
            DeliveryRequest::from_attributes(&bare.to_attributes()),
            Err(Missing { name: "recipient" })
        );
    }

    #[test]
    fn log_line_is_postfixs() {
        let request = request();
        let outcome = Outcome::new(Verdict::Sent, "2.0.0", "delivered to maildir", "virtual");
        let times = Times { taken_us: 1_020_000, connected_us: 1_020_000, done_us: 1_031_000 };
        assert_eq!(
            log_line(&request, &request.recipients[0], &outcome, times),
            "E13879EA1AF: to=<r@x>, orig_to=<o@x>, relay=virtual, delay=0.03, delays=0.02/0/0/0.01, \
             dsn=2.0.0, status=sent (delivered to maildir)"
        );
    }

    #[test]
    fn a_softened_bounce_is_called_so() {
        let request = DeliveryRequest { soft_bounce: true, ..request() };
        let line = |verdict, status| {
            let outcome = Outcome::new(verdict, status, "unknown user: \"r\"", "local");
            log_line(&request, &request.recipients[1], &outcome, Times::default())
        };
        assert!(
            line(Verdict::Bounced, "5.1.1").ends_with("dsn=4.1.1, status=SOFTBOUNCE (unknown user: \"r\")")
        );
        assert!(line(Verdict::Deferred, "4.2.0").contains("dsn=4.2.0, status=deferred"));
        assert_eq!(DeliveryRequest::from_attributes(&request.to_attributes()), Ok(request));
    }

    #[test]
    fn a_report_is_kept_before_the_recipient_is_crossed_off() {
        let plain = DeliveryRequest { trace: Trace::default(), ..request() };
        assert_eq!(plain.crossing_offset(&plain.recipients[1]), 9);
        let told = Recipient { notify: NOTIFY_SUCCESS, ..plain.recipients[1].clone() };
        assert_eq!(plain.crossing_offset(&told), 0);
        let recorded = request();
        assert_eq!(recorded.crossing_offset(&recorded.recipients[1]), 0);
    }

    #[test]
    fn what_is_only_tried_is_deliverable_or_not() {
        let request = DeliveryRequest { trace: Trace(Trace::VERIFY), ..request() };
        let line = |verdict| {
            let outcome = Outcome::new(verdict, "2.0.0", "delivers to maildir", "virtual");
            log_line(&request, &request.recipients[1], &outcome, Times::default())
        };
        assert!(line(Verdict::Sent).ends_with("status=deliverable (delivers to maildir)"));
        assert!(line(Verdict::Deferred).contains("status=undeliverable"));
        assert!(line(Verdict::Bounced).contains("status=undeliverable"));
    }
}
