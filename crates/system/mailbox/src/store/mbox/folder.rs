//! The file as a folder: what was in it when it was looked at last, and what has changed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use sys::directory::{self, Directory, Links, Stamp};
use sys::locks::{self, Hold};

use super::Span;
use super::header::Base;
use super::parse::{self, Piece};
use crate::store::contents::{Contents, Detail, Message, Place};
use crate::store::error::MailError;
use crate::store::flags::KeywordSet;
use crate::store::index::{Changed, Head};
use crate::store::lock::{FolderLock, Wanted};
use crate::store::maildir::Opened;
use crate::store::root::Root;
use crate::store::{Uid, keywords, locked};

const FILE_MODE: u32 = 0o600;
/// A file that changed so short ago may change once more without its time stamp showing it, nanoseconds.
const UNSETTLED_NS: i64 = 1_000_000_000;

/// An mbox file.
#[derive(Debug)]
pub(crate) struct Mbox {
    pub(super) root: Arc<Root>,
    /// Where the file lies, and its path.
    pub(super) home: Directory,
    directory: PathBuf,
    /// The file's name there.
    pub(super) name: PathBuf,
    /// The messages, by UID. Not UW imapd's, which is none.
    pub(super) pieces: Vec<(Uid, Piece)>,
    pub(super) pseudo: Option<Piece>,
    pub(super) base: Option<Base>,
    pub(super) seen: Option<(Stamp, u64)>,
    generation: Option<u64>,
}

/// The file, locked against all others.
pub(super) struct Held {
    _dotlock: Option<FolderLock>,
    pub(super) file: File,
}

type SharedContents = Mutex<Contents>;

impl Mbox {
    /// The file `path`, whose directory is there.
    ///
    /// # Errors
    /// As opening the directory.
    pub(crate) fn new(root: Arc<Root>, path: &Path) -> io::Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
        let home = Directory::open(&directory)?;
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let pieces = Vec::new();
        Ok(Self {
            root,
            home,
            directory,
            name,
            pieces,
            pseudo: None,
            base: None,
            seen: None,
            generation: None,
        })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// The file has another name now.
    pub(crate) fn moved(&mut self, path: &Path) {
        match Self::new(Arc::clone(&self.root), path) {
            Ok(moved) => *self = moved,
            Err(error) => log::warn!("open the directory of {}: {error}", path.display()),
        }
    }

    pub(super) fn trouble(&self, verb: &'static str) -> impl FnOnce(io::Error) -> MailError + use<> {
        MailError::io(verb, self.path())
    }

    /// Brings in what others did.
    pub(crate) fn sync(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        let Some(stamp) = self.stamp()? else {
            // Mail that has not come yet, or all of it taken away.
            return self.nothing(contents, now_us);
        };
        if self.is_as_seen(&stamp, now_us) {
            return Ok(());
        }
        let file = self.home.open_to_read(&self.name, self.root.settings.links);
        let file = file.map_err(self.trouble("open"))?;
        self.lock_file(&file, Hold::Shared)?;
        self.read(contents, &file, now_us)?;
        drop(file);
        if self.base.is_none() && !self.pieces.is_empty() {
            // UIDVALIDITY has to stand somewhere before anybody hears of it.
            let held = self.hold(now_us)?;
            self.read(contents, &held.file, now_us)?;
            self.rewrite(contents, &held, &[], now_us)?;
        }
        self.save_index(contents);
        Ok(())
    }

    fn stamp(&self) -> Result<Option<Stamp>, MailError> {
        match self.home.stamp_of(&self.name) {
            Ok(stamp) => Ok(Some(stamp)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.trouble("read")(error)),
        }
    }

    fn is_as_seen(&self, stamp: &Stamp, now_us: u64) -> bool {
        self.seen.is_some_and(|(seen, looked_us)| {
            let settled_ns = seen.modified_ns.saturating_add(UNSETTLED_NS);
            let ns = |us: u64| i64::try_from(us).unwrap_or(i64::MAX).saturating_mul(1000);
            let unsettled = ns(looked_us) < settled_ns && ns(now_us) >= settled_ns;
            let same = |stamp: &Stamp| (stamp.device, stamp.inode, stamp.size, stamp.modified_ns);
            same(&seen) == same(stamp) && !unsettled
        })
    }

