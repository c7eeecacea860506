//! RFC 3461 NOTIFY as bits, the way Postfix stores it; 0 means that the sender did not say.

/// No report of any kind.
pub const NEVER: u32 = 1;
/// A report of success.
pub const SUCCESS: u32 = 2;
/// A report of failure.
pub const FAILURE: u32 = 4;
/// A report of delay.
pub const DELAY: u32 = 8;

/// Does a sender who gave these `flags` want a report of kind `wanted`? Without flags: yes.
pub const fn wants(flags: u32, wanted: u32) -> bool {
    flags == 0 || flags & wanted != 0
}
