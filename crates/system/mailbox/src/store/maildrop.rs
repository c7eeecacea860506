//! A maildrop: INBOX as one POP3 session sees it (RFC 1939).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::contents::{Contents, Detail, Message, Place};
use super::error::MailError;
use super::flags::{FlagChange, FlagScope, Flags, How};
use super::folder::{Folder, Work};
use super::lock::{FolderLock, Wanted};
use super::text::MessageText;
use super::uidl::Facts;
use super::{FolderName, Store, Uid, UidlFormat, filename, keywords, locked};

/// The lock file of a session, as Dovecot's `pop3_lock_session` has it.
const SESSION_LOCK: &str = "dovecot-pop3-session.lock";
/// A session of another program that has not touched its lock for so long is over.
const SESSION_STALE_AFTER: Duration = Duration::from_secs(300);

/// A message of a maildrop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropMessage {
    /// Its UID.
    pub uid: Uid,
    /// Its unique id (RFC 1939 §7 UIDL), no two the same.
    pub uidl: String,
    /// Size on the wire in bytes, line ends counted as CRLF.
    pub size_bytes: u64,
    /// A session has read it before (`\Seen`).
    pub seen: bool,
}

/// How a maildrop is used.
#[derive(Debug, Clone, Default)]
pub struct DropSettings {
    /// How unique ids are made.
    pub format: UidlFormat,
    /// No other session gets the maildrop meanwhile.
    pub exclusive: bool,
    /// Messages with this keyword are not shown (Dovecot's `pop3_deleted_flag`); empty for none.
    pub hidden_keyword: String,
    /// Deleted messages get that keyword instead of being removed.
    pub keeps_deleted: bool,
}

/// A maildrop that is open. New mail does not show until the next session.
#[derive(Debug)]
pub struct Maildrop {
    folder: Arc<Folder>,
    settings: DropSettings,
    messages: Vec<DropMessage>,
    lock: Option<FolderLock>,
}

impl Maildrop {
    /// Opens INBOX.
    ///
    /// # Errors
    /// [`MailError::InUse`], [`MailError::Locked`], [`MailError::Io`].
    pub fn open(store: &Store, settings: DropSettings, now_us: u64) -> Result<Self, MailError> {
        let folder = store.folder(&FolderName::inbox(), now_us)?;
        let lock = if settings.exclusive { Some(session_lock(store, now_us)?) } else { None };
        folder.sync(now_us)?;
        let mut listed = list(&folder, &settings);
        let uids: Vec<Uid> = listed.iter().map(|(message, _)| message.uid).collect();
        let sizes = folder.wire_sizes(&uids)?;
        for ((message, _), size) in listed.iter_mut().zip(&sizes) {
            message.size_bytes = size.unwrap_or(0);
        }
        let mut there = sizes.into_iter();
        listed.retain(|_| there.next().flatten().is_some());
        // RFC 1939 has no order; Dovecot's is that of the `O` records, then of UIDs.
        listed.sort_by_key(|(message, order)| (order.unwrap_or(u64::MAX), message.uid));
        let mut messages: Vec<DropMessage> = listed.into_iter().map(|(message, _)| message).collect();
        make_unique(&mut messages);
        Ok(Self { folder, settings, messages, lock })
    }

    /// In the order of POP3's message numbers, the first is 1.
    pub fn messages(&self) -> &[DropMessage] {
        &self.messages
    }

    /// Opens the text of a message.
    ///
    /// # Errors
    /// [`MailError::Gone`], [`MailError::Io`].
    pub fn text(&self, uid: Uid) -> Result<MessageText, MailError> {
        self.folder.open(uid)
    }

    /// For LAST: the highest message number that a session has retrieved before, 0 for none.
    pub fn last_seen(&self) -> usize {
        self.messages.iter().rposition(|message| message.seen).map_or(0, |at| at + 1)
    }

