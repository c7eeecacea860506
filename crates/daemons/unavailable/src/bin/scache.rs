//! # NAME
//! scache - keeps outgoing connections for the next message
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "scache";
    const WHAT: &'static str = "the cache of outgoing connections";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
