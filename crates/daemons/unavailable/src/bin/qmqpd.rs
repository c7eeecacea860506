//! # NAME
//! qmqpd - takes mail by QMQP
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "qmqpd";
    const WHAT: &'static str = "QMQP";
}

impl Refusing for Program {
    /// A netstring whose first letter says "try again later".
    const FAREWELL: &'static [u8] = b"39:ZQMQP is not available in this version.,";
}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
