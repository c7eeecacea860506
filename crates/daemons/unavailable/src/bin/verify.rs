//! # NAME
//! verify - finds out whether an address can be delivered to
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "verify";
    const WHAT: &'static str = "address verification by probes";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
