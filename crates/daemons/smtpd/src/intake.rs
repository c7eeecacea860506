//! From an accepted recipient to a message that is safe: cleanup's work, and the queue file.

use cleanup::{Cleanup, Envelope, Level, LogClient, Options, Verdict};
use message::{Moment, Received};
use queue::{NewFile, QueueError};
use queue_format::QueueId;
use reactor::{EventLoop, HandlerId};
use restrictions::{Effect, Stage};
use smtp_protocol::{Answer, Recipient, Reply};

use crate::service::Smtpd;
use crate::session::{Attempt, Session};

/// Content beyond this goes to the file before the message is complete.
const KEPT_BYTES: usize = 512 * 1024;
/// What the client is told when the queue can not be written.
const WRITE_ERROR: &str = "451 4.3.0 Error: queue file write error";

/// The queue file that a transaction makes.
pub(crate) struct Intake {
    id: String,
    /// Away while a thread writes to it; gone for good after an error.
    file: Option<NewFile>,
    recipients: Vec<cleanup::Recipient>,
    cleanup: Option<Box<Cleanup>>,
}

/// A letter: the file for a first recipient.
pub(crate) struct Created(Result<NewFile, QueueError>);

/// A letter: the content so far is in the file.
pub(crate) struct Written(Result<NewFile, QueueError>);

/// A letter: the message is safe, or is not.
pub(crate) struct Committed {
    id: String,
    result: Result<QueueId, QueueError>,
    on_hold: bool,
}

impl Session {
    /// The recipient is good: it joins the envelope, once there is a file.
    pub(crate) fn take_recipient(
        &mut self,
        recipient: &Recipient,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let Some(transaction) = &mut self.transaction else { return Answer::Proceed.into() };
        transaction.admit(&recipient.address);
        if let Some(intake) = &mut transaction.intake {
            intake.recipients.push(for_cleanup(recipient));
            return Answer::Proceed.into();
        }
        transaction.waiting = Some(recipient.clone());
        let queue = daemon.queue.clone();
        match events.offload(me, move || Created(queue.create(sys::clock::now_us()))) {
            Ok(()) => Attempt::Letter,
            Err(full) => {
                log::warn!("queue file: {full}");
                Answer::Refuse(Reply::from(WRITE_ERROR)).into()
            }
        }
    }

    pub(crate) fn file_created(&mut self, created: Created, _daemon: &mut Smtpd) -> Answer {
        let file = match created.0 {
            Ok(file) => file,
            Err(error) => {
                log::warn!("NOQUEUE: {error}");
                return Answer::Refuse(Reply::from(WRITE_ERROR));
            }
        };
        let id = file.id().to_string();
        log::info!("{id}: client={}{}", self.shown, self.forwarded_text());
        if let Some(transaction) = &mut self.transaction {
            transaction.envelope.queue_id.clone_from(&id);
            let recipients = transaction.waiting.take().iter().map(for_cleanup).collect();
            transaction.intake = Some(Intake { id, file: Some(file), recipients, cleanup: None });
        }
        Answer::Proceed
    }

    /// What XFORWARD told, behind "client=".
    fn forwarded_text(&self) -> String {
        let Some(forwarded) = &self.forwarded else { return String::new() };
        let (client, told) = forwarded.as_ref();
        let identity = told.identity.as_ref().map_or(String::new(), |id| format!(", orig_queue_id={id}"));
        format!("{identity}, orig_client={}", client.shown())
    }

    /// All recipients are known: the editor starts.
    pub(crate) fn begin_content(&mut self, daemon: &Smtpd) {
        let Some(mut intake) = self.transaction.as_mut().and_then(|open| open.intake.take()) else { return };
        let mut cleanup = Cleanup::new(daemon.cleanup.clone(), self.envelope(daemon));
        for recipient in std::mem::take(&mut intake.recipients) {
            cleanup.recipient(recipient);
        }
        intake.cleanup = Some(Box::new(cleanup));
        if let Some(transaction) = &mut self.transaction {
            transaction.intake = Some(intake);
        }
    }

    pub(crate) fn content(
        &mut self,
        bytes: &[u8],
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let proceed = Attempt::Answer(Answer::Proceed);
        let Some(intake) = self.transaction.as_mut().and_then(|open| open.intake.as_mut()) else { return proceed };
        let (Some(cleanup), Some(_)) = (&mut intake.cleanup, &intake.file) else { return proceed };
        cleanup.content(bytes);
        if cleanup.pending_bytes() < KEPT_BYTES || cleanup.advance(&intake.id, &daemon.tables).is_err() {
            return proceed;
        }
        let records = cleanup.take();
        let Some(mut file) = intake.file.take() else { return proceed };
        match events.offload(me, move || Written(file.write(&records).map(|()| file))) {
            Ok(()) => Attempt::Letter,
            Err(full) => {
                log::warn!("{}: {full}", intake.id);
                proceed
            }
        }
    }

