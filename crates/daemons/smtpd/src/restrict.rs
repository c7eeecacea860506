//! Questions whose answer is yes or no: restrictions and limits.

use std::cell::RefCell;
use std::time::Instant;

use lookup::{Lookup, Subject};
use reactor::{EventLoop, HandlerId};
use restrictions::{Deferral, Effect, Refusal, Stage};
use smtp_protocol::{Answer, Command, Recipient, Reply, Sender};

use crate::chat_log;
use crate::facts::Wanted;
use crate::place::Place;
use crate::service::Smtpd;
use crate::session::{Attempt, Checked, Session};
use crate::transaction::Transaction;

impl Session {
    /// The session as restrictions and log lines see it.
    pub(crate) fn view<'a>(&'a self, command: &'a str) -> restrictions::Session<'a> {
        restrictions::Session {
            client: &self.client,
            helo: self.helo.as_deref(),
            protocol: self.protocol(),
            command,
            envelope: self.transaction.as_ref().map_or(&restrictions::NO_ENVELOPE, |open| &open.envelope),
            tls: self.tls.as_deref(),
            pipelining: self.pipelining,
            server: self.local_end.map(|end| (end.ip(), end.port())),
            deferral: self.deferrals.for_stage(),
            instance: self.transaction.as_ref().and_then(|open| open.instance),
        }
    }

    /// Goes through the restrictions of a stage and logs what they have to say.
    pub(crate) fn check(&mut self, stage: Stage, command: &str, daemon: &Smtpd) -> Checked {
        self.deferrals.begin(stage);
        let mut facts = std::mem::take(&mut self.facts);
        let view = self.view(command);
        let place = Place {
            tables: &daemon.tables,
            rewriting: &daemon.rewriting,
            facts: RefCell::new(&mut facts),
            trusting: daemon.settings.no_unknown_recipient_checks,
        };
        let ruling = daemon.restrictions.check(stage, &view, &place);
        if let Ok(ruling) = &ruling {
            chat_log::ruling(&ruling.log, &view, &self.shown);
        }
        self.facts = facts;
        let ruling = ruling?;
        if !daemon.settings.delay_reject {
            self.deferrals.keep(stage, ruling.deferral);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.take_effects(ruling.effects);
        }
        Ok(ruling.refusal)
    }

    /// Can this address be resolved at all? The null address needs not.
    pub(crate) fn address(&mut self, address: &str, daemon: &Smtpd) -> Attempt {
        use restrictions::World;
        let place = Place {
            tables: &daemon.tables,
            rewriting: &daemon.rewriting,
            facts: RefCell::new(&mut self.facts),
            trusting: false,
        };
        let sender = self.transaction.as_ref().map_or("", |open| open.sender.address.as_str());
        let malformed =
            !address.is_empty() && place.resolve(sender, address).is_ok_and(|found| found.malformed);
        if malformed { Answer::Refuse(Reply::from("501 5.1.0 Bad address syntax")) } else { Answer::Proceed }
            .into()
    }

    pub(crate) fn mail(
        &mut self,
        sender: &Sender,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
    ) -> Attempt {
        self.transaction = Some(Box::new(Transaction::new(sender.clone())));
        let checked = match self.check(Stage::Mail, Command::Mail.name(), daemon) {
            Ok(None) => Ok(self.size_refusal(sender, daemon, events)),
            other => other,
        };
        if matches!(checked, Ok(None)) {
            let instance = daemon.next_instance();
            self.transaction.as_mut().map(|open| open.instance.insert(instance));
        } else {
            self.transaction = None;
        }
        checked.into()
    }

    /// RFC 1870 §6.1, and the room that is left on the disk.
    fn size_refusal(
        &mut self,
        sender: &Sender,
        daemon: &mut Smtpd,
        events: &EventLoop<Smtpd>,
    ) -> Option<Refusal> {
        let size = sender.size_bytes.unwrap_or(0);
        let limit = daemon.settings.message_limit_bytes;
        let reply = if limit > 0 && size > limit {
            "552 5.3.4 Message size exceeds fixed limit"
        } else if daemon.free_bytes(events.now()) < daemon.settings.free_bytes_wanted.max(size) {
            "452 4.3.1 Insufficient system storage"
        } else {
            return None;
        };
        self.log_refusal(reply, Command::Mail.name());
        Some(Refusal::Reply(reply.to_owned()))
    }

    pub(crate) fn log_refusal(&self, reply: &str, command: &str) {
        log::info!("{}", chat_log::action_line("reject", reply, &self.view(command), &self.shown));
    }

    /// With the first recipient that is accepted the message gets its id.
    pub(crate) fn rcpt(
        &mut self,
        recipient: &Recipient,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let checked = self.check_recipient(&recipient.address, Command::Rcpt, daemon);
        if let (Ok(None), Some(transaction)) = (&checked, &mut self.transaction) {
            transaction.admit(recipient);
            if transaction.envelope.recipients == 1 {
                return self.take_id(daemon, events, me);
            }
        }
        checked.into()
    }

