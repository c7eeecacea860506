//! A folder that is open, shared by all its sessions.

use super::Uid;
use super::contents::Contents;
use super::error::MailError;
use super::flags::FlagChange;
use super::text::MessageText;
use super::upload::{Addition, Upload};
use super::watcher::WatchKey;

/// A folder that is open.
#[derive(Debug)]
pub struct Folder {
    contents: std::sync::Mutex<Contents>,
}

/// Which computed thing is kept for a message ([`Folder::cache`]). The number is the caller's; raise it when the form
/// of the bytes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheKind(pub u8);

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
    /// Looks at the contents as of the last sync. Keep it short: others wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&Contents) -> R) -> R {
        look(&self.contents.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Brings in what others did: new mail gets its UIDs, flags and expunges show. Cheap when nothing happened.
    ///
    /// # Errors
    /// [`MailError::NoFolder`] when it was deleted meanwhile, [`MailError::Locked`], [`MailError::Io`].
    pub fn sync(&self, _now_us: u64) -> Result<(), MailError> {
        Err(not_built("sync"))
    }

    /// The messages that no session has had as `\Recent` before; from now on they are this session's (RFC 3501
    /// §2.3.2). In a Maildir they move from `new/` to `cur/`. [`super::Summary::recent`] counts them without claiming.
    ///
    /// # Errors
    /// As [`Folder::sync`].
    pub fn claim_recent(&self, _now_us: u64) -> Result<Vec<Uid>, MailError> {
        Err(not_built("recent"))
    }

    /// Changes flags. Messages that are gone are passed over. On `Ok` other programs see it; a power cut may undo it.
    ///
    /// `unchanged_since`: only messages whose modification sequence is not above it (RFC 7162 §3.1.3).
    ///
    /// # Errors
    /// [`MailError::TooManyKeywords`] before anything is changed, [`MailError::Locked`], [`MailError::Io`].
    pub fn store(
        &self,
        _uids: &[Uid],
        _change: &FlagChange,
        _unchanged_since: Option<u64>,
        _now_us: u64,
    ) -> Result<Stored, MailError> {
        Err(not_built("STORE"))
    }

    /// Removes messages for good, whatever their flags: the caller has looked for `\Deleted`. Answers those that were
    /// there.
    ///
    /// # Errors
    /// [`MailError::Locked`], [`MailError::Io`].
    pub fn expunge(&self, _uids: &[Uid], _now_us: u64) -> Result<Vec<Uid>, MailError> {
        Err(not_built("EXPUNGE"))
    }

    /// Copies messages with flags, keywords and dates; all or none. Messages that are gone are passed over.
    ///
    /// # Errors
    /// [`MailError::OverQuota`], [`MailError::TooManyKeywords`], [`MailError::Locked`], [`MailError::Io`].
    pub fn copy(&self, _uids: &[Uid], _target: &Self, _now_us: u64) -> Result<Vec<Copied>, MailError> {
        Err(not_built("COPY"))
    }

    /// Moves messages (RFC 6851): on `Ok` they are in `target` and not here. After an error some may have moved.
    ///
    /// # Errors
    /// As [`Folder::copy`].
    pub fn move_to(&self, _uids: &[Uid], _target: &Self, _now_us: u64) -> Result<Vec<Copied>, MailError> {
        Err(not_built("MOVE"))
    }

    /// Begins an upload of a message into this folder.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn upload(&self, _now_us: u64) -> Result<Upload, MailError> {
        Err(not_built("APPEND"))
    }

    /// Makes finished uploads messages, all or none (RFC 3502 MULTIAPPEND); answers their UIDs. On `Ok` they survive a
    /// power cut.
    ///
    /// # Errors
    /// [`MailError::OverQuota`], [`MailError::TooManyKeywords`], [`MailError::Locked`], [`MailError::Io`].
    pub fn append(&self, _additions: Vec<Addition>, _now_us: u64) -> Result<Vec<Uid>, MailError> {
        Err(not_built("APPEND"))
    }

    /// Opens the text of a message.
    ///
    /// # Errors
    /// [`MailError::Gone`], [`MailError::Io`].
    pub fn open(&self, _uid: Uid) -> Result<MessageText, MailError> {
        Err(not_built("FETCH"))
    }

    /// Sizes on the wire in bytes (RFC822.SIZE, POP3 LIST) of these messages, in the same order; none for one that is
    /// gone. Read from the files where nobody has counted before.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn wire_sizes(&self, _uids: &[Uid]) -> Result<Vec<Option<u64>>, MailError> {
        Err(not_built("sizes"))
    }

    /// INTERNALDATE of these messages, seconds since 1970; none for one that is gone.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn received(&self, _uids: &[Uid]) -> Result<Vec<Option<i64>>, MailError> {
        Err(not_built("INTERNALDATE"))
    }

    /// SAVEDATE (RFC 8514) of these messages, seconds since 1970; none for one that is gone.
    ///
    /// # Errors
    /// [`MailError::Io`].
    pub fn saved(&self, _uids: &[Uid]) -> Result<Vec<Option<i64>>, MailError> {
        Err(not_built("SAVEDATE"))
    }

    /// What names the message beyond its folder (RFC 8474 EMAILID): a copy has the same.
    pub fn message_guid(&self, _uid: Uid) -> Option<Vec<u8>> {
        None
    }

    /// Leaves what was computed about messages in the index. It may be forgotten at any time, so nothing can go wrong.
    pub fn cache(&self, _entries: &[(Uid, CacheKind, &[u8])]) {}

    /// What [`Folder::cache`] was given for these messages, in the same order.
    pub fn cached(&self, uids: &[Uid], _kind: CacheKind) -> Vec<Option<Vec<u8>>> {
        vec![None; uids.len()]
    }

    /// Gives back descriptors and memory that can be had again, when all sessions of the folder idle.
    pub fn rest(&self) {}

    /// What a [`super::Watcher`] watches to learn that [`Folder::sync`] would find something.
    pub fn watch_key(&self) -> WatchKey {
        WatchKey(0)
    }
}

fn not_built(what: &'static str) -> MailError {
    MailError::Unsupported { what }
}
