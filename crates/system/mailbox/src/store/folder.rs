//! A folder that is open, shared by all its sessions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::append_queue::AppendQueue;
use super::contents::{Contents, Message, Place};
use super::error::MailError;
use super::flags::{FlagChange, Flags};
use super::index::Computed;
use super::maildir::Maildir;
use super::mbox::Mbox;
use super::root::Root;
use super::upload::{Addition, Upload};
use super::{Layout, Uid, filename, keywords, locked};

/// A folder that is open.
#[derive(Debug)]
pub struct Folder {
    pub(super) shared: Arc<Root>,
    /// What sessions see. Whoever changes it holds `work`, so that it stays as it is for the one who works.
    pub(super) contents: Mutex<Contents>,
    pub(super) work: Mutex<Work>,
    /// Appends whose threads wait for `work`.
    pub(super) queue: AppendQueue,
}

/// How the folder lies on the disk.
#[derive(Debug)]
pub(super) enum Work {
    Maildir(Maildir),
    Mbox(Mbox),
}

/// Where one sees that a folder changes, or which folders there are: for [`super::Watcher`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WatchPlace(pub(super) Watched);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Watched {
    /// In all that happens there.
    Directories(Vec<PathBuf>),
    /// In what happens to this entry of its directory: the file may be written, or another put in its place.
    File(PathBuf),
    /// In what comes and goes in these directories of folders, the first of which is the root.
    Folders { layout: Layout, directories: Vec<PathBuf> },
}

/// Which computed thing is kept for a message ([`Folder::cache`]). The number is the caller's; raise it when the form
/// of the bytes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheKind(pub u8);

/// May a message be removed, being what it is now?
pub(crate) type MayGo<'a> = &'a dyn Fn(&Message) -> bool;

/// What [`Folder::store`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Messages that had been changed after `unchanged_since` (RFC 7162 §3.1.3 MODIFIED), sorted.
    pub modified: Vec<Uid>,
    /// The modification sequence of what was changed; none when nothing was.
    pub modseq: Option<u64>,
}

/// A message and its copy (RFC 4315 COPYUID).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its UID here.
    pub from: Uid,
    /// The UID of the copy in the other folder.
    pub to: Uid,
}

/// How full a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Sum of all messages.
    pub used_bytes: u64,
    /// Number of all messages.
    pub used_messages: u64,
    /// Largest sum, 0 for no limit.
    pub limit_bytes: u64,
    /// Largest number, 0 for no limit.
    pub limit_messages: u64,
}

impl Folder {
    /// The Maildir `path` below the root.
    pub(super) fn maildir(shared: &Arc<Root>, path: PathBuf) -> Self {
        Self::with(shared, Work::Maildir(Maildir::new(shared.clone(), path)))
    }

    /// The mbox file `path`, which is absolute.
    pub(super) fn mbox(shared: &Arc<Root>, path: &Path) -> std::io::Result<Self> {
        Ok(Self::with(shared, Work::Mbox(Mbox::new(shared.clone(), path)?)))
    }

    fn with(shared: &Arc<Root>, work: Work) -> Self {
        Self {
            shared: shared.clone(),
            contents: Mutex::default(),
            work: Mutex::new(work),
            queue: AppendQueue::default(),
        }
    }

