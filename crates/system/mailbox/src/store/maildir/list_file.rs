//! `dovecot-uidlist` as a file: read as far as it has grown, appended to, written anew.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use sys::directory::{self, Directory, Links, Stamp};

use super::LIST;
use super::directories::FILE_MODE;
use crate::disk::Disk;
use crate::store::Uid;
use crate::store::uidlist::{self, BadUidlist, Header, Parsed, Record};

/// A list with fewer than these dead records is not written anew for them.
const DEAD_RECORDS: usize = 16;
/// A line of the list is not longer than this, bytes: a file name and fields.
const LINE_BYTES: usize = 1024;

/// What is known about the file.
#[derive(Debug, Default)]
pub(super) struct ListFile {
    /// The file as it was when it was read or written last.
    pub(super) stamp: Option<Stamp>,
    /// That very file. While it is held no other can have its inode number; a list that others write anew twice would
    /// mostly get it again.
    held: Option<File>,
    pub(super) header: Option<Header>,
    /// How far it was read, in bytes.
    end: usize,
    /// How many records there are, also for messages that are gone.
    records: usize,
    /// The last UID in it.
    last: Uid,
    /// Something in it can not stay: it must be written anew before anything is appended.
    pub(super) unfit: bool,
    /// UIDs of files that were not there when the list was read, by base name.
    pub(super) waiting: HashMap<Box<[u8]>, (Uid, Box<str>)>,
}

/// How the file has changed.
pub(super) enum Reading {
    /// Not at all, or only grown: what was known is still true.
    Same,
    /// It is another list: records are to be taken from it afresh.
    Replaced,
    /// There is none, or none that can be understood.
    Missing,
}

impl ListFile {
    /// Brings in what others have written.
    pub(super) fn refresh(&mut self, home: &Directory, now: Option<Stamp>) -> io::Result<Reading> {
        let Some(now) = now else {
            *self = Self::default();
            return Ok(Reading::Missing);
        };
        let Some(known) = self.stamp else { return self.read_whole(home) };
        if known == now || self.has_grown(&known, &now) && self.read_tail(home, &known)? {
            return Ok(Reading::Same);
        }
        self.read_whole(home)
    }

    /// Gives the descriptor back.
    pub(super) fn rest(&mut self) {
        self.held = None;
    }

    fn has_grown(&self, known: &Stamp, now: &Stamp) -> bool {
        (known.device, known.inode) == (now.device, now.inode) && now.size > self.end as u64 && !self.unfit
    }

    fn read_whole(&mut self, home: &Directory) -> io::Result<Reading> {
        let mut file = home.open_to_read(Path::new(LIST), Links::Refuse)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let stamp = Stamp { size: text.len() as u64, ..directory::stamp(&file)? };
        let Ok(parsed) = uidlist::parse(&text) else {
            *self = Self { stamp: Some(stamp), ..Self::default() };
            return Ok(Reading::Missing);
        };
        *self = Self { stamp: Some(stamp), held: Some(file), ..Self::default() };
        self.take(parsed);
        Ok(Reading::Replaced)
    }

    /// Reads what was appended; false when the file is another one than before.
    fn read_tail(&mut self, home: &Directory, known: &Stamp) -> io::Result<bool> {
        let Some(header) = self.header.clone() else { return Ok(true) };
        let file = home.open_to_read(Path::new(LIST), Links::Refuse)?;
        let stamp = directory::stamp(&file)?;
        if (stamp.device, stamp.inode) != (known.device, known.inode) || !self.goes_on_in(&file, &header)? {
            return Ok(false);
        }
        let mut text = vec![0; (stamp.size as usize).saturating_sub(self.end)];
        file.read_exact_at(&mut text, self.end as u64)?;
        let mut parsed = Parsed { header, records: Vec::new(), fault: None, lost_bytes: 0, end: self.end };
        parsed.extend(&text, self.last);
        (self.stamp, self.held) = (Some(stamp), Some(file));
        self.take(parsed);
        Ok(true)
    }

