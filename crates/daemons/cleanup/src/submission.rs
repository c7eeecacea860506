//! A message as it comes in, record by record.

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Options, Recipient, Settings};
use message::Moment;
use queue_format::{Kind, Record};

use crate::attribute;

/// Flags of the client: what cleanup is to do.
const FLAG_CHECKS: u32 = 1 << 1;
const FLAG_HOLD: u32 = 1 << 2;
const FLAG_DISCARD: u32 = 1 << 3;
const FLAG_BCC: u32 = 1 << 4;
const FLAG_MAPPINGS: u32 = 1 << 5;

/// A record that may not stand where it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unexpected record type {kind} in {part}")]
pub(crate) struct BadRecord {
    kind: u8,
    part: &'static str,
}

/// A message in the making.
pub(crate) struct Submission {
    settings: Arc<Settings>,
    part: Part,
    envelope: Envelope,
    /// What belongs to the next recipient.
    next: Recipient,
    recipients: Vec<Recipient>,
    cleanup: Option<Cleanup>,
}

enum Part {
    Envelope,
    Content,
    Extracted,
    Ended,
}

impl Submission {
    /// With the flags that the client sent; `now` is for a client that names no time.
    pub(crate) fn new(settings: Arc<Settings>, flags: u32, now: Moment) -> Self {
        let options = Options {
            checks: flags & FLAG_CHECKS != 0,
            mappings: flags & FLAG_MAPPINGS != 0,
            bcc: flags & FLAG_BCC != 0,
            ..Options::default()
        };
        let envelope = Envelope {
            arrival: now,
            raw_content: true,
            hold: flags & FLAG_HOLD != 0,
            discard: flags & FLAG_DISCARD != 0,
            options,
            ..Envelope::default()
        };
        Self {
            settings,
            part: Part::Envelope,
            envelope,
            next: Recipient::default(),
            recipients: Vec::new(),
            cleanup: None,
        }
    }

    /// Takes a record; true with the last one.
    ///
    /// # Errors
    /// [`BadRecord`]: there will be no message.
    pub(crate) fn record(&mut self, record: &Record<'_>) -> Result<bool, BadRecord> {
        match self.part {
            Part::Envelope => self.envelope_record(record)?,
            Part::Content => self.content_record(record)?,
            Part::Extracted => self.extracted_record(record)?,
            Part::Ended => {}
        }
        Ok(matches!(self.part, Part::Ended))
    }

    /// The editor, with all that came, once the last record is there.
    pub(crate) fn into_cleanup(self) -> Option<Cleanup> {
        let mut cleanup = self.cleanup?;
        self.recipients.into_iter().for_each(|recipient| cleanup.recipient(recipient));
        Some(cleanup)
    }

    fn envelope_record(&mut self, record: &Record<'_>) -> Result<(), BadRecord> {
        let text = || String::from_utf8_lossy(record.data).into_owned();
        match record.kind {
            Kind::SIZE
            | Kind::CREATION_TIME
            | Kind::FLAGS
            | Kind::WARN_TIME
            | Kind::DELAY
            | Kind::MILTER_COUNT => {}
            Kind::TIME => self.set_time(&text()),
            Kind::FULL_NAME => self.envelope.full_name = text(),
            Kind::SENDER => self.envelope.sender = text(),
            Kind::FILTER => self.envelope.filter = Some(text()),
            Kind::REDIRECT => self.envelope.redirect = Some(text()),
            Kind::VERP => self.envelope.verp_delimiters = Some(text()),
            Kind::MESSAGE => {
                let envelope = std::mem::take(&mut self.envelope);
                self.cleanup = Some(Cleanup::new(Arc::clone(&self.settings), envelope));
                self.part = Part::Content;
            }
            _ => self.recipient_record(record, "envelope")?,
        }
        Ok(())
    }

    /// Records of recipients stand before or behind the content.
    fn recipient_record(&mut self, record: &Record<'_>, part: &'static str) -> Result<(), BadRecord> {
        let text = || String::from_utf8_lossy(record.data).into_owned();
        match record.kind {
            Kind::ATTRIBUTE => {
                attribute::set(&text(), &mut self.envelope, &mut self.next, &self.settings.rewriting);
            }
            Kind::DSN_NOTIFY => self.next.notify = text().parse().unwrap_or(0),
            Kind::DSN_ORIGINAL_RECIPIENT => self.next.dsn_original = text(),
            Kind::ORIGINAL_RECIPIENT => self.next.original = text(),
            Kind::RECIPIENT => {
                let next = std::mem::take(&mut self.next);
                self.recipients.push(Recipient { address: text(), ..next });
            }
            kind => return Err(BadRecord { kind: kind.0, part }),
        }
        Ok(())
    }

