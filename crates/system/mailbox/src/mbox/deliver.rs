//! Delivery to the end of an mbox file.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sys::directory::{self, Directory, Facts, Kind, Links};

use super::dotlock::{Asker, Dotlock};
use super::search;
use crate::content::Content;
use crate::copy::Target;
use crate::deliver::{Copy, Mailboxes, mbox_limit_bytes};
use crate::disk::Disk;
use crate::error::DeliverError;
use crate::place::Form;

const FILE_MODE: u32 = 0o600;

/// An mbox file that is open, locked and looked at.
struct OpenMbox {
    file: File,
    /// Its length before the delivery, in bytes; what an earlier try left cut off does not count.
    size: u64,
    /// It did not exist before.
    created: bool,
}

impl<D: Disk> Mailboxes<D> {
    /// Locks, appends, syncs; on any error cuts the file back to where it ended.
    pub(crate) fn deliver_to_mbox(
        &mut self,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        when_safe: &mut dyn FnMut(),
    ) -> Result<(), DeliverError> {
        let path = &copy.place.path;
        // The base itself as a file: there is no name to open.
        let name = path.file_name().ok_or_else(|| cannot_open(io::ErrorKind::IsADirectory.into()))?;
        let parent = self.enter_parent(path, copy)?;
        let asker = Asker {
            disk: &self.disk,
            parent: &parent,
            process: self.rules.process,
            uid: sys::ids::effective_uid(),
            now_s: (copy.now_us / 1_000_000) as i64,
        };
        let dotlock = self.dotlock(&asker, copy, name)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let outcome = self.open_mbox(&parent, name, copy).and_then(|mut mbox| {
            self.append(&mut mbox, copy, content, &mut buffer)?;
            if mbox.created { self.sync_new_name(&parent) } else { Ok(()) }
        });
        if outcome.is_ok() {
            when_safe();
        }
        self.buffer = buffer;
        if let Some(dotlock) = dotlock {
            dotlock.release(&asker);
        }
        outcome
    }

