//! # NAME
//! smtp - delivery to other hosts by SMTP
//!
//! # DESCRIPTION
//! Not in this version. Every delivery is deferred with status 4.3.0, so that no mail is lost.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::delivery::Agent;

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "smtp";
    const WHAT: &'static str = "outgoing SMTP";
}

fn main() -> ExitCode {
    worker::run::<Agent<Program>>()
}