    /// After an error the client may finish; it is told at the end.
    pub(crate) fn content_written(&mut self, written: Written) -> Answer {
        if let Some(intake) = self.transaction.as_mut().and_then(|open| open.intake.as_mut()) {
            match written.0 {
                Ok(file) => intake.file = Some(file),
                Err(error) => log::warn!("{}: {error}", intake.id),
            }
        }
        Answer::Proceed
    }

    pub(crate) fn end_of_data(
        &mut self,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        match self.check_message(Stage::EndOfData, "END-OF-MESSAGE", daemon) {
            Ok(None) => {}
            Ok(Some(reply)) => {
                self.drop_transaction(events, me);
                return Answer::Refuse(reply).into();
            }
            Err(_) => return Attempt::Wait,
        }
        let Some(mut transaction) = self.transaction.take() else { return write_error() };
        let Some(intake) = transaction.intake.take() else { return write_error() };
        let (Some(cleanup), Some(file)) = (intake.cleanup, intake.file) else { return write_error() };
        self.facts.forget();
        finish(cleanup, &transaction.effects, intake.id, file, daemon, events, me)
    }

    pub(crate) fn committed(&mut self, committed: Committed, daemon: &mut Smtpd) -> Answer {
        match committed.result {
            Ok(_) => {
                if !committed.on_hold {
                    daemon.notifier.arrived(&committed.id);
                }
                Answer::Queued(committed.id)
            }
            Err(error) => {
                log::warn!("{}: {error}", committed.id);
                Answer::Refuse(Reply::from(WRITE_ERROR))
            }
        }
    }

    /// Nothing of the transaction is used; its file goes, on a thread, for that may wait for the disk.
    pub(crate) fn drop_transaction(&mut self, events: &mut EventLoop<Smtpd>, me: HandlerId) {
        self.facts.forget();
        let Some(transaction) = self.transaction.take() else { return };
        if let Some(file) = transaction.intake.and_then(|intake| intake.file) {
            drop_file(file, events, me);
        }
    }

    fn envelope(&self, daemon: &Smtpd) -> Envelope {
        let settings = &daemon.settings;
        let Some(transaction) = &self.transaction else { return Envelope::default() };
        let sender = &transaction.sender;
        let mappings = !settings.no_address_mappings;
        let checks = !settings.no_header_body_checks;
        let mut envelope = Envelope {
            arrival: now(),
            sender: sender.address.clone(),
            client: Some(self.client_of_message()),
            server: self.local_end.map(|end| cleanup::Server {
                address: end.ip().to_string(),
                port: end.port().to_string(),
            }),
            log_client: Some(self.log_client()),
            log_ident: self.forwarded.as_ref().and_then(|forwarded| forwarded.1.identity.clone()),
            rewrite_context: daemon.rewriting.header_context(self.rewrites_locally),
            return_flags: transaction.return_flags(),
            envelope_id: sender.envelope_id.clone().unwrap_or_default(),
            encoding: transaction.encoding().to_owned(),
            send_options: u32::from(sender.smtputf8),
            verp_delimiters: sender.verp.clone(),
            received: Some(self.received(daemon)),
            options: Options { checks, mappings, bcc: mappings, detect_utf8: false },
            filter: Some(settings.content_filter.clone()).filter(|filter| !filter.is_empty()),
            raw_content: true,
            ..Envelope::default()
        };
        apply(&transaction.effects, &mut envelope);
        envelope
    }

    fn client_of_message(&self) -> cleanup::Client {
        let client = &self.client;
        cleanup::Client {
            name: client.name.clone(),
            reverse_name: client.reverse_name.clone(),
            address: client.address_text(),
            port: client.port.map_or_else(|| "unknown".to_owned(), |port| port.to_string()),
            helo: self.helo.clone().unwrap_or_default(),
            protocol: self.protocol().to_owned(),
        }
    }

    /// Whom later log lines name: the client, or the one that a filter speaks for.
    fn log_client(&self) -> LogClient {
        let (client, helo, protocol) = match self.forwarded.as_deref() {
            Some((client, told)) => (client, told.helo.clone(), told.protocol.clone()),
            None => (&self.client, self.helo.clone(), None),
        };
        LogClient {
            name: client.name.clone(),
            address: client.address_text(),
            port: client.port.map_or_else(|| "unknown".to_owned(), |port| port.to_string()),
            helo: helo.unwrap_or_default(),
            protocol: protocol.unwrap_or_else(|| self.protocol().to_owned()),
            origin: client.shown(),
        }
    }