    /// Does the last line that was read still end there? A file that nobody held may be another, whatever its number.
    fn goes_on_in(&self, file: &File, header: &Header) -> io::Result<bool> {
        let start = self.end.saturating_sub(LINE_BYTES);
        let mut text = vec![0; self.end - start];
        match file.read_exact_at(&mut text, start as u64) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            outcome => outcome?,
        }
        Ok(uidlist::last_uid(&text, header.version).is_some_and(|last| last == self.last))
    }

    fn take(&mut self, parsed: Parsed) {
        let mut header = parsed.header.clone();
        header.next_uid = parsed.next_uid().max(self.header.as_ref().map_or(1, |known| known.next_uid));
        if let Some(fault) = parsed.fault {
            self.unfit = true;
            if fault != BadUidlist::Torn {
                log::warn!("{LIST}: {fault}: messages whose UIDs are lost get new ones");
            }
        }
        self.unfit |= header.version != 3 || header.guid.is_none();
        self.header = Some(header);
        self.end = parsed.end;
        self.records += parsed.records.len();
        for record in parsed.records {
            self.last = record.uid;
            self.waiting.insert(record.base, (record.uid, record.fields));
        }
    }

    /// The state of a file that an index remembers.
    pub(super) fn remembered(
        stamp: Option<Stamp>,
        header: Option<Header>,
        end: u64,
        records: u64,
        last: Uid,
    ) -> Self {
        let unfit = header.is_none();
        let (end, records) = (end as usize, records as usize);
        Self { stamp, held: None, header, end, records, last, unfit, waiting: HashMap::new() }
    }

    /// How far it was read: bytes, records, the last UID.
    pub(super) fn progress(&self) -> (u64, u64, Uid) {
        (self.end as u64, self.records as u64, self.last)
    }

    /// Goes on from a list of another program.
    pub(super) fn adopt(&mut self, parsed: Parsed) {
        self.take(parsed);
        self.unfit = true;
    }

    /// Is it time to leave out the records of messages that are gone?
    pub(super) fn is_sparse(&self, messages: usize) -> bool {
        let dead = self.records.saturating_sub(messages);
        dead > DEAD_RECORDS && dead * 4 > self.records
    }

    /// Does it have records of messages that are gone, when this many are there?
    pub(super) fn has_dead(&self, messages: usize) -> bool {
        self.records > messages
    }

    /// The base names that it lists, also those of messages that are gone.
    pub(super) fn bases(&self, home: &Directory) -> io::Result<Vec<Box<[u8]>>> {
        let mut text = Vec::new();
        home.open_to_read(Path::new(LIST), Links::Refuse)?.read_to_end(&mut text)?;
        let records = uidlist::parse(&text).map(|parsed| parsed.records).unwrap_or_default();
        Ok(records.into_iter().map(|record| record.base).collect())
    }

    /// Adds records at the end. On `Ok` they are on the disk.
    pub(super) fn append(&mut self, disk: &dyn Disk, home: &Directory, records: &[Record]) -> io::Result<()> {
        let mut text = Vec::new();
        records.iter().for_each(|record| record.write(&mut text));
        let file = home.open_to_write(Path::new(LIST), Links::Refuse)?;
        disk.write(&file, &text, self.end as u64)?;
        disk.sync(&file)?;
        self.end += text.len();
        self.wrote(records, file)
    }

    /// Writes the whole file anew. On `Ok` it is on the disk.
    pub(super) fn rewrite(
        &mut self,
        disk: &dyn Disk,
        home: &Directory,
        header: Header,
        records: &[Record],
    ) -> io::Result<()> {
        let mut text = header.to_line().into_bytes();
        records.iter().for_each(|record| record.write(&mut text));
        let file = write_file(disk, home, LIST, &text)?;
        *self = Self { header: Some(header), end: text.len(), ..Self::default() };
        self.wrote(records, file)
    }

    fn wrote(&mut self, records: &[Record], file: File) -> io::Result<()> {
        self.stamp = Some(directory::stamp(&file)?);
        self.held = Some(file);
        self.records += records.len();
        self.last = records.last().map_or(self.last, |record| record.uid);
        if let Some(header) = &mut self.header {
            header.next_uid = header.next_uid.max(self.last.saturating_add(1));
        }
        Ok(())
    }
}

/// Puts a file with `text` in the place of `name` and answers it. On `Ok` it is on the disk; else `name` is as it was.
pub(crate) fn write_file(disk: &dyn Disk, home: &Directory, name: &str, text: &[u8]) -> io::Result<File> {
    let temporary = format!("{name}.tmp");
    let (temporary, name) = (Path::new(&temporary), Path::new(name));
    let file = match disk.create(home, temporary, FILE_MODE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Of one who died: whoever may write here holds the lock.
            disk.remove(home, temporary)?;
            disk.create(home, temporary, FILE_MODE)?
        }
        outcome => outcome?,
    };
    let written = disk.write(&file, text, 0).and_then(|()| disk.sync(&file));
    if let Err(error) = written.and_then(|()| disk.replace(home, temporary, home, name)) {
        let _ = disk.remove(home, temporary);
        return Err(error);
    }
    disk.sync_directory(&home.enter_to_sync(Path::new("."), Links::Refuse)?)?;
    Ok(file)
}
