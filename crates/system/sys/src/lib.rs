//! The operating system, safe to use: the only crate with `unsafe`, a file each subject.
//!
//! Everything here is mechanism. Who may be whom, which files are allowed and when a socket is opened is
//! decided by the callers.
#![allow(unsafe_code)]

pub mod account_lines;
pub mod acting_as;
pub mod allocator;
pub mod clock;
pub mod descriptors;
pub mod directory;
pub mod disk;
pub mod error_text;
pub mod fork;
pub mod ids;
pub mod locks;
pub mod memory_file;
pub mod posix_regex;
pub mod process;
pub mod reading;
pub mod sandbox;
pub mod signals;
pub mod sockets;
pub mod watch;
mod system_calls;
pub mod users;

/// errno of an address family that this kernel does not have (`EAFNOSUPPORT`).
pub const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = libc::EAFNOSUPPORT;
