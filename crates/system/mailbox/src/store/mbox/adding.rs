//! New messages at the end of the file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Mutex;

use sys::directory::{self, Links};

use super::folder::{Held, Mbox, beside};
use super::from_line;
use super::header::{Base, Hidden, is_hidden};
use super::parse;
use super::write::{Target, ends_line};
use crate::store::contents::Contents;
use crate::store::error::MailError;
use crate::store::flags::Flags;
use crate::store::upload::{Addition, Site};
use crate::store::{Uid, filename, keywords, locked};

/// A header line that is longer is body, bytes.
const LINE_LIMIT_BYTES: usize = 1024 * 1024;

impl Mbox {
    /// See [`crate::store::Folder::upload`].
    pub(crate) fn site(&self, now_us: u64) -> Result<Site, MailError> {
        let settings = &self.root.settings;
        let fresh = filename::fresh(self.root.unique_us(now_us), settings.process, &settings.host);
        let stem = beside(&self.name, &fresh).to_string_lossy().into_owned();
        let directory = self.home.enter_to_sync(Path::new("."), Links::Refuse);
        Ok(Site { directory: directory.map_err(self.trouble("open the directory of"))?, stem })
    }

    /// See [`crate::store::Folder::append`].
    pub(crate) fn append(
        &mut self,
        contents: &Mutex<Contents>,
        additions: &[Addition],
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        let mut held = self.hold(now_us)?;
        self.read(contents, &held.file, now_us)?;
        let mut size = self.cut_off_torn_line(&held)?;
        if !gap_before(&held.file, size).map_err(self.trouble("read"))?.is_empty() && !self.pieces.is_empty()
        {
            // The last message is torn. It becomes whole, with a UID of its own, before anything comes behind it.
            self.rewrite(contents, &held, &[], now_us)?;
            drop(held);
            held = self.hold(now_us)?;
            self.read(contents, &held.file, now_us)?;
            size = directory::stamp(&held.file).map_err(self.trouble("read"))?.size;
        }
        let (first, base) = {
            let mut contents = locked(contents);
            for addition in additions {
                keywords::numbers(&mut contents.keywords, &addition.keywords)?;
            }
            (contents.summary().uid_next, self.base_for(&contents))
        };
        let uids: Vec<Uid> = (first..).take(additions.len()).collect();
        if let Err(error) = self.write_all(&held, size, additions, &uids, base) {
            // As delivery does: what was there stays, what was not whole goes.
            let _ = self.root.settings.disk.truncate(&held.file, size);
            self.seen = None;
            return Err(self.trouble("write")(error));
        }
        self.seen = None;
        self.read(contents, &held.file, now_us)?;
        self.save_index(contents);
        Ok(uids)
    }

    /// The length of the file without the begin of a `From ` line that a writer left who died.
    fn cut_off_torn_line(&self, held: &Held) -> Result<u64, MailError> {
        let size = directory::stamp(&held.file).map_err(self.trouble("read"))?.size;
        let last = self.pieces.last().map(|(_, piece)| piece).or(self.pseudo.as_ref());
        let torn = parse::torn_from_line(&held.file, last.map_or(0, |piece| piece.end), size);
        match torn.map_err(self.trouble("read"))? {
            Some(begin) => {
                let cut = self.root.settings.disk.truncate(&held.file, begin);
                cut.map(|()| begin).map_err(self.trouble("truncate"))
            }
            None => Ok(size),
        }
    }

    fn write_all(
        &self,
        held: &Held,
        size: u64,
        additions: &[Addition],
        uids: &[Uid],
        base: Base,
    ) -> io::Result<()> {
        let disk = &self.root.settings.disk;
        let mut target = Target { disk: &**disk, file: &held.file, offset: size };
        target.write(gap_before(&held.file, size)?)?;
        let mut base = (self.pieces.is_empty() && self.pseudo.is_none())
            .then(|| Base { last_uid: uids.last().copied().unwrap_or(base.last_uid), ..base });
        for (addition, uid) in additions.iter().zip(uids) {
            write_one(&mut target, addition, *uid, base.take())?;
        }
        disk.sync(&held.file)
    }
}

/// What must stand before the next `From ` line: a line end.
fn gap_before(file: &File, size: u64) -> io::Result<&'static [u8]> {
    let whole = size == 0 || ends_line(file, size)?;
    Ok(if whole { b"" } else { b"\n" })
}

/// The uploaded text, its hidden header lines replaced by ours.
fn write_one(target: &mut Target<'_>, addition: &Addition, uid: Uid, base: Option<Base>) -> io::Result<()> {
    let file = addition.upload.reopened()?;
    let total = file.metadata()?.len();
    let (header, body) = split(&file)?;
    // Programs that look for an empty line before a `From ` line find it. Dovecot does the same.
    let unended = total > body && !ends_line(&file, total)?;
    target.write(from_line::line(addition.received).as_bytes())?;
    target.write(&header)?;
    let hidden = Hidden {
        base,
        pseudo: false,
        uid: Some(uid),
        flags: addition.flags & Flags::CLIENT,
        old: false,
        keywords: addition.keywords.clone(),
        content_length: Some(total - body + u64::from(unended)),
    };
    target.write(&hidden.to_lines(None).unwrap_or_default())?;
    target.write(b"\n")?;
    target.copy(&file, body, total)?;
    target.write(if unended { b"\n\n" } else { b"\n" })
}

/// The header without hidden lines, each line ended, and where the body begins.
fn split(file: &File) -> io::Result<(Vec<u8>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut header, mut at, mut line, mut hides) = (Vec::new(), 0, Vec::new(), false);
    loop {
        line.clear();
        io::Read::take(&mut reader, LINE_LIMIT_BYTES as u64).read_until(b'\n', &mut line)?;
        at += line.len() as u64;
        if line.is_empty() || line == b"\n" || line == b"\r\n" {
            return Ok((header, at));
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            hides = is_hidden(&line);
        }
        // Such a line would begin another message, but right behind ours it does not.
        if !hides && (header.is_empty() || !from_line::is_one(&line)) {
            header.extend_from_slice(&line);
            if !line.ends_with(b"\n") {
                header.push(b'\n');
            }
        }
    }
}
