//! A folder that is an mbox file.

/// Where a message lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The `From ` line begins here.
    pub(crate) begin: u64,
    /// The message is over here, its last line end excluded if that only parts it from the next.
    pub(crate) end: u64,
    /// No session has claimed it: its `Status` has no `O`.
    pub(crate) recent: bool,
}
