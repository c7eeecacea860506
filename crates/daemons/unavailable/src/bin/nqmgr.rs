//! # NAME
//! nqmgr - the queue manager under an old name
//!
//! # DESCRIPTION
//! Starts qmgr(8).

use std::process::ExitCode;

fn main() -> ExitCode {
    unavailable::same::become_program("qmgr")
}
