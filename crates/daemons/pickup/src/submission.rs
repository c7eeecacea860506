//! A file of `maildrop/`, as far as the word of a local user goes.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use cleanup::Recipient;
use queue_format::content::{ContentReader, ContentStep};
use queue_format::envelope::{Envelope, EnvelopeReader, Step};
use queue_format::{DecodeError, QueueId};
use rewriting::Context;

/// How much is read at a time, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubmissionError {
    /// It is not there any more.
    #[error("gone")]
    Gone,
    /// The disk does not give it.
    #[error("{}", sys::error_text::reason(.0))]
    Io(std::io::Error),
    /// It is no message.
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    /// It lacks what every message has.
    #[error("no {0} record")]
    Incomplete(&'static str),
    /// It is a device, a link, a folder.
    #[error("not a regular file")]
    NotRegular,
}

/// A file that has been opened and whose envelope has been read.
pub(crate) struct Submission {
    file: File,
    pub(crate) envelope: Envelope,
    /// Who submitted it.
    pub(crate) uid: u32,
    /// The queue id of a message that postsuper(1) has queued anew: a file of the mail owner itself.
    pub(crate) requeued: Option<QueueId>,
    /// When the file was written, or queued anew: microseconds since 1970.
    pub(crate) modified_us: u64,
}

impl Submission {
    /// Opens a file and reads its envelope. `mail_owner` is whose files are not submissions of a user.
    pub(crate) fn open(path: &Path, id: &QueueId, mail_owner: u32) -> Result<Self, SubmissionError> {
        let listed = std::fs::symlink_metadata(path).map_err(io_error)?;
        if !listed.is_file() {
            return Err(SubmissionError::NotRegular);
        }
        let file = File::open(path).map_err(io_error)?;
        let facts = file.metadata().map_err(io_error)?;
        if facts.ino() != listed.ino() || facts.dev() != listed.dev() {
            return Err(SubmissionError::NotRegular);
        }
        let envelope = read_envelope(&file)?;
        if envelope.sender.is_none() {
            return Err(SubmissionError::Incomplete("sender"));
        }
        let seconds = u64::try_from(facts.mtime()).unwrap_or(0);
        let requeued = (facts.uid() == mail_owner && envelope.size.is_some()).then(|| id.clone());
        Ok(Self { file, envelope, uid: facts.uid(), requeued, modified_us: seconds * 1_000_000 })
    }

    /// Those who are to have it. Of a message that is queued anew, those who have it already are left out.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = Recipient> {
        let anew = self.requeued.is_some();
        self.envelope.recipients.iter().filter(|recipient| !recipient.done).map(move |recipient| Recipient {
            address: recipient.address.clone(),
            original: if anew { recipient.original.clone() } else { String::new() },
            dsn_original: recipient.dsn_original.clone(),
            notify: recipient.notify,
        })
    }

    /// It is queued anew, and nobody is left to deliver it to.
    pub(crate) fn is_delivered(&self) -> bool {
        self.requeued.is_some() && self.recipients().next().is_none()
    }

    /// By whose rules headers are completed; `remote` for mail that was remote when it came first.
    pub(crate) fn context(&self, remote: Context) -> Context {
        if self.envelope.attribute("rewrite_context") == Some("remote") { remote } else { Context::Local }
    }

    /// "7bit", "8bit" or nothing.
    pub(crate) fn encoding(&self) -> String {
        let known =
            self.envelope.attribute("encoding").filter(|encoding| matches!(*encoding, "7bit" | "8bit"));
        known.unwrap_or("").to_owned()
    }

    /// `trace_flags` of `sendmail -bv` and `-v`.
    pub(crate) fn trace_flags(&self) -> Option<String> {
        let flags = self.envelope.attribute("trace_flags")?;
        flags.parse::<u32>().ok().map(|number| number.to_string())
    }

    /// Gives the content, piece by piece, lines ended by LF.
    pub(crate) fn read_content(&self, mut take: impl FnMut(&[u8])) -> Result<(), SubmissionError> {
        let mut reader = ContentReader::new(self.envelope.content_offset);
        let mut block = vec![0; BLOCK_BYTES];
        let mut out = Vec::new();
        let mut begin = self.envelope.content_offset;
        loop {
            let length = read_block(&self.file, &mut block, begin).map_err(io_error)?;
            let step = reader.feed(&block[..length], length < block.len(), &mut out)?;
            take(&out);
            out.clear();
            match step {
                ContentStep::Done => return Ok(()),
                ContentStep::Read { offset, at_least } => {
                    begin = offset;
                    block.resize(block.len().max(at_least), 0);
                }
            }
        }
    }
}

fn read_envelope(file: &File) -> Result<Envelope, SubmissionError> {
    let mut reader = EnvelopeReader::new(usize::MAX);
    let mut block = vec![0; BLOCK_BYTES];
    let mut begin = 0;
    loop {
        let length = read_block(file, &mut block, begin).map_err(io_error)?;
        match reader.feed(&block[..length], length < block.len())? {
            Step::Done | Step::Full => return Ok(reader.into_envelope()),
            Step::Read { offset, at_least } => {
                begin = offset;
                block.resize(block.len().max(at_least), 0);
            }
        }
    }
}

fn read_block(file: &File, block: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read_at(&mut block[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn io_error(error: std::io::Error) -> SubmissionError {
    match error.kind() {
        std::io::ErrorKind::NotFound => SubmissionError::Gone,
        _ => SubmissionError::Io(error),
    }
}