    fn received(&self, daemon: &Smtpd) -> Received {
        let transaction = self.transaction.as_deref();
        let address = match self.client.address {
            Some(address) if address.is_ipv6() => format!("IPv6:{address}"),
            _ => self.client.address_text(),
        };
        let utf8 = transaction.is_some_and(|open| open.sender.smtputf8);
        let protocol = if utf8 && self.extended { "UTF8SMTP" } else { self.protocol() };
        let secure = if self.tls.is_some() { "S" } else { "" };
        Received {
            from: Some(message::ReceivedFrom {
                helo: self.helo.clone().unwrap_or_else(|| self.client.name.clone()),
                name: self.client.name.clone(),
                address,
                tls: None,
                authenticated: None,
            }),
            submitter: None,
            host: daemon.settings.myhostname.clone(),
            mail_name: daemon.settings.mail_name.clone(),
            protocol: format!("{protocol}{secure}"),
            recipient: transaction.and_then(|open| open.only_recipient.as_deref()).map(address::quote),
            date: now(),
        }
    }
}

/// Edits the rest and makes the message safe.
fn finish(
    mut cleanup: Box<Cleanup>,
    effects: &[Effect],
    id: String,
    mut file: NewFile,
    daemon: &mut Smtpd,
    events: &mut EventLoop<Smtpd>,
    me: HandlerId,
) -> Attempt {
    apply(effects, cleanup.envelope_mut());
    let Ok(finished) = cleanup.finish(&id, &daemon.tables) else {
        drop_file(file, events, me);
        return write_error();
    };
    for line in &finished.log {
        match line.level {
            Level::Info => log::info!("{}", line.text),
            Level::Warning => log::warn!("{}", line.text),
        }
    }
    let on_hold = finished.verdict == Verdict::Hold;
    match finished.verdict {
        Verdict::Queue | Verdict::Hold => {}
        Verdict::Discard => {
            drop_file(file, events, me);
            return Answer::Queued(id).into();
        }
        Verdict::Reject(refusal) => {
            drop_file(file, events, me);
            return Answer::Refuse(Reply::from(format!("{} {}", refusal.code, refusal.text))).into();
        }
    }
    let name = id.clone();
    let (records, size_record) = (finished.records, finished.size_record);
    let job = move || {
        let begun = file.length() > 0;
        let result = (|| {
            if on_hold {
                file.hold()?;
            }
            if begun {
                file.overwrite(0, &size_record)?;
            }
            file.commit(&records)
        })();
        Committed { id: name, result, on_hold }
    };
    match events.offload(me, job) {
        Ok(()) => Attempt::Letter,
        Err(full) => {
            log::warn!("{id}: {full}");
            write_error()
        }
    }
}

fn drop_file(file: NewFile, events: &mut EventLoop<Smtpd>, me: HandlerId) {
    // With a full pool it goes here and now.
    let _ = events.offload(me, move || drop(file));
}

fn write_error() -> Attempt {
    Answer::Refuse(Reply::from(WRITE_ERROR)).into()
}

/// What access tables asked for goes into the envelope.
fn apply(effects: &[Effect], envelope: &mut Envelope) {
    for effect in effects {
        match effect {
            Effect::Hold => envelope.hold = true,
            Effect::Discard => envelope.discard = true,
            Effect::Filter(filter) => envelope.filter = Some(filter.clone()),
            Effect::Redirect(address) => envelope.redirect = Some(address.clone()),
            Effect::Prepend(header) if !envelope.prepend.contains(header) => envelope.prepend.push(header.clone()),
            Effect::Bcc(_) | Effect::Prepend(_) | Effect::Sleep(_) => {}
        }
    }
}

fn for_cleanup(recipient: &Recipient) -> cleanup::Recipient {
    cleanup::Recipient {
        address: recipient.address.clone(),
        original: String::new(),
        dsn_original: recipient.original.clone(),
        notify: recipient.notify.map_or(0, |notify| u32::from(notify.bits())),
    }
}

fn now() -> Moment {
    let now_us = sys::clock::now_us();
    let seconds = i64::try_from(now_us / 1_000_000).unwrap_or(i64::MAX);
    let local = sys::clock::local_time(seconds);
    Moment {
        seconds,
        microseconds: u32::try_from(now_us % 1_000_000).unwrap_or(0),
        offset_seconds: i32::try_from(local.offset_seconds).unwrap_or(0),
        zone: local.zone.as_str().to_owned(),
    }
}
