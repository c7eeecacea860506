//! The editor's face, and the order of its steps.

use std::collections::HashSet;
use std::sync::Arc;

use lookup::{Lookup, Stop};
use message::Known;
use message::scanner::{Event, Scanner};
use queue_format::{Kind, SizeRecord, record};

use crate::envelope::{Envelope, Recipient};
use crate::intake::Intake;
use crate::log::LogLine;
use crate::recipients::Expanded;
use crate::refusal::{Problem, Refusal};
use crate::settings::Settings;

/// Edits one message.
///
/// Give it the recipients and the content, then call [`Cleanup::finish`] with the queue id. For content that is too
/// large to keep, call [`Cleanup::advance`] now and then and write what [`Cleanup::take`] gives. Where a table's answer has to be
/// waited for, both stop with [`Stop::Wait`]; called again they go on where they stopped.
#[derive(Debug)]
pub struct Cleanup {
    pub(crate) settings: Arc<Settings>,
    pub(crate) envelope: Envelope,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) queue_id: String,
    pub(crate) stage: Stage,
    pub(crate) intake: Intake,
    pub(crate) scanner: Scanner,
    /// What the current piece of content means, last first.
    pub(crate) events: Vec<Event>,
    /// The current piece, while events of it are left.
    pub(crate) piece: Vec<u8>,
    pub(crate) piece_complete: bool,
    /// The scanner has been told of the end.
    pub(crate) scanned: bool,
    pub(crate) output: Output,
    pub(crate) log: Vec<LogLine>,
    pub(crate) problem: Option<Problem>,
    pub(crate) found: Found,
    pub(crate) duplicates: HashSet<String>,
    pub(crate) expanded: Vec<Expanded>,
}

/// How far the message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The sender is next.
    Sender,
    /// The recipient with this number is next.
    Recipients(usize),
    /// The content is next.
    Content,
    /// `always_bcc` is next.
    AlwaysBcc,
    /// The address with this number that a BCC action named is next.
    CheckedBcc(usize),
    /// Nothing is left.
    Done,
}

/// What was found on the way and matters later.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The sender after all maps.
    pub(crate) sender: String,
    /// The recipient given last, for log lines.
    pub(crate) last_recipient: String,
    pub(crate) recipient_count: u64,
    /// Bytes of content that have come.
    pub(crate) received: u64,
    pub(crate) notify_flags: u32,
    pub(crate) content_offset: u64,
    pub(crate) content_end: u64,
    pub(crate) headers: HashSet<Known>,
    /// "Resent-" once a resent header was seen.
    pub(crate) resent: &'static str,
    pub(crate) hops: usize,
    pub(crate) eight_bit: bool,
    pub(crate) utf8_header: bool,
    pub(crate) filter: Option<String>,
    pub(crate) redirect: Option<String>,
    pub(crate) bcc: Vec<String>,
    pub(crate) hold: bool,
    pub(crate) discard: bool,
    /// PASS: no more checks.
    pub(crate) passed: bool,
}

/// Records on their way into the file.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) records: Vec<u8>,
    taken: u64,
}

/// What becomes of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Into the incoming queue.
    Queue,
    /// Into the hold queue.
    Hold,
    /// Nowhere; the client is told that all is well.
    Discard,
    /// Nowhere; the client is told why.
    Reject(Refusal),
}

/// A message that has been edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why it is rejected.
    pub problem: Option<Problem>,
    /// The records that have not been taken yet; the whole file when none were.
    pub records: Vec<u8>,
    /// The record at the begin of the file in its final form: where records have been taken earlier, write it over the
    /// first bytes of the file.
    pub size_record: Vec<u8>,
    /// What the log should say.
    pub log: Vec<LogLine>,
    /// Recipients whose sender wants to know that an alias took them in (RFC 3461 `SUCCESS`): to be told by bounce(8).
    pub expanded: Vec<Expanded>,
    /// The sender after rewriting.
    pub sender: String,
    /// How many recipients the file has.
    pub recipient_count: u64,
    /// Bytes of the content, as the log shows them.
    pub content_bytes: u64,
}

impl Output {
    pub(crate) fn position(&self) -> u64 {
        self.taken + self.records.len() as u64
    }

    pub(crate) fn write(&mut self, kind: Kind, data: &[u8]) {
        record::write(&mut self.records, kind, data);
    }

    /// A line of content, in pieces if it is long.
    pub(crate) fn line(&mut self, text: &[u8], limit: usize) {
        let mut rest = text;
        while rest.len() > limit {
            let (piece, after) = rest.split_at(limit);
            self.write(Kind::CONTINUED, piece);
            rest = after;
        }
        self.write(Kind::NORMAL, rest);
    }

    fn take(&mut self) -> Vec<u8> {
        let records = std::mem::take(&mut self.records);
        self.taken += records.len() as u64;
        records
    }
}

