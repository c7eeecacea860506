//! Where the bytes of a message come from: the records of a queue file, a block at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use queue_format::content::{ContentReader, ContentStep};
use queue_format::{DecodeError, Kind};
use sys::memory_file;

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
    /// Another try has delivered to this recipient meanwhile.
    #[error("delivered meanwhile")]
    CrossedOff,
    /// The message was in memory, and has got a queue file: whoever has that file may be delivering it.
    #[error("moved to the queue")]
    Moved,
}

/// The content that a queue file holds.
#[derive(Debug)]
pub struct QueueContent<'a> {
    file: &'a File,
    reader: ContentReader,
    block: &'a mut Vec<u8>,
    next: Option<ContentStep>,
    /// The recipient's record, until it has been looked at.
    recipient: Option<u64>,
}

impl<'a> QueueContent<'a> {
    /// The content that begins at `offset` of a queue file. `block` is scratch space, worth keeping.
    pub fn new(file: &'a File, offset: u64, block: &'a mut Vec<u8>) -> Self {
        let reader = ContentReader::new(offset);
        Self { file, reader, block, next: Some(ContentStep::Read { offset, at_least: 1 }), recipient: None }
    }

    /// Is only given when nobody else has delivered to the recipient whose record is at `offset`, nor may do so. That is
    /// looked at as late as can be, at the first [`Content::fill`]: whoever delivers has by then made the mailbox its
    /// own, and another try finds what it leaves there.
    pub fn for_recipient(self, offset: u64) -> Self {
        Self { recipient: (offset > 0).then_some(offset), ..self }
    }

    fn look_at_recipient(&mut self) -> Result<(), ContentError> {
        let Some(offset) = self.recipient.take() else { return Ok(()) };
        let mut kind = [0];
        self.file.read_exact_at(&mut kind, offset)?;
        if Kind(kind[0]) == Kind::DONE {
            return Err(ContentError::CrossedOff);
        }
        // In this order: nobody is crossed off in memory that is sealed.
        if memory_file::is_sealed(self.file) { Err(ContentError::Moved) } else { Ok(()) }
    }
}

impl Content for QueueContent<'_> {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, ContentError> {
        self.look_at_recipient()?;
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

    use queue_format::{content, record};

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
    fn who_has_got_it_meanwhile_is_looked_at_before_the_first_piece() {
        let file = memory_file::create("message").unwrap();
        let mut records = Vec::new();
        record::write(&mut records, Kind::SENDER, b"a@b");
        let recipient = records.len() as u64;
        record::write(&mut records, Kind::RECIPIENT, b"c@d");
        let begin = records.len() as u64;
        content::write_line(&mut records, b"text", 2048);
        record::write(&mut records, Kind::EXTRACTED, b"");
        file.write_all_at(&records, 0).unwrap();
        let first = || {
            let mut block = Vec::new();
            QueueContent::new(&file, begin, &mut block).for_recipient(recipient).fill(&mut Vec::new())
        };
        assert!(first().unwrap());
        memory_file::seal(&file).unwrap();
        assert!(matches!(first(), Err(ContentError::Moved)));
        let mut crossed = tempfile::tempfile().unwrap();
        records[recipient as usize] = Kind::DONE.0;
        crossed.write_all(&records).unwrap();
        let mut block = Vec::new();
        let mut content = QueueContent::new(&crossed, begin, &mut block).for_recipient(recipient);
        assert!(matches!(content.fill(&mut Vec::new()), Err(ContentError::CrossedOff)));
    }

    #[test]
    fn a_file_cut_off_is_damaged_and_not_shorter() {
        let mut file = Vec::new();
        content::write_line(&mut file, b"only line", 2048);
        assert!(matches!(read_all(&file, 0), Err(ContentError::Damaged(DecodeError::Truncated { .. }))));
    }
}
