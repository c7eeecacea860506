//! The operating system, safe to use: the only crate with `unsafe`, a file each subject.
//!
//! Everything here is mechanism. Who may be whom, which files are allowed and when a socket is opened is
//! decided by the callers.
#![allow(unsafe_code)]

pub mod clock;
pub mod process;
pub mod signals;
pub mod sockets;