    fn nothing(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        self.seen = None;
        self.take(contents, Vec::new(), now_us)
    }

    /// The file under all locks; made if it was not there.
    pub(super) fn hold(&self, now_us: u64) -> Result<Held, MailError> {
        let settings = &self.root.settings;
        let locks = &settings.mbox_locks;
        let lock_name = format!("{}.lock", self.name.display());
        let wanted = Wanted {
            settings,
            directory: &self.home,
            path: &self.directory,
            name: &lock_name,
            patience: locks.delay * locks.attempts,
            stale_after: locks.stale_after,
            now_us,
        };
        let dotlock = if locks.dotlock { Some(wanted.acquire()?) } else { None };
        let file = match self.home.open_to_write(&self.name, settings.links) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => settings
                .disk
                .create(&self.home, &self.name, FILE_MODE)
                .and_then(|_| self.home.open_to_write(&self.name, settings.links)),
            outcome => outcome,
        };
        let file = file.map_err(self.trouble("open"))?;
        self.lock_file(&file, Hold::Exclusive)?;
        let stamp = directory::stamp(&file).map_err(self.trouble("read"))?;
        // While we waited it may have been replaced.
        if self.stamp()?.map(|there| there.inode) != Some(stamp.inode) {
            return Err(MailError::Locked { path: self.path() });
        }
        Ok(Held { _dotlock: dotlock, file })
    }

    fn lock_file(&self, file: &File, hold: Hold) -> Result<(), MailError> {
        let settings = &self.root.settings.mbox_locks;
        for round in 0..settings.attempts.max(1) {
            if round > 0 {
                thread::sleep(settings.delay);
            }
            let both = || {
                let fcntl = !settings.fcntl || locks::try_fcntl(file, hold)?;
                Ok(fcntl && (!settings.flock || locks::try_flock(file, hold)?))
            };
            if both().map_err(self.trouble("lock"))? {
                return Ok(());
            }
        }
        Err(MailError::Locked { path: self.path() })
    }

    /// Reads the file, which is locked.
    pub(super) fn read(
        &mut self,
        contents: &SharedContents,
        file: &File,
        now_us: u64,
    ) -> Result<(), MailError> {
        let stamp = directory::stamp(file).map_err(self.trouble("read"))?;
        if self.is_as_seen(&stamp, now_us) {
            return Ok(());
        }
        let pieces = parse::parse(file, 0).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => MailError::NoMbox { path: self.path(), problem: error.to_string() },
            _ => self.trouble("read")(error),
        })?;
        self.take(contents, pieces, now_us)?;
        self.seen = Some((stamp, now_us));
        Ok(())
    }

    /// Makes `contents` what was found in the file.
    fn take(
        &mut self,
        contents: &SharedContents,
        mut pieces: Vec<Piece>,
        now_us: u64,
    ) -> Result<(), MailError> {
        self.base = pieces.first().and_then(|piece| piece.hidden.base.clone());
        self.pseudo = pieces.first().is_some_and(|piece| piece.hidden.pseudo).then(|| pieces.remove(0));
        claim_before_old(&mut pieces);
        self.begin(contents, now_us)?;
        let mut contents = locked(contents);
        let known_names = contents.keywords.clone();
        contents.keywords = self.keyword_names(&known_names, &pieces);
        self.pieces = self.number(&contents, pieces);
        let modseq = contents.next_modseq(now_us);
        let here: HashSet<Uid> = self.pieces.iter().map(|(uid, _)| *uid).collect();
        let gone: Vec<Uid> =
            contents.messages().iter().map(|message| message.uid).filter(|uid| !here.contains(uid)).collect();
        if !gone.is_empty() {
            contents.remove(&gone, modseq);
        }
        let mut new = Vec::new();
        for (uid, piece) in &self.pieces {
            match contents.position(*uid) {
                Some(at) => update(&mut contents, at, piece, modseq),
                None => new.push(message(*uid, piece, &contents.keywords, modseq)),
            }
        }
        if !new.is_empty() {
            contents.add(new);
        }
        let last = self.base.as_ref().map_or(0, |base| base.last_uid);
        contents.set_uid_next(last.saturating_add(1));
        contents.recount();
        Ok(())
    }

    /// UIDVALIDITY, from the file, the index, or a new one.
    fn begin(&mut self, contents: &SharedContents, now_us: u64) -> Result<(), MailError> {
        let guid = self.guid();
        let is_new = locked(contents).summary().uid_validity == 0;
        if is_new
            && let Some(head) = self.root.index.head(guid)
            && let Some(restored) = self.root.index.load(&head)
        {
            self.generation = Some(head.generation);
            locked(contents).restore(restored);
        }
        let known = locked(contents).summary().uid_validity;
        let uid_validity = match (&self.base, known) {
            (Some(base), _) => base.uid_validity,
            (None, 0) => self.root.next_uid_validity(now_us)?,
            (None, known) => known,
        };
        if uid_validity != known {
            locked(contents).reset(uid_validity, guid, now_us);
        }
        Ok(())
    }

    fn guid(&self) -> [u8; 16] {
        guid_of(&self.path())
    }

    /// The folder's keywords: known ones keep their numbers.
    fn keyword_names(&self, known: &[String], pieces: &[Piece]) -> Vec<String> {
        let mut names = known.to_vec();
        let based = self.base.iter().flat_map(|base| base.keywords.clone());
        for name in based.chain(pieces.iter().flat_map(|piece| piece.hidden.keywords.clone())) {
            // One too many is not shown, and stays in the file.
            let _ = keywords::numbers(&mut names, &[name]);
        }
        names
    }

    /// Gives each message its UID: that of the file, where it is in order; that which a message had that has none in the
    /// file; or the next.
    fn number(&self, contents: &Contents, pieces: Vec<Piece>) -> Vec<(Uid, Piece)> {
        let listed = self.base.as_ref().map_or(0, |base| base.last_uid);
        let highest = listed.max(contents.last_uid());
        let mut by_mark: HashMap<u64, Vec<Uid>> = HashMap::new();
        for (message, detail) in contents.with_details().collect::<Vec<_>>().into_iter().rev() {
            if let Place::Span(span) = &detail.place {
                by_mark.entry(span.mark).or_default().push(message.uid);
            }
        }
        let (mut last, mut next) = (0, highest.saturating_add(1));
        let mut numbered = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let own = piece.hidden.uid.filter(|uid| *uid > last && *uid <= highest);
            let known = || {
                by_mark.get_mut(&piece.mark).and_then(|uids| {
                    uids.retain(|uid| *uid > last);
                    uids.pop()
                })
            };
            let mut known = known;
            let uid = own.or_else(&mut known).unwrap_or(next);
            next = next.max(uid.saturating_add(1));
            last = uid;
            numbered.push((uid, piece));
        }
        numbered
    }

    /// The message's part of the file without the hidden lines.
    pub(crate) fn open_message(&self, uid: Uid) -> Result<Opened, MailError> {
        let at = self.pieces.binary_search_by_key(&uid, |(uid, _)| *uid).map_err(|_| MailError::Gone(uid))?;
        let piece = &self.pieces[at].1;
        let file = self.home.open_to_read(&self.name, Links::Refuse).map_err(self.trouble("open"))?;
        let stamp = directory::stamp(&file).map_err(self.trouble("read"))?;
        // Appending moves nothing.
        if self.seen.is_none_or(|(seen, _)| seen.inode != stamp.inode || seen.size > stamp.size) {
            return Err(self.trouble("open")(io::ErrorKind::NotFound.into()));
        }
        let mut parts = piece.visible.clone();
        parts.push((piece.blank, piece.end));
        Ok((file, self.path(), parts))
    }

    pub(super) fn save_index(&mut self, contents: &SharedContents) {
        let Some((stamp, looked_us)) = self.seen else { return };
        let mut contents = locked(contents);
        if self.generation.is_none() {
            contents.save_anew();
        }
        let unsaved = contents.take_unsaved();
        if !unsaved.anew && unsaved.touched.is_empty() && unsaved.gone.is_empty() {
            return;
        }
        let head = Head {
            generation: self.generation.unwrap_or(looked_us) + 1,
            boot: self.root.settings.boot,
            summary: contents.summary(),
            floor: contents.floor(),
            last_uid: contents.last_uid(),
            messages: contents.messages().len(),
            keywords: contents.keywords.clone(),
            stamps: [stamp, stamp],
            looked_us,
            ..Head::default()
        };
        let changed = Changed {
            guid: head.summary.guid,
            contents: &contents,
            touched: &unsaved.touched,
            gone: &unsaved.gone,
            anew: unsaved.anew,
        };
        self.generation = self.root.index.save(&changed, &head).then_some(head.generation);
    }

    /// The file is not the one that was read.
    pub(crate) fn look_again(&mut self, contents: &SharedContents) -> Result<(), MailError> {
        let now_us = self.seen.take().map_or(0, |(_, looked_us)| looked_us);
        self.sync(contents, now_us)
    }
}

