//! The text of a message, with the line ends of the wire.

use std::fs::File;
use std::path::PathBuf;

use sys::reading;

use super::error::MailError;

/// How much is read from the disk at a time, bytes: most messages in one piece.
const READ_BLOCK_BYTES: usize = 128 * 1024;

/// An open message. It stays readable when the message is expunged.
#[derive(Debug)]
pub struct MessageText {
    file: File,
    path: PathBuf,
    /// Parts of the file that make up the message, in order: begin and end in bytes.
    parts: Vec<(u64, u64)>,
    /// Sum of `parts`.
    disk_bytes: u64,
    wire_bytes: u64,
    /// A place of which both offsets are known: in the parts, on the wire, and whether a CR stands before it.
    here: Here,
    block: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Here {
    disk: u64,
    wire: u64,
    after_cr: bool,
    /// The LF at `disk` has had its CR already.
    cr_given: bool,
}

impl MessageText {
    /// The message that `parts` of a file make up; its size on the wire is counted if it is not known.
    pub(super) fn new(
        file: File,
        path: PathBuf,
        parts: Vec<(u64, u64)>,
        wire: Option<u64>,
    ) -> Result<Self, MailError> {
        let disk_bytes = parts.iter().map(|(begin, end)| end - begin).sum();
        let (here, block) = (Here::default(), Vec::new());
        let mut text = Self { file, path, parts, disk_bytes, wire_bytes: wire.unwrap_or(0), here, block };
        // A name can be wrong about sizes; less than on disk is never true.
        if wire.is_none_or(|wire| wire < disk_bytes) {
            text.wire_bytes = text.count()?;
        }
        Ok(text)
    }

    /// Length in bytes, each line end counted as CRLF (RFC822.SIZE).
    pub fn size_bytes(&self) -> u64 {
        self.wire_bytes
    }

    /// Appends at most `limit_bytes` of the text from `offset` on to `out`; fewer only at the end. Reading on where
    /// the last call ended is cheap.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn read_at(&mut self, offset: u64, limit_bytes: usize, out: &mut Vec<u8>) -> Result<(), MailError> {
        if self.wire_bytes == self.disk_bytes {
            return self.read_plain(offset, limit_bytes, out);
        }
        if offset < self.here.wire {
            self.here = Here::default();
        }
        let end = out.len().saturating_add(limit_bytes);
        let mut skip = offset - self.here.wire;
        while out.len() < end {
            let block = std::mem::take(&mut self.block);
            let outcome = self.fill(block);
            outcome?;
            if self.block.is_empty() {
                return Ok(());
            }
            let block = std::mem::take(&mut self.block);
            self.convert(&block, &mut skip, end, out);
            self.block = block;
        }
        Ok(())
    }

    /// With CRLF on disk, or without any line end, offsets are the same.
    fn read_plain(&mut self, offset: u64, limit_bytes: usize, out: &mut Vec<u8>) -> Result<(), MailError> {
        let (mut offset, end) = (offset, out.len().saturating_add(limit_bytes));
        while out.len() < end {
            let (at, length) = self.locate(offset, end - out.len());
            if length == 0 {
                return Ok(());
            }
            let got = self.append_file(at, length, out)?;
            if got == 0 {
                return Ok(());
            }
            offset += got as u64;
        }
        Ok(())
    }

    /// Reads the block at `here`; an empty one is the end.
    fn fill(&mut self, mut block: Vec<u8>) -> Result<(), MailError> {
        let (at, length) = self.locate(self.here.disk, READ_BLOCK_BYTES);
        block.clear();
        self.append_file(at, length, &mut block)?;
        self.block = block;
        Ok(())
    }

    /// Gives `block`, which begins at `here`, to `out` up to its length `end`, but for the first `skip` bytes.
    fn convert(&mut self, block: &[u8], skip: &mut u64, end: usize, out: &mut Vec<u8>) {
        // There is room, whatever stands before the line feeds. Mostly there is so much that they need not be counted.
        let room = end.saturating_sub(out.len());
        let fits = || block.len() + memchr::memchr_iter(b'\n', block).count() <= room;
        if *skip == 0 && (block.len().saturating_mul(2) <= room || fits()) {
            return self.convert_all(block, out);
        }
        let mut give = |bytes: &[u8], skip: &mut u64| {
            let passed = bytes.len().min(usize::try_from(*skip).unwrap_or(usize::MAX));
            *skip -= passed as u64;
            let taken = (bytes.len() - passed).min(end - out.len());
            out.extend_from_slice(&bytes[passed..passed + taken]);
            passed + taken
        };
        let mut at = 0;
        while at < block.len() {
            if block[at] == b'\n' && !self.here.after_cr && !self.here.cr_given {
                if give(b"\r", skip) == 0 {
                    return;
                }
                (self.here.wire, self.here.cr_given) = (self.here.wire + 1, true);
            }
            let run = &block[at..run_end(block, at)];
            let given = give(run, skip);
            if given == 0 {
                return;
            }
            self.here.disk += given as u64;
            self.here.wire += given as u64;
            self.here.after_cr = run[given - 1] == b'\r';
            self.here.cr_given = false;
            at += given;
        }
    }

