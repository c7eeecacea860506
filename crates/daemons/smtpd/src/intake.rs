//! From an accepted recipient to a message that is safe: cleanup's work, and the queue file.

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Finished, LogClient, Options, Refusal, Verdict};
use machine::TlsFacts;
use message::{Moment, Received};
use queue::{NewFile, Queue, QueueError, Reserved};
use queue_format::QueueId;
use reactor::{EventLoop, HandlerId};
use restrictions::{Effect, Stage};
use smtp_protocol::{Answer, Recipient, Reply};
use tables::Tables;

use crate::direct::DIRECT_LIMIT_BYTES;
use crate::parcel::Parcel;
use crate::service::Smtpd;
use crate::session::{Attempt, Session, answer_of};

/// Content beyond this goes to the file before the message is complete.
const KEPT_BYTES: usize = 512 * 1024;
/// What the client is told when the queue can not be written.
const WRITE_ERROR: &str = "451 4.3.0 Error: queue file write error";

/// A message on its way into the queue. The file is made when it is needed: nothing is written for a transaction that
/// comes to nothing.
pub(crate) struct Intake {
    cleanup: Box<Cleanup>,
    file: Option<NewFile>,
    /// It may be delivered without a file.
    direct: bool,
    /// What has given the message its id before it has a file.
    reserved: Option<(Reserved, QueueId)>,
    origin: Origin,
}

/// What the line "client=" says.
#[derive(Clone)]
struct Origin(String);

/// A letter: what gives a message its id.
pub(crate) struct Named(Result<Reserved, QueueError>);

/// A letter: the content so far is in the file, or will never be.
pub(crate) struct Written(Result<Box<Intake>, QueueError>);

/// A letter: what became of the message.
pub(crate) struct Committed {
    outcome: Result<Outcome, QueueError>,
}

impl Committed {
    /// A message that is safe, and nobody has to be told.
    pub(crate) fn of(kept: Result<QueueId, QueueError>) -> Self {
        Self { outcome: kept.map(Outcome::Kept) }
    }
}

enum Outcome {
    Queued(QueueId),
    /// In memory, to be delivered while the client waits.
    Direct(Box<Parcel>),
    /// On hold, or thrown away: nobody needs to be told.
    Kept(QueueId),
    Refused(Refusal),
}

/// What the threads that write need of the daemon.
struct Press {
    queue: Queue,
    tables: Arc<Tables>,
}

impl Session {
    /// The message gets an id, which logs and policy servers are told. Where there is none to be had it goes on
    /// without: that the disk fails is told at its end.
    pub(crate) fn take_id(
        &mut self,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        if let Some(reserved) = daemon.direct.take_reserved() {
            return self.named(Named(Ok(reserved))).into();
        }
        let queue = daemon.queue.clone();
        match events.offload(me, move || Named(queue.reserve(sys::clock::now_us()))) {
            Ok(()) => Attempt::Letter,
            Err(full) => {
                log::warn!("NOQUEUE: {full}");
                Answer::Proceed.into()
            }
        }
    }

    pub(crate) fn named(&mut self, named: Named) -> Answer {
        self.facts.forget_events();
        match (named.0, &mut self.transaction) {
            (Ok(reserved), Some(transaction)) => {
                let id = reserved.id(sys::clock::now_us());
                transaction.envelope.queue_id = id.to_string();
                transaction.reserved = Some((reserved, id.clone()));
                log::info!("{id}: client={}", self.origin().0);
            }
            (Err(error), _) => log::warn!("NOQUEUE: {error}"),
            (Ok(_), None) => {}
        }
        Answer::Proceed
    }

    /// The message comes to nothing: what gave it its id may give another one.
    pub(crate) fn give_back_id(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        let Some(transaction) = &mut self.transaction else { return };
        let of_intake = transaction.intake.as_mut().and_then(|intake| intake.reserved.take());
        if let Some((reserved, _)) = transaction.reserved.take().or(of_intake) {
            daemon.keep_reserved(reserved, events);
        }
    }

