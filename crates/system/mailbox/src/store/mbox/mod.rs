//! A folder that is an mbox file, kept as Dovecot and UW imapd keep it.
//!
//! What a Maildir has in names of files and in lists stands here in header fields of the messages: `X-IMAPbase` in the
//! first one (UIDVALIDITY, the last UID, the folder's keywords), in each `X-UID`, `Status`, `X-Status`, `X-Keywords`. They
//! are hidden from readers. A message that was delivered has none; its UID follows from its place: the first after
//! the last UID of `X-IMAPbase`, and so on, as Dovecot counts. Flags are written over in place where there is room;
//! everything else makes the file anew, beside the old one, which it then replaces.
//!
//! Locks are those of delivery, in its order: first the lock file, then the locks on the open file.

mod adding;
mod change;
mod folder;
mod from_line;
mod header;
mod parse;
pub(crate) mod tree;
mod write;

pub(crate) use folder::{Mbox, guid_of};

/// Where a message lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The `From ` line begins here.
    pub(crate) begin: u64,
    /// The message is over here, its last line end excluded if that only parts it from the next.
    pub(crate) end: u64,
    /// No session has claimed it: its `Status` has no `O`.
    pub(crate) recent: bool,
    /// Tells messages apart that have no UID in the file yet.
    pub(crate) mark: u64,
}
