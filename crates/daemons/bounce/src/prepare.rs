//! From a request to the reports it leads to.

use std::sync::Mutex;

use notifications::report::{self, needs_body};
use notifications::{
    About, Class, Letter, LogEntry, Plan, Reader, Returned, Template, Templates, plan, read_log,
};
use parameters::Config;
use queue::{Queue, QueueError, QueueName};
use queue_format::QueueId;
use services::bounce::{Command, Failure, Original};

use crate::original::{self, OriginalFile};
use crate::settings::Settings;
use posting::moment;

/// The queue file's SMTPUTF8 flag: the sender asked for it (RFC 6531 §3.4).
const SMTPUTF8_REQUESTED: u32 = 1;

/// Keeps logs and writes reports.
pub(crate) struct Preparer {
    pub(crate) queue: Queue,
    pub(crate) settings: Settings,
    /// For names in templates.
    pub(crate) config: Mutex<Config>,
}

/// A report that is written and not yet in the queue.
#[derive(Debug)]
pub(crate) struct Report {
    /// Envelope sender.
    pub(crate) sender: String,
    /// Envelope recipient.
    pub(crate) recipient: String,
    /// The queue file's SMTPUTF8 flags.
    pub(crate) send_options: u32,
    /// What the log says once it is queued: "sender non-delivery notification".
    pub(crate) log_words: String,
    /// It is the postmaster's copy of what the sender gets.
    pub(crate) is_courtesy: bool,
    /// Header and body.
    pub(crate) content: Vec<u8>,
}