    /// Looks at the contents as of the last sync. Keep it short: others wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&Contents) -> R) -> R {
        look(&locked(&self.contents))
    }

    /// Brings in what others did: new mail gets its UIDs, flags and expunges show. Cheap when nothing happened.
    ///
    /// # Errors
    /// [`MailError::NoFolder`] when it was deleted meanwhile, [`MailError::Locked`], [`MailError::Io`].
    pub fn sync(&self, now_us: u64) -> Result<(), MailError> {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.sync(&self.contents, now_us),
            Work::Mbox(mbox) => mbox.sync(&self.contents, now_us),
        }
    }

    /// The messages that no session has had as `\Recent` before; from now on they are this session's (RFC 3501
    /// §2.3.2). In a Maildir they move from `new/` to `cur/`. [`super::Summary::recent`] counts them without claiming.
    ///
    /// # Errors
    /// As [`Folder::sync`].
    pub fn claim_recent(&self, now_us: u64) -> Result<Vec<Uid>, MailError> {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.claim_recent(&self.contents, now_us),
            Work::Mbox(mbox) => {
                mbox.sync(&self.contents, now_us)?;
                Ok(mbox.claim_recent(&self.contents))
            }
        }
    }

    /// Changes flags. Messages that are gone are passed over. On `Ok` other programs see it; a power cut may undo it.
    ///
    /// `unchanged_since`: only messages whose modification sequence is not above it (RFC 7162 §3.1.3).
    ///
    /// # Errors
    /// [`MailError::TooManyKeywords`] before anything is changed, [`MailError::Locked`], [`MailError::Io`].
    pub fn store(
        &self,
        uids: &[Uid],
        change: &FlagChange,
        unchanged_since: Option<u64>,
        now_us: u64,
    ) -> Result<Stored, MailError> {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.store(&self.contents, uids, change, unchanged_since, now_us),
            Work::Mbox(mbox) => mbox.store(&self.contents, uids, change, unchanged_since, now_us),
        }
    }

    /// Removes messages for good, whatever their flags. Answers those that were there, sorted.
    ///
    /// # Errors
    /// [`MailError::Locked`], [`MailError::Io`].
    pub fn expunge(&self, uids: &[Uid], now_us: u64) -> Result<Vec<Uid>, MailError> {
        self.expunge_where(uids, &|_| true, now_us)
    }

    /// As [`Folder::expunge`], but of what is `\Deleted` in the moment it goes: another program may have taken the flag
    /// back since the caller looked.
    ///
    /// # Errors
    /// As [`Folder::expunge`].
    pub fn expunge_deleted(&self, uids: &[Uid], now_us: u64) -> Result<Vec<Uid>, MailError> {
        self.expunge_where(uids, &|message| message.flags.has(Flags::DELETED), now_us)
    }

    /// As [`Folder::expunge`], of what `may_go` lets go.
    pub(super) fn expunge_where(
        &self,
        uids: &[Uid],
        may_go: MayGo<'_>,
        now_us: u64,
    ) -> Result<Vec<Uid>, MailError> {
        let sizes = self.disk_bytes(uids);
        let gone = match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.expunge(&self.contents, uids, may_go, now_us),
            Work::Mbox(mbox) => mbox.expunge(&self.contents, uids, may_go, now_us),
        }?;
        let bytes: u64 =
            sizes.iter().filter(|(uid, _)| gone.binary_search(uid).is_ok()).map(|(_, bytes)| bytes).sum();
        self.shared.note_change(-bytes.cast_signed(), -(gone.len() as i64));
        Ok(gone)
    }

    /// Begins an upload of a message into this folder.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn upload(&self, now_us: u64) -> Result<Upload, MailError> {
        let site = match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.site(now_us),
            Work::Mbox(mbox) => mbox.site(now_us),
        }?;
        Upload::begin(self.shared.settings.disk.clone(), site)
    }

    /// Makes finished uploads messages, all or none (RFC 3502 MULTIAPPEND); answers their UIDs. On `Ok` they survive a
    /// power cut.
    ///
    /// # Errors
    /// [`MailError::OverQuota`], [`MailError::TooManyKeywords`], [`MailError::Locked`], [`MailError::Io`].
    pub fn append(&self, mut additions: Vec<Addition>, now_us: u64) -> Result<Vec<Uid>, MailError> {
        for addition in &mut additions {
            addition.upload.finish(addition.received)?;
        }
        let bytes: u64 = additions.iter().map(|addition| addition.upload.disk_bytes()).sum();
        self.shared.check_room(bytes, additions.len() as u64, now_us)?;
        let uids = self.append_in_turn(additions, now_us)?;
        self.shared.note_change(bytes.cast_signed(), uids.len() as i64);
        Ok(uids)
    }

    /// Bytes on disk of those of `uids` that are there; nothing where nobody counts.
    pub(super) fn disk_bytes(&self, uids: &[Uid]) -> Vec<(Uid, u64)> {
        let mut work = locked(&self.work);
        let Work::Maildir(maildir) = &mut *work else { return Vec::new() };
        if !self.shared.keeps_sum() {
            return Vec::new();
        }
        let contents = locked(&self.contents);
        let size = |uid: &Uid| match &contents.detail(*uid)?.place {
            Place::File { name, fresh } => Some((*uid, maildir.disk_bytes(name, *fresh)?)),
            Place::Span(_) => None,
        };
        uids.iter().filter_map(size).collect()
    }

    /// What names the message beyond its folder (RFC 8474 EMAILID): a copy has the same.
    pub fn message_guid(&self, uid: Uid) -> Option<Vec<u8>> {
        if let Work::Maildir(maildir) = &*locked(&self.work)
            && let Some(guid) = maildir.field(uid, 'G')
        {
            return Some(guid.as_bytes().to_vec());
        }
        match &locked(&self.contents).detail(uid)?.place {
            Place::File { name, .. } => Some(filename::base(name).to_vec()),
            Place::Span(_) => None,
        }
    }

    /// Leaves what was computed about messages in the index. It may be forgotten at any time, so nothing can go wrong.
    pub fn cache(&self, entries: &[(Uid, CacheKind, &[u8])]) {
        let guid = locked(&self.contents).summary().guid;
        let entries: Vec<_> = entries.iter().map(|(uid, kind, bytes)| (*uid, kind.0, *bytes)).collect();
        self.shared.index.cache(guid, &entries);
    }

    /// What [`Folder::cache`] was given for these messages, in the same order. Rising UIDs are looked up fastest.
    pub fn cached(&self, uids: &[Uid], kind: CacheKind) -> Computed {
        let guid = locked(&self.contents).summary().guid;
        self.shared.index.cached(guid, uids, kind.0)
    }

    /// Gives back descriptors and memory that can be had again, when all sessions of the folder idle.
    pub fn rest(&self) {
        self.shared.index.rest();
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.rest(),
            Work::Mbox(_) => {}
        }
    }

    /// How many messages it knows of; none while somebody works on that.
    pub(super) fn known_messages(&self) -> Option<usize> {
        self.contents.try_lock().ok().map(|contents| contents.messages().len())
    }

    /// Its directory has another name now.
    pub(super) fn moved(&self, path: PathBuf) {
        match &mut *locked(&self.work) {
            Work::Maildir(maildir) => maildir.path = path,
            Work::Mbox(mbox) => mbox.moved(&self.shared.root.join(path)),
        }
    }

    /// What changes when [`Folder::sync`] would find something.
    pub fn watch_place(&self) -> WatchPlace {
        WatchPlace(match &*locked(&self.work) {
            Work::Maildir(maildir) => {
                let path = self.shared.root.join(&maildir.path);
                Watched::Directories(vec![path.join("new"), path.join("cur")])
            }
            Work::Mbox(mbox) => Watched::File(mbox.path()),
        })
    }

    /// The names of a message's keywords.
    pub fn keyword_names(&self, uid: Uid) -> Vec<String> {
        self.read(|contents| match contents.message(uid) {
            Some(message) => keywords::names_of(contents.keywords(), message.keywords),
            None => Vec::new(),
        })
    }
}
