//! The envelope: who sent the message, who is to have it, and where in the file each mark stands.

use std::collections::HashSet;
use std::time::Duration;

use crate::record::{self, DecodeError, Kind, Parsed, Record};
use crate::size::SizeRecord;

/// What a queue file says about its message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The `C` record; zeros in a file that was never finished, absent in maildrop files of other programs.
    pub size: Option<SizeRecord>,
    /// When the message arrived, since 1970.
    pub arrival: Option<Duration>,
    /// When the queue file was made, in seconds since 1970.
    pub created_seconds: Option<u64>,
    /// The sender, "" for the null sender; `None` when the file has no `S` record.
    pub sender: Option<String>,
    /// Full name of the local user who sent the message.
    pub full_name: Option<String>,
    /// The recipients in the order of the file, those already done included.
    pub recipients: Vec<Recipient>,
    /// All other attributes, in the order of the file.
    pub attributes: Vec<(String, String)>,
    /// RET of MAIL FROM: 1 full, 2 headers, 0 not given.
    pub return_flags: u32,
    /// ENVID of MAIL FROM, decoded.
    pub envelope_id: String,
    /// VERP delimiters.
    pub verp_delimiters: Option<String>,
    /// Content filter, `transport:nexthop`.
    pub filter: Option<String>,
    /// All recipients are replaced by this one.
    pub redirect: Option<String>,
    /// When the sender is to be told of a delay.
    pub warn_time: Option<WarnTime>,
    /// Errors-To as extracted from the header.
    pub errors_to: Option<String>,
    /// Return-Receipt-To as extracted from the header.
    pub return_receipt: Option<String>,
    /// Seconds that the first delivery is put off (`d`), and cleanup's flags (`f`), where given.
    pub delay_seconds: Option<u64>,
    /// See `delay_seconds`.
    pub cleanup_flags: Option<u32>,
    /// `trace_flags` of `sendmail -bv` and `-v`, and the offset of that record: it is struck out when it has had its
    /// effect. It is among `attributes` too.
    pub trace: Option<(u32, u64)>,
    /// Offset of the first record of the content.
    pub content_offset: u64,
    /// Offset of the `X` record that ends the content; zero in a file without one.
    pub extracted_offset: u64,
}

/// A `W` record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarnTime {
    /// Seconds since 1970; zero when the sender has been told.
    pub seconds: u64,
    /// Offset of the data, for [`record::fixed_number`] in place.
    pub data_offset: u64,
}

/// One recipient of a queue file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The address mail goes to.
    pub address: String,
    /// The address as it was before rewriting; equal to `address` where the file does not say.
    pub original: String,
    /// ORCPT, `rfc822;user@domain`, or "".
    pub dsn_original: String,
    /// NOTIFY: 1 never, 2 success, 4 failure, 8 delay, added up; 0 not given.
    pub notify: u32,
    /// Offset of the type byte, which becomes `D` when the recipient is done.
    pub offset: u64,
    /// It is `D` already.
    pub done: bool,
}

/// What [`EnvelopeReader::feed`] needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Bytes of the file from this offset on, at least this many unless the file ends before.
    Read {
        /// Where they begin.
        offset: u64,
        /// The least that brings the reader further.
        at_least: usize,
    },
    /// As many recipients as the limit allows are there; [`EnvelopeReader::more`] goes on.
    Full,
    /// The `E` record was read.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Envelope,
    /// Only in a file whose `C` record does not tell where the content ends.
    Content,
    Extracted,
    Ended,
}

/// Reads the envelope piece by piece, without touching the content where the `C` record allows.
#[derive(Debug, Clone)]
pub struct EnvelopeReader {
    envelope: Envelope,
    part: Part,
    offset: u64,
    recipient_limit: usize,
    pointers_seen: HashSet<u64>,
    pending: Recipient,
    for_lists: bool,
    passes_over_recipients: bool,
}

impl EnvelopeReader {
    /// A reader that gives [`Step::Full`] after `recipient_limit` recipients that are not done.
    pub fn new(recipient_limit: usize) -> Self {
        Self {
            envelope: Envelope::default(),
            part: Part::Envelope,
            offset: 0,
            recipient_limit,
            pointers_seen: HashSet::new(),
            pending: Recipient::default(),
            for_lists: false,
            passes_over_recipients: false,
        }
    }

    /// A reader for lists of many messages: it passes over attributes but the time of creation, and of recipients over all but
    /// the address and whether it is done.
    pub fn for_lists() -> Self {
        Self { for_lists: true, ..Self::new(usize::MAX) }
    }

    /// A reader that goes on where this one is, for what else there is than recipients: a filter, the encoding, and where the
    /// content begins stand behind them.
    pub fn without_recipients(&self) -> Self {
        Self { passes_over_recipients: true, ..self.clone() }
    }