    fn content_record(&mut self, record: &Record<'_>) -> Result<(), BadRecord> {
        let Some(cleanup) = &mut self.cleanup else { return Ok(()) };
        match record.kind {
            Kind::CONTINUED => cleanup.content(record.data),
            Kind::NORMAL => {
                cleanup.content(record.data);
                cleanup.content(b"\n");
            }
            Kind::DELETED => {}
            Kind::EXTRACTED => self.part = Part::Extracted,
            kind => return Err(BadRecord { kind: kind.0, part: "message content" }),
        }
        Ok(())
    }

    fn extracted_record(&mut self, record: &Record<'_>) -> Result<(), BadRecord> {
        match record.kind {
            Kind::RETURN_RECEIPT | Kind::ERRORS_TO | Kind::PRECEDENCE => {}
            Kind::END => self.part = Part::Ended,
            _ => self.recipient_record(record, "extracted")?,
        }
        Ok(())
    }

    /// `seconds microseconds`
    fn set_time(&mut self, text: &str) {
        let mut numbers = text.split(' ');
        let arrival = &mut self.envelope.arrival;
        if let Some(seconds) = numbers.next().and_then(|number| number.parse().ok()) {
            *arrival = moment(seconds);
        }
        arrival.microseconds = numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    }
}

/// A second, with the zone that this system is in then.
pub(crate) fn moment(seconds: i64) -> Moment {
    let local = sys::clock::local_time(seconds);
    Moment {
        seconds,
        microseconds: 0,
        offset_seconds: i32::try_from(local.offset_seconds).unwrap_or(0),
        zone: local.zone.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookup::Memory;
    use queue_format::record;
    use rewriting::Rewriting;

    const ALL_FLAGS: u32 = 178;

    fn submit(records: &[(Kind, &str)]) -> Result<Option<Cleanup>, BadRecord> {
        let settings = Settings::new(Rewriting::new(rewriting::Settings::default()));
        let mut submission = Submission::new(Arc::new(settings), ALL_FLAGS, Moment::default());
        for (kind, data) in records {
            submission.record(&Record { kind: *kind, data: data.as_bytes() })?;
        }
        Ok(submission.into_cleanup())
    }

    const HEAD: [(Kind, &str); 2] = [(Kind::TIME, "1795315393 410227"), (Kind::SENDER, "me@x")];

    #[test]
    fn records_become_a_message() {
        let mut records = HEAD.to_vec();
        records.extend([
            (Kind::ATTRIBUTE, "rewrite_context=remote"),
            (Kind::ATTRIBUTE, "notify_flags=4"),
            (Kind::RECIPIENT, "a@x"),
            (Kind::MESSAGE, ""),
            (Kind::NORMAL, "Subject: x"),
            (Kind::NORMAL, ""),
            (Kind::CONTINUED, "long "),
            (Kind::NORMAL, "line"),
            (Kind::EXTRACTED, ""),
            (Kind::RECIPIENT, "b@x"),
            (Kind::END, ""),
        ]);
        let mut cleanup = submit(&records).unwrap().unwrap();
        let finished = cleanup.finish("QID", &Memory::new()).unwrap();
        let shown: Vec<_> = record::walk(&finished.records)
            .map(|item| {
                item.map(|(_, record)| {
                    format!("{} {}", char::from(record.kind.0), String::from_utf8_lossy(record.data))
                })
                .unwrap()
            })
            .collect();
        for expected in [
            "T 1795315393 410227",
            "S me@x",
            "A notify_flags=4",
            "R a@x",
            "R b@x",
            "N Subject: x",
            "N long line",
        ] {
            assert!(shown.iter().any(|line| line == expected), "{expected} in {shown:?}");
        }
    }

    #[test]
    fn a_record_out_of_place_is_refused() {
        let error = submit(&[HEAD[0], HEAD[1], (Kind::END, "")]).err().unwrap();
        assert_eq!(error.to_string(), "unexpected record type 69 in envelope");
        assert!(submit(&[(Kind::MESSAGE, ""), (Kind::SENDER, "x")]).is_err());
        assert!(submit(&HEAD).unwrap().is_none());
    }
}