    /// As [`Self::convert`], all of `block`: there is room, and nothing is passed over.
    fn convert_all(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        let (mut from, mut after_cr) = (0, self.here.after_cr || self.here.cr_given);
        for line_feed in memchr::memchr_iter(b'\n', block) {
            if line_feed > 0 {
                after_cr = block[line_feed - 1] == b'\r';
            }
            if !after_cr {
                out.extend_from_slice(&block[from..line_feed]);
                out.extend_from_slice(b"\r\n");
                from = line_feed + 1;
            }
        }
        out.extend_from_slice(&block[from..]);
        self.here.disk += block.len() as u64;
        self.here.wire += (out.len() - before) as u64;
        self.here.after_cr = block.last() == Some(&b'\r');
        self.here.cr_given = false;
    }

    /// Where in the file the byte `offset` of the parts is, and how many of at most `limit` bytes follow in one piece.
    fn locate(&self, offset: u64, limit: usize) -> (u64, usize) {
        let mut before = 0;
        for (begin, end) in &self.parts {
            let length = end - begin;
            if offset < before + length {
                let inside = offset - before;
                return (begin + inside, usize::try_from(length - inside).unwrap_or(usize::MAX).min(limit));
            }
            before += length;
        }
        (0, 0)
    }

    fn append_file(&self, at: u64, limit: usize, out: &mut Vec<u8>) -> Result<usize, MailError> {
        reading::append_at(&self.file, at, limit, out).map_err(MailError::io("read", &self.path))
    }

    /// The length on the wire.
    fn count(&mut self) -> Result<u64, MailError> {
        let (mut at, mut bare, mut after_cr) = (0, 0, false);
        loop {
            self.here.disk = at;
            let block = std::mem::take(&mut self.block);
            self.fill(block)?;
            if self.block.is_empty() {
                // Less than was promised: the file was cut off.
                self.disk_bytes = at;
                self.here = Here::default();
                return Ok(at + bare);
            }
            for line_feed in memchr::memchr_iter(b'\n', &self.block) {
                let before = line_feed.checked_sub(1).map(|at| self.block[at] == b'\r');
                bare += u64::from(!before.unwrap_or(after_cr));
            }
            after_cr = self.block.last() == Some(&b'\r');
            at += self.block.len() as u64;
        }
    }
}

/// Where the run that begins at `at` ends: an LF, with what follows it up to the next LF.
fn run_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at + 1..]).map_or(block.len(), |next| at + 1 + next)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn text_of(bytes: &[u8], parts: Vec<(u64, u64)>) -> MessageText {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        MessageText::new(file, "x".into(), parts, None).unwrap()
    }

    fn on_wire(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r') {
                out.push(b'\r');
            }
            out.push(*byte);
        }
        out
    }

    #[test]
    fn large_messages_come_whole_and_from_anywhere() {
        let line = b"some text\nand\r\nmore\n\n";
        let bytes: Vec<u8> = line.iter().copied().cycle().take(3 * READ_BLOCK_BYTES + 17).collect();
        let expected = on_wire(&bytes);
        let mut text = text_of(&bytes, vec![(0, bytes.len() as u64)]);
        assert_eq!(text.size_bytes(), expected.len() as u64);
        let mut out = Vec::new();
        text.read_at(0, usize::MAX, &mut out).unwrap();
        assert_eq!(out, expected);
        for offset in [100_000, 5, 199_999, 65_536] {
            let mut part = Vec::new();
            text.read_at(offset, 1000, &mut part).unwrap();
            assert_eq!(part, expected[offset as usize..(offset as usize + 1000).min(expected.len())]);
        }
    }

    proptest! {
        #[test]
        fn every_part_is_that_of_the_whole(bytes in "[a\r\n]{0,24}", offset in 0_u64..30, limit in 0_usize..9, cut in 0_u64..24) {
            let length = bytes.len() as u64;
            let cut = cut.min(length);
            let mut text = text_of(bytes.as_bytes(), vec![(0, cut), (cut, length)]);
            let expected = on_wire(bytes.as_bytes());
            prop_assert_eq!(text.size_bytes(), expected.len() as u64);
            let mut all = Vec::new();
            while all.len() < expected.len() {
                let before = all.len();
                text.read_at(before as u64, limit.max(1), &mut all).unwrap();
                prop_assert!(all.len() > before);
            }
            prop_assert_eq!(&all, &expected);
            let mut part = Vec::new();
            text.read_at(offset, limit, &mut part).unwrap();
            let begin = expected.len().min(offset as usize);
            prop_assert_eq!(part, &expected[begin..expected.len().min(begin + limit)]);
        }
    }
}