    /// What has been read so far.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The envelope, once the reader is done.
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }

    /// So many recipients that are not done are given at a time from here on.
    pub fn set_recipient_limit(&mut self, recipient_limit: usize) {
        self.recipient_limit = recipient_limit;
    }

    /// Takes the recipients read so far away and reads on after [`Step::Full`]; feed bytes from the given offset.
    pub fn more(&mut self) -> (Vec<Recipient>, Step) {
        (std::mem::take(&mut self.envelope.recipients), Step::Read { offset: self.offset, at_least: 2 })
    }

    /// Takes bytes of the file that begin at the offset last asked for (0 at first). `at_end` says that the file ends with them.
    ///
    /// # Errors
    /// Any [`DecodeError`]: the file is not a whole queue file, and reading can not go on.
    pub fn feed(&mut self, bytes: &[u8], at_end: bool) -> Result<Step, DecodeError> {
        let base = self.offset;
        loop {
            if self.part == Part::Ended {
                return Ok(Step::Done);
            }
            let rest =
                usize::try_from(self.offset.wrapping_sub(base)).ok().and_then(|skip| bytes.get(skip..));
            let Some(rest) = rest.filter(|rest| at_end || !rest.is_empty()) else {
                return Ok(Step::Read { offset: self.offset, at_least: 2 });
            };
            match record::parse(rest, self.offset)? {
                Parsed::Partial(_) if at_end => return Err(DecodeError::Truncated { offset: self.offset }),
                Parsed::Partial(at_least) => return Ok(Step::Read { offset: self.offset, at_least }),
                Parsed::Whole(record, length) => {
                    let counts = self.take(record, length)?;
                    if counts && self.open_recipients() >= self.recipient_limit {
                        return Ok(Step::Full);
                    }
                }
            }
        }
    }

    fn open_recipients(&self) -> usize {
        if self.envelope.recipients.len() < self.recipient_limit {
            return 0;
        }
        self.envelope.recipients.iter().filter(|recipient| !recipient.done).count()
    }

    /// Moves past one record; true when it was a recipient.
    fn take(&mut self, record: Record<'_>, length: usize) -> Result<bool, DecodeError> {
        let at = self.offset;
        self.offset += length as u64;
        match (self.part, record.kind) {
            (_, Kind::POINTER) => self.follow(at, record.data)?,
            (_, Kind::DELETED) => {}
            (Part::Envelope, Kind::MESSAGE) => self.enter_content()?,
            (Part::Content, Kind::NORMAL | Kind::CONTINUED) => {}
            (Part::Content, Kind::EXTRACTED) => {
                self.envelope.extracted_offset = at;
                self.part = Part::Extracted;
            }
            (Part::Extracted, Kind::END) => self.part = Part::Ended,
            (Part::Envelope | Part::Extracted, _) => return self.envelope_record(at, record),
            (_, kind) => return Err(DecodeError::UnexpectedType { offset: at, kind }),
        }
        Ok(false)
    }

    fn follow(&mut self, at: u64, data: &[u8]) -> Result<(), DecodeError> {
        let target = number(data).ok_or(DecodeError::Malformed { offset: at, kind: Kind::POINTER })?;
        if target == 0 {
            return Ok(());
        }
        if !self.pointers_seen.insert(at) {
            return Err(DecodeError::PointerLoop { offset: at, target });
        }
        self.offset = target;
        Ok(())
    }

    /// The `M` record was read: the content is skipped where the size is known.
    fn enter_content(&mut self) -> Result<(), DecodeError> {
        self.envelope.content_offset = self.offset;
        self.part = Part::Content;
        if let Some(size) = self.envelope.size.filter(|size| size.content_offset == self.offset) {
            let malformed = DecodeError::Malformed { offset: 0, kind: Kind::SIZE };
            self.offset = self.offset.checked_add(size.message_bytes).ok_or(malformed)?;
        }
        Ok(())
    }

    fn envelope_record(&mut self, at: u64, record: Record<'_>) -> Result<bool, DecodeError> {
        let malformed = DecodeError::Malformed { offset: at, kind: record.kind };
        let data = record.data;
        match record.kind {
            Kind::SIZE => self.envelope.size = Some(SizeRecord::decode(data).ok_or(malformed)?),
            Kind::TIME => self.envelope.arrival = Some(arrival(data).ok_or(malformed)?),
            Kind::CREATION_TIME => self.envelope.created_seconds = number(data),
            Kind::FULL_NAME => self.envelope.full_name = Some(text(data)),
            Kind::SENDER => self.envelope.sender = Some(text(data)),
            Kind::ORIGINAL_RECIPIENT | Kind::DSN_ORIGINAL_RECIPIENT | Kind::DSN_NOTIFY if self.for_lists => {}
            Kind::ORIGINAL_RECIPIENT => self.pending.original = text(data),
            Kind::DSN_ORIGINAL_RECIPIENT => self.pending.dsn_original = text(data),
            Kind::DSN_NOTIFY => self.pending.notify = small(data).ok_or(malformed)?,
            Kind::RECIPIENT | Kind::DONE if self.passes_over_recipients => {
                self.pending = Recipient::default();
            }
            Kind::RECIPIENT | Kind::DONE => {
                self.recipient(at, record);
                return Ok(true);
            }
            Kind::CANCELLED_RECIPIENT => self.pending = Recipient::default(),
            Kind::ATTRIBUTE => {
                self.attribute(data).ok_or(malformed)?;
                if let Some(flags) = data.strip_prefix(b"trace_flags=") {
                    self.envelope.trace = small(flags).map(|flags| (flags, at));
                }
            }
            Kind::DSN_RETURN => self.envelope.return_flags = small(data).ok_or(malformed)?,
            Kind::DSN_ENVELOPE_ID => self.envelope.envelope_id = text(data),
            Kind::VERP => self.envelope.verp_delimiters = Some(text(data)),
            Kind::FILTER => self.envelope.filter = Some(text(data)),
            Kind::REDIRECT => self.envelope.redirect = Some(text(data)),
            Kind::WARN_TIME => self.envelope.warn_time = Some(self.warn_time(data).ok_or(malformed)?),
            Kind::ERRORS_TO => self.envelope.errors_to = Some(text(data)),
            Kind::RETURN_RECEIPT => self.envelope.return_receipt = Some(text(data)),
            Kind::DELAY => self.envelope.delay_seconds = number(data),
            Kind::FLAGS => self.envelope.cleanup_flags = small(data),
            // A record that was struck out.
            Kind::KILLED | Kind::INSPECTOR | Kind::PRECEDENCE | Kind::MILTER_COUNT => {}
            kind => return Err(DecodeError::UnexpectedType { offset: at, kind }),
        }
        Ok(false)
    }

    fn recipient(&mut self, at: u64, record: Record<'_>) {
        let mut recipient = std::mem::take(&mut self.pending);
        recipient.address = text(record.data);
        recipient.offset = at;
        recipient.done = record.kind == Kind::DONE;
        if recipient.original.is_empty() && !self.for_lists {
            recipient.original.clone_from(&recipient.address);
        }
        self.envelope.recipients.push(recipient);
    }

    /// `name=value`; those that belong to the message or the next recipient as such go where their records would.
    fn attribute(&mut self, data: &[u8]) -> Option<()> {
        let equals = data.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&data[..equals], &data[equals + 1..]);
        match name {
            b"create_time" => self.envelope.created_seconds = number(value),
            _ if self.for_lists => {}
            b"dsn_orig_rcpt" => self.pending.dsn_original = text(value),
            b"notify_flags" => self.pending.notify = small(value)?,
            b"envelope_id" => self.envelope.envelope_id = text(value),
            b"ret_flags" => self.envelope.return_flags = small(value)?,
            _ => self.envelope.attributes.push((text(name), text(value))),
        }
        Some(())
    }

    fn warn_time(&self, data: &[u8]) -> Option<WarnTime> {
        Some(WarnTime { seconds: number(data)?, data_offset: self.offset - data.len() as u64 })
    }
}

