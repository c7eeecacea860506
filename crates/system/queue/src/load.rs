//! Reading the envelope of a queue file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use queue_format::QueueId;
use queue_format::envelope::{Envelope, EnvelopeReader, Recipient, Step};

use crate::{Queue, QueueError, QueueName};

/// How much is read at a time, in bytes: the whole of most messages.
const BLOCK_BYTES: usize = 16 * 1024;

/// A message as read from its queue file.
#[derive(Debug)]
pub struct Loaded {
    /// Sender, sizes, attributes, and the recipients up to the limit.
    pub envelope: Envelope,
    /// Where further recipients come from, when the limit was reached.
    pub more: Option<RecipientSource>,
}

/// A queue file with recipients that have not been read.
#[derive(Debug)]
pub struct RecipientSource {
    file: Arc<File>,
    path: PathBuf,
    reader: EnvelopeReader,
    next: Step,
}

impl Queue {
    /// Reads the envelope of a message, with at most about `recipient_limit` recipients that are not done.
    ///
    /// # Errors
    /// [`QueueError::is_gone`], [`QueueError::is_corrupt`], or another failure that will pass.
    pub fn load(&self, name: QueueName, id: &QueueId, recipient_limit: usize) -> Result<Loaded, QueueError> {
        self.load_path(&self.path(name, id), recipient_limit)
    }

    /// As [`Queue::load`], for a file of any name.
    ///
    /// # Errors
    /// As [`Queue::load`].
    pub fn load_path(&self, path: &Path, recipient_limit: usize) -> Result<Loaded, QueueError> {
        let file = File::open(path).map_err(QueueError::io("open", path))?;
        Loaded::from_file(Arc::new(file), path, recipient_limit)
    }
}

impl Loaded {
    /// As [`Queue::load`], from an open file; `path` is for errors.
    ///
    /// # Errors
    /// As [`Queue::load`].
    pub fn from_file(file: Arc<File>, path: &Path, recipient_limit: usize) -> Result<Self, QueueError> {
        let mut source = RecipientSource {
            file,
            path: path.to_owned(),
            reader: EnvelopeReader::new(recipient_limit),
            next: Step::Read { offset: 0, at_least: 2 },
        };
        source.run()?;
        if source.next == Step::Done {
            let envelope = source.reader.into_envelope();
            return check(&envelope, path).map(|()| Self { envelope, more: None });
        }
        let recipients = source.forget_recipients();
        let envelope = Envelope { recipients, ..source.rest()? };
        check(&envelope, path)?;
        Ok(Self { envelope, more: Some(source) })
    }
}

fn check(envelope: &Envelope, path: &Path) -> Result<(), QueueError> {
    let what = match envelope {
        Envelope { sender: None, .. } => "sender",
        Envelope { arrival: None, .. } => "arrival time",
        _ => return Ok(()),
    };
    Err(QueueError::Incomplete { path: path.to_owned(), what })
}

impl RecipientSource {
    /// The next recipients, as many as `recipient_limit` allows; an empty list at the end.
    ///
    /// # Errors
    /// As [`Queue::load`].
    pub fn read(&mut self, recipient_limit: usize) -> Result<Vec<Recipient>, QueueError> {
        self.reader.set_recipient_limit(recipient_limit);
        if self.next == Step::Done {
            return Ok(Vec::new());
        }
        self.run()?;
        Ok(self.forget_recipients())
    }

    /// Nothing is left to read.
    pub fn is_done(&self) -> bool {
        self.next == Step::Done
    }

    /// The envelope without further recipients: what stands behind them is needed for the first.
    fn rest(&self) -> Result<Envelope, QueueError> {
        let mut rest = Self {
            file: Arc::clone(&self.file),
            path: self.path.clone(),
            reader: self.reader.without_recipients(),
            next: self.next,
        };
        rest.run()?;
        Ok(rest.reader.into_envelope())
    }

    fn forget_recipients(&mut self) -> Vec<Recipient> {
        let (recipients, next) = self.reader.more();
        if self.next != Step::Done {
            self.next = next;
        }
        recipients
    }

    /// Reads until the limit or the end.
    fn run(&mut self) -> Result<(), QueueError> {
        let mut block = vec![0; BLOCK_BYTES];
        while let Step::Read { offset, at_least } = self.next {
            if at_least > block.len() {
                block.resize(at_least, 0);
            }
            let length =
                read_at(&self.file, &mut block, offset).map_err(QueueError::io("read", &self.path))?;
            let step = self.reader.feed(&block[..length], length < block.len());
            self.next = step.map_err(|source| QueueError::Corrupt { path: self.path.clone(), source })?;
        }
        Ok(())
    }
}

/// Fills `block` as far as the file goes.
fn read_at(file: &File, block: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read_at(&mut block[length..], offset + length as u64) {
            Ok(0) => break,
            // A regular file gives less than asked for at its end only: no second call to learn what is known.
            Ok(count) if count < block.len() - length => return Ok(length + count),
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
