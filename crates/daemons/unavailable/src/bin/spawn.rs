//! # NAME
//! spawn - runs a command for each connection
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "spawn";
    const WHAT: &'static str = "starting commands for connections";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