    /// Shows other programs that the session is alive; call it about once a minute.
    pub fn touch(&self, now_us: u64) {
        if let Some(lock) = &self.lock {
            // Ours see that it lives without that.
            let _ = lock.touch(now_us);
        }
    }

    /// UPDATE (RFC 1939 §6): removes the messages of `delete`, marks those of `seen`, and gives the maildrop back.
    /// Dropped without it, nothing is removed.
    ///
    /// # Errors
    /// [`MailError::Locked`], [`MailError::Io`]: some messages may not have been removed.
    pub fn update(self, delete: &[Uid], seen: &[Uid], now_us: u64) -> Result<(), MailError> {
        let unseen: Vec<Uid> = seen.iter().filter(|uid| !delete.contains(uid)).copied().collect();
        if !unseen.is_empty() {
            let change =
                FlagChange { how: How::Add, flags: Flags::SEEN, keywords: Vec::new(), scope: FlagScope::ALL };
            self.folder.store(&unseen, &change, None, now_us)?;
        }
        if !delete.is_empty() && self.settings.keeps_deleted {
            let keywords = vec![self.settings.hidden_keyword.clone()];
            let change = FlagChange { how: How::Add, flags: Flags::NONE, keywords, scope: FlagScope::ALL };
            self.folder.store(delete, &change, None, now_us)?;
        } else if !delete.is_empty() {
            self.folder.expunge(delete, now_us)?;
        }
        Ok(())
    }
}

fn session_lock(store: &Store, now_us: u64) -> Result<FolderLock, MailError> {
    let shared = store.shared();
    let (directory, path) = shared.control();
    let wanted = Wanted {
        settings: &shared.settings,
        directory,
        path,
        name: SESSION_LOCK,
        patience: Duration::ZERO,
        stale_after: SESSION_STALE_AFTER,
        now_us,
    };
    wanted.acquire().map_err(|error| match error {
        MailError::Locked { .. } => MailError::InUse,
        other => other,
    })
}

/// The messages, without sizes, each with its place in POP3's order if it has one.
fn list(folder: &Folder, settings: &DropSettings) -> Vec<(DropMessage, Option<u64>)> {
    let work = locked(&folder.work);
    let contents = locked(&folder.contents);
    let hidden = keywords::find(contents.keywords(), &settings.hidden_keyword);
    let shown = contents
        .with_details()
        .filter(|(message, _)| hidden.is_none_or(|hidden| !message.keywords.iter().any(|it| it == hidden)));
    shown.map(|(message, detail)| one(&work, &contents, &settings.format, message, detail)).collect()
}

fn one(
    work: &Work,
    contents: &Contents,
    format: &UidlFormat,
    message: &Message,
    detail: &Detail,
) -> (DropMessage, Option<u64>) {
    let field = |key| match work {
        Work::Maildir(maildir) => maildir.field(message.uid, key),
        Work::Mbox(_) => None,
    };
    let base = match &detail.place {
        Place::File { name, .. } => String::from_utf8_lossy(filename::base(name)).into_owned(),
        Place::Span(_) => String::new(),
    };
    let facts = Facts {
        uid: message.uid,
        uid_validity: contents.summary().uid_validity,
        guid: field('G').unwrap_or(&base),
        file: &base,
    };
    let uidl = field('P').map_or_else(|| format.expand(&facts), str::to_owned);
    let order = field('O').and_then(|order| order.parse().ok());
    let seen = message.flags.has(Flags::SEEN);
    (DropMessage { uid: message.uid, uidl, size_bytes: 0, seen }, order)
}

/// RFC 1939 §7: no two alike. Which of two keeps the name does not change while both are there.
fn make_unique(messages: &mut [DropMessage]) {
    let mut taken: HashSet<String> = HashSet::with_capacity(messages.len());
    for message in messages {
        let (mut number, mut uidl) = (2, message.uidl.clone());
        while !taken.insert(uidl.clone()) {
            uidl = format!("{}-{number}", message.uidl);
            number += 1;
        }
        message.uidl = uidl;
    }
}