    fn origin(&self) -> Origin {
        let author = self.transaction.as_ref().and_then(|transaction| transaction.sender.author.as_ref());
        let author = author.map_or(String::new(), |author| format!(", sasl_sender={author}"));
        Origin(format!("{}{author}{}", self.shown, self.forwarded_text()))
    }

    /// All recipients are known: the editor starts.
    pub(crate) fn begin_content(&mut self, daemon: &Smtpd) {
        let mut cleanup = Box::new(Cleanup::new(daemon.cleanup.clone(), self.envelope(daemon)));
        let origin = self.origin();
        let Some(transaction) = &mut self.transaction else { return };
        for recipient in std::mem::take(&mut transaction.recipients) {
            cleanup.recipient(for_cleanup(recipient));
        }
        transaction.intake = Some(Box::new(Intake {
            cleanup,
            file: None,
            direct: false,
            reserved: transaction.reserved.take(),
            origin,
        }));
    }

    /// What XFORWARD told, behind "client=".
    fn forwarded_text(&self) -> String {
        let Some(forwarded) = &self.forwarded else { return String::new() };
        let (client, told) = forwarded.as_ref();
        let identity = told.identity.as_ref().map_or(String::new(), |id| format!(", orig_queue_id={id}"));
        format!("{identity}, orig_client={}", client.shown())
    }

    pub(crate) fn content(
        &mut self,
        bytes: &[u8],
        daemon: &Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let Some(transaction) = &mut self.transaction else { return Answer::Proceed.into() };
        if let Some(intake) = &mut transaction.intake {
            intake.cleanup.content(bytes);
        }
        let much = |intake: &mut Box<Intake>| intake.cleanup.pending_bytes() >= KEPT_BYTES;
        let Some(mut intake) = transaction.intake.take_if(much) else { return Answer::Proceed.into() };
        let press = Press::of(daemon);
        let job = move || Written(intake.write(&press).map(|()| intake));
        match events.offload(me, job) {
            Ok(()) => Attempt::Letter,
            Err(full) => {
                log::warn!("NOQUEUE: {full}");
                Answer::Proceed.into()
            }
        }
    }

    /// After an error the client may finish; it is told at the end.
    pub(crate) fn content_written(&mut self, written: Written) -> Answer {
        match (written.0, &mut self.transaction) {
            (Ok(intake), Some(transaction)) => transaction.intake = Some(intake),
            (Err(error), _) => log::warn!("NOQUEUE: {error}"),
            (Ok(_), None) => {}
        }
        Answer::Proceed
    }

    pub(crate) fn end_of_data(
        &mut self,
        size_bytes: u64,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        if let Some(transaction) = &mut self.transaction {
            transaction.envelope.size_bytes = size_bytes;
        }
        match self.check_message(Stage::EndOfData, "END-OF-MESSAGE", daemon) {
            Ok(None) => {}
            Ok(Some(refusal)) => {
                self.drop_transaction(daemon, events, me);
                return answer_of(refusal).into();
            }
            Err(_) => return Attempt::Wait,
        }
        self.facts.forget();
        let transaction = self.transaction.take();
        let Some((mut intake, effects)) = transaction.and_then(|open| Some((open.intake?, open.effects)))
        else {
            return write_error();
        };
        apply(&effects, intake.cleanup.envelope_mut());
        for effect in effects {
            if let Effect::Bcc(address) = effect {
                intake.cleanup.copy_to(address);
            }
        }
        intake.direct = intake.reserved.is_some() && daemon.direct.may_try();
        let press = Press::of(daemon);
        // With an id at hand, editing needs no disk.
        let here = intake.direct && intake.cleanup.pending_bytes() <= DIRECT_LIMIT_BYTES;
        if !here {
            return offload(events, me, move || intake.finish(&press));
        }
        match intake.edit(&press) {
            Ok(Ok(finished)) => match intake.parcel(&finished) {
                Some(parcel) => {
                    daemon.deliver_directly(parcel, me, events);
                    Attempt::Letter
                }
                None => offload(events, me, move || intake.place(&press, finished)),
            },
            Ok(Err(refusal)) => {
                if let Some((reserved, _)) = intake.reserved.take() {
                    daemon.keep_reserved(reserved, events);
                }
                refused(&refusal).into()
            }
            Err(error) => {
                log::warn!("NOQUEUE: {error}");
                write_error()
            }
        }
    }

