//! New messages that readers make: APPEND, COPY.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sys::directory::{Directory, Links};

use super::change::path;
use super::join::LETTERED_BITS;
use super::{Maildir, SharedContents};
use crate::store::contents::{Detail, Message, Place};
use crate::store::error::MailError;
use crate::store::filename::{self, Marks};
use crate::store::flags::{Flags, KeywordSet};
use crate::store::uidlist::{Record, UID_LIMIT};
use crate::store::upload::{Addition, Site};
use crate::store::{Uid, locked};

/// A message file of another folder that is to have a name here as well.
#[derive(Debug)]
pub(crate) struct Adopted {
    /// The directory it lies in.
    pub(crate) directory: Arc<Directory>,
    pub(crate) name: Box<[u8]>,
    pub(crate) flags: Flags,
    pub(crate) keywords: Vec<String>,
    /// Size on the wire and INTERNALDATE, where they are known.
    pub(crate) wire: Option<u64>,
    pub(crate) received: Option<i64>,
}

/// A file in its place here, which is no message yet.
struct Placed {
    name: Vec<u8>,
    fresh: bool,
    marks: Marks,
    wire: Option<u64>,
    received: Option<i64>,
}

impl Maildir {
    /// See [`crate::store::Folder::upload`].
    pub(crate) fn site(&mut self, now_us: u64) -> Result<Site, MailError> {
        let shared = self.shared.clone();
        let stem = filename::fresh(shared.unique_us(now_us), shared.settings.process, &shared.settings.host);
        let trouble = self.trouble("open", "tmp");
        let directory = self.enter()?.tmp.enter_to_sync(Path::new("."), Links::Refuse).map_err(trouble)?;
        Ok(Site { directory, stem })
    }

