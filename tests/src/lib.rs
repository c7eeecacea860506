//! What the end-to-end suites share: bringing a suite up, talking to it, reading its mailboxes.

pub mod man;