impl Cleanup {
    /// Begins a message.
    pub fn new(settings: Arc<Settings>, envelope: Envelope) -> Self {
        Self {
            scanner: Scanner::new(settings.mime.clone()),
            intake: Intake::new(&settings, envelope.raw_content),
            settings,
            envelope,
            recipients: Vec::new(),
            queue_id: String::new(),
            stage: Stage::Sender,
            events: Vec::new(),
            piece: Vec::new(),
            piece_complete: true,
            scanned: false,
            output: Output::default(),
            log: Vec::new(),
            problem: None,
            found: Found::default(),
            duplicates: HashSet::new(),
            expanded: Vec::new(),
        }
    }

    /// Adds a recipient. All of them come before the first [`Cleanup::advance`].
    pub fn recipient(&mut self, recipient: Recipient) {
        self.recipients.push(recipient);
    }

    /// The envelope, for what turns out late: hold, discard, filter, redirect.
    pub fn envelope_mut(&mut self) -> &mut Envelope {
        &mut self.envelope
    }

    /// Adds content: lines that end with LF, or with CR LF unless [`Envelope::raw_content`]. Any pieces will do.
    /// Beyond `message_size_limit` nothing is kept any more, and the verdict is that it is too large.
    pub fn content(&mut self, bytes: &[u8]) {
        self.found.received += bytes.len() as u64;
        let limit = self.settings.message_size_limit;
        if limit > 0 && self.found.received > limit {
            self.intake.drop_pending();
            self.refuse(Problem::TooLarge);
            return;
        }
        self.intake.push(bytes);
    }

    /// Bytes of content that are kept because nobody has asked for their records yet.
    pub fn pending_bytes(&self) -> usize {
        self.intake.pending_bytes()
    }

    /// Edits what has come so far.
    ///
    /// # Errors
    /// [`Stop::Wait`]: call again when the answer is there. A table that fails is a verdict, not an error.
    pub fn advance(&mut self, queue_id: &str, tables: &dyn Lookup) -> Result<(), Stop> {
        if self.queue_id.is_empty() {
            queue_id.clone_into(&mut self.queue_id);
        }
        self.edit_envelope(tables)?;
        self.edit_content(tables)
    }

    /// The records made so far, for the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.output.take()
    }

    /// The content is complete: edits the rest and gives the verdict. Call it once more only after [`Stop::Wait`].
    ///
    /// # Errors
    /// As [`Cleanup::advance`].
    pub fn finish(&mut self, queue_id: &str, tables: &dyn Lookup) -> Result<Finished, Stop> {
        self.intake.end();
        self.advance(queue_id, tables)?;
        self.edit_extracted(tables)?;
        Ok(self.finished())
    }

    /// Nothing of the message will be used: the rest need not be edited.
    pub(crate) fn is_over(&self) -> bool {
        self.problem.is_some() || self.found.discard || self.envelope.discard
    }

    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.problem = Some(Problem::most_pressing(self.problem.take(), problem));
    }

    pub(crate) fn info(&mut self, text: &str) {
        self.log.push(LogLine::info(format!("{}: {text}", self.queue_id)));
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.log.push(LogLine::warning(format!("{}: {text}", self.queue_id)));
    }

    /// A table of `parameter` did not answer. Waiting goes up to the caller, a failure makes the message one that is refused for now.
    pub(crate) fn table_failed(
        &mut self,
        stop: Stop,
        parameter: &str,
        address: Option<&str>,
    ) -> Result<(), Stop> {
        let Stop::Failed { table } = stop else { return Err(stop) };
        let about = address.map(|address| format!(" for {address}")).unwrap_or_default();
        self.warn(&format!("{parameter} map lookup problem{about} -- message not accepted, try again later"));
        self.refuse(Problem::Table(table));
        Ok(())
    }

    fn finished(&mut self) -> Finished {
        let content_bytes = self.found.content_end.saturating_sub(self.found.content_offset);
        let size = SizeRecord {
            message_bytes: content_bytes,
            content_offset: self.found.content_offset,
            recipients: self.found.recipient_count,
            manager_flags: self.found.notify_flags << 1,
            content_bytes,
            send_options: self.send_options(),
        };
        let mut size_record = Vec::new();
        record::write(&mut size_record, Kind::SIZE, &size.encode());
        let mut records = std::mem::take(&mut self.output.records);
        if self.output.taken == 0 && records.len() >= size_record.len() {
            records[..size_record.len()].copy_from_slice(&size_record);
        }
        if self.found.recipient_count == 0 && !self.is_over() {
            self.refuse(Problem::NoRecipients);
        }
        Finished {
            verdict: self.verdict(),
            problem: self.problem.clone(),
            records,
            size_record,
            log: std::mem::take(&mut self.log),
            expanded: std::mem::take(&mut self.expanded),
            sender: self.found.sender.clone(),
            recipient_count: self.found.recipient_count,
            content_bytes: size.content_bytes,
        }
    }

    fn verdict(&mut self) -> Verdict {
        if let Some(problem) = &self.problem {
            return Verdict::Reject(problem.refusal());
        }
        if self.found.discard || self.envelope.discard {
            return Verdict::Discard;
        }
        if self.found.hold || self.envelope.hold { Verdict::Hold } else { Verdict::Queue }
    }
}
