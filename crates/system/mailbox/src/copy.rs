//! Writing a message, with the lines that go above it, into an open file.

use std::fs::File;
use std::mem::take;

use crate::content::Content;
use crate::disk::Disk;
use crate::error::DeliverError;
use crate::place::Form;

/// How much is gathered before it is written, in bytes.
const WRITE_BLOCK_BYTES: usize = 256 * 1024;

/// RFC 4155: a line that begins so begins a message of an mbox file.
const FROM: &[u8] = b"From ";

/// A file that is being written, from `offset` on.
pub(crate) struct Target<'a, D> {
    pub(crate) disk: &'a D,
    pub(crate) file: &'a File,
    pub(crate) offset: u64,
    /// The file may not become larger; 0 for no limit.
    pub(crate) limit_bytes: u64,
}

impl<D: Disk> Target<'_, D> {
    /// Writes `head`, the content, and for an mbox the empty line that ends a message. `buffer` is scratch
    /// space. Nothing is synced yet.
    pub(crate) fn copy(
        &mut self,
        form: Form,
        head: &[u8],
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
    ) -> Result<(), DeliverError> {
        self.compose(form, head, content, buffer)?;
        self.flush(buffer)
    }

    /// As [`Target::copy`], but the last part, often all of it, stays in `buffer`: [`Target::flush`] writes it.
    pub(crate) fn compose(
        &mut self,
        form: Form,
        head: &[u8],
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
    ) -> Result<(), DeliverError> {
        buffer.clear();
        buffer.extend_from_slice(head);
        match form {
            Form::Maildir => self.copy_plain(content, buffer),
            Form::Mbox => self.copy_quoted(content, buffer),
        }
    }

    fn copy_plain(&mut self, content: &mut dyn Content, buffer: &mut Vec<u8>) -> Result<(), DeliverError> {
        while content.fill(buffer)? {
            self.flush_when_full(buffer)?;
        }
        Ok(())
    }

    /// One `>` before each line that begins with `From `.
    fn copy_quoted(&mut self, content: &mut dyn Content, buffer: &mut Vec<u8>) -> Result<(), DeliverError> {
        let mut raw = Vec::new();
        let mut line_begins = true;
        while content.fill(&mut raw)? {
            let keep = undecided(&raw, line_begins);
            let rest = raw.split_off(raw.len() - keep);
            quote(&raw, &mut line_begins, buffer);
            raw = rest;
            self.flush_when_full(buffer)?;
        }
        quote(&raw, &mut line_begins, buffer);
        if !line_begins {
            buffer.push(b'\n');
        }
        buffer.push(b'\n');
        Ok(())
    }

    fn flush_when_full(&mut self, buffer: &mut Vec<u8>) -> Result<(), DeliverError> {
        if buffer.len() < WRITE_BLOCK_BYTES { Ok(()) } else { self.flush(buffer) }
    }

    /// Writes what is in `buffer`.
    pub(crate) fn flush(&mut self, buffer: &mut Vec<u8>) -> Result<(), DeliverError> {
        let end = self.offset + buffer.len() as u64;
        if self.limit_bytes > 0 && end > self.limit_bytes {
            return Err(DeliverError::TooLarge { limit_bytes: self.limit_bytes });
        }
        let written = self.disk.write(self.file, buffer, self.offset);
        written.map_err(|source| DeliverError::io("error writing message", source))?;
        self.offset = end;
        buffer.clear();
        Ok(())
    }
}

/// How many bytes at the end are the begin of a line too short to tell whether it begins with `From `.
fn undecided(raw: &[u8], line_begins: bool) -> usize {
    let tail = match raw.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => raw.len() - end - 1,
        None if line_begins => raw.len(),
        None => 0,
    };
    if tail < FROM.len() { tail } else { 0 }
}

fn quote(raw: &[u8], line_begins: &mut bool, out: &mut Vec<u8>) {
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if take(line_begins) && line.starts_with(FROM) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
        *line_begins = line.ends_with(b"\n");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use proptest::prelude::*;

    use super::*;
    use crate::content::ContentError;
    use crate::disk::RealDisk;

    /// Content that comes in pieces of the given size.
    struct Pieces<'a>(std::slice::Chunks<'a, u8>);

    impl Content for Pieces<'_> {
        fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, ContentError> {
            Ok(self.0.next().map(|piece| out.extend_from_slice(piece)).is_some())
        }
    }

    fn copied(form: Form, text: &[u8], piece: usize, limit_bytes: u64) -> Result<Vec<u8>, DeliverError> {
        let file = tempfile::tempfile().unwrap();
        let mut target = Target { disk: &RealDisk, file: &file, offset: 0, limit_bytes };
        target.copy(form, b"H: 1\n", &mut Pieces(text.chunks(piece)), &mut Vec::new())?;
        let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        Ok(bytes)
    }

    #[test]
    fn lines_that_look_like_a_separator_get_one_quote() {
        let text = b"Subject: x\n\nFrom here\n>From there\nFrom\nFrom";
        for piece in 1..=text.len() {
            let mbox = copied(Form::Mbox, text, piece, 0).unwrap();
            let expected = "H: 1\nSubject: x\n\n>From here\n>From there\nFrom\nFrom\n\n";
            assert_eq!(String::from_utf8(mbox).unwrap(), expected, "pieces of {piece}");
        }
        let maildir = copied(Form::Maildir, text, 7, 0).unwrap();
        assert_eq!(maildir, [b"H: 1\n".as_slice(), text].concat());
    }

    #[test]
    fn the_limit_counts_all_bytes() {
        assert!(copied(Form::Maildir, b"12345", 9, 10).is_ok());
        assert!(matches!(
            copied(Form::Maildir, b"123456", 9, 10),
            Err(DeliverError::TooLarge { limit_bytes: 10 })
        ));
    }

    proptest! {
        #[test]
        fn quoting_does_not_depend_on_the_pieces(text in "(F|From |\n|x){0,30}", piece in 1_usize..9) {
            prop_assert_eq!(copied(Form::Mbox, text.as_bytes(), piece, 0).unwrap(), copied(Form::Mbox, text.as_bytes(), 999, 0).unwrap());
        }
    }
}
