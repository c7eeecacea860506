//! Where the bytes of a message come from: the records of a queue file, a block at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use queue_format::DecodeError;
use queue_format::content::{ContentReader, ContentStep};

/// How much of a queue file is read at a time, in bytes.
pub const READ_BLOCK_BYTES: usize = 64 * 1024;

/// The content of a message, in pieces.
pub trait Content {
    /// Appends the next piece to `out`, lines ended by LF; false at the end, when nothing was appended.
    ///
    /// # Errors
    /// [`ContentError`]: what has been appended so far must not be delivered.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, ContentError>;
}

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The disk failed, or the file is gone.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The queue file's records make no sense.
    #[error("{0}")]
    Damaged(#[from] DecodeError),
}

/// The content that a queue file holds.
#[derive(Debug)]
pub struct QueueContent<'a> {
    file: &'a File,
    reader: ContentReader,
    block: &'a mut Vec<u8>,
    next: Option<ContentStep>,
}

impl<'a> QueueContent<'a> {
    /// The content that begins at `offset` of a queue file. `block` is scratch space, worth keeping.
    pub fn new(file: &'a File, offset: u64, block: &'a mut Vec<u8>) -> Self {
        let reader = ContentReader::new(offset);
        Self { file, reader, block, next: Some(ContentStep::Read { offset, at_least: 1 }) }
    }
}

impl Content for QueueContent<'_> {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, ContentError> {
        let before = out.len();
        while out.len() == before {
            let Some(ContentStep::Read { offset, at_least }) = self.next else { return Ok(false) };
            let wanted = READ_BLOCK_BYTES.max(at_least);
            if self.block.len() < wanted {
                self.block.resize(wanted, 0);
            }
            let got = read(self.file, &mut self.block[..wanted], offset)?;
            let step = self.reader.feed(&self.block[..got], got < wanted, out)?;
            self.next = (step != ContentStep::Done).then_some(step);
        }
        Ok(true)
    }
}

/// Fills `buffer`; less than that is the end of the file, for a regular file gives at once all it has.
fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Content that is in memory already.
impl Content for &[u8] {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, ContentError> {
        out.extend_from_slice(self);
        let more = !self.is_empty();
        *self = &[];
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use queue_format::{Kind, content, record};

    use super::*;

    fn read_all(file: &[u8], offset: u64) -> Result<Vec<u8>, ContentError> {
        let mut on_disk = tempfile::tempfile()?;
        on_disk.write_all(file)?;
        let (mut out, mut block) = (Vec::new(), Vec::new());
        let mut content = QueueContent::new(&on_disk, offset, &mut block);
        while content.fill(&mut out)? {}
        Ok(out)
    }

    #[test]
    fn content_of_many_blocks_comes_whole() {
        let mut file = b"head".to_vec();
        let mut text = Vec::new();
        for number in 0..20_000 {
            let line = format!("line {number}");
            content::write_line(&mut file, line.as_bytes(), 2048);
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        record::write(&mut file, Kind::EXTRACTED, b"");
        assert!(text.len() > 2 * READ_BLOCK_BYTES);
        assert_eq!(read_all(&file, 4).unwrap(), text);
    }

    #[test]
    fn a_file_cut_off_is_damaged_and_not_shorter() {
        let mut file = Vec::new();
        content::write_line(&mut file, b"only line", 2048);
        assert!(matches!(read_all(&file, 0), Err(ContentError::Damaged(DecodeError::Truncated { .. }))));
    }
}