    fn enter_parent(&self, path: &Path, copy: &Copy<'_>) -> Result<Directory, DeliverError> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        self.base.enter(parent, self.rules.links).map_err(|error| {
            if directory::is_detour(&error) {
                return DeliverError::Detour { path: self.full_path(path) };
            }
            match copy.locks.dotlock {
                true => {
                    DeliverError::io(format!("unable to create lock file {}", self.lock_path(path)), error)
                }
                false => cannot_open(error),
            }
        })
    }

    fn lock_path(&self, path: &Path) -> String {
        format!("{}.lock", self.full_path(path).display())
    }

    fn dotlock(
        &self,
        asker: &Asker<'_, D>,
        copy: &Copy<'_>,
        name: &OsStr,
    ) -> Result<Option<Dotlock>, DeliverError> {
        if !copy.locks.dotlock {
            return Ok(None);
        }
        let path = self.lock_path(&copy.place.path);
        match asker.acquire(Path::new(name), copy.locks) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => Err(DeliverError::DotLocked { path: PathBuf::from(path) }),
            Err(error) => Err(DeliverError::io(format!("unable to create lock file {path}"), error)),
        }
    }

    fn open_mbox(&self, parent: &Directory, name: &OsStr, copy: &Copy<'_>) -> Result<OpenMbox, DeliverError> {
        let name = Path::new(name);
        let (file, created) = self.open_or_create(parent, name)?;
        self.check(&directory::facts(&file).map_err(cannot_open)?, &copy.place.path)?;
        copy.locks.lock_open_file(&file)?;
        // While we waited for the lock the file may have grown, or got replaced.
        let facts = directory::facts(&file).map_err(cannot_open)?;
        let named = parent.facts_of(name).map_err(cannot_open)?;
        if (named.device, named.inode) != (facts.device, facts.inode) && self.rules.links == Links::Refuse {
            return Err(DeliverError::Changed);
        }
        Ok(OpenMbox { file, size: facts.size, created })
    }

    fn open_or_create(&self, parent: &Directory, name: &Path) -> Result<(File, bool), DeliverError> {
        match parent.open_to_write(name, self.rules.links) {
            Ok(file) => return Ok((file, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if directory::is_detour(&error) => return Err(DeliverError::SymbolicLink),
            Err(error) => return Err(cannot_open(error)),
        }
        match self.disk.create(parent, name, FILE_MODE) {
            Ok(file) => Ok((file, true)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(DeliverError::Changed),
            Err(error) => Err(DeliverError::io("cannot create file exclusively", error)),
        }
    }

    /// On the open file, not on its name: nobody can exchange it any more.
    fn check(&self, facts: &Facts, path: &Path) -> Result<(), DeliverError> {
        if facts.kind != Kind::File {
            return Err(DeliverError::NotRegular);
        }
        if facts.links != 1 {
            return Err(DeliverError::HardLinks { count: facts.links });
        }
        match self.rules.owner {
            Some(owner) if facts.uid != owner => Err(DeliverError::NotOwned { path: self.full_path(path) }),
            _ => Ok(()),
        }
    }

    fn append(
        &self,
        mbox: &mut OpenMbox,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
    ) -> Result<(), DeliverError> {
        let outcome = self.write_at_end(mbox, copy, content, buffer).and_then(|()| {
            self.disk.sync(&mbox.file).map_err(|source| DeliverError::io("error writing message", source))
        });
        if outcome.is_err() {
            // When even this fails, a reader sees a message cut off; the next delivery begins a line of its own.
            let _ = self.disk.truncate(&mbox.file, mbox.size);
        }
        outcome
    }

    fn write_at_end(
        &self,
        mbox: &mut OpenMbox,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        buffer: &mut Vec<u8>,
    ) -> Result<(), DeliverError> {
        let mut target = Target {
            disk: &self.disk,
            file: &mbox.file,
            offset: mbox.size,
            limit_bytes: mbox_limit_bytes(copy),
        };
        let gap = gap_before(&mbox.file, mbox.size)?;
        if gap.is_empty() {
            target.compose(Form::Mbox, copy.head, content, buffer)?;
        } else {
            target.compose(Form::Mbox, &[gap, copy.head].concat(), content, buffer)?;
        }
        let is_whole = target.offset == mbox.size;
        if is_whole && search::holds(&mbox.file, mbox.size, buffer, copy.in_doubt).map_err(cannot_open)? {
            return Ok(());
        }
        if is_whole
            && let Some(begin) =
                search::torn_try(&mbox.file, mbox.size, buffer, copy.in_doubt).map_err(cannot_open)?
        {
            self.disk
                .truncate(&mbox.file, begin)
                .map_err(|source| DeliverError::io("error writing message", source))?;
            buffer.drain(..gap.len());
            (mbox.size, target.offset) = (begin, begin);
        }
        target.flush(buffer)
    }

    fn sync_new_name(&self, parent: &Directory) -> Result<(), DeliverError> {
        match parent.enter_to_sync(Path::new("."), Links::Refuse) {
            Ok(readable) => self
                .disk
                .sync_directory(&readable)
                .map_err(|source| DeliverError::io("error writing message", source)),
            // A directory that may be entered but not read, as a mail spool often is.
            Err(_) => Ok(()),
        }
    }
}

/// What must stand before the next `From ` line, when a message was cut off in the middle by a crash.
fn gap_before(file: &File, size: u64) -> Result<&'static [u8], DeliverError> {
    let mut end = [0; 2];
    let from = size.saturating_sub(2);
    let end = &mut end[..(size - from) as usize];
    file.read_exact_at(end, from).map_err(cannot_open)?;
    Ok(match end {
        [] | [b'\n', b'\n'] | [b'\n'] => b"",
        [.., b'\n'] => b"\n",
        _ => b"\n\n",
    })
}

fn cannot_open(source: io::Error) -> DeliverError {
    DeliverError::io("cannot open file", source)
}
