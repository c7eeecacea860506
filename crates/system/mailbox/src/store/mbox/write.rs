//! Making the file anew: beside the old one, synced, then in its place. Whenever that stops, one of the two is whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sys::directory::Links;

use super::Span;
use super::folder::{Held, Mbox, beside};
use super::header::{Base, Hidden};
use super::parse::Piece;
use crate::store::contents::{Contents, Place};
use crate::store::error::MailError;
use crate::store::{Uid, keywords, locked};

const COPY_BYTES: usize = 256 * 1024;
const FILE_MODE: u32 = 0o600;

/// A file that is being written.
pub(super) struct Target<'a> {
    pub(super) disk: &'a dyn crate::disk::Disk,
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Target<'_> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(self.file, bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn copy(&mut self, source: &File, begin: u64, end: u64) -> io::Result<()> {
        let (mut at, mut block) = (begin, Vec::new());
        while at < end {
            block.resize(COPY_BYTES.min(usize::try_from(end - at).unwrap_or(COPY_BYTES)), 0);
            source.read_exact_at(&mut block, at)?;
            self.write(&block)?;
            at += block.len() as u64;
        }
        Ok(())
    }
}

impl Mbox {
    /// Makes the file anew with what `contents` says about each message, without those of `gone` (sorted).
    pub(super) fn rewrite(
        &mut self,
        contents: &std::sync::Mutex<Contents>,
        held: &Held,
        gone: &[Uid],
        now_us: u64,
    ) -> Result<(), MailError> {
        let temporary = beside(&self.name, "pillarbox");
        let home = &self.home;
        let disk = self.root.settings.disk.clone();
        let outcome = self.write_beside(contents, held, gone, &temporary).and_then(|()| {
            disk.replace(home, &temporary, home, &self.name)?;
            disk.sync_directory(&home.enter_to_sync(Path::new("."), Links::Refuse)?)
        });
        if let Err(error) = outcome {
            let _ = disk.remove(home, &temporary);
            return Err(self.trouble("rewrite")(error));
        }
        // The UIDs are in the file now: it is read as anybody reads it.
        let gone_now = locked(contents).next_modseq(now_us);
        if !gone.is_empty() {
            locked(contents).remove(gone, gone_now);
        }
        self.seen = None;
        let file = home.open_to_read(&self.name, Links::Refuse).map_err(self.trouble("open"))?;
        self.read(contents, &file, now_us)
    }

    fn write_beside(
        &self,
        contents: &std::sync::Mutex<Contents>,
        held: &Held,
        gone: &[Uid],
        temporary: &Path,
    ) -> io::Result<()> {
        let (home, disk) = (&self.home, &self.root.settings.disk);
        let file = match disk.create(home, temporary, FILE_MODE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Of one who died: whoever writes here holds the locks.
                disk.remove(home, temporary)?;
                disk.create(home, temporary, FILE_MODE)?
            }
            outcome => outcome?,
        };
        file.set_permissions(held.file.metadata()?.permissions())?;
        let mut target = Target { disk: &**disk, file: &file, offset: 0 };
        let mut base = Some(self.base_for(&locked(contents)));
        if let Some(piece) = &self.pseudo {
            let hidden = Hidden { base: base.take(), ..piece.hidden.clone() };
            self.write_piece(&mut target, &held.file, piece, &hidden)?;
        }
        for (uid, piece) in &self.pieces {
            if gone.binary_search(uid).is_err() {
                let hidden = hidden_for(&locked(contents), *uid, piece, base.take());
                self.write_piece(&mut target, &held.file, piece, &hidden)?;
            }
        }
        disk.sync(&file)
    }

    fn write_piece(
        &self,
        target: &mut Target<'_>,
        source: &File,
        piece: &Piece,
        hidden: &Hidden,
    ) -> io::Result<()> {
        target.copy(source, piece.begin, piece.header)?;
        for (begin, end) in &piece.visible {
            target.copy(source, *begin, *end)?;
        }
        // A header line that a writer left unfinished who died.
        if let Some((_, end)) = piece.visible.last()
            && !ends_line(source, *end)?
        {
            target.write(b"\n")?;
        }
        target.write(&hidden.to_lines(None).unwrap_or_default())?;
        if piece.blank < piece.end {
            target.write(b"\n")?;
            target.copy(source, piece.body, piece.end)?;
        }
        target.write(b"\n")
    }

    /// What the first message says about the folder.
    pub(super) fn base_for(&self, contents: &Contents) -> Base {
        let summary = contents.summary();
        let listed = self.base.as_ref().map_or(0, |base| base.last_uid);
        Base {
            uid_validity: summary.uid_validity,
            last_uid: summary.uid_next.saturating_sub(1).max(listed),
            keywords: contents.keywords.iter().filter(|name| !name.is_empty()).cloned().collect(),
        }
    }
}

/// Does a line end before `end`?
pub(super) fn ends_line(file: &File, end: u64) -> io::Result<bool> {
    let mut byte = [0];
    file.read_exact_at(&mut byte, end.saturating_sub(1))?;
    Ok(byte == *b"\n")
}

/// The hidden fields of a message, by what is known about it now.
pub(super) fn hidden_for(contents: &Contents, uid: Uid, piece: &Piece, base: Option<Base>) -> Hidden {
    let content_length = Some(piece.end - piece.body);
    let is_recent = |uid| {
        contents
            .detail(uid)
            .is_some_and(|detail| matches!(detail.place, Place::Span(Span { recent: true, .. })))
    };
    match contents.message(uid) {
        Some(message) => Hidden {
            base,
            pseudo: false,
            uid: Some(uid),
            flags: message.flags,
            old: !is_recent(uid),
            keywords: keywords::names_of(contents.keywords(), message.keywords),
            content_length,
        },
        None => Hidden { base, uid: Some(uid), content_length, ..piece.hidden.clone() },
    }
}
