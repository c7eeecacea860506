//! What STORE changes (RFC 3501 §6.4.6).

use crate::types::{Flags, Messages};

/// How the flags are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `FLAGS`: these and no others.
    Replace,
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
}

/// STORE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// Whose flags.
    pub messages: Messages,
    /// How.
    pub change: Change,
    /// No answer is wanted.
    pub silent: bool,
    /// Which.
    pub flags: Flags,
    /// Messages that changed after this stay as they are (RFC 7162 §3.1.3).
    pub unchanged_since: Option<u64>,
}