    /// None when the client has to wait for a further letter.
    pub(crate) fn committed(
        &mut self,
        committed: Committed,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Option<Answer> {
        Some(match committed.outcome {
            Ok(Outcome::Direct(parcel)) => {
                daemon.deliver_directly(*parcel, me, events);
                return None;
            }
            Ok(Outcome::Queued(id)) => {
                daemon.notifier.arrived(id.as_str());
                Answer::Queued(id.to_string())
            }
            Ok(Outcome::Kept(id)) => Answer::Queued(id.to_string()),
            Ok(Outcome::Refused(refusal)) => refused(&refusal),
            Err(error) => {
                log::warn!("NOQUEUE: {error}");
                Answer::Refuse(Reply::from(WRITE_ERROR))
            }
        })
    }

    /// Nothing of the transaction is used; its file goes, on a thread, for that may wait for the disk.
    pub(crate) fn drop_transaction(
        &mut self,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) {
        self.facts.forget();
        self.give_back_id(daemon, events);
        let intake = self.transaction.take().and_then(|transaction| transaction.intake);
        if let Some(file) = intake.and_then(|intake| intake.file) {
            // With a full pool it goes here and now.
            let _ = events.offload(me, move || drop(file));
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
            server: self
                .local_end
                .map(|end| cleanup::Server { address: end.ip().to_string(), port: end.port().to_string() }),
            log_client: Some(self.log_client()),
            log_ident: self.forwarded.as_ref().and_then(|forwarded| forwarded.1.identity.clone()),
            rewrite_context: daemon.rewriting.header_context(self.rewrites_locally),
            return_flags: transaction.return_flags(),
            envelope_id: sender.envelope_id.clone().unwrap_or_default(),
            sasl_sender: sender.author.clone().unwrap_or_default(),
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
                tls: self.tls.as_deref().filter(|_| daemon.encryption.received_header).map(received_tls),
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

/// What a Received header tells of the encryption.
fn received_tls(facts: &TlsFacts) -> message::ReceivedTls {
    message::ReceivedTls {
        protocol: facts.protocol.clone(),
        cipher: facts.cipher.clone(),
        used_bits: facts.cipher_bits,
        algorithm_bits: facts.cipher_bits,
        key_exchange: facts.key_exchange.clone(),
        ..message::ReceivedTls::default()
    }
}

impl Press {
    fn of(daemon: &Smtpd) -> Self {
        Self { queue: daemon.queue.clone(), tables: Arc::clone(&daemon.tables) }
    }
}

/// The part that threads do.
impl Intake {
    /// Edits what has come, and writes it.
    fn write(&mut self, press: &Press) -> Result<(), QueueError> {
        let id = self.file(press)?.id().to_string();
        // Tables are at hand here, so that nothing has to be waited for.
        let _ = self.cleanup.advance(&id, press.tables.as_ref());
        let records = self.cleanup.take();
        self.file(press)?.write(&records)
    }

    /// Edits the rest and makes the message safe; blocks.
    fn finish(mut self: Box<Self>, press: &Press) -> Result<Outcome, QueueError> {
        match self.edit(press)? {
            Ok(finished) => match self.parcel(&finished) {
                Some(parcel) => Ok(Outcome::Direct(Box::new(parcel))),
                None => self.place(press, finished),
            },
            Err(refusal) => Ok(Outcome::Refused(refusal)),
        }
    }

    /// Edits the rest.
    fn edit(&mut self, press: &Press) -> Result<Result<Finished, Refusal>, QueueError> {
        let id = self.id(press)?;
        let Ok(finished) = self.cleanup.finish(id.as_str(), press.tables.as_ref()) else {
            return Ok(Err(Refusal { code: 451, text: WRITE_ERROR[4..].to_owned() }));
        };
        posting::editing::log(&finished);
        Ok(Ok(finished))
    }

    /// The message in memory, when it may be delivered from there.
    fn parcel(&mut self, finished: &Finished) -> Option<Parcel> {
        let fits = self.direct
            && finished.verdict == Verdict::Queue
            && finished.records.len() <= DIRECT_LIMIT_BYTES
            // A report to the sender needs a queue file.
            && finished.expanded.is_empty();
        let (reserved, id) = self.reserved.take_if(|_| fits)?;
        match Parcel::new(reserved, id.clone(), &finished.records) {
            Ok(parcel) => Some(parcel),
            Err((reserved, error)) => {
                log::warn!("{id}: hold in memory: {error}");
                self.reserved = Some((reserved, id));
                None
            }
        }
    }

    /// Makes the message safe; blocks.
    fn place(mut self: Box<Self>, press: &Press, finished: Finished) -> Result<Outcome, QueueError> {
        match finished.verdict {
            Verdict::Queue => self.commit(press, false, &finished).map(Outcome::Queued),
            Verdict::Hold => self.commit(press, true, &finished).map(Outcome::Kept),
            Verdict::Discard => self.id(press).map(Outcome::Kept),
            Verdict::Reject(refusal) => Ok(Outcome::Refused(refusal)),
        }
    }

    fn commit(
        mut self: Box<Self>,
        press: &Press,
        on_hold: bool,
        finished: &Finished,
    ) -> Result<QueueId, QueueError> {
        let file = self.file(press)?;
        posting::note_expanded(file, &finished.expanded)?;
        if on_hold {
            file.hold()?;
        }
        if file.length() > 0 {
            file.overwrite(0, &finished.size_record)?;
        }
        match self.file {
            Some(file) => file.commit(&finished.records),
            None => press.queue.create(sys::clock::now_us())?.commit(&finished.records),
        }
    }

    /// The message's id.
    fn id(&mut self, press: &Press) -> Result<QueueId, QueueError> {
        if let Some((_, id)) = &self.reserved {
            return Ok(id.clone());
        }
        Ok(self.file(press)?.id().clone())
    }

    /// The queue file, which is made when it is first needed.
    fn file(&mut self, press: &Press) -> Result<&mut NewFile, QueueError> {
        let file = match (self.file.take(), self.reserved.take()) {
            (Some(file), _) => file,
            (None, Some((reserved, id))) => reserved.into_file(id)?,
            (None, None) => {
                let file = press.queue.create(sys::clock::now_us())?;
                log::info!("{}: client={}", file.id(), self.origin.0);
                file
            }
        };
        Ok(self.file.insert(file))
    }
}

fn offload(
    events: &mut EventLoop<Smtpd>,
    me: HandlerId,
    job: impl FnOnce() -> Result<Outcome, QueueError> + Send + 'static,
) -> Attempt {
    match events.offload(me, move || Committed { outcome: job() }) {
        Ok(()) => Attempt::Letter,
        Err(full) => {
            log::warn!("NOQUEUE: {full}");
            write_error()
        }
    }
}

fn refused(refusal: &Refusal) -> Answer {
    Answer::Refuse(Reply::from(format!("{} {}", refusal.code, refusal.text)))
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
            Effect::Prepend(header) if !envelope.prepend.contains(header) => {
                envelope.prepend.push(header.clone())
            }
            // Copies are the editor's own matter, at the end.
            Effect::Bcc(_) | Effect::Prepend(_) => {}
        }
    }
}

fn for_cleanup(recipient: Recipient) -> cleanup::Recipient {
    cleanup::Recipient {
        address: recipient.address,
        original: String::new(),
        dsn_original: recipient.original,
        notify: recipient.notify.map_or(0, |notify| u32::from(notify.bits())),
    }
}

pub(crate) fn now() -> Moment {
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
