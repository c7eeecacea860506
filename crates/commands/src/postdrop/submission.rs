//! What sendmail says, as records, on its way into the file.

use std::io::Read;

use parameters::main_cf::split_assignment;
use queue::NewFile;
use queue_format::record::{self, Kind, Parsed, Record};

use super::senders::Senders;
use super::{STATUS_SIZE, STATUS_WRITE};
use crate::site::{Voice, reason};

/// How much is read at a time, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// Why there is no submission.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The input ended between two records: whoever wrote it has gone, and is told nothing.
    Ended,
    /// What came is none.
    Malformed(String),
    /// It has no sender, more than one, or no recipient.
    Incomplete,
    /// The user may not send in this name.
    NotPermitted(String),
    /// It could not be kept.
    Failed {
        /// For sendmail.
        status: i32,
        /// For the administrator.
        text: String,
    },
}

impl Refusal {
    fn failed(status: i32, text: impl std::fmt::Display) -> Self {
        Self::Failed { status, text: text.to_string() }
    }
}

/// In which part of the file the next record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Envelope,
    Content,
    Extracted,
    Ended,
}

impl Part {
    /// What follows a record, if it may stand here. Times are ours: nobody else says when a message came.
    fn after(self, record: Record<'_>) -> Option<Self> {
        match (self, record.kind) {
            (Self::Envelope, Kind::MESSAGE) => Some(Self::Content),
            (Self::Content, Kind::EXTRACTED) => Some(Self::Extracted),
            (Self::Extracted, Kind::END) => Some(Self::Ended),
            (Self::Content, Kind::NORMAL | Kind::CONTINUED) => Some(self),
            (
                Self::Envelope,
                Kind::FULL_NAME | Kind::SENDER | Kind::VERP | Kind::RECIPIENT | Kind::ATTRIBUTE,
            ) => Some(self),
            (Self::Extracted, Kind::RECIPIENT | Kind::ATTRIBUTE) => Some(self),
            _ => None,
        }
    }
}

/// What is known of a submission so far.
struct Reader<'a> {
    voice: Voice,
    uid: u32,
    senders: &'a Senders,
    part: Part,
    senders_seen: usize,
    recipients_seen: usize,
}

/// Copies what sendmail says into the file, and makes it safe. The file is gone when that fails.
pub(super) fn accept(
    voice: Voice,
    mut file: NewFile,
    now_us: u64,
    limit: u64,
    uid: u32,
    senders: &Senders,
) -> Result<(), Refusal> {
    let mut out = Vec::new();
    record::write(&mut out, Kind::TIME, format!("{} {}", now_us / 1_000_000, now_us % 1_000_000).as_bytes());
    let mut reader =
        Reader { voice, uid, senders, part: Part::Envelope, senders_seen: 0, recipients_seen: 0 };
    let (mut input, mut length) = (Vec::new(), 0_u64);
    let mut stdin = std::io::stdin().lock();
    let mut block = vec![0; BLOCK_BYTES];
    while reader.part != Part::Ended {
        let count = stdin
            .read(&mut block)
            .map_err(|error| Refusal::Malformed(format!("read input: {}", reason(&error))))?;
        if count == 0 && input.is_empty() {
            return Err(Refusal::Ended);
        }
        if count == 0 {
            voice.warn(record::cut_short("stdin", &input));
            return Err(Refusal::Malformed("malformed input".to_owned()));
        }
        length += count as u64;
        if limit > 0 && length > limit {
            return Err(Refusal::failed(STATUS_SIZE, "message file too big"));
        }
        input.extend_from_slice(&block[..count]);
        let taken = reader.take(&input, &mut out)?;
        input.drain(..taken);
        if out.len() > BLOCK_BYTES {
            file.write(&out).map_err(|error| Refusal::failed(STATUS_WRITE, error))?;
            out.clear();
        }
    }
    if reader.senders_seen != 1 || reader.recipients_seen == 0 {
        return Err(Refusal::Incomplete);
    }
    file.commit(&out).map(drop).map_err(|error| Refusal::failed(STATUS_WRITE, error))
}