/// Why nothing came of a request. The caller tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("{0}")]
    QueueId(#[from] queue_format::id::BadQueueId),
    #[error("{0}")]
    QueueName(#[from] queue::BadQueueName),
}

impl Preparer {
    /// Appends results to the log of this service.
    pub(crate) fn append(&self, id: &str, failures: &[Failure]) -> Result<(), PrepareError> {
        let mut text = String::new();
        failures.iter().for_each(|failure| entry(failure).encode(&mut text));
        Ok(self.queue.append_log(self.settings.log, &id.parse()?, text.as_bytes())?)
    }

    /// Removes the log of this service: its report is on the way.
    pub(crate) fn forget(&self, id: &str) -> Result<(), PrepareError> {
        Ok(self.queue.remove_log(self.settings.log, &id.parse()?)?)
    }

    /// Writes the reports that a request asks for; none at all when nobody is to be told.
    pub(crate) fn reports(&self, id: &str, command: &Command) -> Result<Vec<Report>, PrepareError> {
        let id: QueueId = id.parse()?;
        match command {
            Command::Append(_) => Ok(Vec::new()),
            Command::Flush(original) => {
                let (class, entries) = (self.class_of_flush(original), self.entries(&id)?);
                if class == Class::Failure && !original.verp_delimiters.is_empty() && !entries.is_empty() {
                    return self.one_each(&id, original, &entries);
                }
                self.about(&id, original, class, &entries, None)
            }
            Command::Warn(original) => self.about(&id, original, Class::Delay, &self.entries(&id)?, None),
            Command::One(both) => self.about(&id, &both.0, Class::Failure, &[entry(&both.1)], None),
        }
    }

    /// With VERP each recipient's failure goes to the return address that its delivery had.
    fn one_each(
        &self,
        id: &QueueId,
        original: &Original,
        entries: &[LogEntry],
    ) -> Result<Vec<Report>, PrepareError> {
        let mut reports = Vec::new();
        for entry in entries {
            let reached = Some(&entry.original_recipient).filter(|original| !original.is_empty());
            let recipient = address::unquote(reached.unwrap_or(&entry.recipient));
            let sender = address::verp_sender(&original.sender, &recipient, &original.verp_delimiters);
            let alone = std::slice::from_ref(entry);
            reports.extend(self.about(id, original, Class::Failure, alone, Some(&sender))?);
        }
        Ok(reports)
    }

    fn class_of_flush(&self, original: &Original) -> Class {
        match self.settings.log {
            QueueName::Trace if original.verify => Class::Verify,
            QueueName::Trace => Class::Success,
            _ => Class::Failure,
        }
    }

    fn entries(&self, id: &QueueId) -> Result<Vec<LogEntry>, QueueError> {
        let bytes = self.queue.read_log(self.settings.log, id)?;
        Ok(read_log(&bytes, self.settings.log == QueueName::Defer))
    }

    fn about(
        &self,
        id: &QueueId,
        original: &Original,
        class: Class,
        entries: &[LogEntry],
        return_address: Option<&str>,
    ) -> Result<Vec<Report>, PrepareError> {
        let Settings { postmaster, size_limit_bytes, .. } = &self.settings;
        let mut letters = match plan(class, &original.sender, original.return_flags, entries, postmaster) {
            Plan::Send(letters) => letters,
            Plan::Discard => {
                log::warn!("{id}: undeliverable postmaster notification discarded");
                return Ok(Vec::new());
            }
        };
        if letters.is_empty() && matches!(class, Class::Success | Class::Verify) {
            let reader = if original.sender.is_empty() { "single" } else { "double" };
            log::info!("{id}: not sending trace/success notification for {reader}-bounce message");
        }
        if let Some(address) = return_address {
            let to_sender = letters.iter_mut().filter(|letter| letter.reader == Reader::Sender);
            to_sender.for_each(|letter| address.clone_into(&mut letter.recipient));
        }
        let full = letters.iter().any(|letter| letter.returned == Returned::Full);
        let wants_body = |size| full && needs_body(Returned::Full, size, *size_limit_bytes);
        let file = if letters.is_empty() {
            None
        } else {
            original::read(&self.queue, original.queue_name.parse()?, id, wants_body)?
        };
        Ok(letters.iter().map(|letter| self.write(id, original, class, letter, file.as_ref())).collect())
    }

    fn write(
        &self,
        id: &QueueId,
        original: &Original,
        class: Class,
        letter: &Letter<'_>,
        file: Option<&OriginalFile>,
    ) -> Report {
        let settings = &self.settings;
        let smtputf8 = original.sendopts & SMTPUTF8_REQUESTED != 0;
        let external = match &original.sender {
            null if null.is_empty() => format!("MAILER-DAEMON@{}", settings.myhostname),
            sender => address::quote(sender),
        };
        let arrival = file.map_or(0, |file| file.arrival_seconds);
        let date =
            |seconds: u64| if arrival == 0 { String::new() } else { moment(seconds * 1_000_000).to_header() };
        let about = About {
            queue_id: id.as_str(),
            myhostname: &settings.myhostname,
            mail_name: &settings.mail_name,
            sender: if file.is_some() { &external } else { "" },
            envelope_id: &original.envelope_id,
            arrival_date: &date(arrival),
            retry_until: &date(arrival + settings.maximal_queue_lifetime.as_secs()),
            encoding: &original.encoding,
            smtputf8,
            smtputf8_enable: settings.smtputf8_enable,
            message_id: file.filter(|_| settings.threaded).map_or("", |file| &file.message_id),
            size_bytes: file.map_or(0, |file| file.size_bytes),
            size_limit_bytes: settings.size_limit_bytes,
            now_seconds: sys::clock::now_us() / 1_000_000,
            content: file.map(|file| file.content.as_slice()),
        };
        Report {
            sender: letter.sender.clone(),
            recipient: letter.recipient.clone(),
            send_options: if smtputf8 { original.sendopts } else { 0 },
            log_words: letter.log_words(class),
            is_courtesy: letter.reader == Reader::Postmaster && !original.sender.is_empty(),
            content: self.text(letter, &about, class),
        }
    }

    /// The text by the configured template, or by the built-in one when that can not be used.
    fn text(&self, letter: &Letter<'_>, about: &About<'_>, class: Class) -> Vec<u8> {
        let parameter = |name: &str| self.config.lock().ok().and_then(|config| config.text(name));
        let facts = self.settings.facts(&parameter);
        let letter = &Letter { recipient: address::quote(&letter.recipient), ..letter.clone() };
        let write = |template: &Template| report::write(letter, about, template, &facts);
        let result = write(self.settings.templates.of(class)).or_else(|error| {
            log::warn!("{error}: the built-in template is used");
            write(Templates::built_in().of(class))
        });
        match result {
            Ok(report) => {
                report.warnings.iter().for_each(|warning| log::warn!("{warning}"));
                report.content
            }
            Err(error) => unreachable!("the built-in templates expand: {error}"),
        }
    }
}

/// A result as the log keeps it: addresses in external form.
fn entry(failure: &Failure) -> LogEntry {
    let external = |address: &str| if address.is_empty() { String::new() } else { address::quote(address) };
    let (kind, text) = failure.diagnostic.split_once(';').unwrap_or_default();
    LogEntry {
        recipient: external(&failure.recipient.address),
        original_recipient: external(&failure.recipient.original),
        offset: failure.recipient.record_offset,
        dsn_original_recipient: failure.recipient.dsn_original.clone(),
        notify: failure.recipient.notify,
        status: failure.status.clone(),
        action: failure.action.clone(),
        diagnostic_type: kind.trim().to_owned(),
        diagnostic_text: text.trim().to_owned(),
        mta_type: if failure.remote_mta.is_empty() { String::new() } else { "dns".to_owned() },
        mta_name: failure.remote_mta.clone(),
        reason: failure.reason.clone(),
    }
}