    /// See [`crate::store::Folder::append`]; the uploads are on the disk. All requests are made in one go: one lock,
    /// one sync of the names, one of the list.
    pub(crate) fn append(
        &mut self,
        contents: &SharedContents,
        requests: &mut [&mut [Addition]],
        now_us: u64,
    ) -> Vec<Result<Vec<Uid>, MailError>> {
        match self.append_together(contents, requests, now_us) {
            Ok(outcomes) => outcomes,
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// An error of its own has only the request whose keywords have no room; others are the disk's, and everybody's.
    fn append_together(
        &mut self,
        contents: &SharedContents,
        requests: &mut [&mut [Addition]],
        now_us: u64,
    ) -> Result<Vec<Result<Vec<Uid>, MailError>>, MailError> {
        let _lock = self.lock(now_us)?;
        self.sync_locked(contents, now_us)?;
        let mut wanted = Vec::with_capacity(requests.len());
        for request in requests.iter() {
            let numbers =
                |addition: &Addition| self.keyword_numbers(contents, &addition.keywords, true, now_us);
            wanted.push(request.iter().map(numbers).collect::<Result<Vec<_>, _>>());
        }
        let mut placed = Vec::new();
        for (request, wanted) in requests.iter_mut().zip(&wanted) {
            let Ok(keywords) = wanted else { continue };
            for (addition, keywords) in request.iter_mut().zip(keywords) {
                match self.place_upload(addition, *keywords) {
                    Ok(file) => placed.push(file),
                    Err(error) => {
                        self.take_back(&placed);
                        return Err(self.trouble("rename", &addition.upload.stem)(error));
                    }
                }
            }
        }
        let mut uids = self.admit(contents, placed, now_us)?.into_iter();
        let mut own = |keywords: Vec<_>| uids.by_ref().take(keywords.len()).collect();
        Ok(wanted.into_iter().map(|wanted| wanted.map(&mut own)).collect())
    }

    fn place_upload(&mut self, addition: &mut Addition, keywords: KeywordSet) -> io::Result<Placed> {
        let disk = self.shared.settings.disk.clone();
        let marks = Marks { flags: addition.flags & Flags::CLIENT, keywords };
        let (name, fresh) = name_for(addition.upload.final_base().as_bytes(), marks);
        let open = self.enter().map_err(io::Error::other)?;
        disk.rename(&open.tmp, Path::new(&addition.upload.stem), open.of(fresh), path(&name))?;
        addition.upload.is_placed();
        let (wire, received) = (Some(addition.upload.size_bytes()), Some(addition.received));
        Ok(Placed { name, fresh, marks, wire, received })
    }

    /// Makes further names for message files of another folder; none for a file that is not there (any more).
    pub(crate) fn adopt(
        &mut self,
        contents: &SharedContents,
        files: &[Adopted],
        now_us: u64,
    ) -> Result<Vec<Option<Uid>>, MailError> {
        let _lock = self.lock(now_us)?;
        self.sync_locked(contents, now_us)?;
        let (mut placed, mut there) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
        for file in files {
            let outcome = self.adopt_one(contents, file, now_us);
            match outcome {
                Ok(one) => {
                    there.push(one.is_some());
                    placed.extend(one);
                }
                Err(error) => {
                    self.take_back(&placed);
                    return Err(error);
                }
            }
        }
        let mut uids = self.admit(contents, placed, now_us)?.into_iter();
        Ok(there.into_iter().map(|there| if there { uids.next() } else { None }).collect())
    }

    fn adopt_one(
        &mut self,
        contents: &SharedContents,
        file: &Adopted,
        now_us: u64,
    ) -> Result<Option<Placed>, MailError> {
        let keywords = self.keyword_numbers(contents, &file.keywords, true, now_us)?;
        let marks = Marks { flags: file.flags, keywords };
        let trouble = self.trouble("copy", &String::from_utf8_lossy(&file.name));
        let (name, fresh) = name_for(filename::base(&file.name), marks);
        match self.link(contents, file, name, fresh, now_us) {
            Ok(name) => Ok(Some(Placed { name, fresh, marks, wire: file.wire, received: file.received })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(error)),
        }
    }

    /// The base name stays, as Dovecot has it, unless a message here has it already, or had it: in the list of UIDs its
    /// old record would stand beside the new one, and whoever reads both gives the message a third UID.
    fn link(
        &mut self,
        contents: &SharedContents,
        file: &Adopted,
        name: Vec<u8>,
        fresh: bool,
        now_us: u64,
    ) -> io::Result<Vec<u8>> {
        let shared = self.shared.clone();
        let taken = self.has_base(contents, filename::base(&name))?;
        let open = self.enter().map_err(io::Error::other)?;
        let disk = &shared.settings.disk;
        if !taken {
            match disk.link(&file.directory, path(&file.name), open.of(fresh), path(&name)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => return outcome.map(|()| name),
            }
        }
        let stem = filename::fresh(shared.unique_us(now_us), shared.settings.process, &shared.settings.host);
        let sizes = sizes(filename::base(&name));
        let other = [stem.as_bytes(), sizes, &name[filename::base(&name).len()..]].concat();
        disk.link(&file.directory, path(&file.name), open.of(fresh), path(&other)).map(|()| other)
    }

    fn has_base(&mut self, contents: &SharedContents, base: &[u8]) -> io::Result<bool> {
        let mut names = match self.bases.take() {
            Some(names) => names,
            None => self.taken_bases(contents)?,
        };
        let is_new = names.insert(base.into());
        self.bases = Some(names);
        Ok(!is_new)
    }

    /// The base names of all messages here, and of those that the list of UIDs still names.
    fn taken_bases(&mut self, contents: &SharedContents) -> io::Result<HashSet<Box<[u8]>>> {
        let base = |detail: &Detail| match &detail.place {
            Place::File { name, .. } => Some(Box::from(filename::base(name))),
            Place::Span(_) => None,
        };
        let mut names: HashSet<_> =
            locked(contents).with_details().filter_map(|(_, detail)| base(detail)).collect();
        self.enter().map_err(io::Error::other)?;
        if let Some(open) = self.directories.as_ref().filter(|_| self.list.has_dead(names.len())) {
            names.extend(self.list.bases(&open.home)?);
        }
        Ok(names)
    }

    /// Undoes what was placed before an error.
    fn take_back(&mut self, placed: &[Placed]) {
        self.bases = None;
        let disk = self.shared.settings.disk.clone();
        let Ok(open) = self.enter() else { return };
        for file in placed {
            // What stays is a message nobody asked for, and no harm.
            let _ = disk.remove(open.of(file.fresh), path(&file.name));
        }
    }

    /// Makes files messages: their names reach the disk, then their UIDs, then the others see them.
    fn admit(
        &mut self,
        contents: &SharedContents,
        placed: Vec<Placed>,
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        if placed.is_empty() {
            return Ok(Vec::new());
        }
        self.bases = None;
        let (first, modseq) = {
            let contents = locked(contents);
            (self.next_uid(&contents), contents.next_modseq(now_us))
        };
        let count = Uid::try_from(placed.len()).unwrap_or(Uid::MAX);
        let outcome = match first.checked_add(count).is_some_and(|after| after <= UID_LIMIT) {
            true => self.sync_names(&placed),
            false => Err(io::Error::other("no UID is left")),
        };
        let outcome = outcome.map_err(self.trouble("sync", "cur"));
        let uids: Vec<Uid> = (first..).take(placed.len()).collect();
        let new: Vec<_> =
            placed.iter().zip(&uids).map(|(file, uid)| message(file, *uid, modseq, now_us)).collect();
        let records: Vec<_> = placed.iter().zip(&uids).map(|(file, uid)| record(file, *uid)).collect();
        if let Err(error) = outcome.and_then(|()| self.list_with(contents, &new, &records)) {
            self.take_back(&placed);
            return Err(error);
        }
        {
            let mut contents = locked(contents);
            let marked = placed.iter().zip(&uids).filter(|(file, _)| !file.fresh);
            let marked: Vec<Uid> = marked.map(|(_, uid)| *uid).collect();
            self.shared.leave_unclaimed(&self.path, &marked);
            contents.leave_unclaimed(marked);
            contents.add(new);
        }
        self.settle(contents, now_us)?;
        Ok(uids)
    }

    fn sync_names(&mut self, placed: &[Placed]) -> io::Result<()> {
        let disk = self.shared.settings.disk.clone();
        let open = self.enter().map_err(io::Error::other)?;
        for fresh in [true, false] {
            if placed.iter().any(|file| file.fresh == fresh) {
                disk.sync_directory(open.of(fresh))?;
            }
        }
        Ok(())
    }

    /// A handle on the directory that a message's file lies in, for [`Maildir::adopt`] of another folder.
    pub(crate) fn directory_of(&mut self, fresh: bool) -> Result<Directory, MailError> {
        let trouble = self.trouble("open", if fresh { "new" } else { "cur" });
        self.enter()?.of(fresh).enter(Path::new("."), Links::Refuse).map_err(trouble)
    }

    /// Removes what died in `tmp/` longer than [`TMP_AGE_S`] ago.
    pub(crate) fn sweep_tmp(&mut self, now_us: u64) -> Result<(), MailError> {
        let disk = self.shared.settings.disk.clone();
        let trouble = self.trouble("read", "tmp");
        let tmp = &self.enter()?.tmp;
        let mut names: Vec<PathBuf> = Vec::new();
        tmp.names(|name, _| names.push(path(name).to_owned())).map_err(trouble)?;
        for name in names {
            let age_s = |changed_ns: i64| (now_us / 1_000_000) as i64 - changed_ns / 1_000_000_000;
            if tmp
                .stamp_of(&name)
                .is_ok_and(|stamp| age_s(stamp.changed_ns.max(stamp.modified_ns)) > TMP_AGE_S)
            {
                let _ = disk.remove(tmp, &name);
            }
        }
        Ok(())
    }
}

/// 36 hours, in seconds.
const TMP_AGE_S: i64 = 36 * 3600;

/// Without flags a message is new.
fn name_for(base: &[u8], marks: Marks) -> (Vec<u8>, bool) {
    let lettered = Marks { flags: marks.flags, keywords: KeywordSet(marks.keywords.0 & LETTERED_BITS) };
    match lettered.flags.is_empty() && lettered.keywords == KeywordSet::default() {
        true => (base.to_vec(), true),
        false => (filename::with_marks(base, lettered), false),
    }
}

/// `,S=..,W=..` of a base name; nothing when it has none.
fn sizes(base: &[u8]) -> &[u8] {
    let at = base.windows(3).position(|window| matches!(window, b",S=" | b",W="));
    at.map_or(b"", |at| &base[at..])
}

fn message(file: &Placed, uid: Uid, modseq: u64, now_us: u64) -> (Message, Detail) {
    let message = Message { uid, flags: file.marks.flags, keywords: file.marks.keywords, modseq };
    let place = Place::File { name: file.name.as_slice().into(), fresh: file.fresh };
    let saved = Some((now_us / 1_000_000) as i64);
    (message, Detail { place, wire: file.wire, received: file.received, saved })
}

fn record(file: &Placed, uid: Uid) -> Record {
    Record { uid, fields: "".into(), base: filename::base(&file.name).into() }
}