impl Reader<'_> {
    /// Copies whole records; gives how many bytes they took.
    fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
        let mut taken = 0;
        while self.part != Part::Ended {
            let parsed = record::parse(&input[taken..], 0)
                .map_err(|_| Refusal::Malformed("malformed input".to_owned()))?;
            let Parsed::Whole(record, length) = parsed else { break };
            let unexpected = || Refusal::Malformed(format!("unexpected record type: {}", record.kind.0));
            self.part = self.part.after(record).ok_or_else(unexpected)?;
            if self.takes(record)? {
                out.extend_from_slice(&input[taken..taken + length]);
            }
            taken += length;
        }
        Ok(taken)
    }

    /// Does the record go into the file?
    fn takes(&mut self, record: Record<'_>) -> Result<bool, Refusal> {
        let data = String::from_utf8_lossy(record.data);
        match record.kind {
            Kind::SENDER => {
                self.senders_seen += 1;
                if !self.senders.allow(&data) {
                    return Err(Refusal::NotPermitted(format!("not authorized to use sender='{data}'")));
                }
            }
            Kind::RECIPIENT => self.recipients_seen += 1,
            Kind::ATTRIBUTE => {
                if let Err(why) = judge_attribute(&data) {
                    self.voice.warn(format!("uid={}: {why}", self.uid));
                    return Ok(false);
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// Users say how their mail is to be handled, not where it came from.
fn judge_attribute(text: &str) -> Result<(), String> {
    let (name, value) =
        split_assignment(text).map_err(|problem| format!("ignoring malformed record: {problem}: {text}"))?;
    let allowed = match name {
        "encoding" => matches!(value, "7bit" | "8bit" | ""),
        "rewrite_context" => matches!(value, "local" | "remote"),
        "envelope_id" | "notify_flags" | "dsn_orig_rcpt" | "ret_flags" | "create_time" | "trace_flags" => {
            true
        }
        _ => false,
    };
    if allowed { Ok(()) } else { Err(format!("ignoring attribute record: {text}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader<'static> {
        let voice = Voice { program: "postdrop" };
        let (part, senders) = (Part::Envelope, &Senders::Any);
        Reader { voice, uid: 0, senders, part, senders_seen: 0, recipients_seen: 0 }
    }

    fn records(records: &[(Kind, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.iter().for_each(|(kind, data)| record::write(&mut bytes, *kind, data.as_bytes()));
        bytes
    }

    #[test]
    fn only_what_sendmail_may_say_is_taken() {
        let input = records(&[
            (Kind::ATTRIBUTE, "rewrite_context=local"),
            (Kind::SENDER, "a"),
            (Kind::MESSAGE, ""),
            (Kind::NORMAL, "x"),
        ]);
        let (mut reader_of_all, mut out) = (reader(), Vec::new());
        assert_eq!(reader_of_all.take(&input, &mut out).ok(), Some(input.len()));
        assert_eq!((reader_of_all.part, out.as_slice()), (Part::Content, input.as_slice()));
        for kind in [Kind::TIME, Kind::SIZE, Kind::POINTER, Kind::DONE, Kind::NORMAL, Kind::END] {
            assert!(reader().take(&records(&[(kind, "0")]), &mut Vec::new()).is_err(), "{kind:?}");
        }
    }

    #[test]
    fn nobody_says_for_himself_where_his_mail_came_from() {
        for text in ["sasl_username=x", "log_ident=x", "encoding=foo", "rewrite_context=x", "x=", "foo", "=x"]
        {
            let mut out = Vec::new();
            let input = records(&[(Kind::ATTRIBUTE, text)]);
            assert_eq!(reader().take(&input, &mut out).ok(), Some(input.len()), "{text}");
            assert!(out.is_empty(), "{text}");
        }
        for text in ["encoding=8bit", "notify_flags=9", "trace_flags=512", "dsn_orig_rcpt=rfc822;x"] {
            assert_eq!(judge_attribute(text), Ok(()), "{text}");
        }
    }
}
