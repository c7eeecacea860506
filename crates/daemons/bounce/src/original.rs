//! The message that a report is about, as far as a report needs it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use message::Known;
use queue::{Queue, QueueError, QueueName};
use queue_format::QueueId;
use queue_format::content::{ContentReader, ContentStep};

/// How much of the file is read at a time, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;
/// A header longer than this is returned cut off, in bytes.
const HEADER_LIMIT_BYTES: usize = 1024 * 1024;

/// What the queue file says.
#[derive(Debug, Default)]
pub(crate) struct OriginalFile {
    /// Seconds since 1970.
    pub(crate) arrival_seconds: u64,
    /// As `size=` in the log.
    pub(crate) size_bytes: u64,
    /// Message-Id with brackets, or empty.
    pub(crate) message_id: String,
    /// The header, or all of it; lines end in LF.
    pub(crate) content: Vec<u8>,
}

/// Reads the queue file, with the body if `wants_body` says so for its size. `None`: it is gone or damaged, and the report is
/// made without it.
///
/// # Errors
/// [`QueueError::Io`] when it may be readable later.
pub(crate) fn read(
    queue: &Queue,
    name: QueueName,
    id: &QueueId,
    wants_body: impl FnOnce(u64) -> bool,
) -> Result<Option<OriginalFile>, QueueError> {
    // Where the content begins is known once all recipients before it are read.
    let envelope = match queue.load(name, id, usize::MAX) {
        Ok(loaded) => loaded.envelope,
        Err(error) if error.is_gone() || error.is_corrupt() => return Ok(None),
        Err(error) => return Err(error),
    };
    let size_bytes = envelope.message_bytes();
    let content = match read_content(queue, name, id, envelope.content_offset, wants_body(size_bytes)) {
        Ok(content) => content,
        Err(error) if error.is_gone() || error.is_corrupt() => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(OriginalFile {
        arrival_seconds: envelope.arrival_seconds(),
        size_bytes,
        message_id: message_id(&content),
        content,
    }))
}

fn read_content(
    queue: &Queue,
    name: QueueName,
    id: &QueueId,
    content_offset: u64,
    whole: bool,
) -> Result<Vec<u8>, QueueError> {
    let path = queue.path(name, id);
    let io = |verb| {
        let path = path.clone();
        move |source| QueueError::Io { verb, path, source }
    };
    let file = File::open(&path).map_err(io("open"))?;
    let mut content = Vec::new();
    let mut reader = ContentReader::new(content_offset);
    let mut block = Vec::new();
    let (mut offset, mut at_least) = (content_offset, 0);
    loop {
        block.resize(BLOCK_BYTES.max(at_least), 0);
        let length = read_full(&file, &mut block, offset).map_err(io("read"))?;
        let at_end = length < block.len();
        let step = reader
            .feed(&block[..length], at_end, &mut content)
            .map_err(|source| QueueError::Corrupt { path: path.clone(), source })?;
        let enough = !whole && (has_body(&content) || content.len() > HEADER_LIMIT_BYTES);
        match step {
            ContentStep::Read { offset: next, at_least: least } if !enough => {
                (offset, at_least) = (next, least)
            }
            _ => return Ok(content),
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], offset + length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// Has the header come to its end?
fn has_body(content: &[u8]) -> bool {
    content.starts_with(b"\n") || content.windows(2).any(|pair| pair == b"\n\n")
}

/// The Message-Id of the header, when it has the form of one.
fn message_id(content: &[u8]) -> String {
    let header = content.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let mut ids =
        header.filter(|line| message::header_name(line).and_then(Known::by_name) == Some(Known::MessageId));
    let Some(line) = ids.next() else { return String::new() };
    let value = String::from_utf8_lossy(message::header::header_value(line)).trim().to_owned();
    if value.starts_with('<') && value.ends_with('>') { value } else { String::new() }
}
