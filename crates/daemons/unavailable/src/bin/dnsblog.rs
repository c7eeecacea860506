//! # NAME
//! dnsblog - looks clients up in DNS blocklists for postscreen
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "dnsblog";
    const WHAT: &'static str = "the DNS blocklist helper of postscreen";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