impl Envelope {
    /// Reads the envelope of a whole file.
    ///
    /// # Errors
    /// Any [`DecodeError`].
    pub fn decode(file: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = EnvelopeReader::new(usize::MAX);
        let mut begin = 0;
        loop {
            match reader.feed(file.get(begin..).unwrap_or_default(), true)? {
                Step::Read { offset, .. } => begin = usize::try_from(offset).unwrap_or(usize::MAX),
                Step::Full | Step::Done => return Ok(reader.into_envelope()),
            }
        }
    }

    /// The last value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The size of the message as logs show it, in bytes.
    pub fn message_bytes(&self) -> u64 {
        match self.size {
            Some(size) if size.message_bytes > 0 => size.message_bytes,
            _ => self.extracted_offset.saturating_sub(self.content_offset),
        }
    }

    /// Arrival time in whole seconds since 1970; that of creation where the file has no arrival.
    pub fn arrival_seconds(&self) -> u64 {
        self.arrival.map(|time| time.as_secs()).or(self.created_seconds).unwrap_or(0)
    }
}

/// As `String::from_utf8_lossy`, in less time where nothing is lost.
fn text(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(data).into_owned(),
    }
}

fn number(data: &[u8]) -> Option<u64> {
    std::str::from_utf8(data.trim_ascii()).ok()?.parse().ok()
}

fn small(data: &[u8]) -> Option<u32> {
    u32::try_from(number(data)?).ok()
}

/// `seconds microseconds`; before 2.3 the seconds alone.
fn arrival(data: &[u8]) -> Option<Duration> {
    let mut words = std::str::from_utf8(data).ok()?.split_ascii_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let microseconds: u32 = words.next().map_or(Some(0), |word| word.parse().ok())?;
    (microseconds < 1_000_000).then(|| Duration::new(seconds, microseconds * 1000))
}

#[cfg(test)]
mod tests;
