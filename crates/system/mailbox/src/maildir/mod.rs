//! Maildir: a directory for a mailbox, a file for a message. `tmp/` while it is written, `new/` once it is whole.

mod deliver;
mod trace;
mod make;
mod name;
mod quota;

pub(crate) use deliver::OpenMaildir;
