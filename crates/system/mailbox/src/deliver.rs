//! The one way into a mailbox.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use sys::directory::{Directory, Links};

use crate::content::Content;
use crate::disk::{Disk, RealDisk};
use crate::error::DeliverError;
use crate::maildir::OpenMaildir;
use crate::mbox::LockSettings;
use crate::place::{Form, Place};
use crate::store::{Layout, Limits};

/// The mailboxes below one base directory, all written by one user.
#[derive(Debug)]
pub struct Mailboxes<D = RealDisk> {
    pub(crate) base: Directory,
    /// For messages only.
    pub(crate) base_path: PathBuf,
    pub(crate) rules: Rules,
    pub(crate) disk: D,
    /// Maildirs that stay open between deliveries.
    pub(crate) open: HashMap<PathBuf, OpenMaildir>,
    /// Counts deliveries, to tell which open Maildir was used last.
    pub(crate) deliveries: u64,
    pub(crate) buffer: Vec<u8>,
}

/// What holds for every delivery of a process.
#[derive(Debug, Clone)]
pub struct Rules {
    /// May a path below the base go through symbolic links?
    pub links: Links,
    /// Who must own a mailbox that exists (`strict_mailbox_ownership`); none for anyone.
    pub owner: Option<u32>,
    /// The name of this host, as it stands in names of Maildir files.
    pub host: String,
    /// The process that delivers, as it stands in lock files.
    pub process: u32,
}

/// One copy for one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Copy<'a> {
    /// Where it goes.
    pub place: &'a Place,
    /// Names this delivery, among all of this host: the same when it is tried again, and good as part of a file
    /// name. A try that finds another at work waits for it.
    pub name: &'a str,
    /// What stands above the message, lines ended by LF: Return-Path and its fellows, for an mbox the `From ` line too.
    pub head: &'a [u8],
    /// The largest size of the mailbox file; for a Maildir of one message. 0 for no limit.
    pub limit_bytes: u64,
    /// What all mail of the recipient may grow to.
    pub quota: QuotaRule,
    /// How an mbox file is locked.
    pub locks: &'a LockSettings,
    /// An earlier try may have died before it could tell that it had delivered. This text, unless it is empty, is then
    /// in the message, and in no other: its queue id.
    pub in_doubt: &'a str,
    /// The time, microseconds since 1970.
    pub now_us: u64,
}

/// What all mail of a recipient may grow to, and how it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaRule {
    /// Of all folders together; of an mbox, only the file that is delivered to counts.
    pub limits: Limits,
    /// How the folders lie.
    pub layout: Layout,
}

impl Default for QuotaRule {
    /// No limit.
    fn default() -> Self {
        Self { limits: Limits::default(), layout: Layout::MaildirPlusPlus }
    }
}

impl Mailboxes<RealDisk> {
    /// Opens the base directory.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open(base: &Path, rules: Rules) -> io::Result<Self> {
        Self::with_disk(base, rules, RealDisk)
    }
}

impl<D: Disk> Mailboxes<D> {
    /// As [`Mailboxes::open`], on a disk that a test provides.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn with_disk(base: &Path, rules: Rules, disk: D) -> io::Result<Self> {
        Ok(Self {
            base: Directory::open(base)?,
            base_path: base.to_owned(),
            rules,
            disk,
            open: HashMap::new(),
            deliveries: 0,
            buffer: Vec::new(),
        })
    }

    /// Writes one copy. On `Ok` it survives a power cut; on `Err` no reader sees anything of it, unless undoing
    /// it failed as well, and it may be tried again.
    ///
    /// `when_safe` is called once the copy is safe, and is to note that for good. Whatever moment a process dies
    /// at, another try into a Maildir finds what this one has done there, until it has been noted: no second copy. An
    /// mbox file is searched for that, when [`Copy::in_doubt`] says so.
    ///
    /// # Errors
    /// [`DeliverError`]; its [`DeliverError::status`] tells whether another try makes sense.
    pub fn deliver(
        &mut self,
        copy: &Copy<'_>,
        content: &mut dyn Content,
        when_safe: &mut dyn FnMut(),
    ) -> Result<(), DeliverError> {
        self.deliveries += 1;
        match copy.place.form {
            Form::Maildir => self.deliver_to_maildir(copy, content, when_safe),
            Form::Mbox => self.deliver_to_mbox(copy, content, when_safe),
        }
    }

    /// Would a message of so many bytes fit into the mailbox? Nothing is written; a Maildir may get its `maildirsize`.
    ///
    /// # Errors
    /// [`DeliverError::TooLarge`] and [`DeliverError::OverQuota`] when it would not.
    pub fn check_room(&self, copy: &Copy<'_>, bytes: u64) -> Result<(), DeliverError> {
        let (there, limit_bytes) = match copy.place.form {
            Form::Maildir => {
                self.check_quota(copy, bytes)?;
                (0, copy.limit_bytes)
            }
            Form::Mbox => {
                let there = self.base.stamp_of(&copy.place.path).map_or(0, |stamp| stamp.size);
                (there, mbox_limit_bytes(copy))
            }
        };
        match limit_bytes {
            limit_bytes if limit_bytes > 0 && there.saturating_add(bytes) > limit_bytes => {
                Err(DeliverError::TooLarge { limit_bytes })
            }
            _ => Ok(()),
        }
    }

    /// The base directory, for a sandbox that is to leave it within reach.
    pub fn base(&self) -> &Directory {
        &self.base
    }

    /// The whole path, for messages.
    pub(crate) fn full_path(&self, path: &Path) -> PathBuf {
        self.base_path.join(path)
    }
}

/// How large an mbox file may become; 0 for no limit.
pub(crate) fn mbox_limit_bytes(copy: &Copy<'_>) -> u64 {
    let limits = [copy.limit_bytes, copy.quota.limits.bytes];
    limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(0)
}