/// As with Dovecot, who has claimed a message has claimed those before it.
fn claim_before_old(pieces: &mut [Piece]) {
    let last = pieces.iter().rposition(|piece| piece.hidden.old).unwrap_or(0);
    pieces[..last].iter_mut().for_each(|piece| piece.hidden.old = true);
}

pub(super) fn keyword_set(names: &[String], piece: &Piece) -> KeywordSet {
    let numbers = piece.hidden.keywords.iter().filter_map(|name| keywords::find(names, name));
    numbers.fold(KeywordSet::default(), KeywordSet::with)
}

fn update(contents: &mut Contents, at: usize, piece: &Piece, modseq: u64) {
    let (message, detail) = contents.at(at);
    let (flags, set) = (piece.hidden.flags, keyword_set(&contents.keywords, piece));
    let changed = (message.flags, message.keywords) != (flags, set);
    // Who has claimed it once has claimed it, whether the file says so yet or not.
    let recent = !piece.hidden.old && matches!(detail.place, Place::Span(Span { recent: true, .. }));
    let place = Place::Span(Span { begin: piece.begin, end: piece.end, recent, mark: piece.mark });
    let moved = detail.place != place;
    if changed {
        contents.mark(at, flags, set, modseq);
    }
    if moved {
        contents.put_place(at, place);
    }
}

fn message(uid: Uid, piece: &Piece, names: &[String], modseq: u64) -> (Message, Detail) {
    let message = Message { uid, flags: piece.hidden.flags, keywords: keyword_set(names, piece), modseq };
    let span = Span { begin: piece.begin, end: piece.end, recent: !piece.hidden.old, mark: piece.mark };
    let received = piece.received;
    (message, Detail { place: Place::Span(span), wire: None, received, saved: received })
}

/// Names the folder in the index: an mbox has no place for a name, so it is made from the path.
pub(crate) fn guid_of(path: &Path) -> [u8; 16] {
    use std::os::unix::ffi::OsStrExt;
    let half = |seed: u64| {
        path.as_os_str().as_bytes().iter().fold(seed, |number, byte| {
            (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
        })
    };
    let mut guid = [0; 16];
    guid[..8].copy_from_slice(&half(0xcbf2_9ce4_8422_2325).to_be_bytes());
    guid[8..].copy_from_slice(&half(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    guid
}

/// The name for a file beside the mbox that is being written.
pub(super) fn beside(name: &Path, what: &str) -> PathBuf {
    format!(".{}.{what}", name.display()).into()
}