    fn check_recipient(&mut self, address: &str, command: Command, daemon: &Smtpd) -> Checked {
        let outside = self.transaction.is_none();
        let transaction = self.transaction.get_or_insert_default();
        transaction.envelope.recipient = Some(address.to_owned());
        let checked = self.check(Stage::Rcpt, command.name(), daemon);
        if let Some(transaction) = &mut self.transaction {
            transaction.envelope.recipient = None;
        }
        if outside {
            self.transaction = None;
        }
        checked
    }

    /// The same questions as for RCPT.
    pub(crate) fn vrfy(&mut self, address: &str, daemon: &Smtpd) -> Attempt {
        self.check_recipient(address, Command::Vrfy, daemon).into()
    }

    pub(crate) fn data(&mut self, daemon: &Smtpd) -> Attempt {
        if let Some(pause) = daemon.direct.pause(Instant::now())
            && self.facts.get(Wanted::Time(pause)).is_none()
        {
            return Attempt::Wait;
        }
        match self.check_message(Stage::Data, "DATA", daemon) {
            Ok(None) => {
                self.begin_content(daemon);
                Answer::Proceed.into()
            }
            other => other.into(),
        }
    }

    /// DATA and the end of the message: the recipient is known to restrictions if there is only one.
    pub(crate) fn check_message(&mut self, stage: Stage, command: &str, daemon: &Smtpd) -> Checked {
        if let Some(transaction) = &mut self.transaction {
            transaction.envelope.recipient.clone_from(&transaction.only_recipient);
        }
        let checked = self.check(stage, command, daemon);
        if let Some(transaction) = &mut self.transaction {
            transaction.envelope.recipient = None;
        }
        checked
    }

    pub(crate) fn etrn(
        &mut self,
        domain: &str,
        daemon: &Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let mut transaction = Transaction::default();
        transaction.envelope.etrn_domain = Some(domain.to_owned());
        self.transaction = Some(Box::new(transaction));
        let checked = self.check(Stage::Etrn, Command::Etrn.name(), daemon);
        self.transaction = None;
        match checked {
            Ok(None) => self.flush_site(domain, daemon, events, me),
            other => other.into(),
        }
    }

    fn flush_site(
        &self,
        domain: &str,
        daemon: &Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let parents = daemon.settings.flush_domains_match_subdomains;
        let subject = Subject::Domain { name: domain, parents };
        match daemon.tables.listed(&daemon.settings.flush_domains, &subject) {
            Ok(true) => return self.tell_flush(domain, daemon, events, me),
            Ok(false) => {
                log::warn!("reject: ETRN {domain:.100}... from {}", self.shown);
                Answer::Refuse(Reply::from(format!("459 <{domain}>: service unavailable")))
            }
            Err(_) => Answer::Refuse(Reply::from("458 Unable to queue messages")),
        }
        .into()
    }
}

/// What stages before RCPT could not find out.
#[derive(Default)]
pub(crate) struct Deferrals {
    client: Option<Box<Deferral>>,
    helo: Option<Box<Deferral>>,
    sender: Option<Box<Deferral>>,
}

impl Deferrals {
    /// The first of them.
    fn for_stage(&self) -> Option<&Deferral> {
        [&self.client, &self.helo, &self.sender].into_iter().flatten().next().map(Box::as_ref)
    }

    /// Each command takes the place of the last of its kind; those before it stay.
    fn keep(&mut self, stage: Stage, deferral: Option<Deferral>) {
        let deferral = deferral.map(Box::new);
        match stage {
            Stage::Connect => *self = Self { client: deferral, ..Self::default() },
            Stage::Helo => {
                self.helo = deferral.filter(|_| self.client.is_none());
                self.sender = None;
            }
            Stage::Mail => self.sender = deferral.filter(|_| self.client.is_none() && self.helo.is_none()),
            Stage::Rcpt | Stage::Data | Stage::EndOfData | Stage::Etrn => {}
        }
    }

    /// What only went for a transaction, or a HELO, that is to be checked anew.
    fn begin(&mut self, stage: Stage) {
        match stage {
            Stage::Connect => *self = Self::default(),
            Stage::Helo => (self.helo, self.sender) = (None, None),
            Stage::Mail => self.sender = None,
            Stage::Rcpt | Stage::Data | Stage::EndOfData | Stage::Etrn => {}
        }
    }
}

impl Transaction {
    fn take_effects(&mut self, effects: Vec<Effect>) {
        self.envelope.held |= effects.contains(&Effect::Hold);
        self.envelope.discarded |= effects.contains(&Effect::Discard);
        for effect in effects {
            // The same list is gone through for every recipient.
            if !self.effects.contains(&effect) {
                self.effects.push(effect);
            }
        }
    }
}
