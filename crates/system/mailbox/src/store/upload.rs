//! A message on its way in.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use sys::directory::Directory;

use super::error::MailError;
use super::flags::Flags;
use crate::disk::Disk;

/// How much is gathered before it is written, bytes.
const WRITE_BLOCK_BYTES: usize = 64 * 1024;

/// Only the owner may read mail.
const FILE_MODE: u32 = 0o600;

/// Where a message is written.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) directory: Directory,
    /// A name that no other file there has.
    pub(super) stem: String,
}

/// A message that is being written. Dropped before [`super::Folder::append`], it leaves nothing.
pub struct Upload {
    disk: Arc<dyn Disk + Send + Sync>,
    /// Where the file lies meanwhile.
    directory: Directory,
    /// Its name there.
    pub(super) stem: String,
    file: File,
    buffer: Vec<u8>,
    /// What is in the file, bytes.
    written: u64,
    wire_bytes: u64,
    /// A CR that came last: a line end only if LF follows.
    pending_cr: bool,
    /// The file is a message, or will be removed by somebody else.
    placed: bool,
}

/// An upload that is to become a message.
#[derive(Debug)]
pub struct Addition {
    /// The whole text.
    pub upload: Upload,
    /// System flags.
    pub flags: Flags,
    /// Keywords by name.
    pub keywords: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
}

impl Upload {
    /// Begins one at `site`.
    pub(super) fn begin(disk: Arc<dyn Disk + Send + Sync>, site: Site) -> Result<Self, MailError> {
        let Site { directory, stem } = site;
        let made = disk.create(&directory, Path::new(&stem), FILE_MODE);
        let file = made.map_err(MailError::io("create", &stem))?;
        let (buffer, written, wire_bytes) = (Vec::new(), 0, 0);
        Ok(Self {
            disk,
            directory,
            stem,
            file,
            buffer,
            written,
            wire_bytes,
            pending_cr: false,
            placed: false,
        })
    }

    /// Adds bytes of the message. Line ends may be CRLF or LF; on disk they are LF.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), MailError> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.write_line(line);
            if self.buffer.len() >= WRITE_BLOCK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// A line, or a part of one.
    fn write_line(&mut self, line: &[u8]) {
        let (text, ends) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        if self.pending_cr && !(ends && text.is_empty()) {
            self.buffer.push(b'\r');
            self.wire_bytes += 1;
        }
        self.pending_cr = false;
        let (text, cr) = match text.strip_suffix(b"\r") {
            Some(text) => (text, true),
            None => (text, false),
        };
        self.buffer.extend_from_slice(text);
        self.wire_bytes += text.len() as u64;
        if ends {
            self.buffer.push(b'\n');
            self.wire_bytes += 2;
        } else {
            self.pending_cr = cr;
        }
    }

    /// Bytes so far, line ends counted as CRLF.
    pub fn size_bytes(&self) -> u64 {
        self.wire_bytes + u64::from(self.pending_cr)
    }

    fn flush(&mut self) -> Result<(), MailError> {
        let outcome = self.disk.write(&self.file, &self.buffer, self.written);
        outcome.map_err(MailError::io("write", &self.stem))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Brings everything to the disk, the date with it.
    pub(super) fn finish(&mut self, received: i64) -> Result<(), MailError> {
        if std::mem::take(&mut self.pending_cr) {
            self.buffer.push(b'\r');
            self.wire_bytes += 1;
        }
        self.flush()?;
        self.buffer = Vec::new();
        let dated = self.disk.set_modified(&self.file, received).and_then(|()| self.disk.sync(&self.file));
        dated.map_err(MailError::io("sync", &self.stem))
    }

    /// The base name that it has as a message.
    pub(super) fn final_base(&self) -> String {
        format!("{},S={},W={}", self.stem, self.written, self.wire_bytes)
    }

    /// Bytes in the file, once it is finished.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.written
    }

    /// The text again, to write it elsewhere.
    pub(super) fn reopened(&self) -> std::io::Result<File> {
        self.directory.open_to_read(Path::new(&self.stem), sys::directory::Links::Refuse)
    }

    /// It has become a message; nothing is to be removed.
    pub(super) fn is_placed(&mut self) {
        self.placed = true;
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("stem", &self.stem).field("size_bytes", &self.size_bytes()).finish()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.placed {
            // What stays in tmp/ is no message; readers remove it after 36 hours.
            let _ = self.disk.remove(&self.directory, Path::new(&self.stem));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::RealDisk;

    fn uploaded(text: &[u8], piece: usize) -> (Vec<u8>, u64, u64) {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path()).unwrap();
        let site = Site { directory, stem: "x".into() };
        let mut upload = Upload::begin(Arc::new(RealDisk), site).unwrap();
        text.chunks(piece).for_each(|piece| upload.write(piece).unwrap());
        let wire = upload.size_bytes();
        upload.finish(77).unwrap();
        assert_eq!(wire, upload.size_bytes());
        let on_disk = std::fs::read(root.path().join("x")).unwrap();
        assert_eq!(upload.final_base(), format!("x,S={},W={wire}", on_disk.len()));
        drop(upload);
        assert!(!root.path().join("x").exists());
        (on_disk.clone(), on_disk.len() as u64, wire)
    }

    #[test]
    fn line_ends_become_lf_and_count_as_crlf() {
        assert_eq!(uploaded(b"a\r\nb\nc\rd\r\r\n", 3), (b"a\nb\nc\rd\r\n".to_vec(), 9, 12));
        assert_eq!(uploaded(b"a\r", 1), (b"a\r".to_vec(), 2, 2));
        assert_eq!(uploaded(b"", 1), (Vec::new(), 0, 0));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[a\r\n]{0,20}", piece in 1_usize..6) {
            prop_assert_eq!(uploaded(text.as_bytes(), piece), uploaded(text.as_bytes(), 99));
        }
    }
}
